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


def why_idle(channel: Channel, environ: Mapping[str, str]) -> str | None:
    """What leads nowhere, ``env:NEWSROOM_SLACK_URL is not set``; None when the channel has all that it needs."""
    needed = (channel.url, *([channel.secret] if channel.secret else []))
    return next((why_unset(reference, environ) for reference in needed if not secret(reference, environ)), None)


def why_unset(reference: str, environ: Mapping[str, str]) -> str:
    """In words, of a reference that leads nowhere."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and environ.get(f"{rest}_FILE"):
        return f"the file that {rest}_FILE names is missing, empty or not readable"
    if kind == "file":
        return f"the file {rest} is missing, empty or not readable"
    return f"{reference} is not set"


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
