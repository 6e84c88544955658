"""What recurs: the rule in its canonical text, extra and excepted dates, and occurrences that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from calfeed.errors import Location
from calfeed.events import bounds, schema, times
from calfeed.events.model import Event, Moment
from calfeed.events.occurrences import check_rule, length, occurs
from calfeed.events.parse_events import check_tba, end_of, given_keys, own_zone
from calfeed.events.report import Fault, Scope
from calfeed.events.rules import canonical_rule, parse_rule
from calfeed.events.shapes import UNKNOWN


def recurring(event: Event, table: schema.EventTable, scope: Scope, places: Sequence[Location], language: str) -> Event:
    """``event`` with its rule, its dates and its overrides (whose headers stand at ``places``)."""
    if table.rrule is None and not table.rdate:
        for key in ("exdate", "overrides"):
            if getattr(table, key):
                scope.error((key,), "the event does not recur", "give it rrule or rdate, or leave this out")
        return event
    extra = [scope.take(("rdate", n), _moment, each, event) for n, each in enumerate(table.rdate or ())]
    event = replace(event, rdate=_ordered(extra))
    if table.rrule is not None:
        rule = scope.take(("rrule",), _rule, table.rrule, event)
        if rule is None:
            return event  # what its dates and overrides mean cannot be said without it
        event = replace(event, rrule=rule)
    skipped = [scope.take(("exdate", n), _occurrence, each, event) for n, each in enumerate(table.exdate or ())]
    changed = table.overrides or ()
    overrides = _overrides(event, changed, scope, places if changed else (), language)  # faulty ones may be taken out
    event = replace(event, exdate=_ordered(skipped))
    scope.take(("exdate",), _some_left, event)
    return replace(event, overrides=overrides)


def _ordered(moments: Sequence[Moment | None]) -> tuple[Moment, ...]:
    return tuple(sorted({each for each in moments if each is not None}, key=times.order))


def _moment(value: date, event: Event) -> Moment:
    return times.same_form(value, event.start, event.zone)


def _rule(text: str, event: Event) -> str:
    try:
        rule = canonical_rule(text, event.start)
        if (until := parse_rule(rule).until) is not None and until.year > bounds.YEARS[1]:
            raise Fault(f"UNTIL is after {bounds.YEARS[1]}", "leave UNTIL out for a rule without end")
        check_rule(replace(event, rrule=rule))
    except (ValueError, OverflowError) as error:  # the latter: UNTIL in the last hours of the year 9999
        raise Fault(str(error)) from None
    return rule


def _some_left(event: Event) -> None:
    try:
        check_rule(event)
    except ValueError as error:
        raise Fault(str(error), "set status to cancelled to call off all of it") from None


def _occurrence(value: date, event: Event) -> Moment:
    """A start that the rule gives; none is an error, for what was to be changed would stand as it was."""
    moment = _moment(value, event)
    if not occurs(event, moment):
        raise Fault(f"no occurrence begins at {times.shown(moment)}", "write the start that the rule gives it")
    return moment


def _overrides(
    event: Event, tables: Sequence[schema.OverrideTable], scope: Scope, places: Sequence[Location], language: str
) -> tuple[Event, ...]:
    found: dict[Moment, Event] = {}
    for number, (table, place) in enumerate(zip(tables, places, strict=True)):
        own = scope.below("overrides", number)
        if table.recurrence_id is UNKNOWN:
            given_keys(table, own, language)
            continue
        moment = own.take(("recurrence_id",), _occurrence, table.recurrence_id, event)
        if moment in found:
            own.error(("recurrence_id",), f"the override at {found[moment].source} is of the same occurrence")
        elif moment is not None:
            found[moment] = _override(table, own, event, moment, language, place)
    return tuple(sorted(found.values(), key=lambda each: times.order(each.recurrence_id or each.start)))


def _override(  # noqa: PLR0917  # six things make an occurrence, all of them its own
    table: schema.OverrideTable, scope: Scope, event: Event, moment: Moment, language: str, place: Location
) -> Event:
    given = given_keys(table, scope, language)
    zone = own_zone(table, scope, event.zone)
    start = scope.take(("start",), times.moment, table.start or moment, zone) or moment
    end = _end(table, scope, event, start)
    if isinstance(start, datetime) and table.start is not None:
        given.setdefault("tba", None)  # its hour is known now
    check_tba(given.get("tba", event.tba), start, end, scope)
    changes: dict[str, Any] = {**given, "start": start, "end": end, "timezone": zone.key, "source": place}
    return replace(event, recurrence_id=moment, rrule=None, rdate=(), exdate=(), overrides=(), **changes)


def _end(table: schema.OverrideTable, scope: Scope, event: Event, start: Moment) -> Moment | None:
    """What the table says, else as long as the event is, where both are of days or both of hours."""
    if table.end is not None or table.duration is not None or isinstance(start, datetime) == event.all_day:
        return end_of(table, start, own_zone(table, scope, event.zone), scope)
    if event.end is None:
        return None
    if isinstance(start, datetime):
        return (start.astimezone(UTC) + length(event)).astimezone(start.tzinfo)
    return start + length(event)
