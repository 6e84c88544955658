"""When it is tried again: Svix's schedule, never sooner than asked, never beyond a day or the end of the occurrence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.ledger.retry import FLOOR, LIMIT, SCHEDULE, next_try

NOW = datetime(2024, 5, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def exactly_as_planned() -> float:
    return 0.5


def ask(tries: int, *, retry_after: float | None = None, ends: datetime | None = None) -> timedelta | None:
    found = next_try(NOW, tries, since=NOW, ends=ends, retry_after=retry_after, chance=exactly_as_planned)
    return None if found is None else found - NOW


def test_the_schedule() -> None:
    seconds = [5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600, 10 * 3600]
    assert [ask(tries) for tries in range(1, 10)] == [timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("tries", "asked", "given"),
    [
        (1, 40, 40),  # more than the schedule has
        (4, 40, 300),  # less, and again and again: never more than five minutes beyond it
        (4, 1200, 1200),
        (1, 0, 5),
        (1, -7, 5),
    ],
)
def test_what_the_receiver_asks_for(tries: int, asked: float, given: float) -> None:
    assert ask(tries, retry_after=asked) == timedelta(seconds=given)


def test_nothing_is_tried_after_the_occurrence() -> None:
    assert ask(4, ends=NOW + timedelta(minutes=30)) is None
    assert ask(4, ends=NOW + timedelta(minutes=31)) == timedelta(minutes=30)
    assert ask(1, ends=NOW + timedelta(minutes=31), retry_after=3600) is None


def test_a_whole_schedule_ends_within_a_day() -> None:
    at, tries = NOW, 0
    while at is not None:
        last, tries = at, tries + 1
        at = next_try(at, tries, since=NOW, ends=None, retry_after=None, chance=exactly_as_planned)
    assert (tries, last - NOW) == (8, timedelta(seconds=5 + 30 + 300 + 1800 + 7200 + 18000 + 36000))


@given(
    tries=st.integers(1, 30),
    since=st.timedeltas(timedelta(0), 2 * DAY),
    ends=st.none() | st.timedeltas(-DAY, 2 * DAY),
    retry_after=st.none() | st.floats(-1e9, 1e9),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_it_lies_ahead_and_within_every_limit(
    tries: int, since: timedelta, ends: timedelta | None, retry_after: float | None, chance: float
) -> None:
    end = None if ends is None else NOW + ends
    at = next_try(NOW, tries, since=NOW - since, ends=end, retry_after=retry_after, chance=lambda: chance)
    if at is None:
        return
    planned = SCHEDULE[min(tries, len(SCHEDULE)) - 1]
    asked = timedelta(seconds=max(retry_after or 0, 0))
    assert NOW < at < NOW - since + LIMIT
    assert end is None or at < end
    assert at - NOW >= min(asked, LIMIT)
    assert retry_after is None or at - NOW <= max(asked, FLOOR)
    assert retry_after is not None or 0.8 * planned <= at - NOW <= 1.2 * planned
