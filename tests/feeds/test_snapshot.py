"""A published state: what is served where, since when, until when; and how much of it is made again."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.changes import revise
from calfeed.events.model import Catalog, Text
from calfeed.feeds import pieces
from calfeed.feeds.feed import MOST_EVENTS
from calfeed.feeds.json_feed import event_json
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import Query
from calfeed.feeds.shelf import MOST_VARIANTS
from calfeed.feeds.snapshot import Snapshot, build, client_warnings

NOW = datetime(2024, 5, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Publish = Callable[..., Snapshot]

OPEN = '[[events]]\nid = "open"\nsummary = "Open"\nstart = 2024-05-17\n'
LINK = '[[events]]\nid = "link"\nsummary = "Link"\nstart = 2024-05-18\nvisibility = "unlisted"\n'
SHUT = '[[events]]\nid = "shut"\nsummary = "Shut"\nstart = 2024-05-19\nvisibility = "private"\nparent = "open"\n'
SOON = '[[events]]\nid = "soon"\nsummary = "Soon"\nstart = 2024-05-20\nembargo = 2024-05-12T09:00:00Z\n'
FEEDS = (
    '[[feeds]]\nid = "link"\nname = "L"\nvisibility = "unlisted"\n'
    '[[feeds]]\nid = "staff"\nname = "S"\nvisibility = "private"\n'
)
ALL = FEEDS + OPEN + LINK + SHUT + SOON


def feed(snapshot: Snapshot, path: str = "/feeds/all.ics", query: Query | None = None) -> Resource:
    found = snapshot.resource(path, query)
    assert found is not None
    return found


@pytest.mark.parametrize("path", ["/feeds/all.ics", "/feeds/link.ics", "/feeds/all/download.ics", "/feeds/all.json"])
def test_public_and_unlisted_feeds_are_served(path: str, publish: Publish) -> None:
    assert publish(ALL).resource(path) is not None


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/staff.ics",
        "/feeds/staff.json",
        "/feeds/staff/download.ics",
        "/feeds/none.ics",
        "/feeds/all.xml",
        "/feeds/all/download.json",
        "/feeds/all",
        "/events/open",
        "/events/open.jcal",
        "/events/open/download.ics",
        "/events/shut.ics",
        "/events/shut.json",
        "/events/soon.ics",
        "/events/none.ics",
        "/other/all.ics",
        "",
    ],
)
def test_nothing_else_is(path: str, publish: Publish) -> None:
    assert publish(ALL).resource(path) is None


def test_a_private_feed_is_served_to_who_has_shown_a_token(publish: Publish) -> None:
    snapshot = publish(ALL)
    found = snapshot.resource("/feeds/staff.ics", private=True)
    assert found is not None
    assert found.body.count(b"BEGIN:VEVENT") == 4
    assert b"SOURCE" not in found.body, "only the holder knows its address"
    assert snapshot.resource("/feeds/staff.ics") is None


def test_one_event_is_served_alone_and_its_siblings_stay_out(publish: Publish) -> None:
    body = feed(publish(ALL), "/events/link.ics").body
    assert body.count(b"BEGIN:VEVENT") == 1
    assert b"SUMMARY:Link\r\n" in body
    assert not {name for name in (b"NAME", b"REFRESH", b"METHOD", b"X-WR") if b"\r\n" + name in body}


def test_one_event_takes_the_keys_that_change_its_form(publish: Publish) -> None:
    """``cancelled=drop`` leaves nothing of a cancelled one but what an object needs; filters do not touch it."""
    snapshot = publish(OPEN + 'status = "cancelled"\n')
    marked, dropped, filtered = (
        feed(snapshot, "/events/open.ics", query).body
        for query in (Query(cancelled="mark"), Query(cancelled="drop"), Query(categories=("none",), q="none"))
    )
    assert b"SUMMARY:Cancelled: Open\r\n" in marked
    assert (b"BEGIN:VEVENT" in dropped, b"BEGIN:VTIMEZONE" in dropped) == (False, True)
    assert filtered == feed(snapshot, "/events/open.ics").body


def test_a_parent_that_readers_may_not_know_of_is_not_named(publish: Publish) -> None:
    toml = FEEDS + SHUT.replace('parent = "open"\n', "") + OPEN + 'parent = "shut"\n'
    snapshot = publish(toml)
    uid = snapshot.catalog.by_id["shut"].uid.encode()
    assert uid not in feed(snapshot).body
    assert uid not in feed(snapshot, "/events/open.ics").body
    assert uid not in feed(snapshot, "/events/open.json").body
    private = snapshot.resource("/feeds/staff.ics", private=True)
    assert private is not None
    assert b"RELATED-TO:" + uid in private.body


def test_an_embargo_ends_at_its_instant_and_moves_last_modified(publish: Publish) -> None:
    ends = datetime(2024, 5, 12, 9, tzinfo=UTC)
    before = publish(ALL)
    assert (before.expires, feed(before).modified) == (ends, NOW)
    after = publish(ALL, now=ends, after=before)
    assert (after.expires, feed(after).modified) == (None, ends)
    assert (b"SUMMARY:Soon" in feed(before).body, b"SUMMARY:Soon" in feed(after).body) == (False, True)


def test_last_modified_never_goes_back(publish: Publish) -> None:
    """Not when an event is edited away, removed, or its tombstone falls; nor in a process that begins only then."""
    steps = [
        (NOW, OPEN + LINK),
        (NOW + HOUR, OPEN + LINK.replace("unlisted", "public")),
        (NOW + 2 * HOUR, OPEN + LINK),
        (NOW + 3 * HOUR, OPEN),
        (NOW + 3 * HOUR + 29 * DAY, OPEN),
        (NOW + 3 * HOUR + 30 * DAY, OPEN),
        (NOW + 3 * HOUR + 60 * DAY, OPEN),
    ]
    snapshot, seen = None, []
    for now, toml in steps:
        snapshot = publish(toml, now=now, after=snapshot)
        fresh = build(snapshot.catalog, snapshot.revisions, snapshot.changes, base_url=snapshot.base_url, now=now)
        assert feed(fresh).modified == feed(snapshot).modified
        seen.append(feed(snapshot).modified)
    fallen = NOW + 3 * HOUR + 30 * DAY
    assert seen == [NOW, NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 3 * HOUR, fallen, fallen]


def test_a_feed_that_is_renamed_is_newer(publish: Publish) -> None:
    """No event says so; the time of the publication does."""
    one = publish(OPEN)
    renamed = build(
        replace(one.catalog, calendar=replace(one.catalog.calendar, name=Text((("en", "Renamed"),)))),
        one.revisions,
        one.changes,
        base_url=None,
        now=NOW + 2 * HOUR,
        published_at=NOW + HOUR,
    )
    assert feed(renamed).modified == NOW + HOUR


def test_a_tombstone_stands_for_its_time(publish: Publish) -> None:
    before = publish(OPEN + LINK.replace("unlisted", "public"))
    removed = publish(OPEN, now=NOW + HOUR, after=before)
    assert removed.expires == NOW + HOUR + 30 * DAY
    assert [event.id for event in removed.events()] == ["open"]
    assert [(each.event.id, each.event.status) for each in removed.entries()] == [
        ("link", "cancelled"),
        ("open", "confirmed"),
    ]
    assert b"STATUS:CANCELLED" in feed(removed, "/events/link.ics").body
    gone = publish(OPEN, now=NOW + HOUR + 30 * DAY, after=removed)
    assert (gone.expires, [each.event.id for each in gone.entries()]) == (None, ["open"])
    assert gone.resource("/events/link.ics") is None


def test_a_removed_event_is_cancelled_in_json_whatever_state_of_it_is_shown(publish: Publish) -> None:
    """The notice of a removal shows the event as it was before: as the API shows it, it is cancelled."""
    before = publish(OPEN)
    removed = publish("", now=NOW + HOUR, after=before)
    (event,) = before.catalog.events
    shown = event_json(event, removed.revisions[event.uid], None, None)
    assert [shown] == [event_json(each.event, each.revision, None, None) for each in removed.entries()]
    assert (event.status, shown["status"]) == ("confirmed", "cancelled")


def test_the_tombstone_of_a_private_event_is_private(publish: Publish) -> None:
    removed = publish(FEEDS + OPEN, now=NOW + HOUR, after=publish(FEEDS + OPEN + SHUT))
    assert b"Shut" not in feed(removed).body
    assert removed.resource("/events/shut.ics") is None


def test_an_event_removed_under_its_embargo_never_stands_in_public(publish: Publish) -> None:
    """It would be shown as cancelled from the embargo's instant on: news of what nobody was to hear of."""
    staff = '[[feeds]]\nid = "staff"\nvisibility = "private"\n'
    removed = publish(staff + OPEN, now=NOW + HOUR, after=publish(staff + OPEN + SOON))
    late = publish(staff + OPEN, now=NOW + 5 * DAY, after=removed)
    assert removed.expires == late.expires == NOW + HOUR + 30 * DAY
    for path in ("/feeds/all.ics", "/feeds/all.json", "/feeds/all.atom"):
        assert b"Soon" not in feed(late, path).body
    assert late.resource("/events/soon.ics") is None
    for each in (removed, late):
        known = each.resource("/feeds/staff.ics", private=True)
        assert known is not None
        assert b"SUMMARY:Soon" in known.body


