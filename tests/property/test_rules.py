"""Laws of recurrence rules, held against two other expansions: `oracle.py`, and dateutil's own where it is right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice
from pathlib import Path

from dateutil.rrule import rrulestr
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from calfeed.events.expansion import END, wall_times
from calfeed.events.rules import FREQUENCIES, WEEKDAYS, canonical_rule, parse_rule, rule_for

_spec = spec_from_file_location("oracle", Path(__file__).with_name("oracle.py"))
oracle = module_from_spec(_spec)
_spec.loader.exec_module(oracle)

starts = st.builds(
    lambda day, clock: datetime.combine(day, clock.replace(microsecond=0, fold=0)),
    st.dates(date(1999, 1, 1), date(2030, 12, 31)),
    st.times(),
)


def _numbers(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high).filter(bool) if low < 0 else st.integers(low, high)
    return st.lists(numbers, min_size=1, max_size=4, unique=True).map(lambda each: ",".join(map(str, each)))


def _weekdays(counted: int, *, mixed: bool) -> st.SearchStrategy[str]:
    """Weekdays, plain ones and counted ones in one list only if ``mixed``."""
    plain, which = st.sampled_from(WEEKDAYS), st.integers(-counted, counted).filter(bool).map(str)
    numbered = st.tuples(which, plain).map("".join)
    kinds = [plain, numbered, plain | numbered][: 1 + bool(counted) + (mixed and bool(counted))]
    return st.one_of(*(st.lists(kind, min_size=1, max_size=3, unique=True) for kind in kinds)).map(",".join)


@st.composite
def rule_texts(draw: st.DrawFn, *, freqs: tuple[str, ...] = FREQUENCIES, judged: bool = True) -> str:
    """Any rule that RFC 5545 allows, without an end; if ``judged``, only those that dateutil expands right by itself.

    It errs on BYWEEKNO around New Year and on BYSETPOS in the first week, and takes MO,1TU for what is both.
    """
    freq = draw(st.sampled_from(freqs))
    parts = {"INTERVAL": st.integers(1, 20).map(str), "BYMONTH": _numbers(1, 12)}
    if freq != "WEEKLY":
        parts["BYMONTHDAY"] = _numbers(-31 if freq in {"YEARLY", "MONTHLY"} else 1, 31)
    if freq in {"YEARLY", "HOURLY", "MINUTELY", "SECONDLY"}:
        parts["BYYEARDAY"] = _numbers(-366, 366)
    if freq == "YEARLY" and not judged:
        parts["BYWEEKNO"] = _numbers(-53, 53)
    parts |= {"BYHOUR": _numbers(0, 23), "BYMINUTE": _numbers(0, 59), "BYSECOND": _numbers(0, 59)}
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), max_size=3, unique=True))
    rule = {"FREQ": freq, **{name: draw(parts[name]) for name in chosen}, "WKST": draw(st.sampled_from(WEEKDAYS))}
    if draw(st.booleans()):
        counted = 5 if freq == "MONTHLY" or "BYMONTH" in rule else 53
        counts = freq in {"YEARLY", "MONTHLY"} and "BYWEEKNO" not in rule
        rule["BYDAY"] = draw(_weekdays(counted if counts else 0, mixed=not judged))
    chosen_from = {"YEARLY", "MONTHLY", "DAILY"} if judged else {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
    if freq in chosen_from and any(name.startswith("BY") for name in rule) and draw(st.booleans()):
        rule["BYSETPOS"] = draw(_numbers(-4, 4))
    return ";".join(f"{name}={value}" for name, value in rule.items())


@settings(max_examples=500)
@given(rule_texts(judged=False), starts, st.integers(0, 8000), st.integers(1, 2000), st.integers(0, 60))
def test_expands_like_the_oracle(text: str, start: datetime, skipped: int, wide: int, count: int) -> None:
    """Two expansions that share no line agree on any rule and any span of it, with COUNT and without."""
    rule = rule_for(text, start)
    if count and not rule.within_day:
        rule = replace(rule, count=count)
    since = start + timedelta(days=skipped, hours=skipped % 24)
    before = since + timedelta(days=wide % 20 if rule.within_day else wide)
    found = list(islice(wall_times(rule, start, since, before), 300))
    assert found == list(islice(oracle.wall_times(rule, start, since, before), 300))


@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a smaller example may send dateutil to the year 9999
@given(rule_texts(), starts)
def test_expands_like_dateutil(text: str, start: datetime) -> None:
    """The first times within three years, or the first 60, are dateutil's."""
    end = start + timedelta(days=1100)
    # dateutil walks on to the year 9999 when nothing matches, or raises: give it something to stop at
    assume(next(wall_times(rule_for(text, start), start, start, end), None) is not None)
    judge = rrulestr(f"{text};UNTIL={end:%Y%m%dT%H%M%S}", dtstart=start)
    ours = list(islice(wall_times(rule_for(text, start), start, start, end + timedelta(seconds=1)), 60))
    assert ours == list(islice(judge, len(ours)))
    if len(ours) < 60 and "HOURLY" not in text and "MINUTELY" not in text and "SECONDLY" not in text:
        assert next(islice(judge, len(ours), None), None) is None


