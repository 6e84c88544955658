"""Agenda, month, timeline and window: where each item stands. Items are made by hand; time is theirs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.events.model import Event, Moment, Occurrence, Tba, Text
from calfeed.web.agenda import agenda
from calfeed.web.dates import Dates
from calfeed.web.items import Item, item, items
from calfeed.web.month import LANES, neighbours, weeks
from calfeed.web.timeline import MOST_DAYS, Row, days, rows
from calfeed.web.window import SCREENFUL, any_after, any_before, backward, forward

MAY = date(2024, 5, 1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def made(name: str, start: Moment, end: Moment, tba: Tba | None = None) -> Item:
    event = Event(
        id=name, uid=name, summary=Text((("en", name),)), start=start, end=end, timezone="Asia/Shanghai", tba=tba
    )
    return item(Occurrence(event, start, end), None, {})


def span(name: str, first: int, last: int, tba: Tba | None = None) -> Item:
    """An item of whole days of May 2024, both inclusive."""
    return made(name, date(2024, 5, first), date(2024, 5, last) + timedelta(days=1), tba)


def hours(name: str, day: int, start: int, length: int) -> Item:
    begins = datetime(2024, 5, day, start, tzinfo=SHANGHAI)
    return made(name, begins, begins + timedelta(hours=length))


VISIT, EXPO, SIGNING = span("visit", 16, 17), span("expo", 17, 21), span("signing", 16, 17, "date")
TALKS = hours("talks", 16, 10, 2)


def ordered(*some: Item) -> list[Item]:
    return sorted(some, key=lambda one: one.order)


def test_an_item_over_midnight_stands_on_its_first_day() -> None:
    """A night's concert is no two-day event, but it is not over at midnight either."""
    night = hours("night", 18, 22, 7)
    assert (night.first, night.last, night.over) == (date(2024, 5, 18), date(2024, 5, 18), date(2024, 5, 19))


def test_an_item_whose_end_clocks_show_before_its_start_has_its_end() -> None:
    """It takes 40 minutes, in which the clocks go back."""
    new_york = ZoneInfo("America/New_York")
    begins = datetime(2024, 11, 3, 1, 30, tzinfo=new_york)
    shown = item(made("night", begins, begins.replace(minute=10, fold=1)).occurrence, new_york, {})
    assert shown.begins is not None
    assert shown.ends is not None
    assert Dates("en").clocks(shown.begins, shown.ends) == "01:30–01:10"


def test_an_item_that_ends_at_a_midnight_that_clocks_skip_does_not_touch_the_next_day() -> None:
    """In Cairo 01:00 of the 26th came right after the last second of the 25th."""
    cairo = ZoneInfo("Africa/Cairo")
    night = made("night", datetime(2024, 4, 24, 22, tzinfo=cairo), datetime(2024, 4, 26, 1, tzinfo=cairo))
    assert item(night.occurrence, cairo, {}).last == date(2024, 4, 25)


def test_the_readers_zone_moves_hours_and_not_days() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    late = hours("late", 16, 23, 2).occurrence
    moved = items([late, VISIT.occurrence], tokyo, {})
    assert [(one.event.id, one.first) for one in moved] == [("visit", date(2024, 5, 16)), ("late", date(2024, 5, 17))]


def test_the_agenda_shows_each_item_once_and_open_dates_apart() -> None:
    found = agenda(ordered(EXPO, TALKS, SIGNING, VISIT), None)
    assert [
        (group.first.day, group.last.day, group.open, [entry.item.event.id for entry in group.entries])
        for month in found
        for group in month.groups
    ] == [(16, 16, False, ["visit", "talks"]), (16, 17, True, ["signing"]), (17, 17, False, ["expo"])]


def test_what_is_under_way_stands_first_with_its_day_counted() -> None:
    (month,) = agenda([EXPO], date(2024, 5, 19))
    (entry,) = month.groups[0].entries
    assert (month.groups[0].first, entry.day, entry.item.days) == (date(2024, 5, 19), 3, 5)


def test_months_begin_anew() -> None:
    june = made("june", date(2024, 6, 2), date(2024, 6, 3))
    assert [month.first for month in agenda([VISIT, june], None)] == [MAY, date(2024, 6, 1)]


def test_the_expo_is_one_bar_over_five_days_in_two_weeks() -> None:
    """17–21 May 2024 is Friday to Tuesday."""
    bars = [
        (bar.item.event.id, bar.column, bar.span, bar.lane, bar.before, bar.after)
        for week in weeks(ordered(VISIT, EXPO), MAY)
        for bar in week.bars
    ]
    assert bars == [
        ("visit", 4, 2, 1, False, False),
        ("expo", 5, 3, 2, False, True),
        ("expo", 1, 2, 1, True, False),
    ]


