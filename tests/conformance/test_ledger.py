"""What a ledger promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calfeed.errors import NotFound
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Tba, Text
from calfeed.events.revision import ChangeKind
from calfeed.ledger import Claimed, Ledger, Result, Settlement, State, hand, reading

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 5, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def text(words: str) -> Text:
    return Text((("en", words),))


def event(name: str = "talks", start: datetime | None = None, **keys: Any) -> Event:
    """An hour's event; by default on 12 May at 10:00 in Shanghai, which is 02:00 in UTC."""
    start = (start or datetime(2024, 5, 12, 2, tzinfo=UTC)).astimezone(SHANGHAI)
    values = {"summary": text(name), "timezone": "Asia/Shanghai", "end": start + HOUR}
    return Event(id=name, uid=f"uid-{name}", start=start, **(values | keys))


def channel(name: str = "hook", **keys: Any) -> Channel:
    return Channel(id=name, **({"kind": "webhook", "url": f"env:{name}", "before": (Duration(seconds=3600),)} | keys))


def catalog(*events: Event, channels: Sequence[Channel] | None = None, **keys: Any) -> Catalog:
    return Catalog(
        calendar=Calendar(id="visit", name=text("Visit"), timezone="Asia/Shanghai", **keys),
        events=events,
        feeds=(Feed(id="all", name=text("All")),),
        channels=(channel(),) if channels is None else tuple(channels),
    )


def rows(ledger: Ledger, **asked: Any) -> list[tuple[str, str, str]]:
    """(kind, due in UTC, state) of deliveries, in order of due time."""
    found = ledger.deliveries(limit=1000, **asked)
    return sorted((one.kind, f"{one.due:%m-%d %H:%M}", str(one.state)) for one in found)


def anything(_channel: str) -> bool:
    return True


def claim(ledger: Ledger, now: datetime, limit: int = 100, served: Sequence[str] = ("hook",)) -> list[Claimed]:
    return ledger.claim(now, limit, served, anything)


def outcome(claimed: Claimed, result: Result = Result.SENT, *, at: datetime, **keys: Any) -> Settlement:
    return Settlement(
        delivery=claimed.id, attempt=claimed.attempt, result=result, started=at, ended=at, **({"status": 200} | keys)
    )


def send(ledger: Ledger, now: datetime, result: Result = Result.SENT, **keys: Any) -> int:
    """One turn of a sender whose every attempt ends alike; returns how many there were."""
    ledger.sweep(now)
    claimed = claim(ledger, now)
    ledger.settle([outcome(one, result, at=now, **keys) for one in claimed], now)
    return len(claimed)


@pytest.fixture
def open_ledger(ready_url: str) -> Iterator[Callable[[], Ledger]]:
    """Makes ledgers on one database, as several processes would."""
    made: list[Ledger] = []

    def make() -> Ledger:
        made.append(Ledger(ready_url, role="remind"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    return open_ledger()


@pytest.fixture
def planned(ledger: Ledger) -> Ledger:
    """One event tomorrow but one at 02:00, one channel, one reminder at 01:00."""
    ledger.publish(catalog(event()), NOW)
    ledger.plan(["hook"], NOW)
    return ledger


# Publishing


def test_the_first_publication_adds_everything_and_tells_nothing(ledger: Ledger) -> None:
    published = ledger.publish(catalog(event(), event("expo")), NOW)
    assert [(one.kind, one.event_id) for one in published.news] == [
        (ChangeKind.ADDED, "talks"),
        (ChangeKind.ADDED, "expo"),
    ]
    assert (published.version, published.at, published.accepted) == (1, NOW, True)
    assert {uid: (one.number, one.sequence, one.modified) for uid, one in published.revisions.items()} == {
        "uid-talks": (1, 0, NOW),
        "uid-expo": (1, 0, NOW),
    }
    assert rows(ledger) == []


def test_the_same_source_again_changes_nothing(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    first = ledger.publish(catalog(event()), NOW)
    for other in (ledger, open_ledger()):
        again = other.publish(catalog(event()), NOW + DAY)
        assert (again.version, again.at, again.news) == (first.version, first.at, ())
        assert again.revisions == first.revisions
        assert again.changes == first.changes


def test_an_edit_raises_the_sequence_of_that_event_alone(ledger: Ledger) -> None:
    ledger.publish(catalog(event(), event("expo")), NOW)
    moved = event(start=datetime(2024, 5, 12, 7, tzinfo=UTC))
    published = ledger.publish(catalog(moved, event("expo")), NOW + HOUR)
    assert {uid: (one.number, one.sequence, one.modified) for uid, one in published.revisions.items()} == {
        "uid-talks": (2, 1, NOW + HOUR),
        "uid-expo": (1, 0, NOW),
    }
    (change,) = published.news
    assert (change.kind, change.before, change.after, change.number) == (ChangeKind.MOVED, event(), moved, 2)
    assert ledger.changes()[0] == change
    assert ledger.revisions() == published.revisions


def test_what_is_stored_is_what_was_published(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    """Another process, and one started later, reads the same catalog, but for addresses that are written out."""
    channels = [
        channel(quiet=(time(22), time(7)), digest=time(8), categories=("expo",), timezone="Europe/Moscow"),
        channel("literal", url="https://hooks.example.org/secret", secret="whsec_secret"),
    ]
    source = catalog(event(), event("expo", categories=("expo",)), channels=channels, all_day_at=time(8, 30))
    ledger.publish(source, NOW)
    current = open_ledger().current()
    assert current is not None
    assert current.catalog == replace(source, channels=(channels[0], replace(channels[1], url="", secret=None)))


def test_an_event_that_returns_long_after_its_tombstone_goes_on_counting(ledger: Ledger) -> None:
    ledger.publish(catalog(event()), NOW)
    ledger.publish(catalog(), NOW + DAY)
    assert ledger.publish(catalog(event("expo")), NOW + 100 * DAY).revisions.keys() == {"uid-expo"}
    again = ledger.publish(catalog(event(), event("expo")), NOW + 101 * DAY)
    assert (again.revisions["uid-talks"].number, again.revisions["uid-talks"].sequence) == (3, 2)


def test_a_lead_time_that_changes_is_no_revision_but_is_kept(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    first = ledger.publish(catalog(event()), NOW)
    source = catalog(event(remind=(Duration(seconds=600),)))
    again = ledger.publish(source, NOW + HOUR)
    assert again.revisions["uid-talks"].number == first.revisions["uid-talks"].number
    current = open_ledger().current()
    assert current is not None
    assert current.catalog.events == source.events


def test_replicas_that_publish_at_once_get_one_revision(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    """Eight processes see the same new source at different instants; the first writer wins."""
    ledger.publish(catalog(event()), NOW)
    moved = catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC)), event("expo"))
    replicas = [open_ledger() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: replicas[n].publish(moved, NOW + timedelta(seconds=n)), range(8)))
    assert {one.version for one in results} == {2}
    assert {one.at for one in results} == {results[0].at}
    assert all(one.revisions == results[0].revisions for one in results)
    assert sum(len(one.news) for one in results) == 2
    assert len(ledger.changes()) == 3


# One writer of truth

OLD, NEW = catalog(event()), catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC)))


