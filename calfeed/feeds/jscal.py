"""Events as JSCalendar (RFC 8984): one Group, every language of every text in ``localizations``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from calfeed.events.model import Calendar, Duration, Event, Feed, Moment, Text, instant
from calfeed.events.occurrences import length
from calfeed.events.revision import Revision
from calfeed.events.rules import WEEKDAYS, Rule, parse_rule
from calfeed.feeds.json_feed import stamp
from calfeed.feeds.properties import one_line
from calfeed.feeds.prose import degrees, description, page_url, title
from calfeed.feeds.series import AHEAD, bounded, second_readings

MEDIA_TYPE = "application/jscalendar+json;type=group"

Json = dict[str, Any]

_FEATURES = {"audio", "chat", "feed", "moderator", "phone", "screen", "video"}


def group(
    calendar: Calendar,
    feed: Feed,
    entries: Iterable[tuple[Event, Revision]],
    *,
    source: str | None,
    base_url: str | None,
    language: str,
) -> bytes:
    """A feed as a Group (RFC 8984 §2.3)."""
    data: Json = {
        "@type": "Group",
        "uid": f"{calendar.id}/feeds/{feed.id}",
        "title": one_line(feed.name.get(language)),
        "locale": language,
        "entries": [event_jscal(event, revision, base_url, language) for event, revision in entries],
    }
    data |= {"source": source} if source else {}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def event_jscal(event: Event, revision: Revision, base_url: str | None, language: str) -> Json:
    """One Event (RFC 8984 §2.1); moments are local times in ``timeZone``."""
    event = _said(event)
    return {
        "@type": "Event",
        "uid": event.uid,
        "created": stamp(revision.created),
        "updated": stamp(revision.modified),
        "sequence": revision.sequence,
        "locale": event.summary.pick(language)[0],
        **_shown(event, base_url, language),
        "privacy": "private" if event.visibility == "private" else "public",
        **_recurrence(event, base_url, language),
        **({"relatedTo": {event.parent: {"@type": "Relation", "relation": {"parent": True}}}} if event.parent else {}),
        **({"localizations": found} if (found := _localizations(event, language)) else {}),
    }


def _said(event: Event) -> Event:
    """In UTC, a rule as its dates, where the event names the second of two equal local times: they mean the first."""
    if not second_readings(event):
        return event
    dates = event.rdate
    if event.rrule is not None:
        found = (each.recurrence_id for each in bounded(event, instant(event.start, event.zone) + AHEAD))
        dates = tuple(moment for moment in found if moment is not None)
    overrides = tuple(replace(_in_utc(each), recurrence_id=_utc(each.recurrence_id)) for each in event.overrides)
    rdate = tuple(sorted({_utc(moment) for moment in dates} - {_utc(event.start)}))
    exdate = tuple(_utc(moment) for moment in event.exdate)
    return replace(_in_utc(event), rrule=None, rdate=rdate, exdate=exdate, overrides=overrides)


def _in_utc(event: Event) -> Event:
    return replace(event, start=_utc(event.start), end=event.end and _utc(event.end), timezone="Etc/UTC")


def _utc(moment: Moment | None) -> Any:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _shown(event: Event, base_url: str | None, language: str) -> Json:
    """What an occurrence can differ in."""
    found: Json = {
        "title": title(event, language),
        "description": description(event, language),
        "start": local(event.start),
        "timeZone": None if event.all_day else event.timezone,
        "duration": _duration(event),
        "showWithoutTime": event.all_day,
        "status": event.status,
        "freeBusyStatus": "busy" if event.transparency == "opaque" and event.status != "cancelled" else "free",
        "priority": event.priority or 0,
        "keywords": dict.fromkeys(event.categories, True),
        "locations": dict(_locations(event, language)),
        "virtualLocations": dict(_virtual(event, language)),
        "links": dict(_links(event, base_url, language)),
        "participants": dict(_participants(event, language)),
    }
    return {key: value for key, value in found.items() if value or key == "timeZone"}


def local(moment: Moment) -> str:
    """A LocalDateTime (RFC 8984 §1.4.4)."""
    return moment.isoformat()[:19] if isinstance(moment, datetime) else f"{moment.isoformat()}T00:00:00"


def _duration(event: Event) -> str:
    span = length(event)
    if event.all_day:
        return Duration(days=span.days).iso
    return Duration(seconds=int(span.total_seconds())).iso


def _locations(event: Event, language: str) -> Iterator[tuple[str, Json]]:
    place = event.location
    if place is None:
        return
    found: Json = {"@type": "Location", "name": one_line(place.name.get(language))}
    if place.address:
        found["description"] = one_line(place.address.get(language))
    if place.geo:
        found["coordinates"] = f"geo:{degrees(place.geo[0])},{degrees(place.geo[1])}"
    if place.url:
        found["links"] = {"1": {"@type": "Link", "href": place.url}}
    yield "1", found


def _virtual(event: Event, language: str) -> Iterator[tuple[str, Json]]:
    for number, each in enumerate(event.conference, 1):
        found: Json = {"@type": "VirtualLocation", "uri": each.uri}
        if each.label:
            found["name"] = one_line(each.label.get(language))
        if each.features:
            found["features"] = {feature.lower(): True for feature in each.features if feature.lower() in _FEATURES}
        yield str(number), found


def _links(event: Event, base_url: str | None, language: str) -> Iterator[tuple[str, Json]]:
    url = page_url(event, base_url)
    if url:
        yield "url", {"@type": "Link", "href": url, "rel": "describedby"}
    if event.image:
        yield "image", {"@type": "Link", "href": event.image, "rel": "icon", "display": "graphic"}
    for number, attached in enumerate(event.attach, 1):
        yield f"attach-{number}", {"@type": "Link", "href": attached, "rel": "enclosure"}
    for number, source in enumerate(event.sources, 1):
        if source.url:
            named = one_line(source.title.get(language))
            yield f"source-{number}", {"@type": "Link", "href": source.url, "rel": "via", "title": named}


def _participants(event: Event, language: str) -> Iterator[tuple[str, Json]]:
    person = event.organizer
    if person is not None:
        found: Json = {"@type": "Participant", "name": one_line(person.name.get(language)), "roles": {"owner": True}}
        yield "organizer", found | ({"email": person.email} if person.email else {})
    if event.contact is not None:
        text = event.contact.get(language)
        yield "contact", {"@type": "Participant", "name": one_line(text), "roles": {"contact": True}}


def _recurrence(event: Event, base_url: str | None, language: str) -> Json:
    found: Json = {}
    if event.rrule is not None:
        found["recurrenceRules"] = [rule_json(parse_rule(event.rrule), event)]
    overrides: Json = {local(each): {} for each in event.rdate}
    overrides |= {local(each): {"excluded": True} for each in event.exdate}
    for each in event.overrides:
        if each.recurrence_id is not None:
            at = each.recurrence_id
            overrides[local(at)] = _patch(event, each, at, base_url, language)
    return found | ({"recurrenceOverrides": overrides} if overrides else {})


def _patch(event: Event, override: Event, at: Moment, base_url: str | None, language: str) -> Json:
    """What differs, as a PatchObject (RFC 8984 §1.4.9); null takes a property away."""
    base = _shown(event, base_url, language) | {"start": local(at)}
    own = _shown(override, base_url, language)
    return {key: own.get(key) for key in sorted(base.keys() | own.keys()) if base.get(key) != own.get(key)}


def rule_json(rule: Rule, event: Event) -> Json:
    """A RecurrenceRule (RFC 8984 §4.3.3); ``until`` is local to the event."""
    found: Json = {"@type": "RecurrenceRule", "frequency": rule.freq.lower()}
    if rule.interval > 1:
        found["interval"] = rule.interval
    if rule.count is not None:
        found["count"] = rule.count
    if rule.until is not None:
        found["until"] = local(_in_zone(rule.until, event))
    if rule.byday:
        found["byDay"] = [_day(which, weekday) for which, weekday in rule.byday]
    names = {
        "bymonthday": "byMonthDay",
        "byyearday": "byYearDay",
        "byweekno": "byWeekNo",
        "byhour": "byHour",
        "byminute": "byMinute",
        "bysecond": "bySecond",
        "bysetpos": "bySetPosition",
    }
    found |= {name: list(getattr(rule, part)) for part, name in names.items() if getattr(rule, part)}
    if rule.bymonth:
        found["byMonth"] = [str(month) for month in rule.bymonth]
    return found | ({"firstDayOfWeek": WEEKDAYS[rule.wkst].lower()} if rule.wkst else {})


def _in_zone(moment: Moment, event: Event) -> Moment:
    return moment.astimezone(event.zone) if isinstance(moment, datetime) else moment


def _day(which: int, weekday: int) -> Json:
    found: Json = {"@type": "NDay", "day": WEEKDAYS[weekday].lower()}
    return found | ({"nthOfPeriod": which} if which else {})


def _localizations(event: Event, shown: str) -> Json:
    """For each further language a PatchObject of the texts it has."""
    own = event.summary.pick(shown)[0]
    tags = dict.fromkeys(tag for text in _texts(event) for tag in text.languages)
    found = {tag: dict(_localized(event, tag)) for tag in tags if tag != own}
    return {tag: patch for tag, patch in found.items() if patch}


def _texts(event: Event) -> list[Text]:
    place = event.location
    texts = [event.summary, event.description, *((place.name, place.address) if place else ())]
    return [text for text in texts if text is not None]


def _localized(event: Event, tag: str) -> Iterator[tuple[str, str]]:
    place = event.location
    if tag in event.summary.languages:
        yield "title", title(event, tag)
    if event.description is not None and tag in event.description.languages:
        yield "description", description(event, tag)
    if place is not None and tag in place.name.languages:
        yield "locations/1/name", one_line(place.name.get(tag))
    if place is not None and place.address is not None and tag in place.address.languages:
        yield "locations/1/description", one_line(place.address.get(tag))
