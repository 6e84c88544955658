"""Rules that many products write and an event list does not take: they are made to mean the same in its form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from calfeed.events.expansion import END, wall_times
from calfeed.events.model import Moment
from calfeed.events.rules import parse_rule, rule_for
from calfeed.feeds.read_ics.entry import Entry
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.times import written


def align(entry: Entry, frame: Frame) -> None:
    """Begin at the rule's first date, and keep the start as a further date: the same occurrences as clients show.

    RFC 5545 §3.8.5.3 leaves it open; the most count DTSTART as the first occurrence.
    """
    _choose_end(entry, frame)
    text = entry.keys.get("rrule")
    first = _first(text, entry.start) if text else None
    if first is None or first == _wall(entry.start):
        return
    rule = parse_rule(text)
    entry.keys["rdate"] = [written(entry.start, entry.zone), *entry.keys.get("rdate", [])]
    if rule.count == 1:
        del entry.keys["rrule"], entry.keys["rdate"]
    else:
        entry.keys["rrule"] = str(replace(rule, count=rule.count - 1 if rule.count else None))
        _move(entry, first)
    frame.lost.add("DTSTART", "a start that is none of its rule's dates became a further date", entry.line("DTSTART"))


def _choose_end(entry: Entry, frame: Frame) -> None:
    """Of COUNT and UNTIL, which exclude each other, UNTIL."""
    parts = entry.keys.get("rrule", "").split(";")
    names = {part.partition("=")[0].upper() for part in parts}
    if {"COUNT", "UNTIL"} <= names:
        entry.keys["rrule"] = ";".join(part for part in parts if not part.upper().startswith("COUNT="))
        frame.lost.add("RRULE", "of COUNT and UNTIL only UNTIL was kept", entry.line("RRULE"))


def _first(text: str, start: Moment) -> datetime | None:
    """The first date of the rule on the wall clock; None where the rule cannot be read, or ends before it."""
    try:
        rule = replace(rule_for(text, start), count=None)
        first = next(wall_times(rule, _wall(start), _wall(start), END), None)
    except (ValueError, OverflowError):  # mending tells what is wrong with the rule
        return None
    if first is None or rule.until is None:
        return first
    begin = first.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else first.date()
    return first if _not_after(begin, rule.until) else None


def _not_after(begin: date, until: date) -> bool:
    return begin <= until


def _move(entry: Entry, first: datetime) -> None:
    start, end = entry.start, entry.end
    if isinstance(start, datetime):
        entry.start = first.replace(tzinfo=ZoneInfo(entry.zone))
        if isinstance(end, datetime):
            length = end.astimezone(UTC) - start.astimezone(UTC)
            entry.end = (entry.start.astimezone(UTC) + length).astimezone(entry.start.tzinfo)
            entry.keys["end"] = written(entry.end, entry.zone)
    else:
        days = first.date() - start
        entry.start = start + days
        if end is not None:
            entry.end = end + days
            if "end" in entry.keys:
                entry.keys["end"] += days
    entry.keys["start"] = written(entry.start, entry.zone)


def _wall(moment: Moment) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime.combine(moment, time())
