"""The deliverer: what is due is sent once, what is outdated never, and nobody waits for a dead receiver."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calfeed.channels.base import Answer, Fault, Request, Target, Verdict
from calfeed.channels.registry import driver
from calfeed.channels.webhook import Webhook
from calfeed.deliver import Deliverer
from calfeed.errors import LedgerBusy
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, State, hand

NOW = datetime(2024, 5, 10, tzinfo=UTC)
TALKS = datetime(2024, 5, 12, 2, tzinfo=UTC)
DUE = TALKS - timedelta(hours=1)
HOUR = timedelta(hours=1)
SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"
URL = "https://hooks.example.org/services/T000/B000/verysecrettoken"


def text(words: str) -> Text:
    return Text((("en", words),))


def event(name: str = "talks", start: datetime = TALKS, **keys: Any) -> Event:
    local = start.astimezone(ZoneInfo("Asia/Shanghai"))
    values = {"summary": text(name), "timezone": "Asia/Shanghai", "end": local + timedelta(hours=1)}
    return Event(id=name, uid=f"uid-{name}", start=local, **(values | keys))


def channel(name: str = "hook", **keys: Any) -> Channel:
    return Channel(id=name, **({"kind": "webhook", "url": f"env:{name}", "before": (Duration(seconds=3600),)} | keys))


def catalog(*events: Event, channels: tuple[Channel, ...] = (channel(),)) -> Catalog:
    calendar = Calendar(id="visit", name=text("Visit"), timezone="Asia/Shanghai")
    return Catalog(calendar=calendar, events=events, feeds=(Feed(id="all", name=text("All")),), channels=channels)


def of_days(clock: time = time(9)) -> Catalog:
    """An item without an hour, told at nine on its day, or at another hour."""
    days = replace(event(), start=date(2024, 5, 12), end=date(2024, 5, 13))
    read = catalog(days, channels=(channel(before=(Duration(seconds=0),)),))
    return replace(read, calendar=replace(read.calendar, all_day_at=clock))


def digest(clock: time) -> Catalog:
    return catalog(event(), channels=(channel(before=(), digest=clock),))


class Receivers:
    """A transport that keeps what it is given and answers as it is told."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.answer: Callable[[Request], Answer | Fault] = lambda _: Answer(status=200, body=b"ok")

    def send(self, request: Request) -> Answer | Fault:
        self.sent.append(request)
        return self.answer(request)

    def hold(self) -> threading.Event:
        """Answers well, but not before the event is set."""
        release = threading.Event()

        def answer(_: Request) -> Answer:
            release.wait(30)
            return Answer(status=200)

        self.answer = answer
        return release

    @property
    def told(self) -> list[tuple[str, str]]:
        """(type, summary) of each message."""
        bodies = [json.loads(request.body) for request in self.sent]
        return [(body["type"], body["data"]["event"]["summary"]) for body in bodies]


