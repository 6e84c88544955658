"""The rules of time: when a lead falls due, when it is held for quiet hours, when it is too late.

Days are counted on the local calendar, hours and minutes on the absolute time line (RFC 5545 §3.3.6). A local time that
a change of the clock skips is read as the instant just as long after the change; one that comes twice, as its first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calfeed.events.model import Duration, Occurrence, instant

DAY = timedelta(days=1)
GRACE = timedelta(minutes=15)
"""How late a reminder *at* the start may still be sent: it has begun, but only just."""


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in ``zone`` show ``clock`` on ``day``."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def by_days(occurrence: Occurrence) -> bool:
    """Whether the all-day rule holds: no hour is known, because there is none or because it is to be announced."""
    return occurrence.all_day or occurrence.event.tba is not None


def first_day(occurrence: Occurrence) -> date:
    """The first local day of an occurrence; of a window of days, its first."""
    start = occurrence.start
    return start.date() if isinstance(start, datetime) else start


def nominal(lead: Duration, occurrence: Occurrence) -> Duration:
    """The lead that counts: for an item without an hour whole days, and nothing below a day."""
    return Duration(days=lead.total_seconds // 86400) if by_days(occurrence) else lead


def planned_for(lead: Duration, occurrence: Occurrence, all_day_at: time) -> datetime:
    """The UTC instant at which ``lead`` before the occurrence falls, whatever the quiet hours."""
    zone = occurrence.event.zone
    if by_days(occurrence):
        return at_local(first_day(occurrence) - timedelta(days=lead.days), all_day_at, zone)
    start = instant(occurrence.start, zone)
    if lead.days:
        local = start.astimezone(zone).replace(tzinfo=None) - timedelta(days=lead.days)
        start = at_local(local.date(), local.time(), zone)
    return start - timedelta(seconds=lead.seconds)


def begins(occurrence: Occurrence) -> datetime:
    """The UTC instant from which an occurrence counts as begun.

    An item of days has no hour: it counts as begun when its first day is over. One that falls on some day of a window
    cannot be said to have begun before the window is over.
    """
    zone = occurrence.event.zone
    if occurrence.event.tba == "date":
        return instant(occurrence.end, zone)
    if by_days(occurrence):
        return at_local(first_day(occurrence) + DAY, time(), zone)
    return instant(occurrence.start, zone)


def ends(occurrence: Occurrence) -> datetime:
    """The UTC instant at which an occurrence is over."""
    return max(instant(occurrence.end, occurrence.event.zone), begins(occurrence))


def held(due: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo, begin: datetime) -> datetime:
    """When a message due at ``due`` goes out: at the end of the quiet hours it falls in, if that is before ``begin``.

    ``quiet`` is [from, to) on the clocks of ``zone`` and may span midnight; equal ends mean no quiet.
    """
    if quiet is None or not is_quiet(due, quiet, zone):
        return due
    local = due.astimezone(zone)
    day = local.date() + DAY if local.time() >= quiet[1] else local.date()
    release = at_local(day, quiet[1], zone)
    if release <= due:  # the clock went back within the quiet hours: their end comes twice, and the first is over
        release = datetime.combine(day, quiet[1].replace(fold=1), zone).astimezone(UTC)
    return release if due < release < begin else due


def is_quiet(at: datetime, quiet: tuple[time, time], zone: ZoneInfo) -> bool:
    """Whether the clocks of ``zone`` show a time within [from, to) at ``at``."""
    clock = at.astimezone(zone).time()
    start, end = quiet
    return start <= clock < end if start <= end else clock >= start or clock < end
