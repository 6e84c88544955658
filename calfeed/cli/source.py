"""Commands that read a source and write nothing but what is asked for."""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calfeed.cli import completion
from calfeed.cli.common import (
    FEEDS,
    Instant,
    as_instant,
    counted,
    end_instant,
    events_option,
    json_option,
    load_catalog,
    print_json,
    settings,
    show_problems,
    table,
)
from calfeed.errors import Location, Problem, SourceError

if TYPE_CHECKING:
    from calfeed.events.model import Catalog, Occurrence


@click.command()
@click.argument("path", type=click.Path(), default="events.toml")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(path: str, *, force: bool) -> None:
    """Write a commented starting event list to PATH (events.toml; - for stdout).

    Example: calfeed init
    """
    text = (files("calfeed.events") / "starter.toml").read_text(encoding="utf-8")
    target = Path(path)
    if path == "-" or _is_stdout(target):
        click.echo(text, nl=False)
        return
    if target.exists() and not force:
        click.echo(f"{path} is there already: name another path, or --force to write over it", err=True)
        sys.exit(1)
    target.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}; next: calfeed check {path} && calfeed --events {path} up", err=True)


def _is_stdout(target: Path) -> bool:
    """``calfeed init > events.toml``: the shell has made the file that we are to fill."""
    try:
        return os.path.samestat(target.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "github", "sarif", "json"]),
    default="text",
    help="For people, for GitHub's annotations, as SARIF 2.1.0 or as JSON.",
)
@json_option
@events_option
@click.pass_context
def check(ctx: click.Context, *, paths: tuple[str, ...], style: str, events: str | None, as_json: bool) -> None:
    """Tell every problem of event lists (files or folders) and .ics files; exit 1 if one is an error.

    A PATH of - is standard input, iCalendar if it begins like that.

    Example: calfeed check events.toml feed.ics --format github
    """
    from calfeed.reports import report  # only here

    found = settings(ctx, events)
    problems = [problem for path in paths or [str(found.events)] for problem in _check(path)]
    style = "json" if as_json else style
    if style == "text":
        show_problems(problems)
    else:
        click.echo(report(problems, style, _titles(style)), nl=False)
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}", err=True)
    sys.exit(1 if errors else 0)


def _titles(style: str) -> dict[str, str]:
    """What each code of the linter stands for; SARIF alone lists them."""
    if style != "sarif":
        return {}
    from calfeed.feeds.lint.findings import FINDINGS  # only for SARIF

    return {code: finding.title for code, finding in FINDINGS.items()}


def _check(name: str) -> list[Problem]:
    from calfeed.publish import read_files  # only here

    try:
        if name == "-" or Path(name).suffix.lower() in FEEDS:
            return _check_octets(name)
        return _check_source(read_files(Path(name)))
    except OSError as fault:
        return [Problem(Location(name), f"cannot be read: {fault.strerror}")]
    except SourceError as fault:
        return list(fault.problems)


def _check_octets(name: str) -> list[Problem]:
    from calfeed.publish import read_octets, read_stream  # only here

    if name != "-":
        return _check_ics(read_octets(Path(name)), name)
    data = read_stream(sys.stdin.buffer)
    if data.removeprefix(BOM_UTF8).lstrip()[:6].upper() == b"BEGIN:":
        return _check_ics(data, name)
    return _check_source([(name, data)])


def _check_ics(data: bytes, name: str) -> list[Problem]:
    from calfeed.feeds.lint import lint  # only for .ics files

    problems = lint(data, name)
    if any(problem.severity == "error" for problem in problems):
        return problems
    from calfeed.feeds.second_reading import second_reading  # icalendar

    return [*problems, *second_reading(data, name)]


def _check_source(files: Sequence[tuple[str, bytes]]) -> list[Problem]:
    from calfeed.events.parse import load  # only for event lists

    catalog = load(files)
    return [*catalog.warnings, *_client_warnings(catalog)]


