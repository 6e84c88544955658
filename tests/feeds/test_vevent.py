"""What stands in a VEVENT, line by line; `test_golden` has the whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.feeds.series import child_uid
from calfeed.feeds.snapshot import Snapshot, client_warnings

NOW = datetime(2024, 5, 10, tzinfo=UTC)
Publish = Callable[..., Snapshot]
Lines = Callable[..., list[str]]

TIMED = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17T10:00:00\nduration = "1h"\n'
DAY = '[[events]]\nid = "day"\nsummary = "Day"\nstart = 2024-05-17\n'
SERIES = (
    '[[events]]\nid = "course"\nsummary = "Course"\nstart = 2024-05-13T10:00:00\nduration = "1h"\n'
    'rrule = "FREQ=WEEKLY;COUNT=3"\n'
    '[[events.overrides]]\nrecurrence_id = 2024-05-20T10:00:00\nstatus = "cancelled"\n'
)


def only(lines: list[str], *names: str) -> list[str]:
    """The lines of these properties, in the order they stand in."""
    return [line for line in lines if line.replace(";", ":").partition(":")[0] in names]


@pytest.mark.parametrize(
    ("toml", "alarm", "trigger"),
    [
        (TIMED, "30m", "-PT30M"),
        (TIMED, "1d", "-P1D"),
        (TIMED, "0m", "PT0S"),
        (TIMED, "1w2d3h", "-P9DT3H"),
        (DAY, "30m", "PT9H"),
        (DAY, "23h", "PT9H"),
        (DAY, "1d", "-PT15H"),
        (DAY, "36h", "-PT15H"),
        (DAY, "1w", "-P6DT15H"),
    ],
)
def test_an_alarm_of_a_day_rings_at_all_day_at(
    toml: str, alarm: str, trigger: str, publish: Publish, lines: Lines
) -> None:
    """A lead of a day or more goes back whole days, a shorter one means that same day (09:00 by default)."""
    assert only(lines(publish(toml), f"alarm={alarm}"), "TRIGGER") == [f"TRIGGER:{trigger}"]


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("desk+visit@example.org", "desk+visit@example.org"),
        ("a?b%c#d@example.org", "a%3Fb%25c%23d@example.org"),
        ("пресса@example.org", "%D0%BF%D1%80%D0%B5%D1%81%D1%81%D0%B0@example.org"),
    ],
)
def test_an_organizer_is_written_to_at_the_address_given(
    email: str, written: str, publish: Publish, lines: Lines
) -> None:
    """RFC 6068 §2: a question mark would end the address, a percent sign begin an octet."""
    toml = DAY + f'organizer = {{ name = "Desk", email = "{email}" }}\n'
    assert only(lines(publish(toml)), "ORGANIZER") == [f"ORGANIZER;CN=Desk:mailto:{written}"]


def test_what_is_cancelled_rings_no_alarm(publish: Publish, lines: Lines) -> None:
    assert only(lines(publish(TIMED + 'status = "cancelled"\n'), "alarm=30m"), "TRIGGER") == []
    assert len(only(lines(publish(SERIES), "alarm=30m"), "TRIGGER")) == 1


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["SUMMARY:Talk", "STATUS:CANCELLED", "TRANSP:TRANSPARENT"]),
        ("cancelled=mark", ["SUMMARY:Cancelled: Talk", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT"]),
        ("cancelled=mark&lang=ru", ["SUMMARY:Cancelled: Talk", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT"]),
        ("cancelled=drop", []),
    ],
)
def test_a_cancelled_event_is_kept_marked_or_dropped(
    query: str, shown: list[str], publish: Publish, lines: Lines
) -> None:
    """``mark`` speaks the language of the title, whatever language was asked for."""
    toml = TIMED + 'status = "cancelled"\ntransparency = "opaque"\n'
    assert only(lines(publish(toml), query), "SUMMARY", "STATUS", "TRANSP") == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["STATUS:CONFIRMED", "RECURRENCE-ID;TZID=Europe/Paris:20240520T100000", "STATUS:CANCELLED"]),
        ("cancelled=mark", ["STATUS:CONFIRMED", "RECURRENCE-ID;TZID=Europe/Paris:20240520T100000", "STATUS:CONFIRMED"]),
        ("cancelled=drop", ["EXDATE;TZID=Europe/Paris:20240520T100000", "STATUS:CONFIRMED"]),
        ("cancelled=drop&expand=1", ["STATUS:CONFIRMED", "STATUS:CONFIRMED"]),
    ],
)
def test_a_cancelled_occurrence_is_kept_marked_or_dropped(
    query: str, shown: list[str], publish: Publish, lines: Lines
) -> None:
    assert only(lines(publish(SERIES), query), "STATUS", "EXDATE", "RECURRENCE-ID") == shown


def test_expanded_occurrences_have_uids_of_their_own_for_ever(publish: Publish, lines: Lines) -> None:
    snapshot = publish(SERIES)
    uid = snapshot.catalog.events[0].uid
    moments = [datetime(2024, 5, day, 8, tzinfo=UTC) for day in (13, 20, 27)]
    shown = only(lines(snapshot, "expand=1"), "UID", "RRULE", "RECURRENCE-ID", "RELATED-TO")
    assert shown == [f"UID:{child_uid(uid, moment)}" for moment in moments]
    assert child_uid("u", moments[0]) == "ef451220-6242-57bc-9663-0f48e508aa03"


def test_an_endless_event_is_expanded_within_bounds(publish: Publish, lines: Lines) -> None:
    """At most a thousand, a quarter of them of the past, so that both last week and next month are there."""
    toml = DAY.replace("2024-05-17", "2001-01-01") + 'rrule = "FREQ=DAILY"\n'
    starts = [line.rpartition(":")[2] for line in only(lines(publish(toml), "expand=1"), "DTSTART")]
    assert (len(starts), starts[0], starts[-1]) == (1000, "20230807", "20260502")
    assert {"20240503", "20240610"} <= set(starts)


def test_extra_dates_are_events_of_their_own_with_their_overrides(publish: Publish, lines: Lines) -> None:
    """RDATE is dropped or mis-zoned by many readers; a date that the rule gives anyway is no extra one."""
    toml = SERIES.replace(
        '"FREQ=WEEKLY;COUNT=3"\n',
        '"FREQ=WEEKLY;COUNT=3"\nrdate = [2024-05-27T10:00:00, 2024-06-01T09:00:00, 2024-06-02T09:00:00]\n',
    )
    toml += '[[events.overrides]]\nrecurrence_id = 2024-06-02T09:00:00\nsummary = "Last"\n'
    snapshot = publish(toml)
    uid = snapshot.catalog.events[0].uid
    first, second = (datetime(2024, 6, day, 7, tzinfo=UTC) for day in (1, 2))
    assert only(lines(snapshot), "UID", "SUMMARY", "RDATE", "RELATED-TO", "RECURRENCE-ID") == [
        f"UID:{uid}",
        "SUMMARY:Course",
        f"UID:{uid}",
        "RECURRENCE-ID;TZID=Europe/Paris:20240520T100000",
        "SUMMARY:Course",
        f"UID:{child_uid(uid, first)}",
        "SUMMARY:Course",
        f"RELATED-TO:{uid}",
        f"UID:{child_uid(uid, second)}",
        "SUMMARY:Last",
        f"RELATED-TO:{uid}",
    ]


def test_an_event_with_extra_dates_and_no_rule_has_no_rrule(publish: Publish, lines: Lines) -> None:
    toml = TIMED + "rdate = [2024-05-18T10:00:00]\nexdate = [2024-05-17T10:00:00]\n"
    snapshot = publish(toml)
    extra = child_uid(snapshot.catalog.events[0].uid, datetime(2024, 5, 18, 8, tzinfo=UTC))
    assert only(lines(snapshot), "UID", "RRULE", "EXDATE") == [f"UID:{extra}"]


def test_a_rule_without_a_date_left_is_not_written(publish: Publish, lines: Lines) -> None:
    """Only the further date is, in each format; it relates to nothing that is not there."""
    toml = TIMED + (
        'rrule = "FREQ=WEEKLY;COUNT=2"\nrdate = [2024-05-20T10:00:00]\n'
        "exdate = [2024-05-17T10:00:00, 2024-05-24T10:00:00]\n"
    )
    snapshot = publish(toml)
    extra = child_uid(snapshot.catalog.events[0].uid, datetime(2024, 5, 20, 8, tzinfo=UTC))
    written = ["UID", "RRULE", "EXDATE", "RELATED-TO", "DTSTART"]
    assert only(lines(snapshot), *written) == [f"UID:{extra}", "DTSTART;TZID=Europe/Paris:20240520T100000"]
    assert only(lines(snapshot, "expand=1"), "DTSTART") == ["DTSTART;TZID=Europe/Paris:20240520T100000"]
    (vevent,) = [part for part in body(snapshot, "jcal")[2] if part[0] == "vevent"]
    assert [line[3] for line in vevent[1] if line[0] in {"uid", "dtstart", "rrule", "related-to"}] == [
        extra,
        "2024-05-20T10:00:00",
    ]
    (entry,) = body(snapshot, "jscal")["entries"]
    assert [key for key, patch in entry["recurrenceOverrides"].items() if patch != {"excluded": True}] == [
        "2024-05-20T10:00:00"
    ]
    assert client_warnings(snapshot.catalog, NOW) == []


def test_a_rule_with_one_date_left_is_written(publish: Publish, lines: Lines) -> None:
    """Be it one that differs."""
    dates = "rdate = [2024-05-22T10:00:00]\nexdate = [2024-05-13T10:00:00, 2024-05-27T10:00:00]\n"
    snapshot = publish(SERIES.replace('COUNT=3"\n', f'COUNT=3"\n{dates}'))
    uid = snapshot.catalog.events[0].uid
    assert only(lines(snapshot), "UID", "RRULE", "RELATED-TO") == [
        f"UID:{uid}",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        f"UID:{uid}",
        f"UID:{child_uid(uid, datetime(2024, 5, 22, 8, tzinfo=UTC))}",
        f"RELATED-TO:{uid}",
    ]


def body(snapshot: Snapshot, suffix: str) -> Any:
    """A feed in one of the JSON formats."""
    found = snapshot.resource(f"/feeds/all.{suffix}")
    assert found is not None
    return json.loads(found.body)


def test_what_is_to_be_announced_is_said_in_the_language_of_the_title(publish: Publish, lines: Lines) -> None:
    toml = (
        '[[events]]\nid = "a"\nsummary = { en = "Signing", ru = "Подписание", zh = "签署" }\n'
        'start = 2024-05-16\nend = 2024-05-17\ntba = "date"\n'
    )
    said = {lang: only(lines(publish(toml), f"lang={lang}"), "SUMMARY", "DESCRIPTION") for lang in ("en", "ru", "zh")}
    assert said == {
        "en": [
            "SUMMARY;LANGUAGE=en:Signing (date to be announced)",
            "DESCRIPTION;LANGUAGE=en:Date to be announced: some day within 16–17 May 2024.",
        ],
        "ru": [
            "SUMMARY;LANGUAGE=ru:Подписание (дата уточняется)",
            "DESCRIPTION;LANGUAGE=ru:Дата будет объявлена: один из дней 16–17 мая 2024 года.",
        ],
        "zh": [
            "SUMMARY;LANGUAGE=zh:签署（日期待定）",
            "DESCRIPTION;LANGUAGE=zh:日期待定：2024年5月16日至17日之间的某一天。",
        ],
    }


@pytest.mark.parametrize(
    ("lang", "summary"),
    [
        ("", "SUMMARY;LANGUAGE=en:Talk"),
        ("lang=RU", "SUMMARY;LANGUAGE=ru:Доклад"),
        ("lang=ru-RU", "SUMMARY;LANGUAGE=ru:Доклад"),
        ("lang=zh-Hant", "SUMMARY;LANGUAGE=zh-Hant:演講"),
        ("lang=fr", "SUMMARY;LANGUAGE=en:Talk"),
    ],
)
def test_a_language_that_is_not_there_falls_back(lang: str, summary: str, publish: Publish, lines: Lines) -> None:
    toml = TIMED.replace('"Talk"', '{ ru = "Доклад", en = "Talk", zh-Hant = "演講" }')
    assert only(lines(publish(toml), lang), "SUMMARY") == [summary]


def test_a_second_reading_of_a_clock_time_is_written_in_utc(publish: Publish, lines: Lines) -> None:
    """A local time with TZID means the first of the two (RFC 5545 §3.3.5)."""
    first = '[[events]]\nid = "first"\nsummary = "First"\nstart = 2024-10-27T02:30:00+02:00\n'
    second = '[[events]]\nid = "second"\nsummary = "Second"\nstart = 2024-10-27T02:30:00+01:00\n'
    assert only(lines(publish(first + second)), "DTSTART") == [
        "DTSTART;TZID=Europe/Paris:20241027T023000",
        "DTSTART:20241027T013000Z",
    ]


def test_an_hour_from_one_reading_of_a_clock_time_to_the_other_is_an_hour(publish: Publish, lines: Lines) -> None:
    toml = DAY.replace("2024-05-17", "2024-10-27T02:30:00+02:00\nend = 2024-10-27T02:30:00+01:00")
    assert only(lines(publish(toml)), "DTSTART", "DTEND") == ["DTSTART:20241027T003000Z", "DTEND:20241027T013000Z"]


def test_a_law_that_one_rule_cannot_say_puts_single_events_in_utc_first(publish: Publish, lines: Lines) -> None:
    """Moscow kept summer time until 2010: the series of 2024 keeps its TZID and rule, the old single event does not."""
    toml = (
        '[[events]]\nid = "old"\nsummary = "Old"\nstart = 2010-07-01T12:00:00\ntimezone = "Europe/Moscow"\n'
        '[[events]]\nid = "now"\nsummary = "Now"\nstart = 2024-07-01T12:00:00\ntimezone = "Europe/Moscow"\n'
        'rrule = "FREQ=WEEKLY;COUNT=3"\n'
    )
    assert only(lines(publish(toml)), "DTSTART", "RRULE") == [
        "DTSTART:20100701T080000Z",
        "DTSTART;TZID=Europe/Moscow:20240701T120000",
        "RRULE:FREQ=WEEKLY;COUNT=3",
    ]


def test_links_lead_to_the_event_or_to_its_page(publish: Publish, lines: Lines) -> None:
    """A private event has no page; its class says what it is."""
    toml = (
        '[[feeds]]\nid = "staff"\nname = "Staff"\nvisibility = "private"\n'
        + TIMED
        + DAY
        + 'url = "https://other.example.org/a,b;c"\n'
        + '[[events]]\nid = "board"\nsummary = "Board"\nstart = 2024-05-20\nvisibility = "private"\n'
    )
    shown = lines(publish(toml), path="/feeds/staff.ics", private=True)
    assert only(shown, "URL", "CLASS") == [
        "URL:https://other.example.org/a,b;c",
        "URL:https://example.org/events/talk",
        "CLASS:PRIVATE",
    ]


def test_a_removed_event_stands_as_cancelled_with_its_last_content(publish: Publish, lines: Lines) -> None:
    before = publish(TIMED + DAY)
    after = publish(DAY, after=before, now=NOW + timedelta(hours=1))
    assert only(lines(after), "SUMMARY", "STATUS", "SEQUENCE", "DTSTAMP", "X-CALFEED-TBA") == [
        "DTSTAMP:20240510T000000Z",
        "SEQUENCE:0",
        "SUMMARY:Day",
        "STATUS:CONFIRMED",
        "DTSTAMP:20240510T010000Z",
        "SEQUENCE:1",
        "SUMMARY:Talk",
        "STATUS:CANCELLED",
    ]
    assert only(lines(after, "cancelled=drop"), "SUMMARY") == ["SUMMARY:Day"]
