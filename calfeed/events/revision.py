"""What was published: revisions of events, and the changes between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calfeed.events.model import Event


class ChangeKind(StrEnum):
    """How two revisions differ."""

    ADDED = "added"
    MOVED = "moved"  # another time, or another rule
    EDITED = "edited"
    CANCELLED = "cancelled"
    RESTORED = "restored"  # cancelled or removed before, and there again
    CONFIRMED = "confirmed"  # a time or date that was to be announced is now known
    REMOVED = "removed"  # no longer in the source


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One published state of an event; instants are UTC in whole seconds.

    ``number`` counts every published state from 1; ``sequence`` (RFC 5545 §3.8.7.4) rises only when dates, rule or
    status change; ``modified`` is LAST-MODIFIED and DTSTAMP. ``removed`` is set once the event has left the source.
    """

    uid: str
    number: int
    sequence: int
    created: datetime
    modified: datetime
    digest: str
    event: Event
    removed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The difference between two published states of one event.

    ``before`` is None only when added, ``after`` only when removed; ``fields`` names the event keys that differ;
    ``number`` is the revision the change led to.
    """

    kind: ChangeKind
    at: datetime
    uid: str
    event_id: str
    number: int
    before: Event | None
    after: Event | None
    fields: tuple[str, ...] = ()
