"""Why a reminder is due: each rule in a sentence, with the line of the source it stands on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from calfeed.events.model import Catalog
from calfeed.reminders.digest import due_digests
from calfeed.reminders.explain import explain
from calfeed.reminders.plan import due_reminders

Read = Callable[[str], Catalog]
ALWAYS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)

TOML = """[calendar]
id = "visit"
name = "Visit"
timezone = "Asia/Shanghai"

[[events]]
id = "talk"
summary = "Talk"
start = 2024-05-17T10:00:00
end = 2024-05-17T11:30:00
categories = ["talks"]

[[channels]]
id = "news"
kind = "slack"
url = "env:NEWS_URL"
"""


def test_an_hour_before(catalog: Read) -> None:
    due = due_reminders(catalog(TOML), *ALWAYS)[1]
    assert explain(due) == [
        "events.toml:6:1: talk is on 2024-05-17 10:00 Asia/Shanghai (2024-05-17T02:00:00Z).",
        "events.toml:13:1: channel news asks for every category.",
        "Lead time 1h, from `before` of channel news.",
        "Hours and minutes count exactly: 2024-05-17 09:00 Asia/Shanghai (2024-05-17T01:00:00Z).",
        (
            "If nothing runs then, it is sent late until 2024-05-17 10:00 Asia/Shanghai (2024-05-17T02:00:00Z), then "
            "recorded as expired."
        ),
        "It is sent at 2024-05-17 09:00 Asia/Shanghai (2024-05-17T01:00:00Z).",
    ]


def test_a_day_before_held_for_quiet_hours_in_another_zone(catalog: Read) -> None:
    more = 'categories = ["talks"]\ntimezone = "Europe/Moscow"\nquiet = "22:00-07:00"\n'
    due = due_reminders(catalog(TOML + more), *ALWAYS)[0]
    assert explain(due)[1:] == [
        "events.toml:13:1: channel news asks for talks.",
        "Lead time 1d, from `before` of channel news.",
        (
            "Days count on the local calendar, so the hour stays the same: "
            "2024-05-16 10:00 Asia/Shanghai (2024-05-16T02:00:00Z)."
        ),
        (
            "If nothing runs then, it is sent late until 2024-05-17 10:00 Asia/Shanghai (2024-05-17T02:00:00Z), then "
            "recorded as expired."
        ),
        "The quiet hours 22:00-07:00 in Europe/Moscow hold it until they end.",
        "It is sent at 2024-05-16 07:00 Europe/Moscow (2024-05-16T04:00:00Z).",
    ]


def test_a_day_before_at_a_time_that_clocks_skip(catalog: Read) -> None:
    """Also at the hour of all-day items."""
    timed = TOML.replace("Asia/Shanghai", "Europe/Paris").replace("05-17T10:00:00", "04-01T02:30:00")
    timed = timed.replace("05-17T11", "04-01T11")
    days = (
        timed.replace("T02:30:00", "")
        .replace("T11:30:00", "")
        .replace("[[events]]", 'all_day_at = "02:30"\n[[events]]')
    )
    shown = (
        "clocks skip that time, so just as long after the skip, 2024-03-31 03:30 Europe/Paris (2024-03-31T01:30:00Z)."
    )
    (first, *_), (all_day, *_) = (due_reminders(catalog(toml), *ALWAYS) for toml in (timed, days))
    assert explain(first)[3] == f"Days count on the local calendar, so the hour stays the same: {shown}"
    assert explain(all_day)[3] == (
        f"It has no hour, so it reminds at `all_day_at` 02:30 local time, 1 day before: {shown}"
    )


def test_what_cannot_wait_for_the_end_of_the_quiet_hours(catalog: Read) -> None:
    due = due_reminders(catalog(TOML + 'quiet = "08:00-12:00"\nbefore = ["1h"]'), *ALWAYS)[0]
    assert explain(due)[-2:] == [
        "It falls into the quiet hours 08:00-12:00 in Asia/Shanghai but is not held: it would have begun by then.",
        "It is sent at 2024-05-17 09:00 Asia/Shanghai (2024-05-17T01:00:00Z).",
    ]


def test_an_occurrence_with_leads_of_its_own_days_and_hours(catalog: Read) -> None:
    own = TOML.replace('categories = ["talks"]', 'rrule = "FREQ=DAILY;COUNT=2"\nremind = ["1d6h"]')
    due = due_reminders(catalog(own), *ALWAYS)[1]
    assert explain(due)[0:4:2] == [
        (
            "events.toml:6:1: talk, occurrence 20240518T020000Z is on "
            "2024-05-18 10:00 Asia/Shanghai (2024-05-18T02:00:00Z)."
        ),
        "Lead time 1d6h, from `remind` of talk.",
    ]
    assert explain(due)[3] == (
        "Days count on the local calendar, then hours and minutes exactly: "
        "2024-05-17 04:00 Asia/Shanghai (2024-05-16T20:00:00Z)."
    )


def test_days_without_an_hour(catalog: Read) -> None:
    days = TOML.replace("T10:00:00", "").replace("17T11:30:00", "18")
    for tba, reason in {
        "time": "Its hour is to be announced: the rule of all-day items holds.",
        "date": "Its day is to be announced: the lead counts from the first day of its window.",
    }.items():
        more = f'tba = "{tba}"\nstatus = "tentative"\nembargo = 2024-05-10T00:00:00Z'
        due, same_day = due_reminders(catalog(days.replace('["talks"]', f'["talks"]\n{more}')), *ALWAYS)
        assert explain(due)[0] == "events.toml:6:1: talk is on 2024-05-17 in Asia/Shanghai."
        assert explain(due)[3:7] == [
            (
                "It has no hour, so it reminds at `all_day_at` 09:00 local time, 1 day before: "
                "2024-05-16 09:00 Asia/Shanghai (2024-05-16T01:00:00Z)."
            ),
            reason,
            "It is tentative, and the message says so.",
            "Its embargo ended at 2024-05-10 08:00 Asia/Shanghai (2024-05-10T00:00:00Z); nothing is told before.",
        ]
        assert explain(same_day)[2] == "Lead time below a day, from `before` of channel news."
        assert "local time, the same day: 2024-05-17" in explain(same_day)[3]


def test_a_digest(catalog: Read) -> None:
    (digest,) = due_digests(catalog(TOML + 'digest = "08:00"'), *ALWAYS)
    assert explain(digest) == [
        "events.toml:13:1: channel news has a `digest`, and 2024-05-17 has 1 item.",
        "It is planned for 2024-05-17 08:00 Asia/Shanghai (2024-05-17T00:00:00Z).",
        (
            "If nothing runs then, it is sent late until 2024-05-18 00:00 Asia/Shanghai (2024-05-17T16:00:00Z), then "
            "recorded as expired."
        ),
        "It is sent at 2024-05-17 08:00 Asia/Shanghai (2024-05-17T00:00:00Z).",
    ]
