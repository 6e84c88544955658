"""Checked TOML values to the values of the model: texts, people, places, links."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

from calfeed.events import schema
from calfeed.events.colors import CSS3
from calfeed.events.model import Conference, Person, Place, Source, Text
from calfeed.events.report import Fault

_MEETING_SCHEMES = frozenset({"http", "https", "tel", "sip", "sips", "xmpp", "mailto", "rtsp", "rtmp", "irc", "ircs"})
_UNRESERVED = "!$&'()*+,;=:@/?%-._~[]#"


@lru_cache(maxsize=256)
def language(tag: str) -> str:
    """A BCP 47 tag in its usual case (RFC 5646 §2.1.1): ``zh-Hans-CN``."""
    first, *rest = tag.split("-")
    return "-".join((first.lower(), *(_SUBTAG_CASE.get(len(part), str.lower)(part) for part in rest)))


_SUBTAG_CASE = {2: str.upper, 4: str.title}


def text(value: str | dict[str, str], spoken: str) -> Text:
    """A text in ``spoken``, the calendar's language, or in the languages it names, that one first; raises Fault."""
    if isinstance(value, str):
        return Text(((spoken, value.strip()),))
    tagged = {language(tag): each.strip() for tag, each in value.items()}
    if len(tagged) < len(value):
        raise Fault("one language stands here twice", "tags are the same in upper and lower case")
    return Text(tuple(sorted(tagged.items(), key=lambda pair: pair[0] != spoken)))


def maybe_text(value: str | dict[str, str] | None, spoken: str) -> Text | None:
    """`text`, or None for None."""
    return None if value is None else text(value, spoken)


def person(table: schema.PersonTable, spoken: str) -> Person:
    """An organizer; raises Fault."""
    return Person(text(table.name, spoken), table.email)


def place(value: str | dict[str, str] | schema.PlaceTable, spoken: str) -> Place:
    """A location from any of its forms; raises Fault."""
    if not isinstance(value, schema.PlaceTable):
        return Place(text(value, spoken))
    geo = None if value.geo is None else _geo(*value.geo)
    address = maybe_text(value.address, spoken)
    return Place(text(value.name, spoken), address, geo, None if value.url is None else url(value.url))


def _geo(latitude: float, longitude: float) -> tuple[float, float]:
    if not -90 <= latitude <= 90:
        raise Fault(f"geo: latitude {latitude:g} is not between -90 and 90", "latitude comes first, then longitude")
    return float(latitude), float(longitude)


def conference(table: schema.ConferenceTable, spoken: str) -> Conference:
    """A way to join; raises Fault."""
    scheme = table.uri.partition(":")[0].lower()
    if scheme not in _MEETING_SCHEMES:
        raise Fault(f"uri: a link with {scheme!r} is not accepted", f"use one of {', '.join(sorted(_MEETING_SCHEMES))}")
    uri = url(table.uri) if scheme in {"http", "https"} else table.uri
    return Conference(uri, maybe_text(table.label, spoken), tuple(dict.fromkeys(table.features or ())))


def source(table: schema.SourceTable, spoken: str) -> Source:
    """Where an event is from; raises Fault."""
    return Source(text(table.title, spoken), None if table.url is None else url(table.url), table.published)


def url(value: str) -> str:
    """An http(s) URL in ASCII: iCalendar takes URIs (RFC 3986), people paste IRIs (RFC 3987); raises Fault."""
    if value.isascii():
        return value
    parts = urlsplit(value)
    try:
        host = parts.netloc.encode("idna").decode("ascii")
    except UnicodeError:
        raise Fault(f"{parts.netloc!r} is not a host name") from None
    rest = (quote(part, safe=_UNRESERVED) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, host, *rest))


def color(name: str) -> str:
    """A CSS3 colour name in lower case; raises Fault."""
    if (lowered := name.lower()) in CSS3:
        return lowered
    near = get_close_matches(re.sub(r"[ _-]", "", lowered), list(CSS3), n=1)
    raise Fault(f"{name!r} is not a CSS3 colour name", f"did you mean {near[0]!r}?" if near else "such as 'crimson'")
