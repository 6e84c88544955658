"""Formats made from one model say the same: who, when, what, compared across iCalendar, jCal, JSON, JSCalendar, JSON-LD
and Atom, in every language, over the calendar of hard cases and the living example."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import icalendar
import pytest

from calfeed.events.changes import revise
from calfeed.events.model import Moment
from calfeed.events.parse import load
from calfeed.feeds.jsonld import event_jsonld
from calfeed.feeds.select import Query
from calfeed.feeds.snapshot import Snapshot, build

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "events.toml", ROOT / "tests" / "golden" / "ics" / "fair.toml"]
NOW = datetime(2024, 5, 10, tzinfo=UTC)

Told = tuple[str, Moment, Moment, str, str]
"""UID, start, end, title, status."""


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def snapshot(request: pytest.FixtureRequest) -> Snapshot:
    catalog = load([("events.toml", request.param.read_bytes())])
    revised = revise(catalog, {}, NOW, timedelta(days=30))
    return build(catalog, revised.revisions, revised.changes, base_url="https://example.org", now=NOW)


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def body(snapshot: Snapshot, suffix: str, language: str) -> bytes:
    found = snapshot.resource(f"/feeds/all.{suffix}", Query(lang=language))
    assert found is not None
    return found.body


def utc(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def read_ics(calendar: icalendar.Calendar) -> Iterator[Told]:
    for event in calendar.walk("VEVENT"):
        start = utc(event["dtstart"].dt)
        end = utc(event["dtend"].dt) if "dtend" in event else start
        yield str(event["uid"]), start, end, str(event["summary"]), str(event["status"]).lower()


def masters(snapshot: Snapshot, language: str) -> dict[str, Told]:
    """The VEVENT of each event of the model that has one of its own UID, its overrides aside."""
    calendar = icalendar.Calendar.from_ical(body(snapshot, "ics", language))
    for event in calendar.walk("VEVENT"):
        if "recurrence-id" in event:
            calendar.subcomponents.remove(event)
    known = snapshot.catalog.by_uid
    return {told[0]: told for told in read_ics(calendar) if told[0] in known}


def test_jcal_reads_back_as_the_icalendar(snapshot: Snapshot, language: str) -> None:
    calendar = icalendar.Calendar.from_ical(body(snapshot, "ics", language))
    jcal = icalendar.Calendar.from_jcal(body(snapshot, "jcal", language).decode())
    assert list(read_ics(jcal)) == list(read_ics(calendar))
    assert [str(zone["tzid"]) for zone in jcal.walk("VTIMEZONE")] == [
        str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")
    ]
    for name in ("NAME", "DESCRIPTION", "COLOR", "URL"):
        assert str(jcal.get(name)) == str(calendar.get(name)).replace("\\,", ","), "icalendar unescapes not all of them"


def test_json_has_the_events_of_the_icalendar(snapshot: Snapshot, language: str) -> None:
    """Titles in JSON are bare: what is to be announced stands in ``tba``, and the suffix in iCalendar says so."""
    events = {event["uid"]: event for event in json.loads(body(snapshot, "json", language))["events"]}
    told = masters(snapshot, language)
    assert told.keys() == {uid for uid, event in events.items() if not written_singly(event, told)}
    for uid, (_, start, end, title, status) in told.items():
        event = events[uid]
        assert (utc(parsed(event["start"])), event["status"]) == (start, status)
        assert utc(parsed(event["end"] or event["start"])) == end
        assert title == event["summary"] if event["tba"] is None else title.startswith(event["summary"])
        assert event["sequence"] == 0


def written_singly(event: dict[str, Any], told: dict[str, Told]) -> bool:
    """A series in a zone that one rule cannot say stands in iCalendar as its occurrences."""
    return event["rrule"] is not None and event["uid"] not in told


def parsed(text: str) -> Moment:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def test_jscalendar_has_the_events_of_the_icalendar(snapshot: Snapshot, language: str) -> None:
    group = json.loads(body(snapshot, "jscal", language))
    told = masters(snapshot, language)
    found = {event["uid"]: event for event in group["entries"]}
    assert group["@type"] == "Group"
    assert told.keys() <= found.keys()
    for uid, (_, start, end, title, status) in told.items():
        event = found[uid]
        begins = local(event["start"], event["timeZone"])
        assert (utc(begins), event["title"], event["status"]) == (start, title, status)
        assert utc(later(begins, event.get("duration", "PT0S"))) == end


def local(text: str, zone: str | None) -> Moment:
    naive = datetime.fromisoformat(text)
    return naive.date() if zone is None else naive.replace(tzinfo=ZoneInfo(zone))


def later(start: Moment, duration: str) -> Moment:
    length = icalendar.vDuration.from_ical(duration)
    return (start.astimezone(UTC) + length) if isinstance(start, datetime) else start + length


def test_jscalendar_carries_every_language(snapshot: Snapshot) -> None:
    """``localizations`` has, of each title, what the feed in that language has (RFC 8984 §4.6.1)."""
    entries = {event["uid"]: event for event in json.loads(body(snapshot, "jscal", "en"))["entries"]}
    for uid, (_, _, _, title, _) in masters(snapshot, "ru").items():
        patch = entries[uid].get("localizations", {}).get("ru")
        assert title == (patch["title"] if patch else entries[uid]["title"])


def test_json_ld_says_when_and_whether(snapshot: Snapshot, language: str) -> None:
    told = masters(snapshot, language)
    for event in snapshot.events():
        if event.uid not in told:
            continue
        _, start, end, _, status = told[event.uid]
        data = event_jsonld(event, base_url="https://example.org", language=language)
        assert utc(parsed(data["startDate"])) == start
        last = end if isinstance(end, datetime) else end - timedelta(days=1)
        assert utc(parsed(data.get("endDate", data["startDate"]))) == last
        assert (data["eventStatus"] == "https://schema.org/EventCancelled") == (status == "cancelled")
        assert data["name"] == event.summary.get(language)


def test_atom_tells_of_each_event_once(snapshot: Snapshot, language: str) -> None:
    root = ET.fromstring(body(snapshot, "atom", language))  # noqa: S314 # our own octets
    atom = "{http://www.w3.org/2005/Atom}"
    ids = [entry.findtext(f"{atom}id") or "" for entry in root.findall(f"{atom}entry")]
    uids = [snapshot.catalog.by_id[event.id].uid for event in snapshot.events()]
    assert sorted(ids) == sorted(f"tag:example.org,2024-05-10:{uid}/1" for uid in uids)


def test_every_format_names_the_same_events(snapshot: Snapshot) -> None:
    read: dict[str, Callable[[Any], set[str]]] = {
        "json": lambda data: {event["uid"] for event in data["events"]},
        "jscal": lambda data: {event["uid"] for event in data["entries"]},
    }
    uids = {event.uid for event in snapshot.events()}
    for suffix, uids_of in read.items():
        assert uids_of(json.loads(body(snapshot, suffix, "en"))) == uids
