"""Components and properties as values: the one model behind iCalendar and jCal.

A property's value is text as people write it where ``kind`` is ``text`` (or a tuple of texts where it is ``texts``);
of every other kind it is already in the form of RFC 5545 §3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from calfeed.events.model import Moment, Text
from calfeed.feeds.text import clean, uri

Kind = Literal[
    "text", "texts", "date", "date-time", "duration", "uri", "cal-address", "integer", "float", "recur", "utc-offset"
]
Params = tuple[tuple[str, str | tuple[str, ...]], ...]


Property = tuple[str, str | tuple[str, ...], Kind, Params]
"""Name, value, kind and parameters of one content line before it is written. A bare tuple: a feed has many."""


Tongues = tuple[str, str]
"""The reader's language, and the calendar's own."""


@dataclass(slots=True)
class Component:
    """A named list of properties, and components within."""

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)


def utc_stamp(moment: datetime) -> str:
    """``20240517T020000Z``. Not kept by moment: both readings of a clock time that comes twice would be one key."""
    return f"{local_stamp(moment.astimezone(UTC))}Z"


def local_stamp(moment: datetime) -> str:
    """``20240517T100000``: the wall clock alone."""
    clock = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return "%04d%02d%02dT%02d%02d%02d" % clock  # noqa: UP031 # twice as fast as the other ways


def day_stamp(day: date) -> str:
    """``20240517``."""
    return day.isoformat().replace("-", "")


def moment_property(name: str, moment: Moment, utc: frozenset[str]) -> Property:
    """A date, an instant with the TZID of its zone, or in UTC: for zones in ``utc`` and for UTC itself."""
    if not isinstance(moment, datetime):
        return (name, day_stamp(moment), "date", DAY)
    zone = zone_name(moment)
    if zone is None or zone in utc:
        return (name, utc_stamp(moment), "date-time", ())
    return (name, local_stamp(moment), "date-time", (("TZID", zone),))


def zone_name(moment: datetime) -> str | None:
    """The TZID an instant is written with; None for UTC and zones without a name."""
    key: str | None = getattr(moment.tzinfo, "key", None)
    return None if key in UTC_NAMES else key


DAY: Params = (("VALUE", "DATE"),)
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


def text_property(name: str, text: Text, tongues: Tongues, value: str | None = None, params: Params = ()) -> Property:
    """A text in the reader's language, or ``value`` made of it.

    It says its language unless that is the calendar's own and the only one.
    """
    language, native = tongues
    several = len(text.by_language) > 1
    tag, own = text.pick(language) if several else text.by_language[0]
    if several or tag != native:
        params = (("LANGUAGE", tag), *params)
    return (name, own if value is None else value, "text", params)


def uri_property(name: str, value: str, params: Params = ()) -> Property:
    """A URI with ``VALUE=URI``, for properties whose default type is another."""
    return (name, uri(value), "uri", (*params, ("VALUE", "URI")))


def one_line(text: str) -> str:
    """Without line breaks: titles, places and labels have one line."""
    return text if text.isprintable() and "  " not in text else " ".join(clean(text).split())
