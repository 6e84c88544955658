"""Which driver serves which kind of channel."""

from __future__ import annotations

from calfeed.channels.base import ChannelDriver
from calfeed.channels.slack import Slack
from calfeed.channels.webhook import Webhook
from calfeed.events.model import ChannelKind

_DRIVERS: dict[ChannelKind, ChannelDriver] = {"slack": Slack(), "webhook": Webhook()}


def driver(kind: ChannelKind) -> ChannelDriver:
    """The driver of a kind."""
    return _DRIVERS[kind]
