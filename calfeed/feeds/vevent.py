"""An event as VEVENT components: which properties calendar clients are given, and in what form.

What clients do with them is told in the manual's page on clients; a vendor's quirk stands beside its property.
"""

from __future__ import annotations

from datetime import datetime, time
from functools import lru_cache

from calfeed.events.model import Conference, Duration, Event, Place, Source, Status, Transparency, Visibility
from calfeed.events.revision import Revision
from calfeed.feeds.properties import (
    Component,
    Params,
    Property,
    moment_property,
    one_line,
    text_property,
    uri_property,
    utc_stamp,
    zone_name,
)
from calfeed.feeds.prose import degrees, description, page_url, place_text, title
from calfeed.feeds.rich import enrich
from calfeed.feeds.series import Part, parts, second_readings
from calfeed.feeds.style import Style
from calfeed.feeds.text import mailto, uri


def published(event: Event, style: Style) -> tuple[list[Part], frozenset[str]]:
    """The event's VEVENTs to be, and the zones whose instants they show in UTC."""
    seconds = second_readings(event)
    utc = style.utc | {str(zone_name(moment)) for moment in seconds} if seconds else style.utc
    single = style.expand or (event.rrule is not None and event.timezone in utc and not event.all_day)
    return parts(event, single=single, horizon=style.horizon, most=style.most), utc


def vevents(event: Event, revision: Revision, style: Style) -> list[Component]:
    """The VEVENTs of one event: itself, its overrides, its further dates."""
    found, utc = published(event, style)
    return [component(part, revision, style, utc) for part in found]


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
    if style.rich:
        enrich(found, event, style)
    if style.alarm is not None and event.status != "cancelled":
        found.components.append(_alarm(event, style.alarm, style))
    return found


def _identity(uid: str, revision: Revision) -> list[Property]:
    return [("UID", uid, "text", ()), *_stamps(revision.modified, revision.created, revision.sequence)]


@lru_cache(maxsize=1024)
def _stamps(modified: datetime, created: datetime, sequence: int) -> tuple[Property, ...]:
    """The same for all that was published together."""
    stamp = utc_stamp(modified)
    return (
        ("DTSTAMP", stamp, "date-time", ()),
        ("CREATED", utc_stamp(created), "date-time", ()),
        ("LAST-MODIFIED", stamp, "date-time", ()),
        ("SEQUENCE", str(sequence), "integer", ()),
    )


def _times(part: Part, utc: frozenset[str]) -> list[Property]:
    found = [moment_property("DTSTART", part.event.start, utc)]
    if part.event.end is not None:
        found.append(moment_property("DTEND", part.event.end, utc))
    if part.recurrence_id is not None:
        found.append(moment_property("RECURRENCE-ID", part.recurrence_id, utc))
    if part.rrule is not None:
        found.append(("RRULE", part.rrule, "recur", ()))
    return found + [moment_property("EXDATE", moment, utc) for moment in part.exdates]


def _texts(event: Event, style: Style) -> list[Property]:
    language = style.language
    summary = title(event, language, marked=style.mark)
    found = [text_property("SUMMARY", event.summary, style.tongues, summary)]
    text = description(event, language)
    if text:
        found.append(text_property("DESCRIPTION", event.description or event.summary, style.tongues, text))
    return found


def _place(place: Place, style: Style) -> list[Property]:
    altrep: Params = (("ALTREP", uri(place.url)),) if place.url else ()
    text = place_text(place, style.language)
    found = [text_property("LOCATION", place.name, style.tongues, text, altrep)]
    if place.geo:
        latitude, longitude = map(degrees, place.geo)
        name, _, address = text.partition("\n")
        params: Params = (("X-ADDRESS", address),) if address else ()
        params += (("X-APPLE-RADIUS", "100"), ("X-TITLE", name))
        found.append(("GEO", f"{latitude};{longitude}", "float", ()))
        found.append(uri_property("X-APPLE-STRUCTURED-LOCATION", f"geo:{latitude},{longitude}", params))
    return found


def _state(event: Event, style: Style) -> list[Property]:
    days, marked = event.all_day, style.mark
    found = [*_standing(event.status, event.transparency, event.visibility, days=days, marked=marked)]
    if event.categories:
        found.append(("CATEGORIES", event.categories, "texts", ()))
    if event.priority is not None:
        found.append(("PRIORITY", str(event.priority), "integer", ()))
    return found


@lru_cache(maxsize=256)
def _standing(
    status: Status, transparency: Transparency, visibility: Visibility, *, days: bool, marked: bool
) -> tuple[Property, ...]:
    """The same for most events."""
    cancelled = status == "cancelled"
    busy = transparency == "opaque" and not cancelled
    outlook = "FREE" if not busy else "TENTATIVE" if status == "tentative" else "BUSY"
    found: list[Property] = [
        ("STATUS", "CONFIRMED" if cancelled and marked else status.upper(), "text", ()),
        ("TRANSP", "OPAQUE" if busy else "TRANSPARENT", "text", ()),
        ("X-MICROSOFT-CDO-BUSYSTATUS", outlook, "text", ()),
    ]
    if days:
        found.append(("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE", "text", ()))
    if visibility == "private":
        found.append(("CLASS", "PRIVATE", "text", ()))
    return tuple(found)


def _links(part: Part, style: Style) -> list[Property]:
    event = part.event
    found: list[Property] = []
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
    person = event.organizer
    found: list[Property] = []
    if person is not None and person.email:
        name = one_line(person.name.get(style.language))
        found.append(("ORGANIZER", mailto(person.email), "cal-address", (("CN", name),)))
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
    if not event.all_day:
        return lead.iso if lead == Duration() else f"-{lead.iso}"
    clock = all_day_at.hour * 3600 + all_day_at.minute * 60 + all_day_at.second
    seconds = clock - lead.total_seconds // 86400 * 86400
    days, rest = divmod(abs(seconds), 86400)
    return ("-" if seconds < 0 else "") + Duration(days=days, seconds=rest).iso
