"""Checked TOML values to the values of the model: texts, people, places, links."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

from calfeed.events import schema, times
from calfeed.events.colors import CSS3
from calfeed.events.model import Conference, Person, Place, Source, Text
from calfeed.events.report import Fault

_MEETING_SCHEMES = frozenset({"http", "https", "tel", "sip", "sips", "xmpp", "mailto", "rtsp", "rtmp", "irc", "ircs"})
_ADDRESS_OR_PORT = re.compile(r"[a-zA-Z]+://(\[|[^/?#]*:)")
_IN_URI = "!$&'()*+,;=:@/?%-._~"
_SUBTAG_CASE = {2: str.upper, 4: str.title}


@lru_cache(maxsize=256)
def language(tag: str) -> str:
    """A BCP 47 tag in its usual case (RFC 5646 §2.1.1): ``zh-Hans-CN``."""
    first, *rest = tag.split("-")
    return "-".join((first.lower(), *(_SUBTAG_CASE.get(len(part), str.lower)(part) for part in rest)))


def text(value: str | dict[str, str], spoken: str, *keys: str) -> Text:
    """A text in ``spoken``, the calendar's language, or in the languages it names, that one first; raises Fault."""
    if isinstance(value, str):
        return Text(((spoken, value.strip()),))
    tagged = {language(tag): each.strip() for tag, each in value.items()}
    if len(tagged) < len(value):
        raise Fault("one language stands here twice", "tags are the same in upper and lower case", keys)
    if next(iter(tagged)) != spoken:
        main = spoken.partition("-")[0]
        tagged = dict(sorted(tagged.items(), key=lambda pair: (pair[0] != spoken, pair[0].partition("-")[0] != main)))
    return Text(tuple(tagged.items()))


def person(table: schema.PersonTable, spoken: str) -> Person:
    """An organizer; raises Fault."""
    return Person(text(table.name, spoken, "name"), table.email)


def place(value: str | dict[str, str] | schema.PlaceTable, spoken: str) -> Place:
    """A location from any of its forms; raises Fault."""
    if not isinstance(value, schema.PlaceTable):
        return Place(text(value, spoken))
    return Place(
        text(value.name, spoken, "name"),
        None if value.address is None else text(value.address, spoken, "address"),
        None if value.geo is None else _geo(*value.geo),
        None if value.url is None else url(value.url, "url"),
    )


def _geo(latitude: float, longitude: float) -> tuple[float, float]:
    if not -90 <= latitude <= 90:
        hint = "latitude comes first, then longitude"
        raise Fault(f"latitude {latitude:g} is not between -90 and 90", hint, ("geo",))
    return latitude + 0.0, longitude + 0.0  # of the two zeros the plain one: they are equal, and written differently


def conference(table: schema.ConferenceTable, spoken: str) -> Conference:
    """A way to join; raises Fault."""
    scheme = table.uri.partition(":")[0].lower()
    if scheme not in _MEETING_SCHEMES:
        hint = f"use one of {', '.join(sorted(_MEETING_SCHEMES))}"
        raise Fault(f"a {scheme} link is not accepted", hint, ("uri",))
    uri = url(table.uri, "uri") if scheme in {"http", "https"} else quote(table.uri, safe=f"{_IN_URI}#[]")
    label = None if table.label is None else text(table.label, spoken, "label")
    return Conference(uri, label, tuple(dict.fromkeys(table.features or ())))


def source(table: schema.SourceTable, spoken: str) -> Source:
    """Where an event is from; raises Fault."""
    link = None if table.url is None else url(table.url, "url")
    published = None if table.published is None else times.in_range(table.published, "published")
    return Source(text(table.title, spoken, "title"), link, published)


def url(value: str, *keys: str) -> str:
    """An http(s) URL in ASCII: iCalendar takes URIs (RFC 3986), people paste IRIs (RFC 3987); raises Fault."""
    if value.isascii() and not _ADDRESS_OR_PORT.match(value):
        return value
    try:
        parts = urlsplit(value)
        netloc = _netloc(parts.hostname or "", parts.port)
    except ValueError:  # an address that is none, a port above 65535, a label that IDNA does not take
        raise Fault(f"{value!r} names no host that can exist", "such as 'https://example.org/page'", keys) from None
    rest = (quote(part, safe=_IN_URI) for part in (parts.path, parts.query, parts.fragment))
    return value if value.isascii() else urlunsplit((parts.scheme, netloc, *rest))


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    return name if port is None else f"{name}:{port}"


def color(name: str) -> str:
    """A CSS3 colour name in lower case; raises Fault."""
    if (lowered := name.lower()) in CSS3:
        return lowered
    near = get_close_matches(re.sub(r"[ _-]", "", lowered), list(CSS3), n=1)
    raise Fault(f"{name!r} is not a CSS3 colour name", f"did you mean {near[0]!r}?" if near else "such as 'crimson'")
