"""A notice is never on its way to a reader beside another message of the same event, and tells what is news by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from calfeed.deliver.desk import Desk
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Claimed, Ledger, Result, Settlement
from calfeed.ledger.schema import delivery

NOW = datetime(2024, 5, 10, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NAME = Text((("en", "Talks"),))
LEADS = (Duration(seconds=3600),)


def event(name: str, start: datetime) -> Event:
    return Event(id=name, uid=f"uid-{name}", summary=NAME, timezone="UTC", start=start, end=start + HOUR)


class World:
    """Talks that were to begin in three hours, now in one: a notice waits, and in a second a reminder is due."""

    def __init__(
        self, ledger: Ledger, before: Sequence[Event], after: Sequence[Event], quiet: tuple[time, time] | None = None
    ) -> None:
        self.ledger = ledger
        self.quiet = quiet
        self.publish(before)
        ledger.plan(["hook"], NOW)
        self.publish(after)

    def publish(self, events: Sequence[Event]) -> None:
        source = Catalog(
            calendar=Calendar(id="visit", name=NAME, timezone="UTC"),
            events=tuple(events),
            feeds=(Feed(id="all", name=NAME),),
            channels=(Channel(id="hook", kind="webhook", url="env:HOOK", before=LEADS, quiet=self.quiet),),
        )
        self.ledger.publish(source, NOW)

    def claim(self, seconds: float) -> list[Claimed]:
        return self.ledger.claim(NOW + seconds * SECOND, 10, ["hook"], lambda _: True)

    def settle(self, claimed: Claimed, seconds: float, result: Result = Result.SENT) -> None:
        at = NOW + seconds * SECOND
        status = 200 if result is Result.SENT else 503
        one = Settlement(
            delivery=claimed.id, attempt=claimed.attempt, result=result, ended=at, status=status, revision=2
        )
        self.ledger.settle([one], at)

    def news(self, claimed: Claimed) -> bool:
        """Whether there is anything left to tell."""
        current = self.ledger.current()
        assert current is not None
        return Desk(current, None).message(claimed, NOW) is not None


def kinds(claimed: Sequence[Claimed]) -> list[str]:
    return [one.kind for one in claimed]


LATE, SOON = event("talks", NOW + 3 * HOUR), event("talks", NOW + HOUR + SECOND)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        yield World(ledger, [LATE], [SOON])


def test_of_both_due_together_the_notice_goes_and_the_reminder_follows(world: World) -> None:
    (notice,) = world.claim(1)
    assert (notice.kind, world.news(notice)) == ("change", True)
    world.settle(notice, 1)
    assert kinds(world.claim(4)) == ["reminder"]


def test_a_notice_goes_first_when_quiet_hours_held_both(database_url: str) -> None:
    """Both are due when the night ends, and the reminder was planned before."""
    night = time(0), time(1)
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        world = World(ledger, [event("talks", NOW + 2 * HOUR)], [event("talks", NOW + 3 * HOUR / 2)], quiet=night)
        assert world.claim(3599) == []
        (notice,) = world.claim(3600)
        assert (notice.kind, world.news(notice)) == ("change", True)
        world.settle(notice, 3600)
        assert kinds(world.claim(3602)) == ["reminder"]


def test_a_reminder_waits_for_the_answer_to_a_notice(world: World) -> None:
    (notice,) = world.claim(0)
    assert (notice.kind, world.claim(1), world.claim(4)) == ("change", [], [])
    world.settle(notice, 5)
    assert kinds(world.claim(7)) == ["reminder"]


def test_a_reminder_does_not_wait_until_a_notice_that_failed_is_tried_again(world: World) -> None:
    (notice,) = world.claim(0)
    world.settle(notice, 0.5, Result.RETRY)
    assert kinds(world.claim(1)) == ["reminder"]


def test_a_notice_waits_for_the_answer_to_a_reminder_which_may_make_it_needless(world: World) -> None:
    (notice,) = world.claim(0)
    world.settle(notice, 0.5, Result.RETRY)
    (reminder,) = world.claim(1)
    assert world.claim(20) == []
    world.settle(reminder, 20)
    (notice,) = world.claim(23)
    assert (notice.kind, world.news(notice)) == ("change", False)


def test_a_notice_is_told_when_the_reminder_failed(world: World) -> None:
    (notice,) = world.claim(0)
    world.settle(notice, 0.5, Result.RETRY)
    (reminder,) = world.claim(1)
    assert world.claim(20) == []
    world.settle(reminder, 20, Result.REJECTED)
    (notice,) = world.claim(23)
    assert (notice.kind, world.news(notice)) == ("change", True)


def test_messages_of_other_events_do_not_wait(world: World) -> None:
    world.publish([SOON, event("signing", NOW + HOUR + SECOND)])
    assert kinds(world.claim(1)) == ["change", "reminder"]


def test_a_reminder_of_a_series_speaks_of_one_date_and_does_not_wait(database_url: str) -> None:
    series = replace(SOON, rrule="FREQ=DAILY;COUNT=3")
    third = NOW + timedelta(days=2) + HOUR + SECOND
    moved = replace(event("talks", third + HOUR), recurrence_id=third)
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        world = World(ledger, [series], [replace(series, overrides=(moved,))])
        notice, reminder = world.claim(1)
        assert kinds([notice, reminder]) == ["change", "reminder"]
        world.settle(notice, 1, Result.RETRY)
        world.settle(reminder, 1)
        (notice,) = world.claim(20)
        assert world.news(notice)


def test_a_notice_waits_when_another_process_is_about_to_claim_the_reminder(postgresql_url: str) -> None:
    """Neither sees what the other has not committed; but a claim locks its rows."""
    with Ledger(postgresql_url) as ledger:
        ledger.upgrade()
        world = World(ledger, [LATE], [SOON])
        with ledger.database.write() as other:
            other.execute(select(delivery.c.id).where(delivery.c.kind == "reminder").with_for_update())
            assert world.claim(1) == []
        assert kinds(world.claim(4)) == ["change"]