class World:
    """A ledger, receivers, a clock and a deliverer."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.now = NOW
        self.receivers = Receivers()
        self.targets = {"hook": Target(url=URL, secret=SECRET)}
        self.deliverer = self.another()

    def another(self, **keys: Any) -> Deliverer:
        return Deliverer(
            self.ledger,
            lambda: self.targets,
            transport=self.receivers,
            driver=driver,
            clock=lambda: self.now,
            base_url="https://calendar.example.org",
            **keys,
        )

    def publish(self, *events: Event, **keys: Any) -> None:
        self.ledger.publish(catalog(*events, **keys), self.now)

    def tick(self, at: datetime | None = None, turns: int = 1) -> None:
        self.now = at or self.now
        for _ in range(turns):
            self.deliverer.tick()

    def states(self, **asked: str) -> list[str]:
        found = sorted(self.ledger.deliveries(**asked), key=lambda one: (one.due, one.id))
        return [str(one.state) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
        ledger.upgrade()
        made = World(ledger)
        yield made
        made.deliverer.stop()


@pytest.fixture
def planned(world: World) -> World:
    """The talks are published and planned: a reminder is due at 01:00 on the 12th."""
    world.publish(event())
    world.tick()
    return world


def test_before_anything_is_published_there_is_nothing_to_do(world: World) -> None:
    world.tick()
    assert world.receivers.sent == []


def test_a_reminder_is_sent_when_it_is_due_and_once(planned: World) -> None:
    planned.tick(DUE - timedelta(seconds=1))
    assert planned.receivers.sent == []
    planned.tick(DUE, turns=3)
    assert planned.receivers.told == [("event.reminder", "talks")]
    (request,) = planned.receivers.sent
    (delivery,) = planned.ledger.deliveries()
    assert (request.url, request.headers["webhook-id"]) == (URL, delivery.webhook_id)
    assert (delivery.state, delivery.sent_at, delivery.late) == (State.SENT, DUE, 0.0)


def test_a_late_reminder_says_how_late(planned: World) -> None:
    planned.tick(DUE + timedelta(minutes=20))
    assert json.loads(planned.receivers.sent[0].body)["data"]["late_by"] == "PT20M"


def test_a_reminder_whose_time_has_passed_is_recorded_not_sent(planned: World) -> None:
    planned.tick(TALKS)
    assert (planned.receivers.sent, planned.states()) == ([], ["expired"])


def test_a_channel_that_gets_an_address_is_planned_at_once(world: World) -> None:
    """It is idle until then, and owes nothing for that time."""
    world.publish(event(), event("expo", TALKS + timedelta(days=1)))
    targets, world.targets = world.targets, {}
    world.tick(DUE + timedelta(minutes=1))
    assert world.states() == []
    world.targets = targets
    world.tick()
    assert world.states() == ["pending"]


def test_what_moved_is_told_once_and_reminds_at_its_new_time_only(planned: World) -> None:
    planned.now = NOW + timedelta(hours=1)
    planned.publish(event(start=TALKS + timedelta(hours=5)))
    planned.tick()
    planned.tick(DUE)
    planned.tick(DUE + timedelta(hours=5))
    assert planned.receivers.told == [("event.changed", "talks"), ("event.reminder", "talks")]
    assert planned.states() == ["sent", "superseded", "sent"]


def test_what_is_cancelled_is_told_and_never_reminds(planned: World) -> None:
    planned.now = NOW + timedelta(hours=1)
    planned.publish(event(status="cancelled"))
    planned.tick()
    planned.tick(DUE)
    assert planned.receivers.told == [("event.cancelled", "talks")]


def test_a_message_says_what_is_published_when_it_is_sent(planned: World) -> None:
    """The reminder was planned long before the title changed."""
    planned.now = DUE - timedelta(minutes=1)
    planned.publish(event(summary=text("Talks in the Great Hall")))
    planned.tick(DUE)
    assert planned.receivers.told == [("event.reminder", "Talks in the Great Hall")]


def test_what_comes_due_before_the_horizon_moves_on_is_planned_in_time(world: World) -> None:
    world.publish(event(start=NOW + timedelta(days=20)))
    world.tick()
    world.now = NOW + timedelta(days=19)
    world.deliverer.plan()
    world.tick(NOW + timedelta(days=20) - timedelta(hours=1))
    assert world.states() == ["sent"]


def test_an_edit_of_the_source_while_a_claim_is_on_its_way_is_heeded(planned: World) -> None:
    """The cancellation is published between the claim and the writing of the message."""
    claim = planned.ledger.claim

    def claim_then_cancel(*args: Any) -> Any:
        claimed = claim(*args)
        planned.publish(event(status="cancelled"))
        return claimed

    planned.ledger.claim = claim_then_cancel  # type: ignore[method-assign]  # the race, made certain
    planned.tick(DUE)
    assert ("event.reminder", "talks") not in planned.receivers.told
    assert planned.states(kind="reminder") == ["superseded"]


def test_a_receiver_that_fails_is_tried_again_under_the_same_id(planned: World) -> None:
    answers = iter([Answer(status=503), Fault(kind="timeout"), Answer(status=200)])
    planned.receivers.answer = lambda _: next(answers)
    planned.tick(DUE)
    planned.tick(planned.ledger.deliveries()[0].at)
    planned.tick(planned.ledger.deliveries()[0].at)
    assert len({request.headers["webhook-id"] for request in planned.receivers.sent}) == 1
    _, attempts = planned.ledger.delivery(planned.ledger.deliveries()[0].id)
    assert [(one.number, one.outcome, one.status) for one in attempts] == [
        (1, "retry", 503),
        (2, "retry", None),
        (3, "sent", 200),
    ]


WEEKLY = {"rrule": "FREQ=WEEKLY"}
QUIET = (time(8), time(9, 30))
ONE_DAY, HOURS = ((channel(before=(lead,)),) for lead in (Duration(days=1), Duration(seconds=24 * 3600)))


@pytest.mark.parametrize(
    ("due", "before", "after"),
    [
        (DUE, catalog(event()), catalog(event(), channels=(channel(quiet=QUIET),))),
        (DUE, catalog(event()), catalog(event(**WEEKLY))),
        (DUE, catalog(event(**WEEKLY)), catalog(event())),
        (DUE - 23 * HOUR, catalog(event(), channels=ONE_DAY), catalog(event(), channels=HOURS)),
        (DUE, of_days(), of_days(time(10))),
        (DUE, digest(time(9)), digest(time(10))),
    ],
    ids=["quiet hours", "repeats now", "repeats no more", "the lead in other words", "hour of all-day items", "digest"],
)
def test_what_is_tried_again_is_not_lost_over_an_edit_that_leaves_its_start(
    world: World, due: datetime, before: Catalog, after: Catalog
) -> None:
    """The receiver was away when it was due, and comes back after the edit."""
    world.ledger.publish(before, NOW)
    world.tick()
    world.receivers.answer = lambda _: Answer(status=503)
    world.tick(due)
    assert len(world.receivers.sent) == 1
    world.receivers.answer = lambda _: Answer(status=200)
    world.now += timedelta(seconds=1)
    world.ledger.publish(after, world.now)
    world.tick(due + timedelta(minutes=1))
    world.tick(due + timedelta(minutes=2))
    types = [body["type"] for body in map(json.loads, (request.body for request in world.receivers.sent[1:]))]
    assert sum(one in {"event.reminder", "event.digest"} for one in types) == 1
    assert world.ledger.audit(world.now).findings == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (digest(time(10)), digest(time(9))),
        (of_days(time(10)), of_days(time(9))),
        (catalog(event(), channels=(channel(quiet=QUIET),)), catalog(event())),
    ],
    ids=["digest", "hour of all-day items", "quiet hours"],
)
def test_what_an_edit_puts_before_now_is_told_at_once(world: World, before: Catalog, after: Catalog) -> None:
    """At a quarter past nine it was to be told later; now it should have been told already."""
    world.ledger.publish(before, NOW)
    world.tick()
    world.tick(DUE + HOUR / 4)
    assert world.receivers.sent == []
    world.ledger.publish(after, world.now)
    world.tick()
    (request,) = world.receivers.sent
    assert json.loads(request.body)["type"] in {"event.reminder", "event.digest"}


def test_a_retry_after_is_obeyed_for_the_message_and_its_neighbours(world: World) -> None:
    world.publish(event(), event("expo", TALKS + timedelta(seconds=30)))
    world.tick()
    world.receivers.answer = lambda _: Answer(status=429, headers={"retry-after": "40"})
    world.tick(DUE)
    world.tick(DUE + timedelta(seconds=30))
    assert len(world.receivers.sent) == 1
    waits = min(world.ledger.deliveries(), key=lambda one: one.due)
    assert waits.at == DUE + timedelta(seconds=40)


def test_a_410_ends_the_channel_until_its_address_changes(world: World) -> None:
    world.publish(event(), event("expo", TALKS + timedelta(days=1)), event("end", TALKS + timedelta(days=2)))
    world.tick()
    world.receivers.answer = lambda _: Answer(status=410)
    world.tick(DUE)
    assert world.states() == ["rejected", "rejected", "rejected"]
    world.receivers.answer = lambda _: Answer(status=200)
    world.tick(DUE + timedelta(days=1))
    world.targets = {"hook": Target(url=URL + "/new", secret=SECRET)}
    world.tick()
    world.tick(DUE + timedelta(days=2))
    assert world.states() == ["rejected", "rejected", "sent"]


def test_a_bad_secret_breaks_the_channel_and_is_repeated_nowhere(
    planned: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planned.targets = {"hook": Target(url=URL, secret="whsec_not-base64!")}
    planned.tick(DUE)
    (state,) = planned.ledger.channels()
    assert planned.states() == ["rejected"]
    for told in (state.reason or "", caplog.text, repr(planned.ledger.deliveries())):
        assert "not-base64" not in told
        assert "verysecrettoken" not in told


def test_no_secret_comes_back_by_way_of_an_answer(planned: World, caplog: pytest.LogCaptureFixture) -> None:
    """A receiver may echo what it was sent."""
    caplog.set_level(logging.DEBUG)
    echo = f"no such hook: {URL} {SECRET} /services/T000/B000/verysecrettoken \0".encode()
    planned.receivers.answer = lambda _: Answer(status=500, body=echo + b"x" * 4000)
    planned.tick(DUE)
    delivery, (attempt,) = planned.ledger.delivery(planned.ledger.deliveries()[0].id)
    assert attempt.excerpt is not None
    assert (attempt.excerpt[:18], len(attempt.excerpt)) == ("no such hook: … … ", 500)
    for told in (attempt.excerpt, repr(delivery), caplog.text):
        assert "verysecrettoken" not in told
        assert SECRET not in told


def test_a_fault_of_our_own_costs_one_message_one_try(planned: World, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Request) -> Answer:
        raise RuntimeError(URL)

    planned.receivers.answer = fail
    planned.tick(DUE)
    (delivery,) = planned.ledger.deliveries()
    assert (delivery.state, delivery.last_error) == (State.PENDING, "calfeed failed: RuntimeError")
    assert "verysecrettoken" not in caplog.text


@pytest.mark.parametrize(("status", "state"), [(200, State.SENT), (500, State.PENDING)])
def test_an_answer_that_cannot_be_read_has_nothing_sent_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, state: State
) -> None:
    """Whatever is wrong with the code that judges answers: what a receiver took is sent."""

    def confused(*_: object) -> Verdict:
        raise RecursionError

    monkeypatch.setattr(Webhook, "judge", confused)
    world.receivers.answer = lambda _: Answer(status=status)
    world.publish(event())
    world.tick()
    world.tick(DUE, turns=3)
    (delivery,) = world.ledger.deliveries()
    assert (len(world.receivers.sent), delivery.state) == (1, state)


def test_one_dead_receiver_delays_nobody(world: World) -> None:
    """It swallows twenty messages and answers none; the other's twenty arrive in the same turns."""
    release = threading.Event()

    def answer(request: Request) -> Answer | Fault:
        if "dead" in request.url:
            release.wait(30)
            return Fault(kind="timeout")
        return Answer(status=200)

    world.receivers.answer = answer
    world.targets = {name: Target(url=f"https://{name}.example.org/hook") for name in ("dead", "alive")}
    events = [event(f"e{n}") for n in range(20)]
    world.publish(*events, channels=(channel("dead"), channel("alive")))
    world.tick()
    world.tick(DUE, turns=2)
    assert world.states(channel="alive") == ["sent"] * 20
    assert set(world.states(channel="dead")) == {"sending", "pending"}
    release.set()
    world.tick(DUE)


