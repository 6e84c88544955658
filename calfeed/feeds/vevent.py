"""An event as VEVENT components: which properties calendar clients are given, and in what form.

What clients do with them is told in the manual's page on clients; a vendor's quirk stands beside its property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from calfeed.events.model import Conference, Duration, Event, Moment, Place, Source
from calfeed.events.revision import Revision
from calfeed.feeds.markdown import plain
from calfeed.feeds.phrases import Phrases, phrases
from calfeed.feeds.properties import (
    Component,
    Property,
    moment_property,
    one_line,
    text_property,
    uri_property,
    utc_stamp,
    zone_name,
)
from calfeed.feeds.select import Cancelled
from calfeed.feeds.series import Part, parts
from calfeed.feeds.text import uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How VEVENTs are written; with an event and its revision it decides every byte.

    ``native`` is the calendar's own language, ``utc`` the zones whose events are written in UTC, ``horizon`` the
    instant up to which endless events are written one by one.
    """

    language: str = "en"
    native: str = "en"
    base_url: str | None = None
    all_day_at: time = time(9)
    cancelled: Cancelled = "keep"
    alarm: Duration | None = None
    expand: bool = False
    rich: bool = False
    utc: frozenset[str] = frozenset()
    horizon: datetime = datetime(2000, 1, 1, tzinfo=UTC)


def published(event: Event, style: Style) -> tuple[list[Part], frozenset[str]]:
    """The event's VEVENTs to be, and the zones whose instants they show in UTC."""
    utc = style.utc | _second_readings(event)
    single = style.expand or (event.rrule is not None and event.timezone in utc and not is_all_day(event))
    found = parts(event, drop=style.cancelled == "drop", single=single, horizon=style.horizon)
    return found, utc


def vevents(event: Event, revision: Revision, style: Style) -> list[Component]:
    """The VEVENTs of one event: itself, its overrides, its further dates."""
    found, utc = published(event, style)
    return [component(part, revision, style, utc) for part in found]


def _second_readings(event: Event) -> frozenset[str]:
    """Zones in which the event names the second of two equal clock times: a TZID means the first (RFC 5545 §3.3.5)."""
    moments = [each for one in (event, *event.overrides) for each in (one.start, one.end, one.recurrence_id)]
    moments += [*event.rdate, *event.exdate]
    return frozenset(str(zone_name(each)) for each in moments if isinstance(each, datetime) and _is_second(each))


def _is_second(moment: datetime) -> bool:
    return moment.fold == 1 and moment.replace(fold=0).utcoffset() != moment.utcoffset()


def component(part: Part, revision: Revision, style: Style, utc: frozenset[str]) -> Component:
    """One VEVENT with what stands in it."""
    event = part.event
    words = phrases(event.summary.pick(style.language)[0])
    found = Component("VEVENT", list(_identity(part, revision)))
    add = found.properties.extend
    add(_times(part, utc))
    add(_texts(event, style, words))
    add(_place(event.location, style))
    add(_state(event, style))
    add(_links(part, style))
    if style.alarm is not None and event.status != "cancelled":
        found.components.append(_alarm(event, style.alarm, style))
    return found


def _identity(part: Part, revision: Revision) -> Iterator[Property]:
    modified = utc_stamp(revision.modified)
    yield Property("UID", part.uid)
    yield Property("DTSTAMP", modified, "date-time")
    yield Property("CREATED", utc_stamp(revision.created), "date-time")
    yield Property("LAST-MODIFIED", modified, "date-time")
    yield Property("SEQUENCE", str(revision.sequence), "integer")


def _times(part: Part, utc: frozenset[str]) -> Iterator[Property]:
    start, end = span(part.event)
    yield moment_property("DTSTART", start, utc)
    if end is not None:
        yield moment_property("DTEND", end, utc)
    if part.recurrence_id is not None:
        yield moment_property("RECURRENCE-ID", part.recurrence_id, utc)
    if part.rrule is not None:
        yield Property("RRULE", part.rrule, "recur")
    for moment in part.exdates:
        yield moment_property("EXDATE", moment, utc)


