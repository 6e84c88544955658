"""Commands about reminders: what is planned, and what it would look like."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import completion
from calfeed.cli.common import (
    Address,
    Instant,
    as_instant,
    end_instant,
    events_option,
    json_option,
    load_catalog,
    print_json,
    progress,
    settings,
    table,
)

if TYPE_CHECKING:
    from calfeed.events.model import Catalog
    from calfeed.rehearse import Due, Step

HORIZON = timedelta(days=14)
LIFE = timedelta(days=3660)
"""How far before and after now an id is looked for when no time is given: ids were listed for some other time."""


@click.command()
@click.option("--from", "since", type=Instant(), help="First instant or day (default: now).")
@click.option("--to", "until", type=Instant(), help="Last day, inclusive, or end instant (default: 14 days on).")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    help="Only these channels; may be repeated.",
    shell_complete=completion.channels,
)
@click.option(
    "--explain",
    "explained",
    metavar="ID",
    help="Why and when one reminder is sent, or those of an event, and by which rule.",
)
@json_option
@events_option
@click.pass_context
def plan(
    ctx: click.Context,
    *,
    since: date | None,
    until: date | None,
    channels: tuple[str, ...],
    explained: str | None,
    events: str | None,
    as_json: bool,
) -> None:
    """Show the coming reminders: when, what, to whom. Nothing is sent.

    Example: calfeed plan --from 2024-05-14 --to 2024-05-22 --channel newsroom
    """
    catalog = load_catalog(settings(ctx, events).events)
    unknown = [name for name in channels if name not in catalog.channel_by_id]
    if unknown:
        raise click.UsageError(f"no channel {unknown[0]!r}; there are: {', '.join(catalog.channel_by_id) or 'none'}")
    dues = _to_channels(_between(catalog, since, until), channels)
    if explained:
        found = _named(dues, explained)
        if not found and since is None and until is None:
            now = datetime.now(UTC)
            found = _named(_to_channels(_between(catalog, now - LIFE, now + LIFE), channels), explained)
        _explain(found, explained, as_json=as_json)
    elif as_json:
        print_json([_due_json(due) for due in dues])
    elif dues:
        click.echo(table([_row(due, catalog) for due in dues], ("WHEN", "CHANNEL", "LEAD", "WHAT", "ID")))
    else:
        click.echo("no reminder in that time; --from and --to choose another", err=True)


def _to_channels(dues: Iterable[Due], channels: tuple[str, ...]) -> list[Due]:
    return [due for due in dues if not channels or due.channel.id in channels]


def _between(catalog: Catalog, since: date | None, until: date | None) -> list[Due]:
    from calfeed.rehearse import schedule  # channels, requests

    zone = catalog.calendar.zone
    start = as_instant(since, zone) if since else datetime.now(UTC)
    if until is None:
        return schedule(catalog, start, start + HORIZON)
    return schedule(catalog, start, end_instant(until, zone, since))


def due_id(due: Due) -> str:
    """A short name for a reminder, the same each time it is planned."""
    return blake2b(due.key.encode(), digest_size=5).hexdigest()


def _named(dues: Iterable[Due], wanted: str) -> list[Due]:
    """The reminder with this id or key; else all those of the event with this id."""
    from calfeed.reminders.plan import DueReminder  # loaded with the schedule

    found = list(dues)
    exact = [due for due in found if _is_named(due, wanted)]
    return exact[:1] or [due for due in found if isinstance(due, DueReminder) and due.event.id == wanted]


def _is_named(due: Due, wanted: str) -> bool:
    return wanted in {due_id(due), due.key}


def _explain(dues: list[Due], wanted: str, *, as_json: bool) -> None:
    """One reminder is an object in JSON, the several of an event are a list."""
    from calfeed.reminders.explain import explain  # only here

    if not dues:
        raise click.UsageError(f"no reminder {wanted!r} in that time; `calfeed plan` lists them with their ids")
    if as_json:
        found = [{**_due_json(due), "because": explain(due)} for due in dues]
        print_json(found[0] if _is_named(dues[0], wanted) else found)
    else:
        click.echo("\n\n".join("\n".join(explain(due)) for due in dues))


def _row(due: Due, catalog: Catalog) -> tuple[str, ...]:
    local = due.due.astimezone(catalog.calendar.zone)
    return f"{local:%a %Y-%m-%d %H:%M:%S%z}", due.channel.id, _lead(due), _what(due), due_id(due)


def _lead(due: Due) -> str:
    from calfeed.reminders.plan import DueReminder  # loaded with the schedule

    if not isinstance(due, DueReminder):
        return "digest"
    if due.lead.total_seconds:
        return str(due.lead)
    return "same day" if due.occurrence.all_day else "0m"


def _what(due: Due) -> str:
    from calfeed.reminders.plan import DueReminder  # as above

    told = [due.occurrence] if isinstance(due, DueReminder) else due.items
    return ", ".join(occurrence.event.summary.get() for occurrence in told)


def _due_json(due: Due) -> dict[str, Any]:
    from calfeed.reminders.plan import DueReminder  # as above

    found: dict[str, Any] = {
        "id": due_id(due),
        "key": due.key,
        "due": _utc(due.due),
        "planned_for": _utc(due.planned_for),
        "expires": _utc(due.expires),
        "channel": due.channel.id,
        "kind": due.channel.kind,
        "lead": None,
        "event": None,
        "summary": _what(due),
    }
    if isinstance(due, DueReminder):
        recurrence_id = due.occurrence.recurrence_id
        found |= {
            "event": due.event.id,
            "lead": due.lead.iso,
            "start": due.occurrence.start.isoformat(),
            "recurrence_id": recurrence_id.isoformat() if recurrence_id else None,
        }
    return found


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@click.command()
@click.option("--from", "since", type=Instant(), required=True, help="Where the simulated clock begins.")
@click.option("--to", "until", type=Instant(), required=True, help="Where it ends (a day counts whole).")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=3600,
    show_default=True,
    help="Simulated seconds a second.",
)
@click.option("--to-url", "to_url", type=Address(), help="Send all to this webhook; needs no configured channel.")
@click.option("--secret", metavar="REF", help="Signing secret for --to-url: env:NAME, file:PATH or whsec_….")
@click.option("--dry-run", is_flag=True, help="Send nothing.")
@json_option
@events_option
@click.pass_context
def rehearse(
    ctx: click.Context,
    *,
    since: date,
    until: date,
    speed: float,
    to_url: str | None,
    secret: str | None,
    dry_run: bool,
    events: str | None,
    as_json: bool,
) -> None:
    """Play the real schedule on a simulated clock, to the real endpoints; the ledger is never touched.

    Example: calfeed rehearse --from 2024-05-14T00:00:00Z --to 2024-05-22T00:00:00Z --speed 100000 --dry-run
    """
    from calfeed.channels.registry import Courier  # requests
    from calfeed.rehearse import Rehearsal, for_one_endpoint, schedule
    from calfeed.reminders.message import Origin
    from calfeed.trial import target

    _check_secret(secret)
    found = settings(ctx, events)
    catalog = load_catalog(found.events)
    zone = catalog.calendar.zone
    start = as_instant(since, zone)
    end = end_instant(until, zone, since)
    dues = for_one_endpoint(catalog, to_url, start, end) if to_url else schedule(catalog, start, end)
    rehearsal = Rehearsal(
        origin=Origin(calendar=catalog.calendar, base_url=found.base_url),
        since=start,
        speed=speed,
        target=lambda channel: target(replace(channel, secret=secret or channel.secret), os.environ),
        send=None if dry_run else Courier().send,
        wait=time.sleep,
        now=lambda: datetime.now(UTC),
    )
    _show(rehearsal.play(dues), len(dues), as_json=as_json)


def _check_secret(reference: str | None) -> None:
    """Raises UsageError, without the secret, for one that signs nothing."""
    from calfeed.channels.webhook import secrets  # only here
    from calfeed.settings import secret
    from calfeed.trial import why_unset  # channels, requests

    if reference is None:
        return
    value = secret(reference, os.environ)
    if not value:
        raise click.UsageError(f"--secret: {why_unset(reference, os.environ)}")
    try:
        secrets(value)
    except ValueError as fault:
        raise click.UsageError(f"--secret: {fault}") from None


def _show(steps: Iterable[Step], count: int, *, as_json: bool) -> None:
    shown: list[dict[str, Any]] = []
    for step in progress(steps, count, "rehearsing", hidden=sys.stdout.isatty() and not as_json):
        shown.append(_step_json(step))
        if not as_json:
            click.echo(_step_line(shown[-1]))
    tally = {name: sum(one["outcome"] == name for one in shown) for name in ("sent", "failed", "not sent")}
    if as_json:
        print_json({"planned": count, **tally, "steps": shown})
    click.echo(f"{count} planned: " + ", ".join(f"{number} {name}" for name, number in tally.items()), err=True)
    sys.exit(1 if tally["failed"] else 0)


def _step_line(step: dict[str, Any]) -> str:
    """What failed says why."""
    line = "{due}  {outcome:8}  {channel}  {headline}".format(**step)
    return f"{line}  ({step['reason']})" if step["outcome"] == "failed" else line


def _step_json(step: Step) -> dict[str, Any]:
    outcome = "not sent" if step.verdict is None else "sent" if step.verdict.outcome == "sent" else "failed"
    reason = step.verdict.reason if step.verdict else ""
    return {**_due_json(step.due), "headline": step.message.headline, "outcome": outcome, "reason": reason}