def test_an_event_removed_after_its_embargo_stands_as_cancelled(publish: Publish) -> None:
    shown = publish(OPEN + SOON, now=NOW + 5 * DAY)
    removed = publish(OPEN, now=NOW + 6 * DAY, after=shown)
    assert b"SUMMARY:Soon" in feed(removed).body


def test_the_same_state_gives_the_same_octets_whenever_and_wherever_it_is_built(publish: Publish) -> None:
    first = publish(ALL)
    again = [publish(ALL, now=NOW + hours * HOUR, after=first) for hours in (1, 20, 40)]
    assert {feed(each).etag for each in (first, *again)} == {feed(first).etag}
    assert feed(again[0]) is feed(first), "and is not even compressed again"


def test_an_edit_writes_one_event_again(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    make = pieces.make
    monkeypatch.setattr(pieces, "make", lambda event, *rest: (written.append(event.id), make(event, *rest))[1])
    before = publish(ALL)
    for path in ("/feeds/all.ics", "/feeds/link.ics", "/feeds/all.ics", "/events/open.ics"):
        feed(before, path)
    assert sorted(written) == ["link", "open"]
    written.clear()
    after = publish(ALL.replace('"Open"', '"Opened"'), now=NOW + HOUR, after=before)
    assert feed(after, "/feeds/link.ics").etag != feed(before, "/feeds/link.ics").etag
    assert written == ["open"]


def test_an_empty_feed_holds_a_time_zone(publish: Publish) -> None:
    """RFC 5545 §3.6: at least one component. In UTC, which some readers take no VTIMEZONE of, it is Greenwich's."""
    paris = feed(publish("")).body
    assert b"BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n" in paris
    utc = feed(publish('[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\n')).body
    assert b"BEGIN:VTIMEZONE\r\nTZID:Etc/GMT\r\n" in utc


def test_a_feed_without_local_times_holds_no_time_zone(publish: Publish) -> None:
    assert b"VTIMEZONE" not in feed(publish(OPEN)).body


def test_a_category_is_named_in_the_title_of_what_it_selects(publish: Publish) -> None:
    """Two subscriptions to one calendar are told apart in a client's list."""
    body = feed(publish(OPEN), query=Query(categories=("expo", "talk"))).body
    assert b"\r\nX-WR-CALNAME:Calendar: expo\\, talk\r\n" in body
    assert b"\r\nSOURCE;VALUE=URI:https://example.org/feeds/all.ics?category=expo,talk\r\n" in body


def test_gzip_is_deterministic_and_has_a_tag_of_its_own(publish: Publish) -> None:
    found = feed(publish(OPEN))
    assert gzip.decompress(found.gzip) == found.body
    assert Resource.of(found.body, found.media_type, NOW).gzip == found.gzip
    assert found.gzip_etag == found.etag.removesuffix('"') + '-gzip"'


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ("{etag}", True),
        ("W/{etag}", True),
        ('"x", {etag}', True),
        ("{gzip}", True),
        ("*", True),
        ('"x"', False),
        ("", False),
    ],
)
def test_a_validator_of_either_coding_is_known_again(header: str, same: bool, publish: Publish) -> None:
    found = feed(publish(OPEN))
    assert found.matches(header.format(etag=found.etag, gzip=found.gzip_etag)) is same


