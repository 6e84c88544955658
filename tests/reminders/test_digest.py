"""The daily digest: on days that have something, in the channel's zone, with what the channel takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from calfeed.events.model import Catalog
from calfeed.reminders.digest import due_digests, find_digest

Digests = Callable[..., list[str]]
Read = Callable[[str], Catalog]

EVENTS = """
[[events]]
id = "expo"
summary = "Expo"
start = 2024-05-17
end = 2024-05-19
categories = ["expo"]

[[events]]
id = "talk"
summary = "Talk"
start = 2024-05-18T02:00:00
end = 2024-05-18T03:00:00
categories = ["talks"]
"""

CHANNEL = """
[[channels]]
id = "news"
kind = "webhook"
url = "env:NEWS_URL"
digest = "08:00"
"""


def test_a_channel_without_a_digest_has_none(digests: Digests) -> None:
    assert digests(EVENTS + CHANNEL.replace("digest", "#")) == []


def test_each_day_that_an_item_touches_has_one_message_and_other_days_none(digests: Digests) -> None:
    assert digests(EVENTS + CHANNEL) == [
        "2024-05-17 00:00Z 2024-05-17 news: expo",
        "2024-05-18 00:00Z 2024-05-18 news: expo, talk",
        "2024-05-19 00:00Z 2024-05-19 news: expo",
    ]


def test_days_are_those_of_the_channels_zone(digests: Digests) -> None:
    """02:00 in Shanghai is the evening before in Moscow; an all-day item keeps its date everywhere."""
    assert digests(EVENTS + CHANNEL + 'timezone = "Europe/Moscow"') == [
        "2024-05-17 05:00Z 2024-05-17 news: expo, talk",
        "2024-05-18 05:00Z 2024-05-18 news: expo",
        "2024-05-19 05:00Z 2024-05-19 news: expo",
    ]


def test_an_item_that_ends_at_midnight_does_not_touch_the_next_day(digests: Digests) -> None:
    late = EVENTS.replace("2024-05-18T02", "2024-05-20T22").replace("2024-05-18T03", "2024-05-21T00")
    assert digests(late + CHANNEL + 'categories = ["talks"]') == ["2024-05-20 00:00Z 2024-05-20 news: talk"]


def test_an_item_that_ends_at_a_midnight_that_clocks_skip_does_not_touch_the_next_day(digests: Digests) -> None:
    """In Cairo 01:00 of the 26th came right after the last second of the 25th."""
    item = """
        [[events]]
        id = "night"
        summary = "Night"
        timezone = "Africa/Cairo"
        start = 2024-04-25T22:00:00
        end = 2024-04-26T01:00:00
    """
    assert digests(item + CHANNEL + 'timezone = "Africa/Cairo"') == ["2024-04-25 06:00Z 2024-04-25 news: night"]


def test_an_item_whose_end_clocks_show_before_its_start_touches_both_its_days(digests: Digests) -> None:
    """In New York it begins at 01:30 and ends 40 minutes later at 01:10; in Mexico it goes over midnight."""
    item = """
        [[events]]
        id = "night"
        summary = "Night"
        timezone = "America/New_York"
        start = 2024-11-03T01:30:00-04:00
        end = 2024-11-03T01:10:00-05:00
    """
    assert digests(item + CHANNEL + 'timezone = "America/Mexico_City"') == [
        "2024-11-02 14:00Z 2024-11-02 news: night",
        "2024-11-03 14:00Z 2024-11-03 news: night",
    ]


def test_a_digest_holds_what_its_channel_takes(digests: Digests) -> None:
    assert digests(EVENTS + CHANNEL + 'categories = ["talks"]') == ["2024-05-18 00:00Z 2024-05-18 news: talk"]
    assert digests(EVENTS + 'status = "cancelled"' + CHANNEL + 'exclude = ["expo"]') == []
    assert digests(EVENTS + 'visibility = "private"' + CHANNEL + 'exclude = ["expo"]') == []
    assert digests(EVENTS + "embargo = 2024-05-18T08:00:01+08:00" + CHANNEL + 'exclude = ["expo"]') == []


def test_an_event_without_reminders_is_still_on_its_days_list(digests: Digests) -> None:
    assert digests(EVENTS + "remind = []" + CHANNEL + 'exclude = ["expo"]') == [
        "2024-05-18 00:00Z 2024-05-18 news: talk"
    ]


def test_a_digest_within_quiet_hours_waits_for_their_end(digests: Digests) -> None:
    quiet = 'quiet = "22:00-08:30"\ncategories = ["talks"]'
    assert digests(EVENTS + CHANNEL + quiet) == ["2024-05-18 00:30Z 2024-05-18 news: talk"]


def test_a_digest_is_too_late_once_its_day_is_over(catalog: Read) -> None:
    read = catalog(EVENTS + CHANNEL)
    window = datetime(2024, 5, 17, 12, tzinfo=UTC), datetime(2024, 5, 18, 12, tzinfo=UTC)
    (due,) = due_digests(read, *window)
    assert (due.day, due.expires, due.ends) == (date(2024, 5, 18), *[datetime(2024, 5, 18, 16, tzinfo=UTC)] * 2)
    assert due.key == "2024-05-18|news"


def test_a_digest_is_found_again_while_its_day_has_items(catalog: Read) -> None:
    read = catalog(EVENTS + CHANNEL)
    first, *_ = due_digests(read, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
    assert find_digest(read, first.key, first.due) == first
    assert find_digest(catalog(EVENTS.replace("05-17", "05-18") + CHANNEL), first.key, first.due) is None
