"""An event as VEVENT components: which properties calendar clients are given, and in what form.

What clients do with them is told in the manual's page on clients; a vendor's quirk stands beside its property.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from calfeed.events.model import Conference, Duration, Event, Moment, Place, Source
from calfeed.events.revision import Revision
from calfeed.feeds.markdown import plain
from calfeed.feeds.phrases import Phrases, phrases
from calfeed.feeds.properties import (
    Component,
    Params,
    Property,
    Tongues,
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

    @property
    def tongues(self) -> Tongues:
        """The reader's language, and the calendar's own."""
        return self.language, self.native


def published(event: Event, style: Style) -> tuple[list[Part], frozenset[str]]:
    """The event's VEVENTs to be, and the zones whose instants they show in UTC."""
    utc = style.utc
    seconds = [moment for moment in _moments(event) if isinstance(moment, datetime) and _is_second(moment)]
    if seconds:
        utc |= {str(zone_name(moment)) for moment in seconds}
    single = style.expand or (event.rrule is not None and event.timezone in utc and not is_all_day(event))
    return parts(event, drop=style.cancelled == "drop", single=single, horizon=style.horizon), utc


def vevents(event: Event, revision: Revision, style: Style) -> list[Component]:
    """The VEVENTs of one event: itself, its overrides, its further dates."""
    found, utc = published(event, style)
    return [component(part, revision, style, utc) for part in found]


def _moments(event: Event) -> list[Moment | None]:
    found = [event.start, event.end, *event.rdate, *event.exdate]
    for one in event.overrides:
        found += (one.start, one.end, one.recurrence_id)
    return found


def _is_second(moment: datetime) -> bool:
    """Whether it is the second of two equal clock times: a TZID means the first (RFC 5545 §3.3.5)."""
    return moment.fold == 1 and moment.replace(fold=0).utcoffset() != moment.utcoffset()


def component(part: Part, revision: Revision, style: Style, utc: frozenset[str]) -> Component:
    """One VEVENT with what stands in it."""
    event = part.event
    found = Component(
        "VEVENT",
        [
            *_identity(part.uid, revision),
            *_times(part, utc),
            *_texts(event, style),
            *(_place(event.location, style) if event.location else ()),
            *_state(event, style),
            *_links(part, style),
        ],
    )
    if style.alarm is not None and event.status != "cancelled":
        found.components.append(_alarm(event, style.alarm, style))
    return found


def _identity(uid: str, revision: Revision) -> list[Property]:
    modified = utc_stamp(revision.modified)
    return [
        ("UID", uid, "text", ()),
        ("DTSTAMP", modified, "date-time", ()),
        ("CREATED", utc_stamp(revision.created), "date-time", ()),
        ("LAST-MODIFIED", modified, "date-time", ()),
        ("SEQUENCE", str(revision.sequence), "integer", ()),
    ]


def _times(part: Part, utc: frozenset[str]) -> list[Property]:
    start, end = span(part.event)
    found = [moment_property("DTSTART", start, utc)]
    if end is not None:
        found.append(moment_property("DTEND", end, utc))
    if part.recurrence_id is not None:
        found.append(moment_property("RECURRENCE-ID", part.recurrence_id, utc))
    if part.rrule is not None:
        found.append(("RRULE", part.rrule, "recur", ()))
    return found + [moment_property("EXDATE", moment, utc) for moment in part.exdates]


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
    return event.tba is not None or event.all_day


def title(event: Event, language: str, *, marked: bool = False) -> str:
    """The summary, saying what is still to be announced and, ``marked``, that the event is cancelled."""
    tag, text = event.summary.pick(language)
    text = one_line(text)
    if event.tba:
        text = getattr(phrases(tag), f"tba_{event.tba}_title").format(text)
    return phrases(tag).cancelled_title.format(text) if marked and event.status == "cancelled" else text


def description(event: Event, language: str) -> str:
    """Plain text: what is to be announced, the description, how to join, where the publisher has it from."""
    words = phrases(event.summary.pick(language)[0])
    parts = [announcement(event, words)] if event.tba else []
    if event.description is not None:
        parts.append(plain(event.description.get(language)))
    if event.conference:
        parts.append("\n".join(_join(each, language, words) for each in event.conference))
    if event.sources:
        parts.append("\n".join(_source(each, language, words) for each in event.sources))
    return "\n\n".join(filter(None, parts))


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


def _texts(event: Event, style: Style) -> list[Property]:
    language = style.language
    summary = title(event, language, marked=style.cancelled == "mark")
    found = [text_property("SUMMARY", event.summary, style.tongues, summary)]
    text = description(event, language)
    if text:
        found.append(text_property("DESCRIPTION", event.description or event.summary, style.tongues, text))
    return found


