"""Why a reminder is due: by which rule, from which line of the source, in which zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.events.model import instant
from calfeed.reminders import clock
from calfeed.reminders.digest import DueDigest
from calfeed.reminders.plan import DueReminder, zone_of


def explain(due: DueReminder | DueDigest) -> list[str]:
    """One sentence a line, in the order in which the rules apply."""
    lines = _digest(due) if isinstance(due, DueDigest) else _reminder(due)
    return [*lines, *_quiet(due), f"It is sent at {shown(due.due, _zone(due))}."]


def shown(at: datetime, zone: ZoneInfo) -> str:
    """An instant on the clocks of ``zone`` and in UTC: ``2024-05-17 09:00 Asia/Shanghai (2024-05-17T01:00:00Z)``."""
    utc = at.astimezone(UTC)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key} ({utc:%Y-%m-%dT%H:%M:%SZ})"


def _zone(due: DueReminder | DueDigest) -> ZoneInfo:
    return zone_of(due.channel, due.calendar)


def _reminder(due: DueReminder) -> list[str]:
    return [_what(due), _whom(due), _lead(due), _rule(due), *_special(due), _late(due)]


def _what(due: DueReminder) -> str:
    event = due.occurrence.event
    which = f", occurrence {due.occurrence.key}" if due.occurrence.key else ""
    if clock.by_days(due.occurrence):
        when = f"{clock.first_day(due.occurrence)} in {event.timezone}"
    else:
        when = shown(instant(due.occurrence.start, event.zone), event.zone)
    return f"{due.event.source}: {due.event.id}{which} is on {when}."


def _whom(due: DueReminder) -> str:
    channel, event = due.channel, due.occurrence.event
    wanted = {name.casefold() for name in (*channel.categories, *channel.within)}
    common = [name for name in event.categories if name.casefold() in wanted]
    why = f"asks for {', '.join(common)}" if common else "asks for every category"
    return f"{channel.source}: channel {channel.id} {why}."


def _lead(due: DueReminder) -> str:
    own = due.occurrence.event.remind is not None
    where = f"`remind` of {due.event.id}" if own else f"`before` of channel {due.channel.id}"
    lead = "below a day" if clock.by_days(due.occurrence) and not due.lead.days else str(due.lead)
    return f"Lead time {lead}, from {where}."


def _rule(due: DueReminder) -> str:
    zone, lead = due.occurrence.event.zone, due.lead
    at = shown(due.planned_for, zone)
    if _skipped(due):
        at = f"clocks skip that time, so just as long after the skip, {at}"
    if clock.by_days(due.occurrence):
        before = f"{lead.days} day{'s' if lead.days > 1 else ''} before" if lead.days else "the same day"
        return (
            f"It has no hour, so it reminds at `all_day_at` {due.calendar.all_day_at:%H:%M} local time, {before}: {at}."
        )
    if lead.days and lead.seconds:
        return f"Days count on the local calendar, then hours and minutes exactly: {at}."
    if lead.days:
        return f"Days count on the local calendar, so the hour stays the same: {at}."
    return f"Hours and minutes count exactly: {at}."


def _skipped(due: DueReminder) -> bool:
    """Whether clocks never show the time that so many days before would be."""
    zone, days = due.occurrence.event.zone, timedelta(days=due.lead.days)
    if clock.by_days(due.occurrence):
        wanted = datetime.combine(clock.first_day(due.occurrence) - days, due.calendar.all_day_at)
    else:
        wanted = instant(due.occurrence.start, zone).astimezone(zone).replace(tzinfo=None) - days
    found = due.planned_for + timedelta(seconds=due.lead.seconds)
    return found.astimezone(zone).replace(tzinfo=None) != wanted


def _special(due: DueReminder) -> list[str]:
    event = due.occurrence.event
    lines = {
        "date": "Its day is to be announced: the lead counts from the first day of its window.",
        "time": "Its hour is to be announced: the rule of all-day items holds.",
    }
    found = [lines[event.tba]] if event.tba else []
    if event.status == "tentative":
        found.append("It is tentative, and the message says so.")
    if event.embargo is not None:
        found.append(f"Its embargo ended at {shown(event.embargo, event.zone)}; nothing is told before.")
    return found


def _late(due: DueReminder) -> str:
    until = shown(due.expires, due.occurrence.event.zone)
    return f"If nothing runs then, it is sent late until {until}, then recorded as expired."


def _quiet(due: DueReminder | DueDigest) -> list[str]:
    quiet = due.channel.quiet
    if quiet is None or not clock.is_quiet(due.planned_for, quiet, _zone(due)):
        return []
    hours = f"quiet hours {quiet[0]:%H:%M}-{quiet[1]:%H:%M} in {_zone(due).key}"
    if due.due == due.planned_for:
        return [f"It falls into the {hours} but is not held: it would have begun by then."]
    return [f"The {hours} hold it until they end."]


def _digest(due: DueDigest) -> list[str]:
    count = f"{len(due.items)} item{'s' if len(due.items) != 1 else ''}"
    return [
        f"{due.channel.source}: channel {due.channel.id} has a `digest`, and {due.day} has {count}.",
        f"It is planned for {shown(due.planned_for, _zone(due))}.",
        f"If nothing runs then, it is sent late until {shown(due.expires, _zone(due))}, then recorded as expired.",
    ]
