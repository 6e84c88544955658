"""calfeed: a calendar feed and reminder publisher."""

__version__ = "1.0.0"
