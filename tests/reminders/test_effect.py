"""What an edit does to the reminders that lie ahead, counted without a ledger."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from calfeed.events.parse import load
from calfeed.reminders.effect import Effect, effects, others

NOW = datetime(2030, 5, 1, tzinfo=UTC)
LIST = """
[calendar]
id = "visit"
name = "The visit"
timezone = "Asia/Shanghai"

[[events]]
id = "opening"
summary = "EXPO opening"
start = 2030-05-17T10:00:00
duration = "1h"

[[events]]
id = "course"
summary = "Course"
start = 2030-05-06T18:00:00
duration = "1h"
rrule = "FREQ=WEEKLY;COUNT=4"

[[channels]]
id = "newsroom"
kind = "webhook"
url = "env:NEWSROOM"
before = ["1d", "1h", "10m"]
"""


def found(*edit: tuple[str, str], before: str = LIST, now: datetime = NOW) -> dict[str, Effect]:
    """By the event's id."""
    after = before
    for old, new in edit:
        assert old in after
        after = after.replace(old, new)
    one, two = load([("old.toml", before)]), load([("new.toml", after)])
    ids = {event.uid: event.id for event in (*one.events, *two.events)}
    return {ids[uid]: effect for uid, effect in effects(one, two, now).items()}


def test_an_edit_of_words_moves_nothing() -> None:
    assert found(("EXPO opening", "Opening of the EXPO")) == {}


def test_what_moves_takes_its_reminders_along() -> None:
    assert found(("2030-05-17", "2030-05-18")) == {"opening": Effect(moved=3)}


def test_a_series_that_moves_takes_those_of_each_date_along() -> None:
    """Its dates have other keys then; four dates with three lead times."""
    assert found(("T18:00:00", "T19:00:00")) == {"course": Effect(moved=12)}


def test_a_series_with_fewer_or_more_dates() -> None:
    assert found(("COUNT=4", "COUNT=3")) == {"course": Effect(withdrawn=3)}
    assert found(("COUNT=4", "COUNT=6")) == {"course": Effect(added=6)}


def test_only_what_lies_ahead_counts() -> None:
    now = datetime(2030, 5, 17, 1, 30, tzinfo=UTC)  # the 10 minutes before are still to come
    assert found(("T10:00:00", "T10:05:00"), now=now) == {"opening": Effect(moved=1)}
    assert found(("2030-05-17", "2030-05-18"), now=datetime(2031, 1, 1, tzinfo=UTC)) == {}


def test_what_is_new_cancelled_or_gone() -> None:
    assert found(('id = "course"', 'id = "lessons"')) == {
        "lessons": Effect(added=12),
        "course": Effect(withdrawn=12),
    }
    assert found(('"EXPO opening"', '"EXPO opening"\nstatus = "cancelled"')) == {"opening": Effect(withdrawn=3)}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (('"1d", "1h", "10m"', '"1d", "1h"'), {"opening": Effect(withdrawn=1), "course": Effect(withdrawn=4)}),
        (('"10m"]', '"10m"]\nquiet = "17:00-18:30"'), {"opening": Effect(), "course": Effect(moved=4)}),
        (('"EXPO opening"', '"EXPO opening"\nremind = ["2h"]'), {"opening": Effect(added=1, withdrawn=3)}),
        (('"EXPO opening"', '"EXPO opening"\nembargo = 2030-05-17T09:30:00+08:00'), {"opening": Effect(withdrawn=2)}),
    ],
    ids=["before", "quiet", "remind", "embargo"],
)
def test_edits_that_no_calendar_shows(edit: tuple[str, str], expected: dict[str, Effect]) -> None:
    assert found(edit) == {id_: effect for id_, effect in expected.items() if effect}


def test_an_endless_series_is_looked_at_for_a_year() -> None:
    assert found(("T18:00:00", "T19:00:00"), before=LIST.replace(";COUNT=4", "")) == {"course": Effect(moved=53 * 3)}


def test_what_lies_beyond_a_year_is_looked_at_too() -> None:
    far = LIST.replace("2030-05-17", "2040-05-17")
    assert found(("2040-05-17", "2040-06-17"), before=far) == {"opening": Effect(moved=3)}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "3 reminders move with it, 1 reminder is new, 2 reminders are withdrawn"),
        ("ru", "с этим переносятся 3 напоминания, добавляется 1 напоминание, снимаются 2 напоминания"),
        ("zh", "随之调整3条提醒，新增1条提醒，取消2条提醒"),
        ("fr", "3 reminders move with it, 1 reminder is new, 2 reminders are withdrawn"),
    ],
)
def test_in_words(language: str, told: str) -> None:
    assert Effect(moved=3, added=1, withdrawn=2).told(language) == told
    assert Effect().told(language) == ""


def test_what_no_line_of_its_own_tells_is_told_together() -> None:
    assert others([Effect(moved=1), Effect(moved=2, added=5)], "en") == (
        "Other items: 3 reminders move with it, 5 reminders are new"
    )
