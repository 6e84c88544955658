"""When to try again: the schedule of Svix, and what the receiver asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

SCHEDULE = tuple(timedelta(seconds=s) for s in (5, 30, 300, 1800, 7200, 18000, 36000, 36000))
"""Delays after the first, second, … failure (https://docs.svix.com/retries)."""

LIMIT = timedelta(hours=24)
JITTER = 0.2
FLOOR = timedelta(minutes=5)
"""A receiver that keeps asking for an early retry waits at most this long more than it asks for."""


def next_try(
    now: datetime,
    tries: int,
    *,
    since: datetime,
    ends: datetime | None,
    retry_after: float | None,
    chance: Callable[[], float],
) -> datetime | None:
    """When to try again after ``tries`` failures; None when that would be after ``ends`` or 24 hours of trying.

    ``chance`` gives numbers in [0, 1). A Retry-After (in seconds) is never undercut.
    """
    delay = SCHEDULE[min(tries, len(SCHEDULE)) - 1] * (1 + JITTER * (2 * chance() - 1))
    if retry_after is not None:
        asked = timedelta(seconds=min(max(retry_after, 0.0), LIMIT.total_seconds()))
        delay = max(asked, min(delay, FLOOR))
    limit = since + LIMIT if ends is None else min(ends, since + LIMIT)
    return now + delay if now + delay < limit else None
