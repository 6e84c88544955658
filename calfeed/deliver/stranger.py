"""What is different when a message goes to a stranger's URL: the guarded way, and the proof that it is theirs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Self

from calfeed.channels.base import Answer, ChannelDriver, Fault, Outcome, Request, Target, Verdict
from calfeed.channels.registry import driver
from calfeed.deliver.desk import Desk
from calfeed.events.model import Channel, ChannelKind
from calfeed.ledger import Claimed, Current
from calfeed.ledger.audiences import Audience
from calfeed.ledger.subscriptions import Purpose, Subscription
from calfeed.reminders.message import Message, Origin, challenge_message, confirmation_message, reminder_message
from calfeed.reminders.plan import DueReminder, find_reminder

UNPROVED = "answered without the challenge in its body"


class Stranger:
    """A channel's driver for one message: it goes the guarded way, and a challenge must come back."""

    def __init__(self, kind: ChannelKind) -> None:
        self._driver: ChannelDriver = driver(kind)
        self._challenge: bytes | None = None

    def request(
        self, message: Message, target: Target, *, webhook_id: str, at: datetime, corrects: str | None = None
    ) -> Request:
        """As the channel's, and guarded."""
        if message.type == "subscription.challenge" and isinstance(message.subject, str):
            self._challenge = message.subject.encode()
        request = self._driver.request(message, target, webhook_id=webhook_id, at=at, corrects=corrects)
        return replace(request, via="guarded")

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """As the channel's; what takes a challenge without giving it back has not asked for messages."""
        verdict = self._driver.judge(answer, at)
        if verdict.outcome is not Outcome.SENT or self._challenge is None or isinstance(answer, Fault):
            return verdict
        if self._challenge in answer.body:
            return verdict
        return Verdict(outcome=Outcome.REJECTED_MESSAGE, reason=UNPROVED)


@dataclass
class Shelf:
    """What all subscriptions of an audience share while one state is published: worked out once, not 100,000 times."""

    current: Current
    base_url: str | None
    _channels: dict[Audience, Channel | None] = field(default_factory=dict)
    _reminders: dict[tuple[str, str, datetime], DueReminder | None] = field(default_factory=dict)

    def channel(self, audience: Audience) -> Channel | None:
        """The audience as a channel; None when its feed has gone."""
        if audience not in self._channels:
            self._channels[audience] = audience.channel(self.current.catalog)
        return self._channels[audience]

    def reminder(self, claimed: Claimed, channel: Channel) -> DueReminder | None:
        """The reminder as the source has it now; None when it is not owed any more."""
        key = claimed.subject, claimed.start, claimed.due
        if key not in self._reminders:
            self._reminders[key] = find_reminder(self.current.catalog, *key, [channel])
        return self._reminders[key]


@dataclass(frozen=True)
class StrangersDesk(Desk):
    """Writes to one subscription: in its language and zone, with the way out of it."""

    subscription: Subscription
    shelf: Shelf

    def renewed(self, current: Current | None) -> Self:
        """The same desk with what is published now."""
        if current is None or current is self.current:
            return self
        return replace(self, current=current, shelf=Shelf(current, self.base_url))

    def message(self, claimed: Claimed, now: datetime) -> Message | None:
        """The message; None when there is nothing to tell any more, or nothing that is public."""
        one = self.subscription
        channel = self.shelf.channel(one.audience)
        if channel is None:
            return None
        personal = replace(channel, kind=one.kind, language=one.language, timezone=one.timezone)
        if claimed.kind == "challenge":
            return self._challenge(personal, now)
        if claimed.kind == "change":
            return self.notice(claimed, personal, now)
        due = self.shelf.reminder(claimed, channel)
        return reminder_message(replace(due, channel=personal), now, self.origin) if due else None

    def _challenge(self, channel: Channel, now: datetime) -> Message:
        one = self.subscription
        if one.kind == "slack":  # an incoming webhook answers "ok", whatever it is sent: its readers confirm
            return confirmation_message(channel, self._link("confirm"), now, self.origin)
        return challenge_message(channel, one.proof("challenge"), now, self.origin)

    @cached_property
    def origin(self) -> Origin:
        """Where messages say that they come from, and how to end them."""
        return Origin(
            calendar=self.current.catalog.calendar,
            base_url=self._home,
            revisions=self.current.revisions,
            feed=self.subscription.audience.feed,
            unsubscribe_url=self._link("unsubscribe"),
        )

    def _link(self, purpose: Purpose) -> str:
        one = self.subscription
        return f"{self._home}/{purpose}/{one.id}/{one.proof(purpose)}"

    @property
    def _home(self) -> str:
        return (self.base_url or self.current.catalog.calendar.url or self.subscription.home).rstrip("/")


def target(one: Subscription) -> Target:
    """Where its messages go, and by which key they are signed."""
    return Target(url=one.url, secret=one.secret if one.kind == "webhook" else None, guarded=True)
