"""The command that looks at the whole installation."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click

from calfeed.cli.common import events_option, json_option, print_json, settings

_COLORS = {"ok": "green", "warning": "yellow", "wrong": "red", "not looked at": "blue"}


@click.command()
@json_option
@events_option
@click.pass_context
def doctor(ctx: click.Context, /, *, events: str | None, as_json: bool) -> None:
    """Look at source, database, clock, reminder process, public address, TLS, robots.txt, gzip and each channel.

    Example: calfeed doctor
    """
    from calfeed.doctor import examine  # requests, sqlalchemy

    found = list(examine(settings(ctx, events), os.environ, lambda: datetime.now(UTC)))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        for one in found:
            click.echo(f"{click.style(f'{one.state:13}', fg=_COLORS[one.state])}  {one.name}: {one.found}")
            if one.mend and one.state != "ok":
                click.echo(f"{'':13}  → {one.mend}")
    sys.exit(1 if any(one.state == "wrong" for one in found) else 0)