@given(rule_texts(judged=False), starts, st.integers(0, 3000), st.integers(1, 40))
def test_begins_anywhere(text: str, start: datetime, skipped: int, wide: int) -> None:
    """A span in the middle holds exactly what a walk from the start finds in it."""
    rule = rule_for(text, start)
    since = start + timedelta(days=min(skipped, 3) if rule.within_day else skipped, hours=skipped % 24)
    before = since + timedelta(days=wide)
    found = list(islice(wall_times(rule, start, since, before), 500))
    walked = (each for each in wall_times(rule, start, start, before) if each >= since)
    assert found == list(islice(walked, 500))
    assert found == sorted(set(found))


@given(rule_texts(freqs=("YEARLY", "MONTHLY", "WEEKLY", "DAILY"), judged=False), starts, st.integers(1, 30))
def test_count_is_the_first_ones(text: str, start: datetime, count: int) -> None:
    """COUNT=n is the first n of the rule without it, wherever one begins to look."""
    plain = list(islice(wall_times(rule_for(text, start), start, start, END), count))
    counted = rule_for(f"{text};COUNT={count}", start)
    assert list(wall_times(counted, start, start, END)) == plain
    if plain:
        assert list(wall_times(counted, start, plain[-1], END)) == plain[-1:]


@given(rule_texts(judged=False), starts)
def test_the_canonical_text_is_the_rule(text: str, start: datetime) -> None:
    """It reads as the same rule, and has no other canonical text."""
    once = canonical_rule(text)
    assert parse_rule(once) == parse_rule(text)
    assert canonical_rule(once) == once
    outright = rule_for(canonical_rule(text, start), start)
    before = start + timedelta(days=1000)
    assert list(islice(wall_times(outright, start, start, before), 50)) == list(
        islice(wall_times(rule_for(text, start), start, start, before), 50)
    )


@given(st.integers(-53, 53).filter(bool), st.sampled_from(WEEKDAYS), st.integers(1990, 2050))
def test_weeks_are_iso_weeks(week: int, weekday: str, year: int) -> None:
    """BYWEEKNO counts as ISO 8601 does, where dateutil errs: in every year, for every day, from both ends."""
    first, last = date(year, 1, 1), date(year + 8, 1, 1)
    start, end = (datetime.combine(day, time()) for day in (first, last))
    rule = rule_for(f"FREQ=YEARLY;BYWEEKNO={week};BYDAY={weekday}", start)
    days = (first + timedelta(number) for number in range((last - first).days))
    expected = [day for day in days if WEEKDAYS[day.weekday()] == weekday and _in_week(day, week)]
    assert [each.date() for each in wall_times(rule, start, start, end)] == expected


def _in_week(day: date, week: int) -> bool:
    number = day.isocalendar().week
    weeks = date(day.isocalendar().year, 12, 28).isocalendar().week
    return week in {number, number - weeks - 1}