def test_what_the_ledger_cannot_take_now_is_settled_in_the_next_turn(planned: World) -> None:
    claim, broken = planned.ledger.claim, iter([False, True])

    def away(*args: Any) -> Any:
        if next(broken, False):
            raise LedgerBusy("the database is locked")
        return claim(*args)

    planned.ledger.claim = away  # type: ignore[method-assign]  # a database that goes away between claim and settle
    with pytest.raises(LedgerBusy):
        planned.tick(DUE)
    assert planned.states() == ["sending"]
    planned.tick()
    assert (len(planned.receivers.sent), planned.states()) == (1, ["sent"])


def test_what_waited_too_long_is_not_sent_on_a_lease_that_may_be_over(planned: World) -> None:
    """The process was stopped, or the machine slept, between claim and send."""
    claim = planned.ledger.claim

    def sleep_after(*args: Any) -> Any:
        claimed = claim(*args)
        if claimed:
            planned.now += timedelta(seconds=45)
            planned.ledger.claim = claim  # type: ignore[method-assign]  # once
        return claimed

    planned.ledger.claim = sleep_after  # type: ignore[method-assign]  # as above
    planned.tick(DUE)
    _, attempts = planned.ledger.delivery(planned.ledger.deliveries()[0].id)
    assert [one.started for one in attempts] == [DUE + timedelta(seconds=45)]


