"""Whatever is edited, sent, missed and killed in whatever order: nobody is left with what is not true any more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from calfeed.deliver.desk import Desk
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.events.occurrences import occurrences
from calfeed.events.revision import Change
from calfeed.ledger import Claimed, Ledger, Result, Settlement, State
from calfeed.ledger.claims import LEASE
from calfeed.reminders.audience import lies_ahead
from calfeed.reminders.message import Message
from calfeed.reminders.plan import DueReminder

BEGIN = datetime(2024, 5, 10, tzinfo=UTC)
NAME = Text((("en", "Talks"),))
HOUR = timedelta(hours=1)

STATES = ("cancelled", "removed", *(timedelta(hours=hours) for hours in (30, 33, 36)))
"""What an edit makes of the talks: off, gone, or beginning so long after `BEGIN`."""

edits = st.tuples(st.just("edit"), st.sampled_from(STATES))
waits = st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=20), HOUR, 5 * HOUR]))
turns = st.tuples(st.just("turn"), st.sampled_from(["sent", "failed", "killed before", "killed after"]))
histories = st.lists(edits | waits | turns, max_size=10)


def once(state: str | timedelta) -> Event:
    """The talks; what is cancelled or removed stood at the first of the times."""
    start = BEGIN + (state if isinstance(state, timedelta) else timedelta(hours=30))
    status = "cancelled" if state == "cancelled" else "confirmed"
    return Event(id="talks", uid="uid", summary=NAME, start=start, end=start + HOUR, timezone="UTC", status=status)


def daily(state: str | timedelta) -> Event:
    """Talks on three days, of which the second is so."""
    second = once(state)
    first = BEGIN + timedelta(hours=6)
    master = replace(second, start=first, end=first + HOUR, status="confirmed", rrule="FREQ=DAILY;COUNT=3")
    if state == timedelta(hours=30):
        return master
    return replace(master, overrides=(replace(second, recurrence_id=first + timedelta(days=1)),))


def catalog(state: str | timedelta, talks: Event) -> Catalog:
    """The source in which the talks are so."""
    leads = (Duration(seconds=3600), Duration(days=1))
    return Catalog(
        calendar=Calendar(id="visit", name=NAME, timezone="UTC"),
        events=() if state == "removed" else (talks,),
        feeds=(Feed(id="all", name=NAME),),
        channels=(Channel(id="hook", kind="webhook", url="env:HOOK", before=leads),),
    )


@dataclass
class World:
    """A ledger, a clock, and what the readers of one channel were told."""

    ledger: Ledger
    talks: Callable[[str | timedelta], Event]
    now: datetime = BEGIN
    source: Catalog = field(init=False)
    known: Event | None = None  # as the readers know it; None when it is off
    arrived: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)  # deliveries whose sender was killed

    def publish(self, state: str | timedelta) -> None:
        self.source = catalog(state, self.talks(state))
        self.ledger.publish(self.source, self.now)
        self.ledger.plan(["hook"], self.now)

    def turn(self, how: str) -> None:
        self.ledger.plan(["hook"], self.now)
        self.ledger.sweep(self.now)
        current = self.ledger.current()
        assert current is not None
        for claimed in self.ledger.claim(self.now, 10, ["hook"], lambda _: True):
            message = Desk(current, None).message(claimed, self.now)
            result = self._send(claimed, message, how)
            if result is not None:
                settled = Settlement(
                    delivery=claimed.id,
                    attempt=claimed.attempt,
                    result=result,
                    ended=self.now,
                    status=503 if result is Result.RETRY else 200,
                    revision=Desk(current, None).revision(claimed),
                )
                self.ledger.settle([settled], self.now)
        if how.startswith("killed"):
            self.now += LEASE  # until then nobody may touch what the dead had claimed

    def _send(self, claimed: Claimed, message: Message | None, how: str) -> Result | None:
        if message is None:
            return Result.SUPERSEDED
        if how == "killed before":
            self.doubtful.add(claimed.id)
            return None
        if how == "failed":
            return Result.RETRY
        self._arrive(claimed, message)
        if how == "killed after":
            self.doubtful.add(claimed.id)
            return None
        return Result.SENT

    def _arrive(self, claimed: Claimed, message: Message) -> None:
        if claimed.id in self.arrived:
            assert claimed.id in self.doubtful, "nothing is sent twice unless its sender was killed"
        self.arrived.append(claimed.id)
        truth = next(iter(self.source.events), None)
        if isinstance(message.subject, DueReminder):
            assert truth is not None
            assert message.subject.occurrence in list(occurrences(truth, BEGIN, BEGIN + timedelta(days=9)))
            assert message.subject.occurrence.event.status == "confirmed"
            assert message.subject.due <= self.now < message.subject.ends
            if truth.recurs:  # nothing is said of its other dates
                return
        else:
            assert isinstance(message.subject, Change)
            assert message.subject.after != self.known or self.doubtful, "what they know need not be told"
            assert message.subject.before == self.known or self.known is None or self.doubtful, "it is told from there"
        self.known = truth

    def settle_down(self) -> None:
        """Turns until nothing is left to do, as a process that runs on would."""
        for _ in range(20):
            self.turn("sent")
            pending = self.ledger.deliveries(state="pending")
            waiting = [one.at for one in pending if one.kind == "change" or one.at != one.due]
            self.now = max(self.now, *waiting) if waiting else self.now
            if self.ledger.idle(self.now):
                return
        raise AssertionError("it never comes to rest")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "calfeed.db"
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.upgrade()
    return path


MOVED, BACK = ("edit", timedelta(hours=33)), ("edit", timedelta(hours=30))


@example(history=[MOVED, ("turn", "killed after"), BACK])
@example(history=[MOVED, ("turn", "killed before"), BACK])
@example(history=[("edit", "removed"), ("turn", "sent"), ("edit", "cancelled"), ("edit", "removed")])
@example(history=[MOVED, ("turn", "failed"), BACK])
@example(history=[MOVED, ("turn", "sent"), ("edit", "cancelled"), ("turn", "killed after"), MOVED])
@example(history=[MOVED, ("wait", 5 * HOUR), ("wait", 5 * HOUR), ("turn", "failed")])
@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("talks", [once, daily])
@given(history=histories)
def test_nobody_is_left_with_what_is_not_true(
    template: Path, talks: Callable[[str | timedelta], Event], history: Sequence[tuple[str, object]]
) -> None:
    """What readers know in the end is what is published, as long as any of it lies ahead; and the audit is clean."""
    for world in worlds(template, talks):
        world.publish(timedelta(hours=30))
        world.known = world.source.events[0]
        for step, value in history:
            if step == "edit":
                world.publish(value)  # type: ignore[arg-type]  # drawn with its step
            elif step == "wait":
                world.now += value  # type: ignore[operator]  # as above
            else:
                world.turn(value)  # type: ignore[arg-type]  # as above
        world.settle_down()
        check(world)


def worlds(template: Path, talks: Callable[[str | timedelta], Event]) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        shutil.copy(template, folder)
        with Ledger(f"sqlite:///{folder}/{template.name}") as ledger:
            yield World(ledger, talks)


def check(world: World) -> None:
    known, truth = as_heard(world.known), as_heard(next(iter(world.source.events), None))
    if any(one is not None and lies_ahead(one, world.now) for one in (known, truth)):
        assert known == truth
    states = {one.id: one.state for one in world.ledger.deliveries()}
    assert {states[one] for one in world.arrived} <= {State.SENT, State.DEAD, State.SUPERSEDED}
    assert all(states[one] is State.SENT for one in world.arrived if one not in world.doubtful)
    assert world.ledger.audit(world.now).findings == ()


def as_heard(event: Event | None) -> Event | None:
    """What is cancelled and what is removed are the same to readers."""
    return None if event is None or event.status == "cancelled" else event
