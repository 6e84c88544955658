"""When a reminder falls due: leads, days and hours, zones, series, quiet hours, and who is told at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.events.model import Catalog, moment_key
from calfeed.reminders.plan import due_reminders, find_reminder

Plan = Callable[..., list[str]]
Read = Callable[[str], Catalog]

CHANNEL = """
[[channels]]
id = "news"
kind = "webhook"
url = "env:NEWS_URL"
"""

TALK = """
[[events]]
id = "talk"
summary = "Talk"
start = 2024-05-17T10:00:00
end = 2024-05-17T11:30:00
"""


def test_without_a_channel_nothing_is_due(plan: Plan) -> None:
    assert plan(TALK) == []


def test_the_default_leads_are_a_day_and_an_hour(plan: Plan) -> None:
    assert plan(TALK + CHANNEL) == ["2024-05-16 02:00Z talk 1d news", "2024-05-17 01:00Z talk 1h news"]


def test_a_window_is_open_at_its_start_and_closed_at_its_end(plan: Plan) -> None:
    assert plan(TALK + CHANNEL, "2024-05-16T02:00:00", "2024-05-17T01:00:00") == ["2024-05-17 01:00Z talk 1h news"]
    assert plan(TALK + CHANNEL, "2024-05-16T01:59:59", "2024-05-16T02:00:00") == ["2024-05-16 02:00Z talk 1d news"]
    assert plan(TALK + CHANNEL, "2024-05-17T01:00:00", "2024-05-17T01:00:00") == []
    assert plan(TALK + CHANNEL, "2024-05-18", "2024-05-16") == []


def test_the_key_is_uid_recurrence_lead_and_channel(catalog: Read) -> None:
    read = catalog(TALK + 'uid = "talk@example.org"' + CHANNEL)
    found = due_reminders(read, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
    assert [due.key for due in found] == ["talk@example.org||1d|news", "talk@example.org||1h|news"]


def test_a_timed_item_expires_as_it_begins_and_is_not_retried_after_its_end(catalog: Read) -> None:
    read = catalog(TALK + CHANNEL)
    for due in due_reminders(read, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)):
        assert due.expires == datetime(2024, 5, 17, 2, tzinfo=UTC)
        assert due.ends == datetime(2024, 5, 17, 3, 30, tzinfo=UTC)


def test_a_reminder_at_the_start_itself_may_be_a_quarter_of_an_hour_late(catalog: Read) -> None:
    read = catalog(TALK + 'remind = ["0m"]' + CHANNEL)
    (due,) = due_reminders(read, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
    assert (due.due, due.expires - due.due) == (datetime(2024, 5, 17, 2, tzinfo=UTC), timedelta(minutes=15))


def test_the_events_own_leads_override_those_of_the_channels(plan: Plan) -> None:
    own = TALK + 'remind = ["2d", "90m"]'
    assert plan(own + CHANNEL) == ["2024-05-15 02:00Z talk 2d news", "2024-05-17 00:30Z talk 1h30m news"]


def test_an_event_that_wants_no_reminder_has_none(plan: Plan) -> None:
    assert plan(TALK + "remind = []" + CHANNEL) == []


def test_a_channel_without_leads_reminds_only_of_events_that_bring_their_own(plan: Plan) -> None:
    other = TALK.replace("talk", "other") + 'remind = ["1h"]'
    assert plan(TALK + other + CHANNEL + "before = []") == ["2024-05-17 01:00Z other 1h news"]


def test_a_day_is_local_and_an_hour_absolute(plan: Plan) -> None:
    """Clocks in Paris go forward on March 31: a day before 09:00 is 09:00, 24 hours before it is 08:00."""
    toml = """
        [[events]]
        id = "talk"
        summary = "Talk"
        start = 2024-03-31T09:00:00
        timezone = "Europe/Paris"
        remind = ["1d", "24h"]
    """
    assert plan(toml + CHANNEL) == [
        "2024-03-30 07:00Z talk 24h news",
        "2024-03-30 08:00Z talk 1d news",
    ]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (
            "2024-04-01T02:30:00",
            "2024-03-31 01:30Z",
        ),  # 02:30 does not exist on March 31: the reading before the gap, 03:30
        ("2024-10-28T02:30:00", "2024-10-27 00:30Z"),  # 02:30 comes twice on October 27: the first
    ],
)
def test_a_day_before_that_falls_into_a_change_of_the_clock_has_one_reading(plan: Plan, start: str, due: str) -> None:
    toml = f"""
        [[events]]
        id = "talk"
        summary = "Talk"
        start = {start}
        timezone = "Europe/Paris"
        remind = ["1d"]
    """
    assert plan(toml + CHANNEL) == [f"{due} talk 1d news"]


def test_leads_that_fall_together_are_told_once(plan: Plan) -> None:
    assert plan(TALK + 'remind = ["1d", "24h", "1h", "60m"]' + CHANNEL) == [
        "2024-05-16 02:00Z talk 1d news",
        "2024-05-17 01:00Z talk 1h news",
    ]


ALL_DAY = """
[[events]]
id = "expo"
summary = "Expo"
start = 2024-05-17
end = 2024-05-21
"""


def test_an_all_day_item_reminds_at_nine_and_leads_below_a_day_mean_that_same_day(plan: Plan) -> None:
    leads = 'remind = ["1w", "36h", "1d", "10m", "1h"]'
    assert plan(ALL_DAY + leads + CHANNEL) == [
        "2024-05-10 01:00Z expo 7d news",
        "2024-05-16 01:00Z expo 1d news",
        "2024-05-17 01:00Z expo 0s news",
    ]


def test_the_hour_of_all_day_items_is_the_calendars_and_local_to_the_event(plan: Plan) -> None:
    toml = """
        [calendar]
        id = "c"
        name = "C"
        timezone = "Asia/Shanghai"
        all_day_at = "07:30"
        [[events]]
        id = "here"
        summary = "Here"
        start = 2024-05-17
        [[events]]
        id = "there"
        summary = "There"
        start = 2024-05-17
        timezone = "Europe/Moscow"
    """
    assert plan(toml + CHANNEL + 'before = ["1d"]') == [
        "2024-05-15 23:30Z here 1d news",
        "2024-05-16 04:30Z there 1d news",
    ]


def test_an_all_day_item_may_be_told_late_until_its_first_day_is_over(catalog: Read) -> None:
    read = catalog(ALL_DAY + CHANNEL)
    found = due_reminders(read, datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC))
    assert [str(due.lead) for due in found] == ["1d", "0s"]
    for due in found:
        assert due.expires == datetime(2024, 5, 17, 16, tzinfo=UTC)  # midnight in Shanghai
        assert due.ends == datetime(2024, 5, 21, 16, tzinfo=UTC)


def test_an_hour_that_is_to_be_announced_follows_the_rule_of_all_day_items(plan: Plan) -> None:
    toml = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17\ntba = "time"\n'
    assert plan(toml + CHANNEL) == ["2024-05-16 01:00Z talk 1d news", "2024-05-17 01:00Z talk 0s news"]


def test_a_day_that_is_to_be_announced_reminds_before_its_window_and_may_be_late_within_it(
    catalog: Read, plan: Plan
) -> None:
    toml = ALL_DAY + 'tba = "date"' + CHANNEL
    assert plan(toml) == ["2024-05-16 01:00Z expo 1d news", "2024-05-17 01:00Z expo 0s news"]
    for due in due_reminders(catalog(toml), datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)):
        assert due.expires == due.ends == datetime(2024, 5, 21, 16, tzinfo=UTC)


SERIES = """
[[events]]
id = "sync"
summary = "Sync"
start = 2024-06-03T10:00:00
duration = "1h"
timezone = "Europe/Paris"
rrule = "FREQ=WEEKLY;COUNT=4"
exdate = [2024-06-17T10:00:00]
"""


def test_each_occurrence_of_a_series_reminds_and_is_told_apart_by_its_recurrence_id(plan: Plan) -> None:
    assert plan(SERIES + CHANNEL + 'before = ["1h"]') == [
        "2024-06-03 07:00Z sync 20240603T080000Z 1h news",
        "2024-06-10 07:00Z sync 20240610T080000Z 1h news",
        "2024-06-24 07:00Z sync 20240624T080000Z 1h news",
    ]


def test_a_series_keeps_its_local_hour_over_a_change_of_the_clock(plan: Plan) -> None:
    toml = SERIES.replace("2024-06-", "2024-03-").replace("-03T10", "-18T10").replace("exdate", "#")
    assert plan(toml + CHANNEL + 'before = ["1h"]') == [
        "2024-03-18 08:00Z sync 20240318T090000Z 1h news",
        "2024-03-25 08:00Z sync 20240325T090000Z 1h news",
        "2024-04-01 07:00Z sync 20240401T080000Z 1h news",
        "2024-04-08 07:00Z sync 20240408T080000Z 1h news",
    ]


def test_overrides_move_cancel_and_remind_in_their_own_way(plan: Plan) -> None:
    overrides = """
        [[events.overrides]]
        recurrence_id = 2024-06-03T10:00:00
        start = 2024-06-05T15:00:00
        [[events.overrides]]
        recurrence_id = 2024-06-10T10:00:00
        status = "cancelled"
        [[events.overrides]]
        recurrence_id = 2024-06-24T10:00:00
        remind = ["2d"]
    """
    assert plan(SERIES + overrides + CHANNEL + 'before = ["1h"]') == [
        "2024-06-05 12:00Z sync 20240603T080000Z 1h news",
        "2024-06-22 08:00Z sync 20240624T080000Z 2d news",
    ]


def test_a_channel_takes_any_of_its_categories_and_none_that_it_excludes(plan: Plan) -> None:
    toml = "".join(
        TALK.replace("talk", name) + f"uid = '{name}'\ncategories = {categories}\nremind = ['1h']\n"
        for name, categories in {"a": ["expo"], "b": ["expo", "protocol"], "c": ["talks"], "d": []}.items()
    )
    assert plan(toml + CHANNEL) == [f"2024-05-17 01:00Z {name} 1h news" for name in "abcd"]
    assert plan(toml + CHANNEL + 'categories = ["expo", "talks"]\nexclude = ["protocol"]') == [
        "2024-05-17 01:00Z a 1h news",
        "2024-05-17 01:00Z c 1h news",
    ]


def test_what_is_cancelled_does_not_remind_and_what_is_tentative_does(plan: Plan) -> None:
    assert plan(TALK + 'status = "cancelled"' + CHANNEL) == []
    assert plan(TALK + 'status = "tentative"\nremind = ["1h"]' + CHANNEL) == ["2024-05-17 01:00Z talk 1h news"]


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_only_public_events_go_out(plan: Plan, visibility: str) -> None:
    assert plan(TALK + f'visibility = "{visibility}"' + CHANNEL) == []


def test_an_embargoed_event_reminds_only_from_its_instant_on(plan: Plan) -> None:
    assert plan(TALK + "embargo = 2024-05-16T10:00:01+08:00" + CHANNEL) == ["2024-05-17 01:00Z talk 1h news"]
    assert plan(TALK + "embargo = 2024-05-16T10:00:00+08:00" + CHANNEL) == [
        "2024-05-16 02:00Z talk 1d news",
        "2024-05-17 01:00Z talk 1h news",
    ]


def test_a_reminder_in_quiet_hours_is_held_until_they_end_in_the_channels_zone(plan: Plan) -> None:
    """10:00 in Shanghai less a day is 05:00 in Moscow: held until 07:00 there."""
    quiet = 'timezone = "Europe/Moscow"\nquiet = "22:00-07:00"\nbefore = ["1d"]'
    assert plan(TALK + CHANNEL + quiet) == ["2024-05-16 04:00Z talk 1d news"]


def test_quiet_hours_are_the_calendars_where_a_channel_has_no_zone(plan: Plan) -> None:
    assert plan(TALK + CHANNEL + 'quiet = "08:00-12:15"\nbefore = ["1d"]') == ["2024-05-16 04:15Z talk 1d news"]


def test_quiet_hours_begin_at_their_first_minute_and_end_at_their_last(plan: Plan) -> None:
    assert plan(TALK + CHANNEL + 'quiet = "10:00-12:00"\nbefore = ["1d"]') == ["2024-05-16 04:00Z talk 1d news"]
    assert plan(TALK + CHANNEL + 'quiet = "08:00-10:00"\nbefore = ["1d"]') == ["2024-05-16 02:00Z talk 1d news"]


@pytest.mark.parametrize("until", ["10:00", "10:30"])
def test_nothing_is_held_that_would_have_begun_by_then(plan: Plan, until: str) -> None:
    """The talk is at 10:00; its reminder at 09:00 cannot wait until 10:00 or later."""
    assert plan(TALK + CHANNEL + f'quiet = "08:00-{until}"\nbefore = ["1h"]') == ["2024-05-17 01:00Z talk 1h news"]
    assert plan(TALK + CHANNEL + 'quiet = "08:00-09:59"\nbefore = ["1h"]') == ["2024-05-17 01:59Z talk 1h news"]


def test_a_reminder_at_the_start_is_not_held_though_it_may_be_late(plan: Plan) -> None:
    """By 10:10 the talk would have begun, as `explain` says."""
    assert plan(TALK + CHANNEL + 'quiet = "08:00-10:10"\nbefore = ["0m"]') == ["2024-05-17 02:00Z talk 0s news"]


def test_of_reminders_held_until_the_same_minute_the_last_one_speaks(plan: Plan) -> None:
    assert plan(TALK + CHANNEL + 'quiet = "22:00-07:00"\nbefore = ["10h", "8h", "2h"]') == [
        "2024-05-16 23:00Z talk 8h news",
        "2024-05-17 00:00Z talk 2h news",
    ]


def test_a_held_reminder_keeps_the_time_it_was_planned_for(catalog: Read) -> None:
    read = catalog(TALK + CHANNEL + 'quiet = "22:00-07:00"\nbefore = ["5h"]')
    (due,) = due_reminders(read, datetime(2024, 5, 16, tzinfo=UTC), datetime(2024, 5, 18, tzinfo=UTC))
    assert due.planned_for == datetime(2024, 5, 16, 21, tzinfo=UTC)
    assert due.due == datetime(2024, 5, 16, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "lead", "due"),
    [
        ("2024-03-31T12:00:00", "9h30m", "2024-03-31 01:30Z"),  # quiet until 02:30, which the clock skips: 03:30
        ("2024-10-27T12:00:00", "11h30m", "2024-10-27 00:30Z"),  # 02:00 the first time, held until the first 02:30
        ("2024-10-27T12:00:00", "9h50m", "2024-10-27 01:30Z"),  # 02:10 the second time, held until the second 02:30
    ],
)
def test_quiet_hours_that_end_in_a_change_of_the_clock(plan: Plan, start: str, lead: str, due: str) -> None:
    toml = f"""
        [[events]]
        id = "talk"
        summary = "Talk"
        start = {start}
        timezone = "Europe/Paris"
        remind = ["{lead}"]
    """
    quiet = 'timezone = "Europe/Paris"\nquiet = "00:00-02:30"'
    assert [found[:17] for found in plan(toml + CHANNEL + quiet)] == [due]


def test_only_the_channels_that_are_given_are_planned(catalog: Read) -> None:
    read = catalog(TALK + CHANNEL + CHANNEL.replace("news", "other"))
    window = datetime(2024, 5, 17, tzinfo=UTC), datetime(2024, 5, 18, tzinfo=UTC)
    assert [due.channel.id for due in due_reminders(read, *window)] == ["news", "other"]
    assert [due.channel.id for due in due_reminders(read, *window, [read.channels[1]])] == ["other"]
    assert due_reminders(read, *window, []) == []


def test_a_reminder_is_found_again_by_key_and_due_time_while_it_is_planned(catalog: Read) -> None:
    read = catalog(SERIES + TALK + CHANNEL + CHANNEL.replace("news", "my-news"))
    every = due_reminders(read, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert len(every) == 16
    assert [find_reminder(read, due.key, moment_key(due.occurrence.start), due.due) for due in every] == every

    moved = catalog(SERIES + TALK.replace("T10", "T09") + CHANNEL)
    talk = next(due for due in every if due.event.id == "talk")
    assert find_reminder(moved, talk.key, moment_key(talk.occurrence.start), talk.due) is None
    assert find_reminder(catalog(SERIES + CHANNEL), talk.key, moment_key(talk.occurrence.start), talk.due) is None


@pytest.mark.parametrize("uid", ["a|b", "||", "talk|20240517T020000Z|1h|news"])
def test_a_reminder_is_found_again_whatever_the_uid(catalog: Read, uid: str) -> None:
    read = catalog(TALK + f'uid = "{uid}"\n' + CHANNEL)
    every = due_reminders(read, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert every
    assert [find_reminder(read, due.key, moment_key(due.occurrence.start), due.due) for due in every] == every
