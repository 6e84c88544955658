"""What every channel is: a message becomes a Request, an answer becomes a Verdict; neither touches the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from calfeed.reminders.message import Message

Via = Literal["http", "guarded", "apprise"]
"""The transport a request takes: the operator's own addresses, self-service ones, or the Apprise library."""

FaultKind = Literal["timeout", "connect", "dns", "tls", "protocol", "refused", "missing"]


class Outcome(StrEnum):
    """What an answer means for the delivery."""

    SENT = "sent"
    RETRY = "retry"  # nothing is wrong with the message or the channel that time does not mend
    REJECTED_MESSAGE = "rejected_message"  # this message will never be taken; the next one may
    BROKEN_CHANNEL = "broken_channel"  # nothing will be taken until somebody repairs the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes. Both fields are secrets and show in no repr."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    guarded: bool = False  # a stranger's URL: the transport checks the address it connects to


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a transport sends. The URL is a secret with most vendors: it shows in no repr, log or error."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    via: Via = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: at most 4 KB of it. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why no answer came; ``detail`` names no host and no URL."""

    kind: FaultKind
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do next. ``retry_after`` is in seconds; ``provider_ref`` names the message at the provider."""

    outcome: Outcome
    reason: str = ""
    retry_after: float | None = None
    provider_ref: str | None = None


class ChannelDriver(Protocol):
    """One kind of channel. Both methods are pure."""

    def request(
        self, message: Message, target: Target, *, webhook_id: str, at: datetime, corrects: str | None = None
    ) -> Request:
        """The request that carries ``message``.

        ``webhook_id`` is the same for every attempt of one delivery, ``at`` is the time of this attempt; ``corrects``
        is the ``provider_ref`` of the message that this one puts right, for providers that can edit. Raises ValueError
        when the target cannot be used; its text holds no secret.
        """

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """What the answer that came at ``at`` means."""