def span(event: Event) -> tuple[Moment, Moment | None]:
    """Start and exclusive end as published: an hour that is to be announced is not shown."""
    start, end = event.start, event.end
    if event.tba and isinstance(start, datetime):
        return start.date(), event.last_day + timedelta(days=1)
    if not isinstance(start, datetime) and end is None:
        return start, start + timedelta(days=1)
    return start, end


def is_all_day(event: Event) -> bool:
    """Whether the event is published as one of days."""
    return event.all_day or event.tba is not None


def title(event: Event, language: str, *, marked: bool = False) -> str:
    """The summary, saying what is still to be announced and, ``marked``, that the event is cancelled."""
    tag, text = event.summary.pick(language)
    text, words = one_line(text), phrases(tag)
    if event.tba:
        text = (words.tba_time_title if event.tba == "time" else words.tba_date_title).format(text)
    return words.cancelled_title.format(text) if marked and event.status == "cancelled" else text


def description(event: Event, language: str) -> str:
    """Plain text: what is to be announced, the description, how to join, where the publisher has it from."""
    words = phrases(event.summary.pick(language)[0])
    return "\n\n".join(filter(None, _paragraphs(event, language, words)))


def _paragraphs(event: Event, language: str, words: Phrases) -> Iterator[str]:
    if event.tba:
        yield announcement(event, words)
    if event.description is not None:
        yield plain(event.description.get(language))
    yield "\n".join(_join(each, language, words) for each in event.conference)
    yield "\n".join(_source(each, language, words) for each in event.sources)


def announcement(event: Event, words: Phrases) -> str:
    """That the time, or the date within its window, is to be announced."""
    if event.tba == "time":
        return words.tba_time
    start, last = event.start, event.last_day
    first = start.date() if isinstance(start, datetime) else start
    return words.tba_date.format(words.day(first) if first >= last else words.days(first, last))


def _join(conference: Conference, language: str, words: Phrases) -> str:
    label = f" ({one_line(conference.label.get(language))})" if conference.label else ""
    return f"{words.join}{label}: {uri(conference.uri)}"


def _source(source: Source, language: str, words: Phrases) -> str:
    day = f", {words.day(source.published)}" if source.published else ""
    url = f" {uri(source.url)}" if source.url else ""
    return f"{words.source}: {one_line(source.title.get(language))}{day}{url}"


def _texts(event: Event, style: Style, words: Phrases) -> Iterator[Property]:
    summary = text_property("SUMMARY", event.summary, style.language, style.native)
    yield summary._replace(value=title(event, style.language, marked=style.cancelled == "mark"))
    text = "\n\n".join(filter(None, _paragraphs(event, style.language, words)))
    if text:
        whose = event.description or event.summary
        yield text_property("DESCRIPTION", whose, style.language, style.native)._replace(value=text)


def place_text(place: Place, language: str) -> str:
    """Name and address on lines of their own: Apple shows its map only where LOCATION has this form."""
    name = one_line(place.name.get(language))
    return f"{name}\n{one_line(place.address.get(language))}" if place.address else name


def _place(place: Place | None, style: Style) -> Iterator[Property]:
    if place is None:
        return
    altrep = (("ALTREP", uri(place.url)),) if place.url else ()
    location = text_property("LOCATION", place.name, style.language, style.native, altrep)
    yield location._replace(value=place_text(place, style.language))
    if place.geo:
        latitude, longitude = map(degrees, place.geo)
        yield Property("GEO", f"{latitude};{longitude}", "float")
        address = (("X-ADDRESS", one_line(place.address.get(style.language))),) if place.address else ()
        params = (*address, ("X-APPLE-RADIUS", "100"), ("X-TITLE", one_line(place.name.get(style.language))))
        yield uri_property("X-APPLE-STRUCTURED-LOCATION", f"geo:{latitude},{longitude}", params)


