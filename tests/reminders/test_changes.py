"""Who hears of a change, and what is said: the old time and the new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from calfeed.events.changes import diff
from calfeed.events.model import Catalog
from calfeed.reminders.audience import hears
from calfeed.reminders.message import Message, Origin, change_message

Read = Callable[[str], Catalog]
NOW = datetime(2024, 5, 14, tzinfo=UTC)

CHANNEL = """
[[channels]]
id = "news"
kind = "webhook"
url = "env:NEWS_URL"
"""

TALK = """
[[events]]
id = "talk"
summary = { en = "Talk", ru = "Лекция", zh = "讲座" }
start = 2024-05-17T10:00:00
end = 2024-05-17T11:30:00
categories = ["talks"]
"""

SERIES = """
[[events]]
id = "sync"
summary = "Sync"
start = 2024-05-13T10:00:00
rrule = "FREQ=WEEKLY;COUNT=20"
"""


def told(read: Read, before: str, after: str, channel: str = CHANNEL, now: datetime = NOW) -> list[Message]:
    """The notices that a channel gets of an edit."""
    old, new = read(before + channel), read(after + channel)
    heard = [change for change in diff(old, new, now) if hears(new.channels[0], change, now)]
    return [change_message(change, new.channels[0], now, Origin(calendar=new.calendar)) for change in heard]


def test_a_moved_event_is_told_with_its_old_and_new_time(catalog: Read) -> None:
    (message,) = told(catalog, TALK, TALK.replace("T10", "T14").replace("T11", "T15"))
    assert (message.type, message.timestamp) == ("event.changed", NOW)
    assert message.text == (
        "Moved: Talk\n"
        "Was: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)\n"
        "Now: Fri, May 17, 2024, 2:00 PM – 3:30 PM (Shanghai)\n"
        "https://cal.example.org/events/talk"
    )


@pytest.mark.parametrize("after", [TALK + 'status = "cancelled"', ""], ids=["cancelled", "removed"])
def test_what_is_off_is_told_as_cancelled(catalog: Read, after: str) -> None:
    (message,) = told(catalog, TALK, after)
    assert message.type == "event.cancelled"
    assert message.items[0].cancelled
    assert message.text == (
        "Cancelled: Talk\nWhen: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)\nhttps://cal.example.org/events/talk"
    )


def test_what_is_on_again_is_told_with_its_time(catalog: Read) -> None:
    (message,) = told(catalog, TALK + 'status = "cancelled"', TALK)
    assert message.type == "event.changed"
    assert message.text.splitlines()[:2] == [
        "On again: Talk",
        "When: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)",
    ]


def test_an_hour_that_was_to_be_announced_is_told_when_it_is_known(catalog: Read) -> None:
    before = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17\ntba = "time"\n'
    (message,) = told(catalog, before, TALK)
    assert message.text.splitlines()[:3] == [
        "Confirmed: Talk",
        "Was: Fri, May 17, 2024, time to be announced",
        "Now: Fri, May 17, 2024, 10:00 AM – 11:30 AM (Shanghai)",
    ]


@pytest.mark.parametrize(
    ("language", "first"),
    [("en", "Moved: Talk"), ("ru", "Перенесено: Лекция"), ("zh", "时间变更：讲座")],
)
def test_a_notice_is_in_the_channels_language(catalog: Read, language: str, first: str) -> None:
    (message,) = told(catalog, TALK, TALK.replace("T10", "T09"), CHANNEL + f'language = "{language}"')
    assert message.text.splitlines()[0] == first


def test_one_date_of_a_series_that_moves_is_told_as_that_date(catalog: Read) -> None:
    moved = "[[events.overrides]]\nrecurrence_id = 2024-06-10T10:00:00\nstart = 2024-06-11T12:00:00\n"
    (message,) = told(catalog, SERIES, SERIES + moved)
    assert message.type == "event.changed"
    assert message.text == (
        "Moved: Sync\n"
        "Was: Mon, Jun 10, 2024, 10:00 AM (Shanghai)\n"
        "Now: Tue, Jun 11, 2024, 12:00 PM (Shanghai)\n"
        "https://cal.example.org/events/sync\n"
        "It is a series: only these dates change."
    )


def test_one_date_that_is_off_does_not_cancel_the_series(catalog: Read) -> None:
    off = '[[events.overrides]]\nrecurrence_id = 2024-06-10T10:00:00\nstatus = "cancelled"\n'
    (message,) = told(catalog, SERIES, SERIES + off)
    assert message.type == "event.changed"
    assert message.items[0].cancelled
    assert message.text.splitlines()[:2] == ["Cancelled: Sync", "When: Mon, Jun 10, 2024, 10:00 AM (Shanghai)"]


def test_of_many_dates_ten_are_told_one_by_one(catalog: Read) -> None:
    days = [f"2024-{month}T10:00:00" for month in ("05-13", "05-20", "05-27", "06-03", "06-10", "06-17", "06-24")]
    days += [f"2024-{month}T10:00:00" for month in ("07-01", "07-08", "07-15", "07-22", "07-29")]
    off = "".join(f'[[events.overrides]]\nrecurrence_id = {day}\nstatus = "cancelled"\n' for day in days)
    (message,) = told(catalog, SERIES, SERIES + off)
    assert len(message.items) == 10
    assert message.notes == ("It is a series: only these dates change.", "and 2 more")


def test_dates_that_a_series_loses_and_gains_are_named(catalog: Read) -> None:
    (message,) = told(
        catalog, SERIES, SERIES + "exdate = [2024-05-20T10:00:00]\nrdate = [2024-05-21T10:00:00, 2024-05-22T10:00:00]"
    )
    assert message.text.splitlines()[:3] == [
        "Moved: Sync",
        "no longer on Mon, May 20, 2024, 10:00 AM",
        "also on Tue, May 21, 2024, 10:00 AM; Wed, May 22, 2024, 10:00 AM",
    ]


def test_another_rule_is_told_as_such(catalog: Read) -> None:
    (message,) = told(catalog, SERIES, SERIES.replace("WEEKLY", "DAILY"))
    assert message.text.splitlines()[:2] == ["Moved: Sync", "It repeats differently now."]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", TALK),
        (TALK, TALK.replace('"Talk"', '"Lecture"')),
        (TALK, TALK + 'location = "Hall 4"'),
        (TALK, TALK),
    ],
    ids=["added", "reworded", "another place", "nothing"],
)
def test_what_does_not_touch_the_time_is_not_told(catalog: Read, before: str, after: str) -> None:
    assert told(catalog, before, after) == []


def test_a_channel_that_wants_no_changes_hears_none(catalog: Read) -> None:
    assert told(catalog, TALK, "", CHANNEL + "changes = false") == []


def test_a_channel_hears_of_what_it_was_or_is_told_of(catalog: Read) -> None:
    moved = TALK.replace("T10", "T09")
    talks, expo = CHANNEL + 'categories = ["talks"]', CHANNEL + 'categories = ["expo"]'
    assert len(told(catalog, TALK, moved, talks)) == 1
    assert told(catalog, TALK, moved, expo) == []
    assert len(told(catalog, TALK, moved.replace('"talks"', '"expo"'), talks)) == 1
    assert len(told(catalog, TALK, moved.replace('"talks"', '"expo"'), expo)) == 1


@pytest.mark.parametrize(
    "secret", ['visibility = "private"', 'visibility = "unlisted"', "embargo = 2024-05-16T00:00:00+08:00"]
)
def test_what_is_not_public_before_and_after_is_not_told(catalog: Read, secret: str) -> None:
    assert told(catalog, TALK + secret, TALK.replace("T10", "T09") + secret) == []
    assert told(catalog, TALK + secret, TALK.replace("T10", "T09")) == []
    assert told(catalog, TALK, TALK.replace("T10", "T09") + secret) == []


def test_the_past_is_not_corrected(catalog: Read) -> None:
    after = datetime(2024, 5, 17, 3, 30, tzinfo=UTC)
    assert told(catalog, TALK, TALK.replace("T10", "T09"), now=after) == []
    assert len(told(catalog, TALK, TALK.replace("-17T", "-19T"), now=after)) == 1
