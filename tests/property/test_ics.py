"""Whatever a calendar says, its feeds are octets that every reader takes, and read back as what was said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

import icalendar
from dateutil import rrule, tz
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from calfeed.events.changes import revise
from calfeed.events.model import Catalog, Event, Feed, Moment, Text
from calfeed.events.occurrences import occurrences
from calfeed.feeds import markdown
from calfeed.feeds.formats import FORMATS, feed_layout
from calfeed.feeds.lint import lint
from calfeed.feeds.prose import title
from calfeed.feeds.select import EVERYTHING, Query
from calfeed.feeds.snapshot import Snapshot, build
from calfeed.feeds.text import LINE_OCTETS, escape, fold, parameter

NOW = datetime(2024, 5, 15, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(1990, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
BASE = "https://example.org"
ALL_FEED = Feed(id="all", name=Text((("en", "All"),)), visibility="private")

laws = settings(suppress_health_check=list(HealthCheck), max_examples=40)
any_text = st.text(st.characters(codec="utf-8"))
queries = st.builds(
    Query,
    categories=st.sampled_from([(), ("expo",), ("culture", "вузы")]),
    lang=st.sampled_from([None, "ru", "zh-hant", "fr"]),
    cancelled=st.sampled_from(["keep", "mark", "drop"]),
    expand=st.booleans(),
    rich=st.booleans(),
)

Instance = tuple[Moment, Moment, str, str]


def publish(catalog: Catalog) -> Snapshot:
    """Everything as one private feed, so that no event is left out."""
    revised = revise(catalog, {}, NOW, catalog.calendar.tombstone.as_timedelta())
    return build(replace(catalog, feeds=(ALL_FEED,)), revised.revisions, revised.changes, base_url=BASE, now=NOW)


def octets(snapshot: Snapshot, query: Query = EVERYTHING, suffix: str = "ics") -> bytes:
    found = snapshot.resource(f"/feeds/all.{suffix}", query, private=True)
    assert found is not None
    return found.body


@given(any_text)
@example("é" * 100)
@example("\\" * 200)
@example("a" * 74 + "\\n" + "\\" * 75 + ";")
def test_folded_lines_are_short_and_unfold_to_what_they_were(text: str) -> None:
    line = "X:" + escape(text)
    first, *rest = fold(line).encode().split(b"\r\n ")
    assert b"".join((first, *rest)).decode() == line
    assert len(first) <= LINE_OCTETS
    assert all(1 + len(part) <= LINE_OCTETS for part in rest)
    for part in (first, *rest)[:-1]:
        part.decode()
        assert (len(part) - len(part.rstrip(b"\\"))) % 2 == 0, "a fold behind a lone backslash"


@given(any_text)
def test_text_and_parameters_hold_no_line_break_nor_control_character(text: str) -> None:
    for written in (escape(text), parameter(text)):
        assert all(char == "\t" or (ord(char) >= 32 and ord(char) != 127) for char in written)
        assert len((written + "x").splitlines()) == 1


@example("0 =")
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1))
def test_text_and_parameters_read_back_as_they_were(text: str) -> None:
    """icalendar's own faults left aside: a literal ``\\n`` read as a line break, escapes undone within parameters."""
    assume("\\n" not in text.lower())
    assume(text == text.strip())
    plain = text.replace("\\", "/")
    lines = ("BEGIN:VEVENT", fold(f"SUMMARY;X-A={parameter(plain)}:{escape(text)}"), "END:VEVENT", "")
    event = icalendar.Event.from_ical("\r\n".join(lines))
    assert (str(event["summary"]), event["summary"].params["X-A"]) == (text, plain)


@given(st.from_type(Catalog), queries)
@laws
def test_every_feed_passes_the_strict_lint(catalog: Catalog, query: Query) -> None:
    found = lint(octets(publish(catalog), query), "all.ics")
    assert [str(problem) for problem in found if problem.severity == "error"] == []


@given(st.from_type(Catalog), st.sampled_from([EVERYTHING, Query(expand=True), Query(cancelled="mark")]))
@laws
def test_a_feed_expands_to_the_instants_and_titles_of_its_events(catalog: Catalog, query: Query) -> None:
    """Read with icalendar, expanded with dateutil, in the time zones that the feed itself brings."""
    catalog = replace(catalog, events=tuple(map(named, catalog.events)))
    snapshot = publish(catalog)
    whole = [each for each in feed_layout(snapshot, ALL_FEED, query).written if not each.piece.rolling]
    assume(len(whole) == len(catalog.events))
    said = Counter(each for event in catalog.events for each in instances(event, marked=query.cancelled == "mark"))
    assert Counter(read_back(octets(snapshot, query))) == said