def test_filtered_feeds_are_kept_within_bounds(publish: Publish) -> None:
    snapshot = publish(OPEN)
    asked = [Query(q=f"word {number}") for number in range(MOST_VARIANTS + 10)]
    first = feed(snapshot, query=asked[0])
    for query in asked[1:]:
        feed(snapshot, query=query)
        feed(snapshot, query=asked[0])
    assert feed(snapshot, query=asked[0]) is first, "what is asked for again stays"
    assert len(snapshot.shelf._variants) == MOST_VARIANTS


def test_occurrences_are_found_by_time(publish: Publish) -> None:
    """Those of endless events too; one that began before and goes on is there."""
    toml = (
        '[[events]]\nid = "long"\nsummary = "Long"\nstart = 2024-05-01\nend = 2024-05-20\n'
        '[[events]]\nid = "daily"\nsummary = "Daily"\nstart = 2020-01-01T12:00:00\nrrule = "FREQ=DAILY"\n'
        '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17T10:00:00\nduration = "1h"\n'
        + SHUT.replace('parent = "open"\n', "")
    )
    snapshot = publish(toml + FEEDS)
    since, until = datetime(2024, 5, 17, 8, 30, tzinfo=UTC), datetime(2024, 5, 18, 11, tzinfo=UTC)
    assert [each.event.id for each in snapshot.occurrences(since, until)] == ["long", "talk", "daily", "daily"]
    assert [each.event.id for each in snapshot.occurrences(since, until, query=Query(q="talk"))] == ["talk"]
    week = snapshot.occurrences(since, until + 7 * DAY, feed="staff", query=Query(q="shut"))
    assert [each.event.id for each in week] == ["shut"]