@pytest.mark.parametrize(("patience", "sent"), [(hand.PATIENCE, 1), (0.0, 2)], ids=["in time", "given up"])
def test_a_request_is_waited_for_when_a_clock_jumps_past_its_lease(
    planned: World, monkeypatch: pytest.MonkeyPatch, patience: float, sent: int
) -> None:
    """Given up after all, it is claimed again, and both answers are taken in."""
    monkeypatch.setattr(hand, "PATIENCE", patience)
    release = planned.receivers.hold()
    planned.tick(DUE)
    planned.tick(DUE + timedelta(minutes=1))
    release.set()
    planned.tick(turns=2)
    (delivery,) = planned.ledger.deliveries()
    assert (delivery.state, delivery.attempt, len(planned.receivers.sent)) == (State.SENT, sent, sent)


def test_stopping_waits_for_what_is_under_way_and_gives_back_the_rest(world: World) -> None:
    release = world.receivers.hold()
    world.deliverer = world.another(threads=2, room=5)
    world.publish(*(event(f"e{n}") for n in range(6)))
    world.tick()
    world.tick(DUE)
    assert sorted(world.states()) == ["pending"] + ["sending"] * 5
    threading.Timer(0.2, release.set).start()
    world.deliverer.stop()
    assert sorted(world.states()) == ["pending"] * 4 + ["sent"] * 2
    world.tick()
    assert len(world.receivers.sent) == 2, "after the stop no turn does anything"


def test_stopping_does_not_wait_for_ever(planned: World) -> None:
    release = planned.receivers.hold()
    planned.tick(DUE)
    planned.deliverer.stop(0.2)
    release.set()
    (delivery,) = planned.ledger.deliveries()
    assert (delivery.state, "whether it arrived is unknown" in (delivery.last_error or "")) == (State.PENDING, True)
