"""The expansion of recurrence rules once more, written without python-dateutil: `test_rules.py` holds calfeed's to it.

A day is taken or left by what the rule's parts say of it, period by period. Loaded by its path; no test of its own.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, product

from calfeed.events.bounds import YEARS
from calfeed.events.rules import Rule

_month = lru_cache(maxsize=12 * (YEARS[1] - YEARS[0] + 2))(monthrange)
END = datetime(YEARS[1] + 1, 1, 1)  # noqa: DTZ001 # of the wall clock
"""No rule is followed past it."""


def wall_times(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    """The times in [since, before) that the rule gives, in order; all naive and local.

    ``rule`` comes from `rule_for`. COUNT is obeyed, UNTIL is the caller's: it is an instant.
    """
    if rule.count is not None:
        before = min(before, _last_counted(rule, start) + timedelta(seconds=1))
    return _times_in(rule, start, max(since, start), before)


def _times_in(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    before = min(before, END)
    for moment in _sets(rule, start, since, before):
        if moment >= before:
            return
        if moment >= since:
            yield moment


@lru_cache(maxsize=4096)
def _last_counted(rule: Rule, start: datetime) -> datetime:
    last = start
    for last in islice(_times_in(rule, start, start, END), rule.count):  # noqa: B007 # the last one is wanted
        pass
    return last


def _sets(rule: Rule, start: datetime, since: datetime, before: datetime) -> Iterator[datetime]:
    if rule.within_day:
        for day in _each_day(rule, start.date(), since.date(), before.date()):
            yield from (datetime.combine(day, clock) for clock in _stepped(rule, start, day))
        return
    clocks = _clocks(rule, start)
    for days in _periods(rule, start.date(), since.date(), before.date()):
        chosen = product(sorted(days), clocks)
        for day, clock in _at_positions(list(chosen), rule.bysetpos) if rule.bysetpos else chosen:
            yield datetime.combine(day, clock)


def _at_positions(items: list[tuple[date, time]], positions: tuple[int, ...]) -> list[tuple[date, time]]:
    size = len(items)
    wanted = {position - 1 if position > 0 else size + position for position in positions}
    return [items[index] for index in sorted(wanted) if 0 <= index < size]


def _clocks(rule: Rule, start: datetime) -> list[time]:
    hours, minutes = rule.byhour or (start.hour,), rule.byminute or (start.minute,)
    return [time(*clock) for clock in product(hours, minutes, rule.bysecond or (start.second,))]


def _stepped(rule: Rule, start: datetime, day: date) -> Iterator[time]:
    """The times of a day for a rule that repeats by hours, minutes or seconds, counted from ``start``."""
    unit = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}[rule.freq]
    slots = 86400 // unit
    offset = (day.toordinal() - start.toordinal()) * slots - (
        start.hour * 3600 + start.minute * 60 + start.second
    ) // unit
    grid = range(-offset % rule.interval, slots, rule.interval)
    minutes = rule.byminute or ((start.minute,) if unit > 60 else range(60))
    seconds = rule.bysecond or ((start.second,) if unit > 1 else range(60))
    touched = {slot * unit // 3600 for slot in grid} if len(grid) < 24 else range(24)  # few steps: few hours to look at
    hours = [hour for hour in rule.byhour or range(24) if hour in touched]
    for clock in product(hours, minutes, seconds):
        if (clock[0] * 3600 + clock[1] * 60 + clock[2]) // unit in grid:
            yield time(*clock)


def _periods(rule: Rule, start: date, since: date, before: date) -> Iterator[Iterable[date]]:
    """The days that match, by period, of every period that touches [since, before]."""
    if rule.freq == "YEARLY":
        yield from _years(rule, start, since, before)
    elif rule.freq == "MONTHLY":
        first = start.year * 12 + start.month - 1
        for month in _steps(
            first, since.year * 12 + since.month - 1, before.year * 12 + before.month - 1, rule.interval
        ):
            yield _in_month(rule, *divmod(month, 12))
    elif rule.freq == "WEEKLY":
        monday = _week_start(start, rule.wkst)
        for week in _steps(monday, since.toordinal() - 6, before.toordinal(), rule.interval * 7):
            yield _in_week(rule, week)
    else:
        yield from ((day,) for day in _each_day(rule, start, since, before))


def _steps(first: int, low: int, high: int, step: int) -> range:
    """The numbers from ``first`` by ``step`` that lie in [low, high]."""
    return range(first + max(0, -((first - low) // step)) * step, high + 1, step)


def _years(rule: Rule, start: date, since: date, before: date) -> Iterator[list[date]]:
    if rule.byweekno:  # weeks belong to the year that has most of their days
        first = date.fromordinal(_week_start(start, rule.wkst) + 3).year
        for year in _steps(first, since.year - 1, before.year + 1, rule.interval):
            yield [day for week in _weeks(rule, year) for day in _in_week(rule, week)]
        return
    for year in _steps(start.year, since.year, before.year, rule.interval):
        yield [day for month in rule.bymonth or range(1, 13) for day in _in_month(rule, year, month - 1)]


def _weeks(rule: Rule, year: int) -> list[int]:
    """The weeks of BYWEEKNO, by the ordinals of their first days."""
    first, following = (_week_start(date(each, 1, 4), rule.wkst) for each in (year, year + 1))
    weeks = {first + 7 * (week - 1) if week > 0 else following + 7 * week for week in rule.byweekno}
    return [week for week in sorted(weeks) if first <= week < following]


def _in_week(rule: Rule, week: int) -> list[date]:
    """The days of a week that match; `rule_for` has named their weekdays."""
    days = (date.fromordinal(week + (weekday - rule.wkst) % 7) for _, weekday in rule.byday)
    return [day for day in days if day.day in _numbers(rule, *_month(day.year, day.month)) and _matches(rule, day)]


def _in_month(rule: Rule, year: int, month: int) -> list[date]:
    """The days of a month (counted from 0) that match."""
    if rule.bymonth and month + 1 not in rule.bymonth:
        return []
    first, length = _month(year, month + 1)
    days = (date(year, month + 1, number) for number in _numbers(rule, first, length) if 1 <= number <= length)
    return [day for day in days if _matches(rule, day)]


def _numbers(rule: Rule, first: int, length: int) -> set[int]:
    """The numbers of days that BYMONTHDAY, or else BYDAY, leaves of a month that begins on the weekday ``first``."""
    if rule.bymonthday:
        return {day if day > 0 else length + 1 + day for day in rule.bymonthday}
    weekdays = {weekday for _, weekday in rule.byday} or range(7)
    return {day for weekday in weekdays for day in range(1 + (weekday - first) % 7, length + 1, 7)}


def _each_day(rule: Rule, start: date, since: date, before: date) -> Iterator[date]:
    """The days on which a rule of days, hours, minutes or seconds may happen."""
    step = rule.interval if rule.freq == "DAILY" else 1
    for month in range(since.year * 12 + since.month - 1, before.year * 12 + before.month):
        for day in sorted(_in_month(rule, *divmod(month, 12))):
            if since <= day <= before and (day.toordinal() - start.toordinal()) % step == 0:
                yield day


def _matches(rule: Rule, day: date) -> bool:
    """Whether the day passes BYMONTH, BYYEARDAY and BYDAY."""
    if rule.bymonth and day.month not in rule.bymonth:
        return False
    if rule.byyearday:
        number, length = _in_year(day)
        if number not in rule.byyearday and number - length - 1 not in rule.byyearday:
            return False
    weekday = day.weekday()
    if not rule.byday or (0, weekday) in rule.byday:
        return True
    return any((rank, weekday) in rule.byday for rank in _ranks(rule, day))


def _ranks(rule: Rule, day: date) -> tuple[int, int]:
    """Which of its weekday the day is, from the beginning and from the end of its month or year."""
    monthly = rule.freq == "MONTHLY" or rule.bymonth
    number, length = (day.day, _month(day.year, day.month)[1]) if monthly else _in_year(day)
    return (number - 1) // 7 + 1, -((length - number) // 7 + 1)


def _in_year(day: date) -> tuple[int, int]:
    """The number of the day, and how many days its year has."""
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1, 365 + isleap(day.year)


def _week_start(day: date, wkst: int) -> int:
    return day.toordinal() - (day.weekday() - wkst) % 7
