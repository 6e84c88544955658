"""How much one source may hold. Beyond these lies no calendar, only a mistake or an attack."""

from __future__ import annotations

SOURCE_BYTES = 64 * 2**20
"""All files of one source together."""
EVENTS = 100_000
"""Per file."""
FEEDS = 1_000
CHANNELS = 1_000
OVERRIDES = 1_000
"""Per event."""
DATES = 1_000
"""``rdate`` or ``exdate`` of one event."""
LANGUAGES = 32
"""Of one text."""
CATEGORIES = 32
"""Of one event, feed or channel."""
LINKS = 32
"""``attach``, ``conference`` or ``sources`` of one event."""
LEADS = 16
"""Lead times of one event or channel."""

ID = 100
"""Characters of an ``id``: it becomes a file name with an ending."""
UID = 255
TITLE = 500
"""Characters of a name, title, label or place."""
PROSE = 20_000
"""Characters of a description, address or contact."""
CATEGORY = 64
URL = 2_000
EMAIL = 254
"""RFC 5321 §4.5.3.1.3, less the brackets."""
RRULE = 500

YEARS = (1900, 2199)
"""First and last year of a date: older zones have odd seconds, later ones no law."""
LENGTH_DAYS = 3_660
"""Of one occurrence."""
LEAD_DAYS = 366
"""Before an occurrence; also of ``refresh``."""
TOMBSTONE_DAYS = 3_660
