"""Where a channel leads in this environment, and one message that tries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from calfeed.channels.base import Answer, Fault, Request, Target, Verdict
from calfeed.channels.registry import driver
from calfeed.events.model import Channel
from calfeed.reminders.message import Origin, test_message
from calfeed.settings import secret


class Trial(NamedTuple):
    """What came back, and how the channel judges it."""

    answer: Answer | Fault
    verdict: Verdict


def unset(channel: Channel, environ: Mapping[str, str]) -> str | None:
    """The reference that leads nowhere, ``env:NEWSROOM_SLACK_URL``; None when the channel has all that it needs."""
    needed = (channel.url, *([channel.secret] if channel.secret else []))
    return next((reference for reference in needed if not secret(reference, environ)), None)


def target(channel: Channel, environ: Mapping[str, str]) -> Target | None:
    """Where a channel leads; None, idle, while something is unset: nobody is sent unsigned what is to be signed."""
    url, key = secret(channel.url, environ), secret(channel.secret, environ)
    return Target(url=url, secret=key) if url and (key or not channel.secret) else None


def send_test(
    channel: Channel,
    where: Target,
    origin: Origin,
    *,
    send: Callable[[Request], Answer | Fault],
    clock: Callable[[], datetime],
) -> Trial:
    """One test message now. Raises ValueError, without the address, for an address or a secret that cannot be used."""
    way, now = driver(channel.kind), clock()
    request = way.request(test_message(channel, now, origin), where, webhook_id=f"msg_{uuid4().hex}", at=now)
    answer = send(request)
    return Trial(answer, way.judge(answer, clock()))