def test_occurrences_are_found_however_many_came_before(publish: Publish) -> None:
    """A daily event that ends has more of them in forty years than are kept."""
    daily = '[[events]]\nid = "daily"\nsummary = "Daily"\nstart = 1990-01-01\nrrule = "FREQ=DAILY;UNTIL=20301231"\n'
    snapshot = publish(daily)
    assert len(snapshot.occurrences(NOW, NOW + 7 * DAY)) == 8, "today's began in Paris, two hours ago"
    last = datetime(2030, 12, 31, tzinfo=UTC)
    assert len(snapshot.occurrences(last, last + 7 * DAY)) == 1


def many(count: int, first: datetime, catalog: Catalog) -> Catalog:
    """Hourly events from ``first`` on."""
    event = catalog.events[0]
    events = tuple(
        replace(event, id=f"e{n}", uid=f"e{n}", start=first + n * HOUR, end=first + (n + 1) * HOUR, timezone="UTC")
        for n in range(count)
    )
    return replace(catalog, events=events)


def built(catalog: Catalog, now: datetime = NOW) -> Snapshot:
    revised = revise(catalog, {}, datetime(2024, 1, 1, tzinfo=UTC), DAY)
    return build(catalog, revised.revisions, (), base_url=None, now=now)


def test_what_ended_longest_ago_is_left_out_before_services_stop_reading(publish: Publish) -> None:
    """As little as needed, said in the feed, changing at midnights and with Last-Modified."""
    first = datetime(2024, 5, 8, 12, tzinfo=UTC)
    catalog = many(MOST_EVENTS + 5, first, publish(OPEN).catalog)
    early, noon, later = (built(catalog, now) for now in (first, NOW + 12 * HOUR, NOW + DAY))
    assert [feed(each).dropped for each in (early, noon, later)] == [0, 5, 5]
    assert [feed(each).modified for each in (early, noon)] == [datetime(2024, 1, 1, tzinfo=UTC), first + 12 * HOUR]
    assert (early.expires, feed(noon).etag) == (first + 12 * HOUR, feed(later).etag)
    assert feed(noon).body.count(b"BEGIN:VEVENT") == MOST_EVENTS
    told = feed(noon).body.replace(b"\r\n ", b"").decode()
    assert "Left out: 5 past events\\, the last of 8 May 2024." in told
    assert b"UID:e4\r\n" not in feed(noon).body
    assert b"UID:e5\r\n" in feed(noon).body


def test_size_counts_as_well(publish: Publish) -> None:
    catalog = many(300, datetime(2024, 4, 1, tzinfo=UTC), publish(OPEN).catalog)
    text = Text((("en", "Many words. " * 400),))
    catalog = replace(catalog, events=tuple(replace(event, description=text) for event in catalog.events))
    found = feed(built(catalog))
    assert 0 < found.dropped < 300
    assert 980_000 < len(found.body) < 1_000_000


LONG = Text((("zh", "说" * 1_500),))
ENDLESS = {"start": datetime(2020, 1, 1, 10, tzinfo=ZoneInfo("Africa/Casablanca")), "timezone": "Africa/Casablanca"}


