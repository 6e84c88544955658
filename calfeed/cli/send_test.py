"""The command that tries whether the way out works."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from calfeed.cli import completion
from calfeed.cli.common import events_option, json_option, load_catalog, print_json, settings

if TYPE_CHECKING:
    from calfeed.channels.base import Answer, Fault, Verdict
    from calfeed.events.model import Channel


@click.command("send-test")
@click.argument("channel", shell_complete=completion.channels)
@json_option
@events_option
@click.pass_context
def send_test(ctx: click.Context, *, channel: str, events: str | None, as_json: bool) -> None:
    """Send one test message to CHANNEL now, and explain the endpoint's answer.

    Example: calfeed send-test newsroom
    """
    from calfeed import trial  # requests
    from calfeed.channels.registry import Courier
    from calfeed.reminders.message import Origin

    found = settings(ctx, events)
    catalog = load_catalog(found.events)
    chosen = catalog.channel_by_id.get(channel)
    if chosen is None:
        raise click.UsageError(f"no channel {channel!r}; there are: {', '.join(catalog.channel_by_id) or 'none'}")
    where = trial.target(chosen, os.environ)
    if where is None:
        _not_sent(chosen, "idle", trial.why_idle(chosen, os.environ) or "", as_json=as_json)
    origin = Origin(calendar=catalog.calendar, base_url=found.base_url)
    try:
        answer, verdict = trial.send_test(chosen, where, origin, send=Courier().send, clock=lambda: datetime.now(UTC))
    except ValueError as fault:
        _not_sent(chosen, "broken_channel", str(fault), as_json=as_json)
    _tell(chosen, answer, verdict, as_json=as_json)
    sys.exit(0 if verdict.outcome == "sent" else 1)


def _not_sent(channel: Channel, outcome: str, reason: str, *, as_json: bool) -> NoReturn:
    """Ends the command where nothing could be sent at all."""
    if as_json:
        print_json(_tried(channel, None, outcome, reason))
    else:
        click.echo(f"channel {channel.id}{' is idle' if outcome == 'idle' else ''}: {reason}", err=True)
    sys.exit(1)


def _tried(channel: Channel, status: int | None, outcome: str, reason: str) -> dict[str, Any]:
    found = {"channel": channel.id, "kind": channel.kind, "status": status}
    return {**found, "outcome": outcome, "reason": reason, "advice": _ADVICE[outcome]}


_ADVICE = {
    "idle": "Set what is missing, or remove the channel: until then it is sent nothing.",
    "sent": "It was taken. If nothing shows, look at the place itself: its filters, its archive, who may see it.",
    "retry": "Time may mend it: a reminder would be tried again, up to 24 hours or until the item is over.",
    "rejected_message": "This message was refused, others may be taken; the reason above is the endpoint's.",
    "broken_channel": "Nothing is taken until it is repaired: make a new address there and name it in the environment.",
}


def _tell(channel: Channel, answer: Answer | Fault, verdict: Verdict, *, as_json: bool) -> None:
    from calfeed.channels.base import Answer  # loaded by then

    status = answer.status if isinstance(answer, Answer) else None
    got = f"HTTP {answer.status}" if isinstance(answer, Answer) else f"no answer ({answer.kind})"
    if as_json:
        print_json(_tried(channel, status, str(verdict.outcome), verdict.reason))
        return
    click.echo(f"{channel.id} ({channel.kind}): {got}, {str(verdict.outcome).replace('_', ' ')}")
    if verdict.reason:
        click.echo(verdict.reason)
    click.echo(_ADVICE[verdict.outcome])
