"""Days, spans, clocks and zones in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.web.dates import Dates, city, offset

SHANGHAI = ZoneInfo("Asia/Shanghai")


def spaced(text: str) -> str:
    """CLDR's narrow and unbreakable spaces as plain ones."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "17–21 May"), ("ru", "17–21 мая"), ("zh", "5月17日至21日")],
)
def test_a_span_names_the_month_once(language: str, said: str) -> None:
    assert Dates(language).span(date(2024, 5, 17), date(2024, 5, 21)) == said


def test_a_span_over_new_year_names_both_years() -> None:
    assert spaced(Dates("en").span(date(2024, 12, 30), date(2025, 1, 2))) == "30 Dec 2024 – 2 Jan 2025"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (datetime(2024, 5, 16, 11, 30, tzinfo=SHANGHAI), "10:00–11:30"),
        (datetime(2024, 5, 16, 10, tzinfo=SHANGHAI), "10:00"),
        (datetime(2024, 5, 18, 9, tzinfo=SHANGHAI), "16 May 10:00 – 18 May 09:00"),
    ],
)
def test_hours_name_a_day_only_where_it_differs(end: datetime, said: str) -> None:
    assert Dates("en").clocks(datetime(2024, 5, 16, 10, tzinfo=SHANGHAI), end) == said


def test_an_item_over_midnight_keeps_its_short_form() -> None:
    start, end = datetime(2024, 5, 16, 22, tzinfo=SHANGHAI), datetime(2024, 5, 17, 4, tzinfo=SHANGHAI)
    assert Dates("en").clocks(start, end) == "22:00–04:00"


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Asia/Shanghai", "UTC+8"), ("Asia/Kathmandu", "UTC+5:45"), ("America/St_Johns", "UTC−2:30"), ("UTC", "UTC")],
)
def test_offsets(zone: str, said: str) -> None:
    assert offset(datetime(2024, 5, 16, tzinfo=ZoneInfo(zone))) == said


@pytest.mark.parametrize(("month", "said"), [(1, "Central European Time, UTC+1"), (7, "Central European Time, UTC+2")])
def test_a_zone_is_named_with_the_offset_of_its_day(month: int, said: str) -> None:
    """A winter's visitor must not read a summer item with winter's offset."""
    assert Dates("en").zone("Europe/Paris", datetime(2024, month, 1, tzinfo=UTC)) == said


def test_utc_is_named_once() -> None:
    assert Dates("en").zone("UTC", datetime(2024, 5, 1, tzinfo=UTC)).endswith("UTC")


def test_stamps_are_local_to_the_page() -> None:
    assert spaced(Dates("ru").stamp(datetime(2024, 5, 14, 22, tzinfo=UTC), SHANGHAI)) == "15 мая 2024 г., 06:00"


def test_a_city_is_the_last_part_of_its_zone() -> None:
    assert city("America/Argentina/Buenos_Aires") == "Buenos Aires"


def test_a_month_begins_with_a_capital_where_it_stands_alone() -> None:
    assert spaced(Dates("ru").month_year(date(2024, 5, 1))) == "Май 2024 г."
