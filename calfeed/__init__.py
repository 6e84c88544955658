"""calfeed: a calendar feed and reminder publisher."""

__version__ = "0.1.0"