def _client_warnings(catalog: Catalog) -> list[Problem]:
    """What a client or a channel would drop of this source."""
    from calfeed.feeds.snapshot import client_warnings  # only for event lists
    from calfeed.reminders.load import overload

    now = datetime.now(UTC)
    return [*client_warnings(catalog, now), *overload(catalog, now, now + timedelta(days=366))]


@click.command()
def schema() -> None:
    """Print the JSON Schema of the TOML, for editors.

    Example: calfeed schema > events.schema.json
    """
    from calfeed.events.schema import json_schema  # pydantic

    print_json(json_schema())


@click.command()
@click.option("--from", "since", type=Instant(), help="First instant or day (default: today).")
@click.option("--to", "until", type=Instant(), help="Last day, inclusive, or end instant (default: 30 days on).")
@click.option(
    "--feed",
    "feed_id",
    default="all",
    show_default=True,
    help="Only what stands in this feed.",
    shell_complete=completion.feeds,
)
@click.option("--category", multiple=True, help="Any of these; may be repeated.", shell_complete=completion.categories)
@click.option("--lang", help="Language of the titles.")
@json_option
@events_option
@click.pass_context
def agenda(
    ctx: click.Context,
    *,
    since: date | None,
    until: date | None,
    feed_id: str,
    category: tuple[str, ...],
    lang: str | None,
    events: str | None,
    as_json: bool,
) -> None:
    """Show the coming occurrences as a table.

    Example: calfeed agenda --from 2024-05-14 --to 2024-05-22 --category expo
    """
    catalog = load_catalog(settings(ctx, events).events)
    found = _occurrences(catalog, since, until, feed_id, category)
    if as_json:
        print_json([_as_json(occurrence, lang) for occurrence in found])
    elif found:
        click.echo(table([_row(occurrence, lang) for occurrence in found], ("WHEN", "WHAT", "STATUS", "ID")))
    else:
        click.echo("nothing in that time; --from and --to choose another", err=True)


def _occurrences(
    catalog: Catalog, since: date | None, until: date | None, feed_id: str, category: tuple[str, ...]
) -> list[Occurrence]:
    from calfeed.events.occurrences import all_occurrences  # only here
    from calfeed.feeds.select import Query, select

    feed = catalog.feed_by_id.get(feed_id)
    if feed is None:
        raise click.UsageError(f"no feed {feed_id!r}; there are: {', '.join(catalog.feed_by_id)}")
    zone, now = catalog.calendar.zone, datetime.now(UTC)
    start = as_instant(since or now.astimezone(zone).date(), zone)
    end = start + timedelta(days=30) if until is None else end_instant(until, zone, since)
    query = Query.parse([("category", name) for name in category])
    return all_occurrences(select(catalog.events, feed, query, now), start, end)


def _row(occurrence: Occurrence, lang: str | None) -> tuple[str, str, str, str]:
    event = occurrence.event
    return _when(occurrence), event.summary.get(lang), event.status, event.id


def _when(occurrence: Occurrence) -> str:
    start, end = occurrence.start, occurrence.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        shown = end.strftime("–%H:%M" if end.date() == start.date() else "–%a %Y-%m-%d %H:%M")
        ends = shown if end.astimezone(UTC) > start.astimezone(UTC) else ""
        return f"{start:%a %Y-%m-%d %H:%M}{ends} {occurrence.event.timezone}"
    last = end - timedelta(days=1)
    days = f"{start:%a %Y-%m-%d}" if last <= start else f"{start:%a %Y-%m-%d} – {last:%a %Y-%m-%d}"
    tba = {"time": ", time to be announced", "date": ", date to be announced", None: ""}
    return days + tba[occurrence.event.tba]


def _as_json(occurrence: Occurrence, lang: str | None) -> dict[str, object]:
    event = occurrence.event
    return {
        "id": event.id,
        "uid": event.uid,
        "summary": event.summary.get(lang),
        "start": occurrence.start.isoformat(),
        "end": occurrence.end.isoformat(),
        "all_day": occurrence.all_day,
        "tba": event.tba,
        "status": event.status,
        "recurrence_id": occurrence.recurrence_id.isoformat() if occurrence.recurrence_id else None,
        "timezone": event.timezone,
        "categories": list(event.categories),
    }
