"""Components and properties as iCalendar octets (RFC 5545), the same ones whenever the same things are said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from calfeed.events.model import Event
from calfeed.events.revision import Revision
from calfeed.feeds.properties import Component, Params, Property
from calfeed.feeds.text import escape, fold, parameter
from calfeed.feeds.vevent import Style, vevents

PRODID = "-//calfeed//calfeed//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"


def vevent(event: Event, revision: Revision, style: Style) -> bytes:
    """The VEVENTs of one event, each line ended by CRLF; no octets at all where the style drops it."""
    return octets(vevents(event, revision, style))


def calendar(header: Sequence[Property], zones: Iterable[bytes], events: Iterable[bytes]) -> bytes:
    """A whole iCalendar object from what is written already; ``zones`` and ``events`` may not both be empty."""
    head = "".join(f"{line(each)}\r\n" for each in header).encode()
    return b"".join((b"BEGIN:VCALENDAR\r\n", head, *zones, *events, b"END:VCALENDAR\r\n"))


def octets(components: Iterable[Component]) -> bytes:
    """Components one after the other."""
    return "".join(f"{each}\r\n" for component in components for each in _lines(component)).encode()


def line(each: Property) -> str:
    """One content line, folded, without its last break."""
    name, value, kind, params = each
    if kind == "text":
        value = escape(value)  # type: ignore[arg-type]  # a text has one value
    elif kind == "texts":
        value = ",".join(map(escape, value))
    return fold(f"{name}{_written(params)}:{value}" if params else f"{name}:{value}")


def _written(params: Params) -> str:
    return "".join(f";{name}={_value(value)}" for name, value in params)


def _value(value: str | tuple[str, ...]) -> str:
    return parameter(value) if isinstance(value, str) else ",".join(map(parameter, value))


def _lines(component: Component) -> Iterator[str]:
    yield f"BEGIN:{component.name}"
    yield from map(line, component.properties)
    for child in component.components:
        yield from _lines(child)
    yield f"END:{component.name}"
