"""What must not be forgotten; the only room that knows SQLAlchemy."""
