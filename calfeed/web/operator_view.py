"""What the operator sees, gathered from publisher, ledger and reminders; one value a part of the page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calfeed import trial
from calfeed.channels.base import Answer, Fault
from calfeed.channels.registry import Courier
from calfeed.errors import NotFound
from calfeed.events.model import Catalog, Channel, Feed
from calfeed.feeds.snapshot import Snapshot
from calfeed.ledger import ChannelState
from calfeed.ledger.polls import Poll
from calfeed.reminders.message import Origin
from calfeed.reminders.plan import DueReminder, due_reminders
from calfeed.trial import target
from calfeed.web.clients import Polls
from calfeed.web.site import Site

AHEAD = timedelta(days=14)
NEXT = 20


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed with its size in octets and how many families of clients hold its present version."""

    feed: Feed
    events: int
    octets: int
    gzip: int
    dropped: int
    reached: int
    polling: int


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel with what the ledger knows of it; ``idle`` is what keeps it so, in words."""

    channel: Channel
    idle: str | None
    state: ChannelState | None

    @property
    def word(self) -> str:
        """``idle``, ``broken``, ``failing``, ``ok``."""
        if self.idle:
            return "idle"
        if self.state and self.state.broken_since:
            return "broken"
        return "failing" if self.state and self.state.failing_since else "ok"


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A family of clients, its last poll of a feed, and whether it holds what the feed is now."""

    poll: Poll
    present: bool


def client_rows(polls: Polls, recent: Iterable[Poll]) -> list[ClientRow]:
    """In the order given."""
    return [ClientRow(one, one.etag == polls.current(one.path)) for one in recent]


def feed_rows(snapshot: Snapshot, polls: Polls, recent: Sequence[Poll]) -> list[FeedRow]:
    """The feeds of the source, private ones too."""
    return [
        _feed_row(snapshot, feed, polls.reached(f"/feeds/{feed.id}.ics", recent)) for feed in snapshot.catalog.feeds
    ]


def _feed_row(snapshot: Snapshot, feed: Feed, reached: tuple[int, int]) -> FeedRow:
    path = f"/feeds/{feed.id}.ics"
    resource = snapshot.resource(path, private=feed.visibility == "private")
    if resource is None:
        raise NotFound(f"the feed {feed.id!r} has just gone")
    size, packed = len(resource.body), len(resource.gzip)
    return FeedRow(feed, len(snapshot.events(feed)), size, packed, resource.dropped, *reached)


def channel_rows(catalog: Catalog, states: Iterable[ChannelState]) -> list[ChannelRow]:
    """The channels of the source."""
    known = {state.id: state for state in states}
    return [ChannelRow(one, trial.why_idle(one, os.environ), known.get(one.id)) for one in catalog.channels]


def coming(catalog: Catalog, now: datetime) -> list[DueReminder]:
    """The next reminders of channels that have an address."""
    active = [channel for channel in catalog.channels if target(channel, os.environ)]
    return due_reminders(catalog, now, now + AHEAD, active)[:NEXT] if active else []


def send_test(here: Site, channel_id: str) -> tuple[bool, str]:
    """(whether it was taken, what came back in words). Raises NotFound."""
    catalog = here.snapshot.catalog
    channel = catalog.channel_by_id.get(channel_id)
    if channel is None:
        raise NotFound(f"there is no channel {channel_id!r}")
    where = target(channel, os.environ)
    if where is None:
        return False, f"{channel.id} is idle: {trial.why_idle(channel, os.environ)}"
    origin = Origin(calendar=catalog.calendar, base_url=here.settings.base_url)
    try:
        answer, verdict = trial.send_test(channel, where, origin, send=Courier().send, clock=here.clock)
    except ValueError as fault:
        return False, f"{channel.id}: {fault}"
    return (
        verdict.outcome == "sent",
        f"{channel.id}: {_answered(answer)}{': ' if verdict.reason else ''}{verdict.reason}",
    )


def _answered(answer: Answer | Fault) -> str:
    return f"HTTP {answer.status}" if isinstance(answer, Answer) else f"no answer ({answer.kind})"
