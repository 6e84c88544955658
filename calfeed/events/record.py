"""Events as JSON values and back, and the digest of what they say.

Keys that hold their default are left out, so a key added to the model later changes no record and no digest written
before. Texts are lists of pairs: the order of languages counts, and JSON objects lose it in some databases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from calfeed.events.model import Conference, Duration, Event, Moment, Person, Place, Source, Text

Record = dict[str, Any]

UNSEEN = frozenset({"remind", "embargo"})
"""Keys of an event that no published byte shows: a change of them is no new revision."""

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_zone = lru_cache(maxsize=None)(ZoneInfo)


def to_record(event: Event) -> Record:
    """JSON values of what differs from the defaults; overrides hold only what differs from their event."""
    zone = event.timezone
    record: Record = {"id": event.id, "uid": event.uid, "timezone": zone}
    for (name, default, encode, _), value in zip(_FIELDS, _values(event), strict=True):
        if value is not default and value != default:
            record[name] = encode(value, zone)
    if event.overrides:
        base = _base(record)
        record["overrides"] = [_difference(base, to_record(override)) for override in event.overrides]
    return record


def from_record(record: Mapping[str, Any]) -> Event:
    """The event that `to_record` wrote; its place in the source is not kept."""
    zone = record["timezone"]
    values = {field.name: field.decode(record[field.name], zone) for field in _FIELDS if field.name in record}
    base = _base(record)
    overrides = tuple(from_record(_merged(base, changed)) for changed in record.get("overrides", ()))
    return Event(id=record["id"], uid=record["uid"], timezone=zone, overrides=overrides, **({"end": None} | values))


def digest(event: Event) -> str:
    """SHA-256 of all that the published event says; the same on every machine and in every version."""
    return sha256(_canonical(published(event)).encode()).hexdigest()


def unseen(event: Event) -> Record:
    """Those keys of the record that no reader sees, overrides' too; empty for most events."""
    if event.remind is None and event.embargo is None and not event.overrides:
        return {}
    record = to_record(event)
    own = {key: record[key] for key in UNSEEN & record.keys()}
    theirs = [{key: each[key] for key in UNSEEN & each.keys()} for each in record.get("overrides", ())]
    return {**own, "overrides": theirs} if any(theirs) else own


def published(event: Event) -> Record:
    """The record without what no reader sees."""
    record = to_record(event)
    for key in UNSEEN:
        record.pop(key, None)
    for override in record.get("overrides", ()):
        for key in UNSEEN:
            override.pop(key, None)
    return record


def moment_text(moment: Moment, timezone: str) -> str:
    """ISO 8601, with the offset for an instant and, where it is not ``timezone``, the zone's name (RFC 9557)."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.tzinfo is UTC:
        return moment.replace(tzinfo=None).isoformat() + "Z"
    name = str(moment.tzinfo)
    return moment.isoformat() if name == timezone else f"{moment.isoformat()}[{name}]"


def parse_moment(text: str, timezone: str) -> Moment:
    """What `moment_text` wrote. Where a zone's law has changed since, the instant stays and the wall clock moves."""
    if len(text) == len("2024-05-17"):
        return date.fromisoformat(text)
    if text.endswith("Z"):
        return datetime.fromisoformat(text)
    clock, _, name = text.rstrip("]").partition("[")
    zone = _zone(name or timezone)
    stamped = datetime.fromisoformat(clock)
    for fold in (0, 1):
        local = stamped.replace(tzinfo=zone, fold=fold)
        if local.utcoffset() == stamped.utcoffset():
            return local
    return stamped.astimezone(zone)


def _base(record: Mapping[str, Any]) -> Record:
    return {key: value for key, value in record.items() if key not in _OWN}


def _difference(base: Record, override: Record) -> Record:
    return {key: override.get(key) for key in base.keys() | override.keys() if base.get(key) != override.get(key)}


def _merged(base: Record, changed: Mapping[str, Any]) -> Record:
    return {key: value for key, value in {**base, **changed}.items() if value is not None}