@pytest.fixture
def rolling(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> tuple[Ledger, Ledger]:
    """(a process with the old files, a process with the new ones), the new source being published."""
    newer = open_ledger()
    ledger.publish(OLD, NOW)
    newer.publish(NEW, NOW + timedelta(seconds=30))
    return ledger, newer


def test_a_process_with_the_old_files_does_not_undo_the_new(rolling: tuple[Ledger, Ledger]) -> None:
    """It is given the new state, with its own addresses for the channels, and serves that."""
    older, newer = rolling
    refused = older.publish(OLD, NOW + timedelta(seconds=60))
    assert (refused.accepted, refused.version, refused.news) == (False, 2, ())
    assert refused.catalog == NEW
    assert refused.revisions == newer.publish(NEW, NOW + timedelta(seconds=61)).revisions


def test_a_restarted_process_with_the_old_files_does_not_either(
    rolling: tuple[Ledger, Ledger], open_ledger: Callable[[], Ledger]
) -> None:
    assert open_ledger().publish(OLD, NOW + timedelta(seconds=60)).accepted is False


def test_an_edit_undone_in_the_files_of_a_process_is_an_edit(rolling: tuple[Ledger, Ledger]) -> None:
    _, newer = rolling
    back = newer.publish(OLD, NOW + timedelta(seconds=60))
    assert (back.accepted, back.version, back.catalog) == (True, 3, OLD)
    assert back.revisions["uid-talks"].sequence == 2


def test_the_old_files_come_back_when_nobody_alive_has_the_new_ones(rolling: tuple[Ledger, Ledger]) -> None:
    """A rollback by deploying the old version: what ran with the new files is gone."""
    older, newer = rolling
    newer.beat(NOW + timedelta(seconds=80))
    assert older.publish(OLD, NOW + timedelta(seconds=120)).accepted is False
    assert older.publish(OLD, NOW + timedelta(seconds=141)).accepted is True


def test_a_process_that_ends_in_order_holds_nothing(rolling: tuple[Ledger, Ledger]) -> None:
    older, newer = rolling
    newer.leave(NOW + timedelta(seconds=40))
    assert older.publish(OLD, NOW + timedelta(seconds=41)).accepted is True


def test_a_source_never_seen_before_is_always_an_edit(rolling: tuple[Ledger, Ledger]) -> None:
    older, _ = rolling
    assert older.publish(catalog(event(), event("expo")), NOW + timedelta(seconds=60)).version == 3


def test_the_time_of_publication_rises_although_clocks_differ(
    ledger: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    first = ledger.publish(OLD, NOW)
    second = open_ledger().publish(NEW, NOW - HOUR)
    assert second.at == first.at + timedelta(seconds=1)
    assert second.revisions["uid-talks"].modified > first.revisions["uid-talks"].modified


def test_a_publication_is_heard_by_the_others(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    other = open_ledger()
    ledger.publish(OLD, NOW)
    assert other.changed_since(0)
    assert not any(other.changed_since(1) for _ in range(3))
    ledger.publish(NEW, NOW + HOUR)
    end = monotonic() + 10  # the server tells its listeners soon after the commit, not within it
    while not other.changed_since(1):
        assert monotonic() < end
    assert other.changed_since(1), "until it is taken over"
    assert not other.changed_since(2)
    assert other.version() == 2


# Planning


def test_planning_twice_plans_once(planned: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    open_ledger().plan(["hook"], NOW)
    planned.plan(["hook"], NOW + timedelta(minutes=90))
    assert rows(planned) == [("reminder", "05-12 01:00", "pending")]


def test_planners_at_once_plan_once(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    events = [event(f"e{n}", NOW + DAY + n * HOUR) for n in range(50)]
    ledger.publish(catalog(*events), NOW)
    planners = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.plan(["hook"], NOW), planners))
    assert len(ledger.deliveries(limit=1000)) == 50


def test_a_channel_is_planned_from_its_first_sight(ledger: Ledger) -> None:
    """What fell due before is not owed: neither to a new channel nor to one that had no address so far."""
    ledger.publish(catalog(event(), channels=[channel(), channel("late")]), NOW)
    ledger.plan(["hook"], NOW)
    ledger.plan(["hook", "late"], NOW + 2 * DAY + timedelta(minutes=90))
    assert rows(ledger, channel="late") == []
    assert rows(ledger, channel="hook") == [("reminder", "05-12 01:00", "pending")]


def test_what_fell_due_while_nothing_ran_is_sent_late_or_recorded_as_expired(ledger: Ledger) -> None:
    """Away from the 10th of May to the 12th of June: of three missed reminders one is still of use."""
    ahead = [event("one"), event("two", NOW + 20 * DAY), event("three", NOW + 33 * DAY + timedelta(minutes=30))]
    ledger.publish(catalog(*ahead), NOW)
    ledger.plan(["hook"], NOW)
    back = NOW + 33 * DAY
    ledger.plan(["hook"], back)
    assert send(ledger, back) == 1
    assert rows(ledger) == [
        ("reminder", "05-12 01:00", "expired"),
        ("reminder", "05-29 23:00", "expired"),
        ("reminder", "06-11 23:30", "sent"),
    ]
    assert ledger.audit(back).findings == ()


def test_an_edit_made_while_nothing_ran_does_not_forget_what_was_missed(ledger: Ledger) -> None:
    """What was due by the old source until the edit is owed by the old source."""
    missed = event("missed", NOW + 20 * DAY)
    ledger.publish(catalog(missed), NOW)
    ledger.plan(["hook"], NOW)
    back = NOW + 30 * DAY
    ledger.publish(catalog(missed, event("new", NOW + 20 * DAY)), back)
    ledger.plan(["hook"], back)
    ledger.sweep(back)
    assert rows(ledger) == [("reminder", "05-29 23:00", "expired")]


def test_an_event_published_after_its_due_time_does_not_fire_for_the_past(planned: Ledger) -> None:
    at = datetime(2024, 5, 11, 1, 30, tzinfo=UTC)
    planned.publish(catalog(event(), event("sudden", datetime(2024, 5, 11, 2, tzinfo=UTC))), at)
    planned.plan(["hook"], at)
    assert rows(planned) == [("reminder", "05-12 01:00", "pending")]


def test_a_lead_added_after_its_due_time_does_not_fire_for_the_past(planned: Ledger) -> None:
    at = datetime(2024, 5, 11, 12, tzinfo=UTC)
    leads = (Duration(days=1), Duration(seconds=3600), Duration(seconds=600))
    planned.publish(catalog(event(), channels=[channel(before=leads)]), at)
    planned.plan(["hook"], at)
    assert rows(planned) == [("reminder", "05-12 01:00", "pending"), ("reminder", "05-12 01:50", "pending")]


def test_a_lead_dropped_is_superseded_and_comes_back_with_the_lead(planned: Ledger) -> None:
    planned.publish(catalog(event(), channels=[channel(before=(Duration(seconds=600),))]), NOW + HOUR)
    assert rows(planned) == [("reminder", "05-12 01:00", "superseded"), ("reminder", "05-12 01:50", "pending")]
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert rows(planned) == [("reminder", "05-12 01:00", "pending"), ("reminder", "05-12 01:50", "superseded")]


def test_a_move_before_the_reminder_moves_the_reminder(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    assert rows(planned, kind="reminder") == [
        ("reminder", "05-12 01:00", "superseded"),
        ("reminder", "05-12 06:00", "pending"),
    ]


def test_a_move_after_the_reminder_reminds_again_at_the_new_time(planned: Ledger) -> None:
    at = datetime(2024, 5, 12, 1, tzinfo=UTC)
    send(planned, at)
    planned.publish(NEW_TIME, at + timedelta(minutes=5))
    assert rows(planned, kind="reminder") == [
        ("reminder", "05-12 01:00", "sent"),
        ("reminder", "05-12 06:00", "pending"),
    ]


def test_there_and_back_again_reminds_once(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert rows(planned, kind="reminder") == [
        ("reminder", "05-12 01:00", "pending"),
        ("reminder", "05-12 06:00", "superseded"),
    ]


NEW_TIME = catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC)))


@pytest.mark.parametrize(
    "source",
    [
        catalog(),
        catalog(event(status="cancelled")),
        catalog(event(visibility="private")),
        catalog(event(embargo=datetime(2024, 5, 12, 1, 30, tzinfo=UTC))),
        catalog(event(remind=())),
        catalog(event(), channels=[channel(categories=("expo",))]),
        catalog(event(), channels=[]),
    ],
    ids=["removed", "cancelled", "private", "embargoed", "silent", "not selected", "no channel"],
)
def test_what_is_not_owed_any_more_is_superseded(planned: Ledger, source: Catalog) -> None:
    planned.publish(source, NOW + HOUR)
    assert rows(planned, kind="reminder") == [("reminder", "05-12 01:00", "superseded")]


def test_quiet_hours_that_change_move_what_waits(planned: Ledger) -> None:
    """09:00 in Shanghai falls into them; they end half an hour before the talks."""
    planned.publish(catalog(event(), channels=[channel(quiet=(time(8), time(9, 30)))]), NOW + HOUR)
    assert rows(planned) == [("reminder", "05-12 01:30", "pending")]


@pytest.mark.parametrize(("before", "after", "state"), [("date", None, "expired"), (None, "date", "pending")])
def test_what_waits_learns_that_it_is_too_late_earlier_or_later(
    ledger: Ledger, before: Tba | None, after: Tba | None, state: str
) -> None:
    """Some day from the 12th to the 14th is not over with the 12th; the reminder is due at 09:00 on the 12th anyway."""
    window = replace(event(), start=date(2024, 5, 12), end=date(2024, 5, 15))
    ledger.publish(catalog(replace(window, tba=before)), NOW)
    ledger.plan(["hook"], NOW)
    ledger.publish(catalog(replace(window, tba=after)), NOW + HOUR)
    ledger.sweep(datetime(2024, 5, 12, 20, tzinfo=UTC))
    assert rows(ledger, kind="reminder") == [("reminder", "05-12 01:00", state)]


def test_a_digest_is_planned_once_a_day_that_has_items(ledger: Ledger) -> None:
    events = [event(), event("more", NOW + 2 * DAY + 5 * HOUR), event("expo", NOW + 4 * DAY)]
    ledger.publish(catalog(*events, channels=[channel(before=(), digest=time(8))]), NOW)
    ledger.plan(["hook"], NOW)
    assert rows(ledger) == [("digest", "05-12 00:00", "pending"), ("digest", "05-14 00:00", "pending")]
    ledger.publish(catalog(event(), channels=[channel(before=(), digest=time(8))]), NOW + HOUR)
    assert rows(ledger, kind="digest") == [
        ("digest", "05-12 00:00", "pending"),
        ("digest", "05-14 00:00", "superseded"),
    ]


# Claiming and settling

DUE = datetime(2024, 5, 12, 1, tzinfo=UTC)


def test_nothing_is_claimed_before_it_is_due(planned: Ledger) -> None:
    just_before = DUE - timedelta(microseconds=1)
    assert planned.idle(just_before)
    assert claim(planned, just_before) == []
    assert not planned.idle(DUE)
    assert [one.due for one in claim(planned, DUE)] == [DUE]


def test_claimers_at_once_share_without_overlap(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    ledger.publish(catalog(*(event(f"e{n}") for n in range(120))), NOW)
    ledger.plan(["hook"], NOW)
    claimers = [open_ledger() for _ in range(4)]

    def drain(one: Ledger) -> list[str]:
        found: list[str] = []
        while some := claim(one, DUE, 7):
            found += [each.id for each in some]
        return found

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(drain, claimers))
    everything = [id_ for part in parts for id_ in part]
    assert (len(everything), len(set(everything))) == (120, 120)


def test_a_flooded_channel_leaves_room_for_the_others(ledger: Ledger) -> None:
    channels = [channel("flooded"), channel("calm", before=(Duration(seconds=3000),), categories=("expo",))]
    events = [event(f"e{n}") for n in range(60)] + [event("expo", categories=("expo",))]
    ledger.publish(catalog(*events, channels=channels), NOW)
    ledger.plan(["flooded", "calm"], NOW)
    room = {"flooded": 3, "calm": 3}

    def admit(name: str) -> bool:
        room[name] -= 1
        return room[name] >= 0

    claimed = ledger.claim(DUE + timedelta(minutes=15), 10, ["flooded", "calm"], admit)
    assert [one.channel for one in claimed] == ["flooded"] * 3 + ["calm"]


def test_a_process_claims_only_for_channels_it_can_reach(ledger: Ledger) -> None:
    ledger.publish(catalog(event(), channels=[channel(), channel("other")]), NOW)
    ledger.plan(["hook", "other"], NOW)
    assert [one.channel for one in claim(ledger, DUE, served=["other"])] == ["other"]
    assert claim(ledger, DUE, served=[]) == []


def test_a_lease_that_ran_out_is_claimed_again_under_the_same_id(
    planned: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    (lost,) = claim(planned, DUE)
    other = open_ledger()
    assert (other.sweep(DUE + timedelta(seconds=39)), claim(other, DUE + timedelta(seconds=39))) == (0, [])
    back = DUE + timedelta(seconds=40)
    assert other.sweep(back) == 1
    (again,) = claim(other, back)
    assert (again.id, again.webhook_id, again.attempt) == (lost.id, lost.webhook_id, lost.attempt + 1)
    delivery, attempts = other.delivery(again.webhook_id)
    assert (delivery.state, [(one.number, one.outcome) for one in attempts]) == (State.SENDING, [(1, "lost")])


def test_what_a_process_had_claimed_that_was_killed_here_need_not_wait(
    planned: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    """Its pid is gone. One on another machine, or in another container, may live and waits for its lease."""
    dead, far, heir = open_ledger(), open_ledger(), open_ledger()
    pid = subprocess.Popen(["true"])
    pid.wait()
    dead.process = replace(dead.process, pid=pid.pid)
    far.process = replace(far.process, pid=pid.pid, place="another machine")
    for one in (dead, far):
        one.beat(DUE)
    claim(far, DUE)
    assert heir.sweep(DUE) == 0
    far.settle([outcome(heir_sees(far), Result.UNSENT, at=DUE)], DUE)
    claim(dead, DUE)
    assert heir.sweep(DUE) == 1


def heir_sees(ledger: Ledger) -> Claimed:
    """What the ledger has claimed, as a claim."""
    (one,) = ledger.deliveries(state="sending")
    names = ("id", "key", "kind", "channel", "uid", "due", "attempt")
    return Claimed(**{name: getattr(one, name) for name in names}, subject="")


def test_who_slept_through_a_lease_cannot_overwrite_a_later_claim(
    planned: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    (slept,) = claim(planned, DUE)
    other, back = open_ledger(), DUE + timedelta(seconds=40)
    other.sweep(back)
    (again,) = claim(other, back)
    woke = back + timedelta(seconds=1)
    planned.settle([outcome(slept, Result.RETRY, at=woke, status=500)], woke)
    assert other.delivery(again.id)[0].state is State.SENDING
    other.settle([outcome(again, at=woke)], woke)
    delivery, attempts = other.delivery(again.id)
    assert delivery.state is State.SENT
    assert [(one.number, one.outcome, one.overtaken) for one in attempts] == [
        (1, "lost", False),
        (1, "retry", True),
        (2, "sent", False),
    ]


def test_what_is_in_hand_is_not_lost_though_a_clock_jumped(planned: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its request is under way, or was held up with the machine; it is waited for, but not for ever."""
    (one,) = claim(planned, DUE)
    back = DUE + timedelta(minutes=1)
    assert (planned.sweep(back), claim(planned, back)) == (0, [])
    monkeypatch.setattr(hand, "PATIENCE", 0.0)
    assert planned.sweep(back) == 1
    (again,) = claim(planned, back)
    assert (again.id, again.attempt) == (one.id, 2)


def test_what_arrived_after_its_lease_is_not_sent_again(planned: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    """The sender woke up before anybody else claimed the row: what it knows is true."""
    (slept,) = claim(planned, DUE)
    back = DUE + timedelta(seconds=90)
    open_ledger().sweep(back)
    planned.settle([outcome(slept, at=back)], back)
    assert claim(planned, back) == []
    assert rows(planned) == [("reminder", "05-12 01:00", "sent")]
    assert planned.audit(back).findings == ()


def test_what_was_not_sent_at_all_waits_as_before(planned: Ledger) -> None:
    (one,) = claim(planned, DUE)
    planned.settle([outcome(one, Result.UNSENT, at=DUE)], DUE)
    delivery, attempts = planned.delivery(one.id)
    assert (delivery.state, attempts) == (State.PENDING, [])
    planned.sweep(DUE + HOUR)
    assert rows(planned) == [("reminder", "05-12 01:00", "expired")]


def test_two_503s_are_retried_under_one_id(planned: Ledger) -> None:
    ids, at = set(), DUE
    for _ in range(2):
        (one,) = claim(planned, at)
        ids.add(one.webhook_id)
        planned.settle([outcome(one, Result.RETRY, at=at, status=503, error="answered 503")], at)
        waits = planned.delivery(one.id)[0]
        assert (waits.state, waits.last_error) == (State.PENDING, "answered 503")
        at = waits.at
    assert timedelta(seconds=5 * 0.8 + 30 * 0.8) <= at - DUE <= timedelta(seconds=5 * 1.2 + 30 * 1.2)
    (one,) = claim(planned, at)
    planned.settle([outcome(one, at=at)], at)
    delivery, attempts = planned.delivery(one.id)
    assert ids == {one.webhook_id}
    assert (delivery.state, delivery.sent_at, delivery.late) == (State.SENT, at, (at - DUE).total_seconds())
    assert [(each.number, each.outcome, each.status) for each in attempts] == [
        (1, "retry", 503),
        (2, "retry", 503),
        (3, "sent", 200),
    ]


def test_a_failing_delivery_is_dead_when_its_occurrence_is_over(planned: Ledger) -> None:
    """The talks last from 02:00 to 03:00."""
    at, tries = DUE, 0
    while planned.deliveries()[0].state is State.PENDING:
        tries += send(planned, at, Result.RETRY, status=500)
        at = planned.deliveries()[0].at
    delivery = planned.deliveries()[0]
    assert delivery.state is State.DEAD
    assert delivery.settled is not None
    assert delivery.settled < datetime(2024, 5, 12, 3, tzinfo=UTC)
    assert tries in {5, 6}, "at once, after 5 s, 30 s, 5 min, 30 min, and perhaps 2 h"


def test_a_retry_that_was_missed_by_then_is_dead(planned: Ledger) -> None:
    send(planned, DUE, Result.RETRY, status=500)
    planned.sweep(datetime(2024, 5, 12, 3, tzinfo=UTC))
    assert rows(planned) == [("reminder", "05-12 01:00", "dead")]


def test_what_is_tried_again_may_be_until_the_new_end(planned: Ledger) -> None:
    send(planned, DUE, Result.RETRY, status=500)
    planned.publish(catalog(replace(event(), end=event().start + 3 * HOUR)), DUE + timedelta(minutes=1))
    planned.sweep(datetime(2024, 5, 12, 3, tzinfo=UTC))
    assert rows(planned, kind="reminder") == [("reminder", "05-12 01:00", "pending")]


def test_a_message_that_is_refused_is_rejected_alone(ledger: Ledger) -> None:
    ledger.publish(catalog(event(), event("expo", datetime(2024, 5, 13, 2, tzinfo=UTC))), NOW)
    ledger.plan(["hook"], NOW)
    send(ledger, DUE, Result.REJECTED, status=400, error="answered 400")
    assert rows(ledger) == [("reminder", "05-12 01:00", "rejected"), ("reminder", "05-13 01:00", "pending")]
    assert ledger.channels()[0].broken_since is None


@pytest.fixture
def broken(ledger: Ledger) -> Ledger:
    """Two reminders; the channel broke with the first."""
    ledger.publish(catalog(event(), event("expo", datetime(2024, 5, 13, 2, tzinfo=UTC))), NOW)
    ledger.plan(["hook"], NOW)
    ledger.mend({"hook": "old address"}, NOW)
    send(ledger, DUE, Result.BROKEN, status=410, error="answered 410")
    return ledger


def test_a_410_ends_its_channel(broken: Ledger) -> None:
    (state,) = broken.channels()
    assert (state.broken_since, state.reason) == (DUE, "answered 410")
    assert rows(broken) == [("reminder", "05-12 01:00", "rejected"), ("reminder", "05-13 01:00", "rejected")]


def test_a_broken_channel_is_sent_nothing_that_comes_later(broken: Ledger) -> None:
    broken.publish(catalog(event(), event("late", datetime(2024, 5, 14, 2, tzinfo=UTC))), DUE + HOUR)
    at = datetime(2024, 5, 14, 1, tzinfo=UTC)
    assert claim(broken, at) == []
    broken.sweep(at)
    assert rows(broken, kind="reminder")[-1] == ("reminder", "05-14 01:00", "rejected")
    assert broken.audit(at).findings == ()


def test_a_channel_that_leads_elsewhere_is_mended(broken: Ledger) -> None:
    assert broken.mend({"hook": "old address"}, DUE + HOUR) == []
    assert broken.mend({"hook": "new address"}, DUE + HOUR) == ["hook"]
    assert rows(broken) == [("reminder", "05-12 01:00", "rejected"), ("reminder", "05-13 01:00", "pending")]
    assert broken.channels()[0].broken_since is None


def test_a_channel_that_fails_for_five_days_is_switched_off(ledger: Ledger) -> None:
    events = [event(f"e{n}", NOW + n * DAY + 2 * HOUR) for n in range(8)]
    ledger.publish(catalog(*events), NOW)
    ledger.plan(["hook"], NOW)
    for day in range(6):
        assert ledger.channels()[0].broken_since is None
        send(ledger, NOW + day * DAY + HOUR, Result.RETRY, status=500)
    (state,) = ledger.channels()
    assert (state.broken_since, state.reason) == (NOW + 5 * DAY + HOUR, "nothing but failures for five days")


def test_one_success_in_five_days_keeps_a_channel(ledger: Ledger) -> None:
    events = [event(f"e{n}", NOW + n * DAY + 2 * HOUR) for n in range(8)]
    ledger.publish(catalog(*events), NOW)
    ledger.plan(["hook"], NOW)
    for day in range(8):
        send(ledger, NOW + day * DAY + HOUR, Result.SENT if day == 3 else Result.RETRY)
    assert ledger.channels()[0].broken_since is None


def test_an_edit_withdraws_what_is_on_its_way_as_soon_as_it_comes_back_unsent(planned: Ledger) -> None:
    (one,) = claim(planned, DUE)
    planned.publish(catalog(event(status="cancelled")), DUE)
    assert planned.delivery(one.id)[0].state is State.SENDING
    planned.settle([outcome(one, Result.RETRY, at=DUE, status=500)], DUE)
    assert planned.delivery(one.id)[0].state is State.SUPERSEDED


def test_what_was_on_its_way_counts_again_when_the_edit_is_undone(planned: Ledger) -> None:
    (one,) = claim(planned, DUE)
    planned.publish(catalog(event(status="cancelled")), DUE)
    planned.publish(catalog(event()), DUE)
    planned.settle([outcome(one, Result.RETRY, at=DUE, status=500)], DUE)
    assert planned.delivery(one.id)[0].state is State.PENDING


def test_a_channel_that_was_taken_out_and_put_back_is_told_late_what_fell_due_meanwhile(planned: Ledger) -> None:
    planned.publish(catalog(event(), channels=[]), DUE - HOUR)
    assert rows(planned) == [("reminder", "05-12 01:00", "superseded")]
    back = DUE + HOUR / 2
    planned.publish(catalog(event()), back)
    planned.plan(["hook"], back)
    assert [(one.kind, one.due) for one in claim(planned, back)] == [("reminder", DUE)]
    assert planned.audit(back).findings == ()


def test_a_channel_that_was_put_back_is_owed_what_falls_due_before_it_is_planned(planned: Ledger) -> None:
    """Its process may be killed between the two."""
    planned.publish(catalog(event(), channels=[]), DUE - HOUR)
    planned.publish(catalog(event()), DUE - HOUR / 4)
    late = DUE + HOUR / 4
    planned.plan(["hook"], late)
    assert [(one.kind, one.due) for one in claim(planned, late)] == [("reminder", DUE)]


def series(hours: int) -> Catalog:
    """Held on two days, so many hours after the talks; the second date stays where the talks are."""
    first = event().start + hours * HOUR
    own = event(recurrence_id=first + DAY)
    return catalog(event(start=first, end=first + HOUR, rrule="FREQ=DAILY;COUNT=2", overrides=(own,)))


@pytest.mark.parametrize("sent", [True, False])
def test_a_date_whose_series_moves_there_and_back_and_there_reminds_once(ledger: Ledger, sent: bool) -> None:
    """The date is due as before, under the key that each move gives it."""
    ledger.publish(series(3), NOW)
    ledger.plan(["hook"], NOW)
    for number, hours in enumerate((5, 3)):
        ledger.publish(series(hours), NOW + (number + 1) * HOUR)
    told = send(ledger, DUE) if sent else 0
    ledger.publish(series(5), DUE + timedelta(minutes=1))
    due = [one for one in claim(ledger, DUE + timedelta(minutes=1)) if one.kind == "reminder"]
    assert told + len(due) == 1


def test_a_date_that_may_have_been_told_comes_again_under_its_own_id(ledger: Ledger) -> None:
    """Its lead is taken out and put back, its series moves, and the process that was sending it is lost."""
    ledger.publish(series(3), NOW)
    ledger.plan(["hook"], NOW)
    (one,) = claim(ledger, DUE)
    later = DUE + timedelta(minutes=1)
    ledger.publish(replace(series(5), channels=(channel(before=()),)), DUE)
    ledger.settle([outcome(one, Result.LOST, at=later)], later)
    assert ledger.delivery(one.id)[0].state is State.SUPERSEDED
    ledger.publish(series(5), later)
    assert [again.id for again in claim(ledger, later) if again.kind == "reminder"] == [one.id]


@pytest.mark.parametrize("answered", [True, False])
def test_an_edit_that_waited_for_the_database_owes_nothing_that_was_sent_meanwhile(
    ledger: Ledger, open_ledger: Callable[[], Ledger], answered: bool
) -> None:
    ledger.publish(series(3), NOW)
    ledger.plan(["hook"], NOW)
    (one,) = claim(ledger, DUE)
    if answered:
        ledger.settle([outcome(one, at=DUE)], DUE)
    open_ledger().publish(series(5), DUE - timedelta(seconds=2))
    if not answered:
        ledger.settle([outcome(one, Result.RETRY, at=DUE, status=503)], DUE)
    later = DUE + timedelta(minutes=1)
    due = [again.id for again in claim(ledger, later) if again.kind == "reminder"]
    assert due == ([] if answered else [one.id])
    assert ledger.audit(later).findings == ()


def test_a_channel_that_is_new_is_told_nothing_of_the_past(planned: Ledger) -> None:
    planned.publish(catalog(event(), channels=[channel(), channel("late")]), DUE + HOUR / 2)
    planned.plan(["hook", "late"], DUE + HOUR / 2)
    assert [one.channel for one in claim(planned, DUE + HOUR / 2, served=["hook", "late"])] == ["hook"]


@pytest.mark.parametrize("told", [True, False])
def test_a_channel_that_was_taken_out_hears_what_changed_of_what_it_was_told(planned: Ledger, told: bool) -> None:
    """Who was never told of the event has nothing to unlearn."""
    if told:
        send(planned, DUE, revision=1)
    planned.publish(catalog(event(), channels=[]), DUE)
    planned.publish(replace(NEW_TIME, channels=()), DUE)
    planned.publish(NEW_TIME, DUE + HOUR / 2)
    assert [(one.kind, one.known) for one in claim(planned, DUE + HOUR / 2)] == [("change", (event(),))] * told


@pytest.mark.parametrize("tried", [True, False])
def test_a_notice_that_waits_goes_and_returns_with_its_channel(planned: Ledger, tried: bool) -> None:
    planned.publish(NEW_TIME, NOW)
    if tried:
        send(planned, NOW, Result.RETRY, status=503)
    planned.publish(replace(NEW_TIME, channels=()), NOW + HOUR)
    assert notices(planned) == [("2|hook", "superseded")]
    assert planned.audit(NOW + DAY).findings == ()
    planned.publish(NEW_TIME, NOW + DAY)
    assert [(one.kind, one.known) for one in claim(planned, NOW + DAY)] == [("change", (event(),))]


@pytest.mark.parametrize(("back", "state"), [(True, "pending"), (False, "superseded")])
def test_a_notice_that_is_on_its_way_counts_again_if_its_channel_returns(
    planned: Ledger, back: bool, state: str
) -> None:
    planned.publish(NEW_TIME, NOW)
    (one,) = claim(planned, NOW)
    planned.publish(replace(NEW_TIME, channels=()), NOW)
    if back:
        planned.publish(NEW_TIME, NOW)
    planned.settle([outcome(one, Result.RETRY, at=NOW, status=500)], NOW)
    assert notices(planned) == [("2|hook", state)]


@pytest.mark.parametrize(("undone", "state"), [(True, State.PENDING), (False, State.SUPERSEDED)])
def test_what_an_edit_outdated_is_judged_anew_if_that_is_undone(planned: Ledger, undone: bool, state: State) -> None:
    """Also between the moment when its sender finds that it has nothing to tell, and the next when that is written."""
    (one,) = claim(planned, DUE)
    planned.publish(catalog(event(status="cancelled")), DUE)
    outdated = outcome(one, Result.SUPERSEDED, at=DUE, version=planned.version())
    if undone:
        planned.publish(catalog(event()), DUE)
    planned.settle([outdated], DUE)
    assert planned.delivery(one.id)[0].state is state


def test_what_arrived_although_it_was_withdrawn_is_sent(planned: Ledger) -> None:
    (one,) = claim(planned, DUE)
    planned.publish(catalog(event(status="cancelled")), DUE)
    planned.settle([outcome(one, at=DUE)], DUE)
    assert planned.delivery(one.id)[0].state is State.SENT


# Notices


def notices(ledger: Ledger) -> list[tuple[str, str]]:
    """(revision it tells of and channel, state) of each notice, in order of planning."""
    found = sorted(ledger.deliveries(kind="change", limit=1000), key=lambda one: one.id)
    return [(one.key.partition("|")[2], str(one.state)) for one in found]


@pytest.mark.parametrize(
    "source",
    [NEW_TIME, catalog(event(status="cancelled")), catalog(), catalog(tombstone=Duration())],
    ids=["moved", "cancelled", "removed", "removed without a tombstone"],
)
def test_a_change_is_told(planned: Ledger, source: Catalog) -> None:
    planned.publish(source, NOW + HOUR)
    assert notices(planned) == [("2|hook", "pending")]
    (told,) = claim(planned, NOW + HOUR)
    assert (told.kind, told.uid, told.known) == ("change", "uid-talks", (event(),))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (event(status="cancelled"), event()),
        (event(tba="time"), event()),
        (event(status="tentative"), event()),
    ],
    ids=["restored", "time confirmed", "confirmed"],
)
def test_good_news_is_told_too(ledger: Ledger, before: Event, after: Event) -> None:
    ledger.publish(catalog(before), NOW)
    ledger.plan(["hook"], NOW)
    ledger.publish(catalog(after), NOW + HOUR)
    assert notices(ledger) == [("2|hook", "pending")]


@pytest.mark.parametrize(
    "source",
    [
        catalog(event(summary=text("Long talks"))),
        catalog(event(), event("expo")),
        catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC)), channels=[channel(changes=False)]),
        catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC)), channels=[channel(categories=("expo",))]),
        catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC), visibility="private")),
        catalog(event(start=datetime(2024, 5, 12, 7, tzinfo=UTC), embargo=NOW + DAY)),
    ],
    ids=["reworded", "added", "not asked for", "not selected", "private", "embargoed"],
)
def test_what_is_nobody_s_business_is_not_told(planned: Ledger, source: Catalog) -> None:
    planned.publish(source, NOW + HOUR)
    assert notices(planned) == []


def test_what_is_off_is_not_told_to_be_off_at_another_time(planned: Ledger) -> None:
    """That it is on again is told then."""
    (moved,) = NEW_TIME.events
    for hours, one in enumerate((event(), moved), start=1):
        planned.publish(catalog(replace(one, status="cancelled")), NOW + hours * HOUR)
        send(planned, NOW + hours * HOUR)
    assert notices(planned) == [("2|hook", "sent")]
    planned.publish(NEW_TIME, NOW + 3 * HOUR)
    assert notices(planned) == [("2|hook", "sent"), ("4|hook", "pending")]


def test_a_series_that_is_off_but_for_one_date_is_told_to_be_gone(ledger: Ledger) -> None:
    on = replace(event(), recurrence_id=event().start)
    ledger.publish(catalog(event(status="cancelled", rrule="FREQ=DAILY;COUNT=3", overrides=(on,))), NOW)
    ledger.plan(["hook"], NOW)
    ledger.publish(catalog(), NOW + HOUR)
    assert notices(ledger) == [("2|hook", "pending")]


def test_what_is_over_is_not_told(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + 30 * DAY)
    planned.publish(catalog(), NOW + 31 * DAY)
    assert notices(planned) == []


def test_an_edit_undone_before_it_was_told_tells_nothing(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "superseded")]
    assert claim(planned, NOW + 3 * HOUR) == []


def test_a_removal_undone_before_it_was_told_tells_nothing(planned: Ledger) -> None:
    planned.publish(catalog(), NOW + HOUR)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "superseded")]


def test_an_edit_undone_after_it_was_told_is_told(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    send(planned, NOW + HOUR)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "sent"), ("3|hook", "pending")]
    (told,) = claim(planned, NOW + 2 * HOUR)
    assert told.known == (NEW_TIME.events[0],)


def test_an_edit_undone_while_it_was_being_told_is_told(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    (told,) = claim(planned, NOW + HOUR)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    planned.settle([outcome(told, at=NOW + HOUR)], NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "sent"), ("3|hook", "pending")]


def test_an_edit_undone_back_to_what_was_told_tells_nothing(planned: Ledger) -> None:
    """Moved and told, moved again untold, and back to what was told."""
    planned.publish(NEW_TIME, NOW + HOUR)
    send(planned, NOW + HOUR, revision=2)
    planned.publish(catalog(event(start=datetime(2024, 5, 12, 9, tzinfo=UTC))), NOW + 2 * HOUR)
    planned.publish(NEW_TIME, NOW + 3 * HOUR)
    assert notices(planned) == [("2|hook", "sent"), ("3|hook", "superseded")]


@pytest.mark.parametrize(
    ("status", "told"),
    [(503, [("2|hook", "superseded")]), (None, [("2|hook", "superseded"), ("3|hook", "pending")])],
    ids=["refused", "no answer"],
)
def test_an_edit_undone_is_told_when_it_may_have_been_told(
    planned: Ledger, status: int | None, told: list[tuple[str, str]]
) -> None:
    """A receiver that answers 503 has told nobody; one that gave no answer may have."""
    planned.publish(NEW_TIME, NOW + HOUR)
    send(planned, NOW + HOUR, Result.RETRY, status=status)
    planned.publish(catalog(event()), NOW + 2 * HOUR)
    assert notices(planned) == told


def test_a_reminder_tells_its_readers_too(planned: Ledger) -> None:
    """The notice of the move was refused, but a reminder spoke of the new time: they know that one."""
    planned.publish(NEW_TIME, NOW + HOUR)
    send(planned, NOW + HOUR, Result.REJECTED, status=400)
    at = datetime(2024, 5, 12, 6, tzinfo=UTC)
    send(planned, at, revision=2)
    planned.publish(catalog(event(start=datetime(2024, 5, 12, 9, tzinfo=UTC))), at)
    (told,) = claim(planned, at)
    assert told.known == (NEW_TIME.events[0],)


def test_a_notice_that_reached_nobody_leaves_them_knowing_what_they_knew(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    send(planned, NOW + HOUR, Result.REJECTED, status=400)
    planned.publish(catalog(event(start=datetime(2024, 5, 12, 9, tzinfo=UTC))), NOW + 2 * HOUR)
    (told,) = claim(planned, NOW + 2 * HOUR)
    assert told.known == (event(),)


def test_a_notice_speaks_from_what_its_readers_know(planned: Ledger) -> None:
    """Moved twice before anybody was told: one notice, from the first time to the last."""
    planned.publish(NEW_TIME, NOW + HOUR)
    planned.publish(catalog(event(start=datetime(2024, 5, 12, 9, tzinfo=UTC))), NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "superseded"), ("3|hook", "pending")]
    (told,) = claim(planned, NOW + 2 * HOUR)
    assert told.known == (event(),)


def test_a_rewording_leaves_the_notice_that_waits(planned: Ledger) -> None:
    planned.publish(NEW_TIME, NOW + HOUR)
    reworded = replace(NEW_TIME.events[0], summary=text("Long talks"))
    planned.publish(catalog(reworded), NOW + 2 * HOUR)
    assert notices(planned) == [("2|hook", "pending")]


def test_quiet_hours_hold_a_notice(ledger: Ledger) -> None:
    """08:00 in Shanghai falls into them."""
    quiet = [channel(quiet=(time(7), time(9)))]
    ledger.publish(catalog(event(), channels=quiet), NOW - DAY)
    ledger.plan(["hook"], NOW - DAY)
    ledger.publish(replace(NEW_TIME, channels=tuple(quiet)), NOW)
    assert rows(ledger, kind="change") == [("change", "05-10 01:00", "pending")]


def test_a_correction_names_the_message_it_corrects(planned: Ledger) -> None:
    send(planned, DUE, provider_ref="message 42")
    planned.publish(NEW_TIME, DUE + timedelta(minutes=1))
    (told,) = claim(planned, DUE + timedelta(minutes=1))
    assert told.corrects == "message 42"


def test_a_correction_of_one_date_leaves_the_reminder_of_another_as_it_is(ledger: Ledger) -> None:
    weekly = event(rrule="FREQ=WEEKLY;COUNT=3")
    ledger.publish(catalog(weekly), NOW)
    ledger.plan(["hook"], NOW)
    send(ledger, DUE, provider_ref="message 42")
    second = weekly.start + timedelta(days=7)
    moved = replace(event(start=second + HOUR), recurrence_id=second)
    ledger.publish(catalog(replace(weekly, overrides=(moved,))), DUE + timedelta(minutes=1))
    (told,) = claim(ledger, DUE + timedelta(minutes=1))
    assert (told.kind, told.corrects) == ("change", None)


# Watching


def test_a_retry_by_hand_sends_whatever_the_hour(planned: Ledger) -> None:
    planned.sweep(DUE + 2 * HOUR)
    (expired,) = planned.deliveries()
    assert expired.state is State.EXPIRED
    at = DUE + 3 * HOUR
    assert [one.id for one in planned.retry([expired.webhook_id], at)] == [expired.id]
    assert send(planned, at) == 1
    assert planned.retry([expired.id], at) == [], "what was sent is not sent again"


def test_a_retry_by_hand_sends_whatever_an_edit_says_of_the_end(planned: Ledger) -> None:
    planned.sweep(DUE + 2 * HOUR)
    (expired,) = planned.deliveries()
    planned.retry([expired.id], DUE + 3 * HOUR)
    planned.publish(catalog(replace(event(), end=event().start + 3 * HOUR / 2)), DUE + 3 * HOUR)
    assert send(planned, DUE + 3 * HOUR) == 1


def test_a_retry_by_hand_mends_a_broken_channel(broken: Ledger) -> None:
    (first,) = [one for one in broken.deliveries() if one.attempt]
    broken.retry([first.id], DUE + timedelta(minutes=1))
    assert send(broken, DUE + timedelta(minutes=1)) == 1
    assert rows(broken) == [("reminder", "05-12 01:00", "sent"), ("reminder", "05-13 01:00", "pending")]


def test_an_unknown_delivery_is_not_found(planned: Ledger) -> None:
    with pytest.raises(NotFound):
        planned.delivery("nothing")
    with pytest.raises(NotFound):
        planned.retry([planned.deliveries()[0].id, "nothing"], NOW)


def test_the_audit_counts_outcomes_and_repeats(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    ledger.publish(catalog(event(), event("expo", datetime(2024, 5, 13, 2, tzinfo=UTC))), NOW)
    ledger.plan(["hook"], NOW)
    claim(open_ledger(), DUE)
    ledger.sweep(DUE + timedelta(seconds=40))
    send(ledger, DUE + timedelta(seconds=41))
    found = ledger.audit(DUE + timedelta(minutes=20))
    assert (found.clean, found.outcomes, found.repeated) == (True, {"sent": 1, "pending": 1}, 1)


def test_the_audit_names_what_has_no_outcome(planned: Ledger) -> None:
    (waiting,) = planned.deliveries()
    found = planned.audit(DUE + timedelta(minutes=6))
    assert [(one.delivery, one.problem) for one in found.findings] == [(waiting.id, "is past its time and still waits")]


def test_the_audit_names_what_was_never_planned(planned: Ledger) -> None:
    planned.prune(NOW)
    with planned.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM delivery")
    found = planned.audit(NOW + HOUR)
    assert [(one.key, one.problem) for one in found.findings] == [
        ("uid-talks||1h|hook|20240512T020000Z", "is owed, but was never planned")
    ]


def test_counts_for_whoever_watches(ledger: Ledger) -> None:
    ledger.publish(catalog(event(), event("expo", datetime(2024, 5, 13, 2, tzinfo=UTC))), NOW)
    ledger.plan(["hook"], NOW)
    send(ledger, DUE + timedelta(seconds=3), Result.RETRY)
    send(ledger, DUE + timedelta(seconds=20))
    ledger.beat(DUE, ticked=True)
    found = ledger.stats(DUE + 2 * DAY)
    assert found.deliveries == {("hook", "sent"): 1, ("hook", "pending"): 1}
    assert (found.attempts, found.retried, found.count(State.SENT)) == ({"retry": 1, "sent": 1}, 1, 1)
    assert (found.lateness[5.0], found.lateness[30.0], found.late_count, found.late_sum) == (0, 1, 1, 20.0)
    assert (found.overdue, found.last_tick) == (1, DUE)


def test_deliveries_are_listed_by_what_is_asked(broken: Ledger) -> None:
    assert {one.state for one in broken.deliveries(state="rejected")} == {State.REJECTED}
    assert broken.deliveries(state="sent") == []
    assert [one.uid for one in broken.deliveries(limit=1)] == ["uid-expo"]
    assert [one.uid for one in broken.deliveries(limit=1, offset=1)] == ["uid-talks"]
    assert broken.deliveries(channel="other") == []
    assert [one.uid for one in broken.deliveries(uid="uid-talks", kind="reminder")] == ["uid-talks"]
    assert [one.uid for one in broken.deliveries(event="talks")] == ["uid-talks"]
    assert broken.deliveries(event="nothing") == []


def test_a_delivery_names_its_event_also_when_that_is_gone(planned: Ledger) -> None:
    send(planned, DUE)
    planned.publish(catalog(), DUE)
    assert [(one.kind, one.event) for one in planned.deliveries(event="talks")] == [
        ("change", "talks"),
        ("reminder", "talks"),
    ]
    assert planned.delivery(planned.deliveries()[0].id)[0].event == "talks"


def test_settled_deliveries_are_kept_for_400_days(planned: Ledger) -> None:
    send(planned, DUE)
    assert planned.prune(DUE + 399 * DAY) == 0
    assert planned.prune(DUE + 401 * DAY) == 1
    assert planned.deliveries() == []


def test_much_is_dropped_in_many_small_steps(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.publish(catalog(*(event(f"e{n}") for n in range(7))), NOW)
    ledger.plan(["hook"], NOW)
    send(ledger, DUE)
    monkeypatch.setattr(reading, "BATCH", 3)
    assert (ledger.prune(DUE + 401 * DAY), ledger.deliveries()) == (7, [])


def test_who_is_there(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    other = open_ledger()
    assert ledger.last_tick() is None
    ledger.beat(NOW, ticked=True)
    other.beat(NOW + HOUR)
    assert [(one.role, one.seen, one.ticked) for one in ledger.processes()] == [
        ("remind", NOW + HOUR, None),
        ("remind", NOW, NOW),
    ]
    assert ledger.last_tick() == NOW


def test_who_ended_long_ago_is_forgotten_but_for_the_last_tick(
    ledger: Ledger, open_ledger: Callable[[], Ledger]
) -> None:
    gone, here = open_ledger(), open_ledger()
    ledger.beat(NOW, ticked=True)
    gone.beat(NOW + HOUR)
    here.beat(NOW + 3 * DAY)
    here.prune(NOW + 3 * DAY)
    assert [one.seen for one in ledger.processes()] == [NOW + 3 * DAY, NOW], "the last tick is remembered"


def test_a_clock_that_jumps_forgets_nobody(ledger: Ledger, open_ledger: Callable[[], Ledger]) -> None:
    """Whoever cleans up after a jump, before anybody was seen again, drops neither itself nor what others hold."""
    other = open_ledger()
    ledger.beat(NOW)
    other.beat(NOW + HOUR, ticked=True)
    ledger.prune(NOW + 8 * DAY)
    assert [one.seen for one in ledger.processes()] == [NOW + HOUR, NOW]
