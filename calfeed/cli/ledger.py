"""Commands about what is remembered: deliveries and what became of them, the secret links of private feeds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import completion
from calfeed.cli.common import counted, events_option, json_option, load_catalog, print_json, settings, table

if TYPE_CHECKING:
    from calfeed.events.model import Catalog
    from calfeed.ledger import Attempt, Delivery, Ledger
    from calfeed.ledger.audit import Audit
    from calfeed.ledger.tokens import Token
    from calfeed.settings import Settings

STATES = ("pending", "sending", "sent", "rejected", "dead", "expired", "superseded")


@click.group()
def deliveries() -> None:
    """Look into the ledger: what is owed, what was sent, what became of it.

    Example: calfeed deliveries list --state dead
    """


@deliveries.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--channel", metavar="ID", help="Only those of this channel.", shell_complete=completion.channels)
@click.option("--event", metavar="ID", help="Only those of this event.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def list_deliveries(
    ctx: click.Context, *, state: str | None, channel: str | None, event: str | None, limit: int, as_json: bool
) -> None:
    """List deliveries, the latest due first.

    Example: calfeed deliveries list --state dead --channel newsroom --json
    """
    from calfeed.ledger.as_json import delivery_json  # sqlalchemy

    with opened(settings(ctx)) as ledger:
        found = ledger.deliveries(state=state, channel=channel, event=event, limit=limit)
    if as_json:
        print_json([delivery_json(one) for one in found])
    elif found:
        click.echo(table(map(_row, found), ("DUE", "STATE", "KIND", "EVENT", "CHANNEL", "TRIES", "ID", "WHY")))
    else:
        click.echo("no such delivery", err=True)


@deliveries.command()
@click.argument("delivery", metavar="ID")
@json_option
@click.pass_context
def show(ctx: click.Context, *, delivery: str, as_json: bool) -> None:
    """Show one delivery, by its id or webhook-id, with every attempt.

    Example: calfeed deliveries show 01hxzb5n00bdq41p2htbc87v3p
    """
    from calfeed.ledger.as_json import attempt_json, delivery_json  # sqlalchemy

    with opened(settings(ctx)) as ledger:
        found, attempts = ledger.delivery(delivery)
    shown = delivery_json(found)
    if as_json:
        print_json({**shown, "attempts": [attempt_json(one) for one in attempts]})
        return
    rows = [(name, str(value)) for name, value in shown.items() if value is not None]
    click.echo(table(rows, ("FIELD", "VALUE")))
    if attempts:
        click.echo()
        click.echo(table(map(_attempt_row, attempts), ("ATTEMPT", "ENDED", "OUTCOME", "STATUS", "WHY")))


@deliveries.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@json_option
@click.pass_context
def retry(ctx: click.Context, *, ids: tuple[str, ...], as_json: bool) -> None:
    """Send again what is dead, rejected or expired; exits 1 when one of them is not.

    Example: calfeed deliveries retry 01hxzb5n00bdq41p2htbc87v3p
    """
    with opened(settings(ctx)) as ledger:
        taken = {one.id for one in ledger.retry(ids, _now())}
    left = [id_ for id_ in ids if id_.removeprefix("msg_") not in taken]
    if as_json:
        print_json({"retried": sorted(taken), "left": left})
    for id_ in left:
        click.echo(f"{id_} is not dead, rejected or expired: nothing to send again", err=True)
    click.echo(f"{len(taken)} will be sent again", err=True)
    sys.exit(1 if left else 0)


@deliveries.command()
@json_option
@click.pass_context
def audit(ctx: click.Context, *, as_json: bool) -> None:
    """Prove that every planned reminder has exactly one outcome or is still ahead; exits 1 when one has not.

    Example: calfeed deliveries audit
    """
    with opened(settings(ctx)) as ledger:
        found = ledger.audit(_now())
    if as_json:
        print_json(_audit(found))
    else:
        click.echo(table([(state, str(count)) for state, count in sorted(found.outcomes.items())], ("STATE", "COUNT")))
        for one in found.findings:
            click.echo(f"{one.delivery or '-'}  {one.problem}  ({one.key})")
        repeated = f"; {found.repeated} may have arrived twice, under one webhook-id" if found.repeated else ""
        number = sum(found.outcomes.values())
        told = f"{number} {'delivery' if number == 1 else 'deliveries'}, {counted(len(found.findings), 'finding')}"
        click.echo(told + repeated, err=True)
    sys.exit(0 if found.clean else 1)


@click.group()
def token() -> None:
    """Make, list and revoke the secret links of private feeds.

    Example: calfeed token make crew
    """


@token.command()
@click.argument("feed", shell_complete=completion.private_feeds)
@json_option
@events_option
@click.pass_context
def make(ctx: click.Context, *, feed: str, events: str | None, as_json: bool) -> None:
    """Make a secret link to a private FEED. It is shown this once: the ledger keeps only a hash.

    Example: calfeed token make crew --json
    """
    found = settings(ctx, events)
    catalog = load_catalog(found.events)
    _check_private(catalog, feed)
    with opened(found) as ledger:
        id_, secret = ledger.make_token(feed, _now())
    base = found.base_url or catalog.calendar.url or f"http://127.0.0.1:{found.port}"
    url = f"{base.rstrip('/')}/private/{secret}/{feed}.ics"
    if as_json:
        print_json({"id": id_, "token": secret, "url": url})
    else:
        click.echo(url)
        click.echo(f"shown only this once; `calfeed token revoke {id_}` ends it", err=True)


@token.command("list")
@json_option
@click.pass_context
def list_tokens(ctx: click.Context, *, as_json: bool) -> None:
    """List the secret links, without their secrets.

    Example: calfeed token list
    """
    with opened(settings(ctx)) as ledger:
        found = ledger.tokens()
    if as_json:
        print_json([_token(one) for one in found])
    elif found:
        rows = [tuple(value or "" for value in _token(one).values()) for one in found]
        click.echo(table(rows, ("ID", "FEED", "CREATED", "USED", "REVOKED")))
    else:
        click.echo("no secret links; `calfeed token make FEED` makes one", err=True)


@token.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_context
def revoke(ctx: click.Context, *, id_: str, as_json: bool) -> None:
    """End a secret link, at once.

    Example: calfeed token revoke 01hxv58zm0a8drzgp026g4fzsb
    """
    with opened(settings(ctx)) as ledger:
        ledger.revoke(id_, _now())
    if as_json:
        print_json({"revoked": id_})
    click.echo(f"{id_} opens nothing any more", err=True)


@contextmanager
def opened(found: Settings) -> Iterator[Ledger]:
    """The ledger; a SQLite file of our own is brought up to date without asking."""
    from calfeed.ledger import Ledger  # sqlalchemy

    with Ledger(found.database_url, role="cli") as ledger:
        if ledger.database.sqlite:
            ledger.upgrade()
        yield ledger


def _check_private(catalog: Catalog, feed: str) -> None:
    found = catalog.feed_by_id.get(feed)
    if found is None:
        private = [one.id for one in catalog.feeds if one.visibility == "private"]
        raise click.UsageError(f"no feed {feed!r}; private ones are: {', '.join(private) or 'none'}")
    if found.visibility != "private":
        raise click.UsageError(f"feed {feed!r} is {found.visibility}: /feeds/{feed}.ics needs no token")


def _now() -> datetime:
    return datetime.now(UTC)


def _row(one: Delivery) -> tuple[str, ...]:
    from calfeed.ledger.as_json import stamp  # sqlalchemy

    tries, why = str(one.attempt), one.last_error or ""
    return stamp(one.due) or "", str(one.state), one.kind, one.event or "", one.channel, tries, one.id, why


def _attempt_row(one: Attempt) -> tuple[str, ...]:
    from calfeed.ledger.as_json import stamp  # sqlalchemy

    status = "" if one.status is None else str(one.status)
    return str(one.number), stamp(one.ended) or "", one.outcome, status, one.error or ""


def _audit(found: Audit) -> dict[str, Any]:
    findings = [{"delivery": one.delivery, "key": one.key, "problem": one.problem} for one in found.findings]
    return {
        "clean": found.clean,
        "outcomes": dict(found.outcomes),
        "repeated": found.repeated,
        "findings": findings,
    }


def _token(one: Token) -> dict[str, str | None]:
    from calfeed.ledger.as_json import stamp  # sqlalchemy

    return {
        "id": one.id,
        "feed": one.feed,
        "created": stamp(one.created),
        "used": stamp(one.used),
        "revoked": stamp(one.revoked),
    }
