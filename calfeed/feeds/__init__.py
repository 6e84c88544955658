"""What calendars read: bytes from a Catalog and its revisions. Pure."""
