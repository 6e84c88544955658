"""Which dates of a series changed, in words."""

from __future__ import annotations

from calfeed.events.model import Event, Moment, moment_key
from calfeed.reminders.dates import Reader

MANY = 10
"""How many changed dates are told one by one."""


def changed_dates(before: Event, after: Event, reader: Reader) -> tuple[str, ...]:
    """The dates of a series that moved, are off or on again, one line each; empty when the series itself changed."""
    if (before.start, before.end, before.rrule) != (after.start, after.end, after.rrule):
        return ()
    old, new = _states(before), _states(after)
    moments = _moments(before) | _moments(after)
    lines = [
        _line(moments[key], old.get(key, moments[key]), new.get(key, moments[key]), after, reader)
        for key in sorted(old.keys() | new.keys())
        if old.get(key, moments[key]) != new.get(key, moments[key])
    ]
    if not lines:
        return ()
    more = (reader.words.more.format(len(lines) - MANY),) if len(lines) > MANY else ()
    return (reader.words.series, *lines[:MANY], *more)


def _line(moment: Moment, old: Moment | None, new: Moment | None, event: Event, reader: Reader) -> str:
    say = reader.words
    if new is None:
        return say.cancelled_one.format(reader.moment(old or moment, event))
    if old is None:
        return say.restored_one.format(reader.moment(new, event))
    return say.moved_one.format(reader.moment(old, event), reader.moment(new, event))


def _states(event: Event) -> dict[str, Moment | None]:
    """By recurrence-id: where each date that differs from the rule stands; None where it is off."""
    states: dict[str, Moment | None] = {moment_key(moment): None for moment in event.exdate}
    for one in event.overrides:
        states[moment_key(one.recurrence_id)] = None if one.status == "cancelled" else one.start
    return states


def _moments(event: Event) -> dict[str, Moment]:
    """By recurrence-id: the moment the rule gave."""
    found = {moment_key(moment): moment for moment in event.exdate}
    found.update(
        {moment_key(one.recurrence_id): one.recurrence_id for one in event.overrides if one.recurrence_id is not None}
    )
    return found
