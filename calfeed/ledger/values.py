"""What the ledger takes and gives: claimed deliveries, how they went, and what its readers see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calfeed.events.model import Event


class State(StrEnum):
    """Where a delivery stands. All but the first two are outcomes."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"  # its channel is broken, or will never take this message
    DEAD = "dead"  # tried until there was no time left
    EXPIRED = "expired"  # its occurrence began before anybody could send it
    SUPERSEDED = "superseded"  # its event moved or was cancelled before it was sent


class Result(StrEnum):
    """How the handling of a claimed delivery ended."""

    SENT = "sent"
    RETRY = "retry"
    REJECTED = "rejected"  # this message alone
    BROKEN = "broken"  # the whole channel
    LOST = "lost"  # nobody knows: its process was killed, or stopped while the answer was outstanding
    UNSENT = "unsent"  # nothing left this machine
    SUPERSEDED = "superseded"  # outdated between claim and send; nothing left this machine


UNTRIED = frozenset({Result.UNSENT, Result.SUPERSEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this process alone may send, until its lease runs out.

    A change notice has the states that its readers know or may know, the surest first, as ``known``, and the provider's
    name for the message it ``corrects``.
    """

    id: str
    key: str
    kind: str
    channel: str
    uid: str | None
    subject: str
    due: datetime
    attempt: int
    known: tuple[Event, ...] = field(default=(), repr=False)
    corrects: str | None = None

    @property
    def start(self) -> str:
        """The start that a reminder announces, as a `moment_key`."""
        return self.key.removeprefix(f"{self.subject}|").partition("|")[0]

    @property
    def webhook_id(self) -> str:
        """The same for every attempt."""
        return webhook_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How one claimed delivery went; texts hold no secret.

    ``retry_after`` is in seconds; ``revision`` is the one of its event that the message spoke of; ``version`` is the
    publication by which it was outdated.
    """

    delivery: str
    attempt: int
    result: Result
    started: datetime | None = None
    ended: datetime
    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    provider_ref: str | None = None
    revision: int | None = None
    version: int | None = None
    excerpt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as its readers see it; ``event`` is the id of its event, ``late`` is in seconds."""

    id: str
    key: str
    kind: str
    channel: str
    uid: str | None
    event: str | None
    state: State
    due: datetime
    at: datetime
    expires: datetime | None
    ends: datetime | None
    attempt: int
    planned: datetime
    sent_at: datetime | None
    late: float | None
    settled: datetime | None
    last_error: str | None

    @property
    def webhook_id(self) -> str:
        """What receivers know it by."""
        return webhook_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to send a delivery; ``overtaken`` when its lease had run out before it was settled."""

    number: int
    started: datetime | None
    ended: datetime
    outcome: str
    status: int | None
    error: str | None
    retry_after: float | None
    excerpt: str | None
    overtaken: bool


def webhook_id(delivery: str) -> str:
    """The message id of Standard Webhooks."""
    return f"msg_{delivery}"