def place_text(place: Place, language: str) -> str:
    """Name and address on lines of their own: Apple shows its map only where LOCATION has this form."""
    name = one_line(place.name.get(language))
    return f"{name}\n{one_line(place.address.get(language))}" if place.address else name


def _place(place: Place, style: Style) -> list[Property]:
    altrep = (("ALTREP", uri(place.url)),) if place.url else ()
    text = place_text(place, style.language)
    found = [text_property("LOCATION", place.name, style.tongues, text, altrep)]
    if place.geo:
        latitude, longitude = map(degrees, place.geo)
        name, _, address = text.partition("\n")
        params = (("X-ADDRESS", address),) if address else ()
        params += (("X-APPLE-RADIUS", "100"), ("X-TITLE", name))
        found.append(("GEO", f"{latitude};{longitude}", "float", ()))
        found.append(uri_property("X-APPLE-STRUCTURED-LOCATION", f"geo:{latitude},{longitude}", params))
    return found


def degrees(angle: float) -> str:
    """Six decimals (0.1 m), without trailing zeros or exponent (RFC 5545 §3.8.1.6)."""
    text = f"{angle:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _state(event: Event, style: Style) -> list[Property]:
    cancelled = event.status == "cancelled"
    busy = event.transparency == "opaque" and not cancelled
    outlook = "FREE" if not busy else "TENTATIVE" if event.status == "tentative" else "BUSY"
    found: list[Property] = [
        ("STATUS", "CONFIRMED" if cancelled and style.cancelled == "mark" else event.status.upper(), "text", ()),
        ("TRANSP", "OPAQUE" if busy else "TRANSPARENT", "text", ()),
        ("X-MICROSOFT-CDO-BUSYSTATUS", outlook, "text", ()),
    ]
    if is_all_day(event):
        found.append(("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE", "text", ()))
    if event.visibility == "private":
        found.append(("CLASS", "PRIVATE", "text", ()))
    if event.categories:
        found.append(("CATEGORIES", event.categories, "texts", ()))
    if event.priority is not None:
        found.append(("PRIORITY", str(event.priority), "integer", ()))
    return found


def page_url(event: Event, base_url: str | None) -> str | None:
    """Where readers find the event: its own URL, else its page here; a private event has no page."""
    if event.url:
        return uri(event.url)
    return f"{base_url}/events/{event.id}" if base_url and event.visibility != "private" else None


def _links(part: Part, style: Style) -> list[Property]:
    event, found = part.event, []
    url = page_url(event, style.base_url)
    if url:
        found.append(("URL", url, "uri", ()))
    if event.image:
        found.append(uri_property("IMAGE", event.image))
    found += [_conference(each, style) for each in event.conference]
    found += [("ATTACH", uri(each), "uri", ()) for each in event.attach]
    if event.organizer or event.contact:
        found += _people(event, style)
    if part.related:
        found.append(("RELATED-TO", part.related, "text", ()))
    found += [_link(each, each.url, style) for each in event.sources if each.url]
    if event.tba:
        found.append(("X-CALFEED-TBA", event.tba.upper(), "text", ()))
    return found


def _link(source: Source, url: str, style: Style) -> Property:
    """RFC 9253 §8.2; IANA's relation ``via`` is "the source of the information"."""
    return uri_property("LINK", url, (("LINKREL", "via"), ("LABEL", one_line(source.title.get(style.language)))))


def _conference(conference: Conference, style: Style) -> Property:
    params: Params = (("FEATURE", tuple(map(str.upper, conference.features))),) if conference.features else ()
    if conference.label:
        params += (("LABEL", one_line(conference.label.get(style.language))),)
    return uri_property("CONFERENCE", conference.uri, params)


def _people(event: Event, style: Style) -> list[Property]:
    person, found = event.organizer, []
    if person is not None and person.email:
        name = (("CN", one_line(person.name.get(style.language))),)
        found.append(("ORGANIZER", f"mailto:{uri(person.email)}", "cal-address", name))
    contact = event.contact or (person.name if person and not person.email else None)
    if contact is not None:
        found.append(text_property("CONTACT", contact, style.tongues))
    return found


def _alarm(event: Event, lead: Duration, style: Style) -> Component:
    return Component(
        "VALARM",
        [
            ("ACTION", "DISPLAY", "text", ()),
            ("DESCRIPTION", title(event, style.language), "text", ()),
            ("TRIGGER", _trigger(event, lead, style.all_day_at), "duration", ()),
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