def named(event: Event) -> Event:
    """With a title that tells it from others: how texts read back is another test's."""
    overrides = tuple(replace(named(each), summary=Text((("en", f"{each.id} changed"),))) for each in event.overrides)
    return replace(event, summary=Text((("en", event.id),)), overrides=overrides)


def instances(event: Event, *, marked: bool) -> Iterator[Instance]:
    for each in occurrences(event, SINCE - timedelta(3), UNTIL + timedelta(3), limit=1_000_000):
        status = "confirmed" if marked and each.event.status == "cancelled" else each.event.status
        if touches(in_utc(each.start), in_utc(each.end)):
            yield in_utc(each.start), in_utc(each.end), title(each.event, "en", marked=marked), status


def in_utc(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def read_back(body: bytes) -> Iterator[Instance]:
    calendar = icalendar.Calendar.from_ical(body)
    assert calendar.errors == []
    zones = {str(zone["tzid"]): zone.to_tz(lookup_tzid=False) for zone in calendar.walk("VTIMEZONE")}
    events = calendar.walk("VEVENT")
    overridden = {(str(e["uid"]), said(e["recurrence-id"], zones)) for e in events if "recurrence-id" in e}
    for event in events:
        assert event.errors == []
        for start in starts(event, zones):
            if "recurrence-id" in event or (str(event["uid"]), start) not in overridden:
                end = start + length(event, zones)
                if touches(start, end):
                    yield start, end, str(event["summary"]), str(event["status"]).lower()


def touches(start: Moment, end: Moment) -> bool:
    first, last = (
        (m if isinstance(m, datetime) else datetime(m.year, m.month, m.day, tzinfo=UTC)) for m in (start, end)
    )
    return first < UNTIL and last >= SINCE


def said(value: Any, zones: dict[str, tzinfo]) -> Moment:
    """What a property says by the rules in the feed itself, not by what its reader knows of the zone's name."""
    moment, zone = value.dt, value.params.get("TZID")
    if not isinstance(moment, datetime) or zone is None:
        return in_utc(moment)
    return tz.resolve_imaginary(moment.replace(tzinfo=zones[zone], fold=0)).astimezone(UTC)


def length(event: Any, zones: dict[str, tzinfo]) -> timedelta:
    return said(event["dtend"], zones) - said(event["dtstart"], zones) if "dtend" in event else timedelta(0)


def starts(event: Any, zones: dict[str, tzinfo]) -> list[Moment]:
    first = said(event["dtstart"], zones)
    if "rrule" not in event:
        return [first]
    exdate = event.get("exdate", [])
    gone = {said(value, zones) for each in (exdate if isinstance(exdate, list) else [exdate]) for value in dated(each)}
    return [moment for moment in dict.fromkeys((first, *ruled(event, zones))) if moment not in gone]


def dated(each: Any) -> Iterator[Any]:
    for value in each.dts:
        value.params = each.params
        yield value


def ruled(event: Any, zones: dict[str, tzinfo]) -> Iterator[Moment]:
    start = event["dtstart"]
    zone = zones.get(start.params.get("TZID"), UTC)
    all_day = not isinstance(start.dt, datetime)
    rule = dict(part.split("=") for part in event["rrule"].to_ical().decode().split(";"))
    until = rule.pop("UNTIL", None)
    local = datetime.combine(start.dt, time()) if all_day else start.dt.replace(tzinfo=None, fold=0)
    text = ";".join(f"{name}={value}" for name, value in rule.items())
    for naive in rrule.rrulestr(text, dtstart=local):
        moment = naive.date() if all_day else tz.resolve_imaginary(naive.replace(tzinfo=zone)).astimezone(UTC)
        written = f"{moment:%Y%m%d}" if all_day else f"{moment:%Y%m%dT%H%M%SZ}"
        if naive > UNTIL.replace(tzinfo=None) + timedelta(days=2) or (until is not None and written > until):
            return
        yield moment


@given(st.from_type(Catalog), queries)
@laws
def test_jcal_says_what_the_icalendar_says(catalog: Catalog, query: Query) -> None:
    """Compared as icalendar writes what it has read of both."""
    snapshot = publish(catalog)
    components = [icalendar.Component.from_jcal(each) for each in json.loads(octets(snapshot, query, "jcal"))[2]]
    calendar = icalendar.Calendar.from_ical(octets(snapshot, query))
    assert [told(each) for each in components] == [told(each) for each in calendar.subcomponents]


def told(component: icalendar.Component) -> list[Any]:
    """All that a component says, as far as icalendar reads it of both forms."""
    lines = sorted(
        (name, value.to_ical(), parameters(value))
        for name, found in component.items()
        for value in (found if isinstance(found, list) else [found])
    )
    return [component.name, lines, [told(each) for each in component.subcomponents]]


LINK = ["vevent", [["link", {"label": "x"}, "uri", "https://example.org/"]], []]
KEEPS = "LABEL" in icalendar.Component.from_jcal(LINK)["link"].params
"""Whether icalendar keeps the parameters of addresses when it reads jCal: from 7.3 on."""


def parameters(value: Any) -> list[tuple[str, str]]:
    """Left aside: types, which are said in two ways; backslashes, which icalendar loses; that UTC is a zone, which it
    says of jCal before 7.0.3."""
    if isinstance(value, icalendar.vUri) and not KEEPS:
        return []
    said = {key: str(text).replace("\\", "") for key, text in value.params.items() if key != "VALUE"}
    return sorted(pair for pair in said.items() if pair != ("TZID", "UTC"))


@given(st.from_type(Catalog), st.data())
@laws
def test_an_edit_changes_the_octets_of_one_event_alone(catalog: Catalog, data: st.DataObject) -> None:
    """And what the older snapshot lends gives the same octets as none."""
    assume(catalog.events)
    before = publish(catalog)
    octets(before)
    number = data.draw(st.integers(0, len(catalog.events) - 1))
    title = Text(
        (("en", "Quite another title"),)
    )  # and no time: where a zone has others, its events may be written anew
    some = catalog.events[number]
    edited = replace(some, summary=title, overrides=tuple(replace(each, summary=title) for each in some.overrides))
    assume(edited != some)
    events = (*catalog.events[:number], edited, *catalog.events[number + 1 :])
    later, stand = NOW + timedelta(hours=1), catalog.calendar.tombstone.as_timedelta()
    revised = revise(replace(catalog, events=events), before.revisions, later, stand)
    new = replace(catalog, events=events, feeds=(ALL_FEED,))
    lent = build(new, revised.revisions, revised.changes, base_url=BASE, now=later, previous=before)
    fresh = build(new, revised.revisions, revised.changes, base_url=BASE, now=later)
    assert octets(lent) == octets(fresh)
    assume(not any(feed_layout(each, ALL_FEED).dropped for each in (before, fresh)))  # one too large leaves out others
    old, now = (blocks(octets(each)) for each in (before, fresh))
    assert {uid for uid in old | now if old.get(uid) != now.get(uid)} <= own_uids(before, edited) | own_uids(
        fresh, edited
    )


def blocks(body: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for block in body.decode().split("BEGIN:VEVENT\r\n")[1:]:
        found.setdefault(block.partition("\r\n")[0], []).append(block)
    return found


def own_uids(snapshot: Snapshot, event: Event) -> set[str]:
    layout = feed_layout(snapshot, ALL_FEED)
    written = next(each.piece.octets for each in layout.written if each.entry.event.uid == event.uid)
    return set(blocks(written))


@given(st.from_type(Catalog), queries, st.sampled_from(sorted(FORMATS)))
@laws
def test_nothing_private_is_in_what_is_open(catalog: Catalog, query: Query, suffix: str) -> None:
    """No UID, no title, not even as somebody's parent; embargoed events are private until their instant."""
    names = [f"known-{number}-to" for number in range(len(catalog.events))]  # found again in whatever way it is written
    marked = [
        replace(event, uid=name, summary=Text((("en", name),)), parent=names[number - 1])
        for number, (event, name) in enumerate(zip(catalog.events, names, strict=True))
    ]
    catalog = replace(catalog, events=tuple(marked))
    revised = revise(catalog, {}, NOW, catalog.calendar.tombstone.as_timedelta())
    snapshot = build(catalog, revised.revisions, revised.changes, base_url=BASE, now=NOW)
    found = snapshot.resource(f"/feeds/all.{suffix}", query)
    assert found is not None
    text = found.body.replace(b"\r\n ", b"").decode()
    shut = [each for each in marked if each.visibility != "public" or (each.embargo and each.embargo > NOW)]
    assert [each.uid for each in shut if each.uid in text] == []


@given(st.one_of(st.text("ab 1.-)\n\"'Ж中", max_size=40), st.from_type(Text).map(Text.get)))
@example("2024. A list")
@example("a\n\n    code")
@example("a  \nb")
def test_prose_is_the_same_with_and_without_the_parser(text: str) -> None:
    quick = markdown.plain(text)
    parsed = markdown._joined(markdown._blocks(iter(markdown._parser().parse(text.strip()))))
    assert quick == parsed
