"""Whatever is edited, sent, missed and killed in whatever order: nobody is left with what is not true any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, or_, select

from calfeed.deliver.desk import Desk
from calfeed.deliver.stranger import Shelf, StrangersDesk
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text, moment_key
from calfeed.events.occurrences import occurrences
from calfeed.events.revision import Change
from calfeed.ledger import Claimed, Current, Ledger, Result, Settlement, State, copies
from calfeed.ledger.audiences import Audience
from calfeed.ledger.claims import LEASE
from calfeed.ledger.planning import HORIZON
from calfeed.ledger.schema import delivery
from calfeed.ledger.subscriptions import Wish
from calfeed.reminders.audience import lies_ahead
from calfeed.reminders.message import Message
from calfeed.reminders.plan import DueReminder, due_reminders

BEGIN = datetime(2024, 5, 10, tzinfo=UTC)
NAME = Text((("en", "Talks"),))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEADS = (Duration(seconds=3600), Duration(days=1))
CALENDAR = Calendar(id="visit", name=NAME, timezone="UTC")
QUIET = (time(4, 30), time(5, 30))

STATES = ("cancelled", "removed", *(timedelta(hours=hours) for hours in (30, 33, 36)))
"""What an edit makes of the talks: off, gone, or beginning so long after `BEGIN`."""

STYLES = ("plain", "quiet", "repeated", "away")
"""What else it does: its channels are quiet when a reminder is due; the talks are held again a week later; its channels
are not there, or the feed is not in public."""

NAMES = ("one", "two")
"""Two readers, who are told the same, each in its own way."""

ways = st.sampled_from(["sent", "failed", "slow", "killed before", "killed after"])
"""How a turn goes for a reader; what a slow one sent back is known in the next turn, whatever is edited meanwhile."""

edits = st.tuples(st.just("edit"), st.tuples(st.sampled_from(STATES), st.sampled_from(STYLES)))
waits = st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=20), HOUR, 5 * HOUR]))
turns = st.tuples(st.just("turn"), st.tuples(ways, ways))
SPREAD = ("spread", None)
DUE = [("wait", timedelta(hours=6)), SPREAD, SPREAD, SPREAD]
"""The reminder a day before falls due, and is copied to both."""

steps = st.lists(edits | waits | turns | st.just(SPREAD), max_size=10)
histories = st.tuples(st.sampled_from([[], DUE]), steps).map(lambda parts: [*parts[0], *parts[1]])

Talks = Callable[[str | timedelta], Event]


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


def named(due: DueReminder) -> tuple[str, str]:
    return moment_key(due.occurrence.start), str(due.lead)


@dataclass
class Reader:
    """What one reader was told."""

    known: Event | None  # as it knows it; None when it is off
    owed: set[tuple[str, str]] = field(default_factory=set)  # start and lead of reminders that fell due and still stand
    reminded: set[tuple[str, str]] = field(default_factory=set)
    wrong_since: datetime | None = None  # when an edit made wrong what it knows, of which it was not told
    aside: set[tuple[str, str]] = field(default_factory=set)  # what it was owed until then
    arrived: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)  # deliveries whose sender was killed
    told: bool = False  # of the event as a whole
    away: bool = False
    unaware: bool = False  # it was away before it was ever told, so it may take the event to be as it is

    def send(self, claimed: Claimed, message: Message | None, how: str, world: World) -> Result | None:
        if message is None:
            return Result.SUPERSEDED
        if how == "killed before":
            self.doubtful.add(claimed.id)
            return None
        if how in {"failed", "slow"}:
            return Result.RETRY
        self.arrive(claimed, message, world)
        if how == "killed after":
            self.doubtful.add(claimed.id)
            return None
        return Result.SENT

    def arrive(self, claimed: Claimed, message: Message, world: World) -> None:
        if claimed.id in self.arrived:
            assert claimed.id in self.doubtful, "nothing is sent twice unless its sender was killed"
        self.arrived.append(claimed.id)
        if isinstance(message.subject, DueReminder):
            assert world.truth is not None
            assert message.subject.occurrence in list(occurrences(world.truth, BEGIN, BEGIN + timedelta(days=9)))
            assert message.subject.occurrence.event.status == "confirmed"
            assert message.subject.due <= world.now < message.subject.ends
            self.reminded.add(named(message.subject))
            self.owed -= self.reminded
            if world.truth.recurs or "||" not in claimed.subject:  # it is, or was when this fell due, one date of many
                return
        else:
            assert isinstance(message.subject, Change)
            lax = self.doubtful or self.unaware
            assert message.subject.after != self.known or lax, "what it knows need not be told"
            assert message.subject.before == self.known or self.known is None or lax, "it is told from there"
        self.known, self.wrong_since = world.truth, None
        self.told, self.unaware = True, False

    def edited(self, world: World) -> None:
        """Not owed is what stands no more or is due later now; an edit that is undone takes nothing away.

        Of each start the last reminder is owed then that fell due meanwhile, or before, and was still to be told. So it
        is after an absence, of what was planned when that began.
        """
        past = world.due(BEGIN - DAY, world.now)
        last = {one.occurrence.start: one for one in past if one.expires > world.now}.values()
        if world.away or self.away:
            self.owed &= {named(one) for one in last} & world.planned
            self.unaware = self.unaware or not self.told
        self.away = world.away
        if world.away:
            return
        if world.truth != self.known:
            self.aside = self.aside if self.wrong_since else set(self.owed)
            self.wrong_since = self.wrong_since or world.now
        elif self.wrong_since:
            missed = {named(one) for one in last if one.due > self.wrong_since or named(one) in self.aside}
            self.owed |= missed - self.reminded
            self.wrong_since = None
        self.owed &= {named(one) for one in past}


class World:
    """A ledger, a clock, and two readers: channels, or subscriptions. A second process finds what was lost."""

    def __init__(self, ledger: Ledger, heir: Ledger, talks: Talks) -> None:
        self.ledger = ledger
        self.heir = heir
        self.talks = talks
        self.away = False
        self.source = Catalog(calendar=CALENDAR, events=())
        self.now = BEGIN
        self.slow: list[Settlement] = []
        self.readers: dict[str, Reader] = {}
        self.publish((timedelta(hours=30), "plain"))
        self.plan()
        self.readers = {name: Reader(self.truth) for name in NAMES}

    @property
    def truth(self) -> Event | None:
        """As the source has it."""
        return next(iter(self.source.events), None)

    def publish(self, edit: tuple[str | timedelta, str]) -> None:
        state, style = edit
        if not self.away:
            self.planned = {named(one) for one in self.due(BEGIN - DAY, BEGIN + HORIZON)}
        self.state, self.away = state, style == "away"
        talks = self.talks(state)
        if style == "repeated" and not talks.recurs:
            talks = replace(talks, rrule="FREQ=WEEKLY;COUNT=2")
        self.source = Catalog(
            calendar=CALENDAR,
            events=() if state == "removed" else (talks,),
            feeds=(Feed(id="all", name=NAME, visibility="private" if self.away else "public"),),
            channels=() if self.away else self.channels(QUIET if style == "quiet" else None),
        )
        self.ledger.publish(self.source, self.now)
        for reader in self.readers.values():
            reader.edited(self)

    def move_on(self, now: datetime) -> None:
        """Time passes, and reminders fall due."""
        for reader in self.readers.values():
            reader.owed |= {named(one) for one in self.due(self.now, now)} - reader.reminded
        self.now = now

    def due(self, since: datetime, until: datetime) -> list[DueReminder]:
        """For any of the readers."""
        one = (*self.source.channels, Channel(id="anybody", kind="webhook", url="env:URL", before=LEADS))[0]
        return due_reminders(self.source, since, until, [one])

    def channels(self, quiet: tuple[time, time] | None) -> tuple[Channel, ...]:
        return tuple(Channel(id=name, kind="webhook", url=f"env:{name}", before=LEADS, quiet=quiet) for name in NAMES)

    def plan(self) -> None:
        self.ledger.plan([one.id for one in self.source.channels], self.now)

    def spread(self) -> bool:
        """Takes one step towards what each reader is to get; False when there is none."""
        return False

    def claim(self, current: Current) -> Iterator[tuple[str, Claimed, Message | None]]:
        served = [one.id for one in self.source.channels]
        for claimed in self.ledger.claim(self.now, 10, served, lambda _: True):
            yield claimed.channel, claimed, Desk(current, None).message(claimed, self.now)

    def turn(self, hows: Sequence[str]) -> None:
        self.ledger.settle(self.slow, self.now)
        self.slow = []
        self.plan()
        self.heir.sweep(self.now)
        current = self.ledger.current()
        assert current is not None
        for name, claimed, message in self.claim(current):
            result = self.readers[name].send(claimed, message, hows[NAMES.index(name)], self)
            if result is not None:
                settled = Settlement(
                    delivery=claimed.id,
                    attempt=claimed.attempt,
                    result=result,
                    ended=self.now,
                    status=503 if result is Result.RETRY else 200,
                    revision=Desk(current, None).revision(claimed),
                    version=current.version if result is Result.SUPERSEDED else None,
                )
                if hows[NAMES.index(name)] == "slow":
                    self.slow.append(settled)
                else:
                    self.ledger.settle([settled], self.now)
        if any(how.startswith("killed") for how in hows):
            self.move_on(self.now + LEASE)  # until then nobody may touch what the dead had claimed

    def settle_down(self) -> None:
        """Nothing is left to do, also while readers are away; then they are back."""
        if self.away:
            self.rest()
            self.publish((self.state, "plain"))
        self.rest()

    def rest(self) -> None:
        """Turns until nothing is left to do, as a process that runs on would."""
        for _ in range(30):
            while self.spread():
                pass
            self.turn(("sent", "sent"))
            with self.ledger.database.read() as connection:
                put_off = or_(delivery.c.kind == "change", delivery.c.at != delivery.c.due)
                waiting = select(func.max(delivery.c.at)).where(delivery.c.state == "pending", put_off)
                self.move_on(max(self.now, connection.execute(waiting).scalar() or self.now))
            if self.ledger.idle(self.now) and self.ledger.self_service.idle(self.now):
                assert self.ledger.audit(self.now).findings == ()
                return
        raise AssertionError("it never comes to rest")


class Subscriptions(World):
    """Their copies are made one by one."""

    def __init__(self, ledger: Ledger, heir: Ledger, talks: Talks) -> None:
        super().__init__(ledger, heir, talks)
        self.names: dict[str, str] = {}  # by id of the subscription
        for name in NAMES:
            host = f"{name}.example.org"
            audience = Audience(feed="all", categories=(), before=LEADS)
            wish = Wish(
                audience=audience, kind="webhook", url=f"https://{host}/", host=host, home="https://c.example.org"
            )
            one, _ = ledger.self_service.create(wish, self.now)
            ledger.self_service.verify(one.id, self.now)
            self.names[one.id] = name
        self.plan()

    def channels(self, quiet: tuple[time, time] | None) -> tuple[Channel, ...]:
        return ()

    def plan(self) -> None:
        self.ledger.plan((), self.now)

    def spread(self) -> bool:
        return self.ledger.self_service.spread(self.now)

    def claim(self, current: Current) -> Iterator[tuple[str, Claimed, Message | None]]:
        for copy in self.ledger.self_service.claim(self.now, 10, lambda _: 0.0):
            desk = StrangersDesk(current, None, copy.subscription, Shelf(current, None))
            message = desk.message(copy.claimed, self.now)
            if copy.claimed.kind != "challenge":
                yield self.names[copy.subscription.id], copy.claimed, message


def both(how: str) -> tuple[str, tuple[str, str]]:
    return "turn", (how, how)


def edit(state: str | timedelta, style: str = "plain") -> tuple[str, tuple[str | timedelta, str]]:
    return "edit", (state, style)


MOVED, BACK = edit(timedelta(hours=33)), edit(timedelta(hours=30))
OFF, GONE = edit("cancelled"), edit("removed")


@example(history=[MOVED, SPREAD, SPREAD, both("killed after"), BACK])
@example(history=[MOVED, SPREAD, SPREAD, both("killed before"), BACK])
@example(history=[GONE, SPREAD, both("sent"), OFF, GONE])
@example(history=[MOVED, SPREAD, SPREAD, both("failed"), BACK])
@example(history=[MOVED, SPREAD, both("sent"), OFF, SPREAD, both("killed after"), MOVED])
@example(history=[MOVED, ("wait", 5 * HOUR), ("wait", 5 * HOUR), SPREAD, SPREAD, both("failed")])
@example(history=[("wait", 29 * HOUR), both("failed"), edit(timedelta(hours=30), "repeated")])
@example(history=[("wait", 29 * HOUR), both("failed"), edit(timedelta(hours=30), "quiet")])
@example(history=[edit("cancelled", "quiet"), ("wait", 5 * HOUR), ("wait", HOUR / 2), ("wait", HOUR / 6), OFF])
@example(history=[("wait", 28 * HOUR), both("sent"), OFF, ("wait", 3 * HOUR / 2), BACK])
@example(history=[("wait", 5 * HOUR), OFF, ("wait", HOUR), SPREAD, SPREAD, SPREAD, BACK])
@example(history=[*DUE, both("failed"), MOVED, ("wait", HOUR / 3), both("sent"), BACK])
@example(history=[*DUE, MOVED, both("slow"), BACK])
@example(history=[*DUE, both("failed"), edit(timedelta(hours=30), "away"), ("wait", HOUR), BACK])
@example(history=[edit(timedelta(hours=30), "away"), BACK, *DUE])
@example(history=[MOVED, edit(timedelta(hours=33), "away")])
@example(history=[*DUE, both("sent"), edit(timedelta(hours=33), "away"), OFF, MOVED])
@example(history=[*DUE, both("slow"), edit(timedelta(hours=30), "away")])
@example(history=[*DUE, edit(timedelta(hours=30), "away"), edit(timedelta(hours=30), "repeated")])
@example(history=[*DUE, both("killed after"), OFF, edit("removed", "away")])
@example(history=[("wait", 5 * HOUR), both("failed"), GONE, edit("cancelled", "quiet"), BACK])
@example(history=[*DUE, both("sent"), MOVED, *DUE[1:], edit(timedelta(hours=33), "away"), both("sent"), MOVED])
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("emptied", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("talks", [once, daily])
@pytest.mark.parametrize("readers", [World, Subscriptions])
@given(history=histories)
def test_nobody_is_left_with_what_is_not_true(
    emptied: Callable[[], str], readers: type[World], talks: Talks, history: Sequence[tuple[str, Any]]
) -> None:
    """What readers know in the end is what is published, as long as any of it lies ahead; and the audit is clean."""
    url = emptied()
    with pytest.MonkeyPatch.context() as patched, Ledger(url) as ledger, Ledger(url) as heir:
        patched.setattr(copies, "PAGE", 1)
        world = readers(ledger, heir, talks)
        for step, value in history:
            if step == "edit":
                world.publish(value)
            elif step == "wait":
                world.move_on(world.now + value)
            elif step == "spread":
                world.spread()
            else:
                world.turn(value)
        world.settle_down()
        for reader in world.readers.values():
            check(world, reader)


def check(world: World, reader: Reader) -> None:
    known, truth = as_heard(reader.known), as_heard(world.truth)
    if any(one is not None and lies_ahead(one, world.now) for one in (known, truth)) and not reader.unaware:
        assert known == truth
    with world.ledger.database.read() as connection:
        ended = delivery.c.state.in_((State.EXPIRED, State.DEAD))
        late = connection.execute(select(delivery.c.key).where(delivery.c.kind == "reminder", ended)).scalars().all()
    for start, lead in reader.owed:
        assert any(f"|{lead}|" in key and f"|{start}" in key for key in late), "it fell due, and was not told in time"
    states = {one: world.ledger.delivery(one)[0].state for one in reader.arrived}
    assert set(states.values()) <= {State.SENT, State.DEAD, State.SUPERSEDED, State.EXPIRED}
    assert all(state is State.SENT for one, state in states.items() if one not in reader.doubtful)


def as_heard(event: Event | None) -> Event | None:
    """What is cancelled and what is removed are the same to readers."""
    return None if event is None or event.status == "cancelled" else event