def degrees(angle: float) -> str:
    """Six decimals (0.1 m), without trailing zeros or exponent (RFC 5545 §3.8.1.6)."""
    text = f"{angle:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _state(event: Event, style: Style) -> Iterator[Property]:
    cancelled = event.status == "cancelled"
    busy = event.transparency == "opaque" and not cancelled
    status = "CONFIRMED" if cancelled and style.cancelled == "mark" else event.status.upper()
    yield Property("STATUS", status)
    yield Property("TRANSP", "OPAQUE" if busy else "TRANSPARENT")
    outlook = "FREE" if not busy else "TENTATIVE" if event.status == "tentative" else "BUSY"
    yield Property("X-MICROSOFT-CDO-BUSYSTATUS", outlook)
    if is_all_day(event):
        yield Property("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE")
    if event.visibility == "private":
        yield Property("CLASS", "PRIVATE")
    if event.categories:
        yield Property("CATEGORIES", event.categories, "texts")
    if event.priority is not None:
        yield Property("PRIORITY", str(event.priority), "integer")


def page_url(event: Event, base_url: str | None) -> str | None:
    """Where readers find the event: its own URL, else its page here; a private event has no page."""
    if event.url:
        return uri(event.url)
    return f"{base_url}/events/{event.id}" if base_url and event.visibility != "private" else None


def _links(part: Part, style: Style) -> Iterator[Property]:
    event = part.event
    url = page_url(event, style.base_url)
    if url:
        yield Property("URL", url, "uri")
    if event.image:
        yield uri_property("IMAGE", event.image)
    for conference in event.conference:
        yield _conference(conference, style)
    for attached in event.attach:
        yield Property("ATTACH", uri(attached), "uri")
    yield from _people(event, style)
    if part.related:
        yield Property("RELATED-TO", part.related)
    for source in event.sources:
        if source.url:
            label = (("LABEL", one_line(source.title.get(style.language))),)
            yield uri_property("LINK", source.url, (("LINKREL", "via"), *label))
    if event.tba:
        yield Property("X-CALFEED-TBA", event.tba.upper())


def _conference(conference: Conference, style: Style) -> Property:
    features = (("FEATURE", tuple(map(str.upper, conference.features))),) if conference.features else ()
    label = (("LABEL", one_line(conference.label.get(style.language))),) if conference.label else ()
    return uri_property("CONFERENCE", conference.uri, (*features, *label))


def _people(event: Event, style: Style) -> Iterator[Property]:
    person = event.organizer
    if person is not None and person.email:
        name = (("CN", one_line(person.name.get(style.language))),)
        yield Property("ORGANIZER", f"mailto:{uri(person.email)}", "cal-address", name)
    contact = event.contact or (person.name if person and not person.email else None)
    if contact is not None:
        yield text_property("CONTACT", contact, style.language, style.native)


def _alarm(event: Event, lead: Duration, style: Style) -> Component:
    return Component(
        "VALARM",
        [
            Property("ACTION", "DISPLAY"),
            Property("DESCRIPTION", title(event, style.language)),
            Property("TRIGGER", _trigger(event, lead, style.all_day_at), "duration"),
        ],
    )


def _trigger(event: Event, lead: Duration, all_day_at: time) -> str:
    """Before the start; for days, at ``all_day_at``: of that same day, or whole days before."""
    if not is_all_day(event):
        return lead.iso if lead == Duration() else f"-{lead.iso}"
    clock = all_day_at.hour * 3600 + all_day_at.minute * 60 + all_day_at.second
    seconds = clock - lead.total_seconds // 86400 * 86400
    days, rest = divmod(abs(seconds), 86400)
    return ("-" if seconds < 0 else "") + Duration(days=days, seconds=rest).iso
