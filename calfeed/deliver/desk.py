"""Writes the message of a claimed delivery from what is published now, so that it is right after an edit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from calfeed.events.model import Channel
from calfeed.ledger import Claimed, Current
from calfeed.reminders.audience import hears, news
from calfeed.reminders.digest import find_digest
from calfeed.reminders.message import Message, Origin, change_message, digest_message, reminder_message
from calfeed.reminders.plan import find_reminder


@dataclass(frozen=True, slots=True)
class Desk:
    """One published state, and where it is to be found in public."""

    current: Current
    base_url: str | None

    def renewed(self, current: Current | None) -> Self:
        """The same desk with what is published now."""
        return self if current is None or current is self.current else replace(self, current=current)

    def revision(self, claimed: Claimed) -> int | None:
        """Which revision of its event a message tells; none when it is of one date of a series."""
        found = self.current.revisions.get(claimed.uid or "")
        if found is None or (claimed.kind == "reminder" and found.event.recurs):
            return None
        return found.number

    def message(self, claimed: Claimed, now: datetime) -> Message | None:
        """The message; None when there is nothing to tell any more."""
        channel = self.current.catalog.channel_by_id.get(claimed.channel)
        if channel is None:
            return None
        if claimed.kind == "change":
            return self.notice(claimed, channel, now)
        if claimed.kind == "digest":
            digest = find_digest(self.current.catalog, claimed.subject, claimed.due, [channel])
            return digest_message(digest, now, self.origin) if digest else None
        reminder = find_reminder(self.current.catalog, claimed.subject, claimed.start, claimed.due, [channel])
        return reminder_message(reminder, now, self.origin) if reminder else None

    def notice(self, claimed: Claimed, channel: Channel, now: datetime) -> Message | None:
        """What is news to readers; nothing when all is as they know it."""
        revision = self.current.revisions.get(claimed.uid or "")
        if revision is not None:
            for event in claimed.known:
                change = news(event, revision, now)
                if change is not None and hears(channel, change, now):
                    return change_message(change, channel, now, self.origin)
        return None

    @property
    def origin(self) -> Origin:
        """Where messages say that they come from."""
        return Origin(calendar=self.current.catalog.calendar, base_url=self.base_url, revisions=self.current.revisions)