@pytest.mark.parametrize(
    ("count", "own", "first"),
    [
        (300, {"description": LONG}, {}),
        (300, {"contact": LONG}, {}),
        (300, {"attach": tuple(f"https://example.org/{n}/{'a' * 480}" for n in range(9))}, {}),
        (300, {}, {**ENDLESS, "end": None, "rrule": "FREQ=DAILY"}),
    ],
    ids=["description", "contact", "attachments", "single dates"],
)
def test_whatever_makes_a_feed_too_large_its_past_goes_at_midnight(
    count: int, own: dict[str, object], first: dict[str, object], publish: Publish
) -> None:
    """Octets count, not characters; and events that are written date by date. All replicas leave out the same."""
    catalog = many(count, NOW - 150 * HOUR, publish(OPEN).catalog)
    events = [replace(event, **own) for event in catalog.events]  # type: ignore[arg-type]  # whatever key it is
    if first:
        events += [replace(events[0], id=f"r{n}", uid=f"r{n}", **first) for n in range(2)]  # type: ignore[arg-type]  # as above
    snapshot = built(replace(catalog, events=tuple(events)))
    assert feed(snapshot).dropped > 0
    assert snapshot.expires == NOW + DAY


def test_events_that_are_gone_count_until_their_tombstones_fall(publish: Publish) -> None:
    catalog = many(MOST_EVENTS, NOW - 48 * HOUR, publish(OPEN).catalog)
    before = revise(catalog, {}, datetime(2024, 1, 1, tzinfo=UTC), DAY)
    rest = replace(catalog, events=(*catalog.events[: MOST_EVENTS // 2], publish(OPEN).catalog.events[0]))
    revised = revise(rest, before.revisions, NOW, 30 * DAY)
    snapshot = build(rest, revised.revisions, (), base_url=None, now=NOW)
    assert (feed(snapshot).dropped, snapshot.expires) == (1, NOW + DAY)


def test_what_lies_ahead_is_never_left_out_but_warned_of(publish: Publish) -> None:
    catalog = many(MOST_EVENTS + 5, NOW + DAY, publish(OPEN).catalog)
    assert feed(built(catalog)).body.count(b"BEGIN:VEVENT") == MOST_EVENTS + 5
    assert [(problem.code, problem.severity) for problem in client_warnings(catalog, NOW)] == [
        ("feed-too-large", "warning")
    ]
    past = client_warnings(catalog, NOW + 90 * DAY)
    assert [problem.code for problem in past] == ["feed-trimmed"]


def test_expanding_many_endless_events_stays_within_bounds(publish: Publish) -> None:
    """Anybody may ask for ``expand=1``."""
    event = publish(OPEN).catalog.events[0]
    daily = tuple(replace(event, id=f"e{n}", uid=f"e{n}", rrule="FREQ=DAILY") for n in range(300))
    snapshot = built(replace(publish(OPEN).catalog, events=daily))
    assert feed(snapshot, query=Query(expand=True)).body.count(b"BEGIN:VEVENT") == 300 * 30


def test_a_warm_snapshot_has_made_what_clients_poll(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """Private feeds too; a request then only looks."""
    snapshot = publish(ALL)
    snapshot.warm()
    monkeypatch.setattr(Snapshot, "_make", lambda *_, **__: pytest.fail("made in a request"))
    for path, private in (("/feeds/all.ics", False), ("/feeds/link.ics", False), ("/feeds/staff.ics", True)):
        found = snapshot.resource(path, private=private)
        assert found is not None
        assert "gzip" in vars(found)


def test_a_series_that_is_written_in_another_form_is_warned_of(publish: Publish) -> None:
    """In Ramadan Morocco's clock goes back, each year eleven days earlier."""
    toml = (
        '[[events]]\nid = "souk"\nsummary = "Souk"\nstart = 2024-03-01T19:00:00\ntimezone = "Africa/Casablanca"\n'
        'rrule = "FREQ=YEARLY;COUNT=12;BYMONTH=3;BYMONTHDAY=1,10,20,28"\n'
    )
    assert [
        (problem.code, problem.path, problem.location.line) for problem in client_warnings(publish(toml).catalog, NOW)
    ] == [("zone-unsayable", "events[souk].rrule", 5)]
    assert feed(publish(toml)).body.count(b"DTSTART:") == 12
