"""Whether a channel would be sent more than it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed.errors import Problem
from calfeed.events.model import Catalog, Channel, ChannelKind
from calfeed.reminders.digest import due_digests
from calfeed.reminders.explain import shown
from calfeed.reminders.plan import due_reminders, zone_of

SPACING: Mapping[ChannelKind, timedelta] = {
    "slack": timedelta(seconds=1),  # https://docs.slack.dev/apis/web-api/rate-limits: 1 a second to an incoming webhook
    "teams": timedelta(
        seconds=0.25
    ),  # https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit: 4 a second
    "discord": timedelta(seconds=0.4),  # https://discord.com/developers/docs/topics/rate-limits: 5 in 2 seconds
}
"""The least time between two messages that a vendor takes for good; kinds without a limit are absent."""

TOLERATED = timedelta(minutes=1)
"""A queue that empties within this is no fault of the event list."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The longest queue of a channel: ``count`` messages from ``at`` on, the last of them ``delay`` late."""

    channel: Channel
    at: datetime
    count: int
    delay: timedelta


def overload(catalog: Catalog, since: datetime, until: datetime) -> list[Problem]:
    """A warning for each channel that would be sent more in (since, until] than it takes, at the channel's place."""
    dues: defaultdict[str, list[datetime]] = defaultdict(list)
    for reminder in due_reminders(catalog, since, until):
        dues[reminder.channel.id].append(reminder.due)
    for digest in due_digests(catalog, since, until):
        dues[digest.channel.id].append(digest.due)
    queues = (longest_queue(channel, sorted(dues[channel.id])) for channel in catalog.channels)
    return [_warning(catalog, queue) for queue in queues if queue is not None and queue.delay > TOLERATED]


def longest_queue(channel: Channel, dues: Iterable[datetime]) -> Queue | None:
    """The queue that makes a message of the channel wait longest, given due times in order."""
    spacing = SPACING.get(channel.kind)
    if spacing is None:
        return None
    longest, began, count, free = None, None, 0, None
    for due in dues:
        if began is None or free is None or due >= free:
            began, count, free = due, 0, due
        count += 1
        if longest is None or free - due > longest.delay:
            longest = Queue(channel, began, count, free - due)
        free += spacing
    return longest


def _warning(catalog: Catalog, queue: Queue) -> Problem:
    channel = queue.channel
    at = shown(queue.at, zone_of(channel, catalog.calendar))
    late = round(queue.delay / timedelta(minutes=1))
    return Problem(
        location=channel.source,
        path=f"channels.{channel.id}",
        message=f"{queue.count} messages from {at} on, more than {channel.kind} takes at once: one is {late} min late",
        hint="fewer lead times, narrower categories, or a `digest` with `before = []`",
        severity="warning",
        code="overload",
    )