_OWN = frozenset({"rrule", "rdate", "exdate", "overrides", "recurrence_id"})
"""What an override never has from its event."""


def _text(text: Text) -> list[list[str]]:
    return [list(pair) for pair in text.by_language]


def _to_text(pairs: Iterable[Iterable[str]]) -> Text:
    return Text(tuple((tag, text) for tag, text in pairs))


def _filled(**values: Any) -> Record:
    return {key: value for key, value in values.items() if value is not None}


def _optional(text: Text | None) -> list[list[str]] | None:
    return None if text is None else _text(text)


def _to_optional(pairs: Iterable[Iterable[str]] | None) -> Text | None:
    return None if pairs is None else _to_text(pairs)


def _person(person: Person) -> Record:
    return _filled(name=_text(person.name), email=person.email)


def _to_person(record: Record) -> Person:
    return Person(_to_text(record["name"]), record.get("email"))


def _place(place: Place) -> Record:
    geo = None if place.geo is None else list(place.geo)
    return _filled(name=_text(place.name), address=_optional(place.address), geo=geo, url=place.url)


def _to_place(record: Record) -> Place:
    geo = cast("tuple[float, float] | None", tuple(record["geo"]) if "geo" in record else None)
    return Place(_to_text(record["name"]), _to_optional(record.get("address")), geo, record.get("url"))


def _conference(conference: Conference) -> Record:
    features = list(conference.features) or None
    return _filled(uri=conference.uri, label=_optional(conference.label), features=features)


def _to_conference(record: Record) -> Conference:
    return Conference(record["uri"], _to_optional(record.get("label")), tuple(record.get("features", ())))


def _source(source: Source) -> Record:
    published = None if source.published is None else source.published.isoformat()
    return _filled(title=_text(source.title), url=source.url, published=published)


def _to_source(record: Record) -> Source:
    published = date.fromisoformat(record["published"]) if "published" in record else None
    return Source(_to_text(record["title"]), record.get("url"), published)


def _lead(lead: Duration) -> list[int]:
    return [lead.days, lead.seconds]


def _to_lead(pair: list[int]) -> Duration:
    return Duration(*pair)


Coder = Callable[[Any, str], Any]


class _Field(NamedTuple):
    name: str
    default: object
    encode: Coder
    decode: Coder


def _same(value: Any, _: str) -> Any:
    return value


def _plain(convert: Callable[[Any], Any]) -> Coder:
    return lambda value, _: convert(value)


def _each(convert: Callable[[Any], Any], into: type) -> Coder:
    return lambda values, _: into(map(convert, values))


def _both(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> tuple[Coder, Coder]:
    return _plain(write), _plain(read)


def _many(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> tuple[Coder, Coder]:
    return _each(write, list), _each(read, tuple)


def _moments(moments: Iterable[Moment], timezone: str) -> list[str]:
    return [moment_text(moment, timezone) for moment in moments]


def _to_moments(texts: Iterable[str], timezone: str) -> tuple[Moment, ...]:
    return tuple(parse_moment(text, timezone) for text in texts)


_CODERS: dict[str, tuple[Coder, Coder]] = {
    **dict.fromkeys(("start", "end", "embargo", "recurrence_id"), (moment_text, parse_moment)),
    **dict.fromkeys(("rdate", "exdate"), (_moments, _to_moments)),
    **dict.fromkeys(("summary", "description", "contact"), _both(_text, _to_text)),
    **dict.fromkeys(("categories", "attach"), _both(list, tuple)),
    "location": _both(_place, _to_place),
    "organizer": _both(_person, _to_person),
    "conference": _many(_conference, _to_conference),
    "sources": _many(_source, _to_source),
    "remind": _many(_lead, _to_lead),
}

_FIELDS = tuple(
    _Field(field.name, None if field.default is MISSING else field.default, *_CODERS.get(field.name, (_same, _same)))
    for field in fields(Event)
    if field.name not in {"id", "uid", "timezone", "overrides", "source"}
)
_values = attrgetter(*(field.name for field in _FIELDS))
