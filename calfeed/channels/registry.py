"""Which driver serves which kind of channel, and which transport each request takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from calfeed.channels.apprise import Apprise, AppriseTransport
from calfeed.channels.base import Answer, ChannelDriver, Fault, Request, Via
from calfeed.channels.discord import Discord
from calfeed.channels.guard import GuardedTransport, Network
from calfeed.channels.slack import Slack
from calfeed.channels.teams import Teams
from calfeed.channels.transport import HttpTransport
from calfeed.channels.webhook import Webhook
from calfeed.events.model import ChannelKind

_DRIVERS: dict[ChannelKind, ChannelDriver] = {
    "slack": Slack(),
    "webhook": Webhook(),
    "teams": Teams(),
    "discord": Discord(),
    "apprise": Apprise(),
}


class Transport(Protocol):
    """Sends a request; what goes wrong is a value."""

    def send(self, request: Request) -> Answer | Fault:
        """The answer, or why there is none."""


class Courier:
    """Takes each request the way it asks for; safe to share between threads.

    ``allowed`` are the networks that self-service URLs may reach besides the public internet.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._ways: dict[Via, Transport] = {
            "http": HttpTransport(),
            "guarded": GuardedTransport(allowed),
            "apprise": AppriseTransport(),
        }

    def send(self, request: Request) -> Answer | Fault:
        """The answer, or why there is none."""
        return self._ways[request.via].send(request)


def driver(kind: ChannelKind) -> ChannelDriver:
    """The driver of a kind."""
    return _DRIVERS[kind]
