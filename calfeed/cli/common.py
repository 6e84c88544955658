"""What several commands share: where the source is, how instants are read, how tables and problems are shown."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from calfeed.errors import Problem, SourceError
from calfeed.reports import one_line
from calfeed.settings import Settings, base_url, http_url

if TYPE_CHECKING:
    from calfeed.events.model import Catalog

Item = TypeVar("Item")

FEEDS = frozenset({".ics", ".ical", ".ifb", ".icalendar"})
"""How the names of iCalendar files end (RFC 5545 §8.1 and what products write)."""

events_option = click.option(
    "--events", type=click.Path(), metavar="PATH", help="The event list or its folder (else CALFEED_EVENTS)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="For machines: JSON on stdout.")


def settings(ctx: click.Context, events: str | None = None) -> Settings:
    """The environment, with ``--events`` of the command or of the program winning over it; logging is set up by it."""
    from calfeed import logs  # costs 3 ms that `--help` need not pay

    found = Settings.from_env(os.environ)
    chosen = events or ctx.find_root().obj
    if chosen:
        found = replace(found, events=Path(chosen))
        os.environ["CALFEED_EVENTS"] = str(chosen)  # for the worker processes of the server
        os.environ.pop("CALFEED_EVENTS_FILE", None)
    logs.configure(found.log)
    return found


def load_catalog(path: Path) -> Catalog:
    """The checked source; prints its problems to stderr and exits 1 when it cannot be used."""
    from calfeed.events.parse import load  # pydantic costs most of what a command takes to start
    from calfeed.publish import read_files

    try:
        return load(read_files(path))
    except SourceError as fault:
        show_problems(fault.problems, err=True)
        sys.exit(1)


def show_problems(problems: Iterable[Problem], *, err: bool = False) -> None:
    """One line a problem, coloured by severity on a terminal."""
    for problem in problems:
        color = "red" if problem.severity == "error" else "yellow"
        text = one_line(str(problem)).replace(
            f" {problem.severity}: ", f" {click.style(problem.severity, fg=color)}: ", 1
        )
        click.echo(text, err=err)


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_json(value: Any) -> None:
    """Indented JSON on stdout, as UTF-8 text."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


class Instant(click.ParamType[date]):
    """``2024-05-14``, ``2024-05-14T09:00``, with or without an offset; without one it is in the calendar's zone."""

    name = "T"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | datetime:
        """A date, or a datetime that may still lack its zone."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a date (2024-05-14) nor a date-time (2024-05-14T09:00:00Z)", param, ctx)


class Address(click.ParamType[str]):
    """An address of the web; with ``base``, one that pages stand under."""

    name = "URL"

    def __init__(self, *, base: bool = False) -> None:
        self._parse = base_url if base else http_url

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The message repeats nothing: the address may be a secret."""
        try:
            return self._parse(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


def as_instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of an option's value; a bare date counts from its midnight in ``zone``."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.astimezone(UTC)


def end_instant(value: date | datetime, zone: ZoneInfo, since: date | None = None) -> datetime:
    """The UTC instant where an option's span ends: a bare date counts whole. It may not lie before ``--from``."""
    end = as_instant(value if isinstance(value, datetime) else value + timedelta(days=1), zone)
    if since is not None and end < as_instant(since, zone):
        raise click.UsageError("--to lies before --from")
    return end


def table(rows: Iterable[Sequence[str]], header: Sequence[str]) -> str:
    """Columns padded to the width that a terminal gives them (wide East Asian characters count two)."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def progress(items: Iterable[Item], count: int, label: str, *, hidden: bool = False) -> Iterator[Item]:
    """The items, with a bar on stderr where that is a terminal; ``hidden`` when lines on stdout show the progress."""
    if hidden or not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=count, label=label, file=sys.stderr) as bar:
        yield from bar


@contextmanager
def pages(label: str) -> Iterator[Callable[[int, int], None]]:
    """What to tell of work that grows while it is done: ``(done, known so far)``; a bar on stderr, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _known: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def told(done: int, known: int) -> None:
            bar.length = known
            bar.update(done - bar.pos)

        yield told


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