def test_known_dates_take_their_lanes_before_open_ones() -> None:
    crowd = [span(f"open-{number}", 16, 17, "date") for number in range(LANES)]
    week = weeks(ordered(EXPO, *crowd), MAY)[2]
    assert [bar.lane for bar in week.bars if bar.item.event.id == "expo"] == [1]
    assert [day.hidden for day in week.days] == [0, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(("first_weekday", "first"), [(0, date(2024, 4, 29)), (6, date(2024, 4, 28))])
def test_the_week_begins_where_the_readers_does(first_weekday: int, first: date) -> None:
    assert weeks([], MAY, first_weekday)[0].days[0].date == first


def test_neighbouring_months() -> None:
    assert neighbours(date(2024, 1, 1)) == (date(2023, 12, 1), date(2024, 2, 1))


@given(st.lists(st.tuples(st.integers(1, 31), st.integers(0, 20)), max_size=25))
def test_bars_of_a_week_never_overlap_and_nothing_is_lost(spans: list[tuple[int, int]]) -> None:
    """On each day: the bars that stand there plus what is only counted are all the items that touch it."""
    some = ordered(*(span(f"e{n}", first, min(first + more, 31)) for n, (first, more) in enumerate(spans)))
    for week in weeks(some, MAY):
        for column, day in enumerate(week.days, 1):
            here = [bar for bar in week.bars if bar.column <= column < bar.column + bar.span]
            assert len({bar.lane for bar in here}) == len(here) <= LANES
            assert len(here) + day.hidden == sum(one.first <= day.date <= one.last for one in some)


def test_a_timeline_row_has_its_bar_and_room_for_its_words() -> None:
    shown = days(date(2024, 5, 16), date(2024, 5, 21))
    late = span("late", 21, 21)
    assert rows([VISIT, EXPO, late], shown) == [
        Row(VISIT, column=1, span=2, words="after", before=False, after=False),
        Row(EXPO, column=2, span=5, words="inside", before=False, after=False),
        Row(late, column=6, span=1, words="before", before=False, after=False),
    ]


def test_a_timeline_is_cut_at_what_the_stylesheet_has_columns_for() -> None:
    shown = days(date(2024, 1, 1), date(2024, 12, 31))
    (row,) = rows([span("may", 1, 31)], days(date(2024, 5, 10), date(2024, 5, 20)))
    assert (len(shown), row.column, row.span, row.before, row.after) == (MOST_DAYS, 1, 11, True, True)


def finder(some: list[Item]):
    def find(first: date, last: date) -> list[Item]:
        return [one for one in ordered(*some) if one.first <= last and one.over >= first]

    return find


def test_a_window_goes_as_far_as_there_is_something() -> None:
    find = finder([VISIT, EXPO])
    shown = forward(find, date(2024, 5, 14))
    assert (shown.items, shown.last, shown.before, shown.after) == ([VISIT, EXPO], date(2024, 5, 21), False, False)


def test_a_crowd_is_cut_at_a_whole_day() -> None:
    """Two items a day: the screenful's last day is shown whole, and the next page begins after it."""
    crowd = [hours(f"{day}-{hour}", day, hour, 1) for day in range(1, 32) for hour in (9, 10, 11)]
    shown = forward(finder(crowd), MAY)
    following = forward(finder(crowd), shown.last + timedelta(days=1))
    assert (len(shown.items), shown.last, shown.after) == (SCREENFUL, date(2024, 5, 20), True)
    assert (following.items[0].first, following.before, following.after) == (date(2024, 5, 21), True, False)
    assert len(shown.items) + len(following.items) == len(crowd)


def test_a_window_backward_ends_where_it_is_told_to() -> None:
    crowd = [hours(f"{day}-{hour}", day, hour, 1) for day in range(1, 32) for hour in (9, 10, 11)]
    shown = backward(finder(crowd), date(2024, 5, 31))
    assert (shown.first, shown.last, shown.before, shown.after) == (date(2024, 5, 12), date(2024, 5, 31), True, False)


def test_what_lies_beyond_is_found_however_far() -> None:
    find = finder([made("far", date(2084, 5, 1), date(2084, 5, 2))])
    assert (any_after(find, MAY), any_before(find, MAY), any_before(find, date(2100, 1, 1))) == (True, False, True)


def test_an_empty_calendar_has_an_empty_window() -> None:
    find = finder([])
    assert (forward(find, MAY).items, backward(find, MAY).items, forward(find, MAY).after) == ([], [], False)
