"""Commands that write feeds: one to stdout, all of them to a folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calfeed.cli import completion
from calfeed.cli.common import Address, events_option, json_option, load_catalog, pages, print_json, settings

if TYPE_CHECKING:
    from calfeed.events.revision import Change, Revision
    from calfeed.feeds.snapshot import Snapshot
    from calfeed.settings import Settings

FORMATS = ("ics", "jcal", "json", "atom", "jscal")


class QueryKeys(click.Command):
    """Takes ``--expand=1`` and ``--expand 1``, as the query string writes it, for ``--expand``."""

    SWITCHES = ("--expand", "--rich")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With each switch as click knows it: alone, or not there."""
        plain: list[str] = []
        for arg in args:
            name, _, value = arg.partition("=")
            if arg == "1" and plain and plain[-1] in self.SWITCHES:
                continue
            if name not in self.SWITCHES or value not in {"0", "1"}:
                plain.append(arg)
            elif value == "1":
                plain.append(name)
        return super().parse_args(ctx, plain)


@click.command(cls=QueryKeys)
@click.argument("feed", default="all", shell_complete=completion.feeds)
@click.option("--format", "style", type=click.Choice(FORMATS), default="ics", show_default=True, help="Which form.")
@click.option("--category", multiple=True, help="Any of these; may be repeated.", shell_complete=completion.categories)
@click.option(
    "--not", "exclude", multiple=True, help="None of these; may be repeated.", shell_complete=completion.categories
)
@click.option("--lang", help="Language of the texts.")
@click.option("--q", help="Only what these words are found in.")
@click.option(
    "--cancelled", type=click.Choice(["keep", "mark", "drop"]), help="Cancelled, told in the title, or left out."
)
@click.option("--alarm", metavar="LEAD", help="An alarm this long before each item, such as 30m.")
@click.option("--expand", is_flag=True, help="One VEVENT per occurrence.")
@click.option("--rich", is_flag=True, help="RFC 9073 components.")
@events_option
@click.pass_context
def feed(ctx: click.Context, /, *, feed: str, style: str, events: str | None, **query: object) -> None:
    """Print one feed.

    Example: calfeed feed expo --lang zh --cancelled drop > expo.ics
    """
    from calfeed.events.parse import uncollected  # pydantic
    from calfeed.feeds.select import Query  # only here

    found = settings(ctx, events)
    asked = Query.parse(_pairs(query))
    path = f"/feeds/{feed}.{style}"
    with uncollected():
        snapshot = current_snapshot(found)
        resource = snapshot.resource(path, asked) or snapshot.resource(path, asked, private=True)
    if resource is None:
        raise click.UsageError(f"no feed {feed!r}; there are: {', '.join(snapshot.catalog.feed_by_id)}")
    sys.stdout.buffer.write(resource.body)
    sys.stdout.buffer.flush()


def _pairs(query: dict[str, object]) -> list[tuple[str, str]]:
    keys = {"exclude": "not"}
    pairs = []
    for name, value in query.items():
        values = value if isinstance(value, tuple) else (value,)
        pairs += [(keys.get(name, name), "1" if one is True else str(one)) for one in values if one]
    return pairs


def current_snapshot(found: Settings) -> Snapshot:
    """The source as it would be published now, with the revisions that the database remembers; nothing is written.

    Without a database, an event that was never published counts from the day its file was last changed: the bytes
    are the same each time.
    """
    from calfeed.events.changes import revise  # only here
    from calfeed.feeds.snapshot import build
    from calfeed.publish import source_files

    catalog = load_catalog(found.events)
    published, changes = _remembered(found)
    changed = max(int(file.stat().st_mtime) for file in source_files(found.events))
    at = datetime.fromtimestamp(changed, UTC)
    revised = revise(catalog, published, at, catalog.calendar.tombstone.as_timedelta())
    return build(
        catalog,
        revised.revisions,
        (*revised.changes, *changes),
        base_url=found.base_url or catalog.calendar.url,
        now=datetime.now(UTC),
    )


def _remembered(found: Settings) -> tuple[Mapping[str, Revision], tuple[Change, ...]]:
    """(newest revisions, changes) of the database, where there is one."""
    if _missing_file(found.database_url):
        return {}, ()
    from calfeed.ledger import Ledger  # sqlalchemy: only where something may be remembered

    with Ledger(found.database_url) as ledger:
        return ledger.revisions(), tuple(ledger.changes())


def _missing_file(url: str) -> bool:
    kind, _, path = url.partition(":///")
    return kind.startswith("sqlite") and not Path(path).is_file()


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--base-url", type=Address(base=True), help="Where the folder will stand in public (else CALFEED_BASE_URL, url)."
)
@json_option
@events_option
@click.pass_context
def build(ctx: click.Context, /, *, out: Path, base_url: str | None, events: str | None, as_json: bool) -> None:
    """Write the static site: every feed in every format, pages, each event; only changed files are touched.

    Example: calfeed build --out site --base-url https://calendar.example.org
    """
    from calfeed.export import build_site  # only here
    from calfeed.web.static_site import static_pages  # flask

    found = settings(ctx, events)
    catalog = load_catalog(found.events)
    where = base_url or found.base_url or catalog.calendar.url
    with pages("building") as told:
        shown = partial(static_pages, told=told)
        done = build_site(catalog, out, base_url=where, now=datetime.now(UTC), pages=shown)
    if as_json:
        print_json({"written": done.written, "removed": done.removed, "unchanged": done.unchanged})
    click.echo(f"{len(done.written)} written, {done.unchanged} unchanged, {len(done.removed)} removed", err=True)
