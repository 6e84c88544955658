"""Commands between forms: what differs, and iCalendar into TOML."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from calfeed.cli.common import FEEDS, counted, json_option, load_catalog, print_json, progress, show_problems
from calfeed.events import bounds

if TYPE_CHECKING:
    from calfeed.events.model import Catalog, Event
    from calfeed.events.revision import Change
    from calfeed.reminders.effect import Effect

MOST_OCTETS = bounds.SOURCE_BYTES + 1
"""What is read of an address or of stdin: one octet more than an import takes, so that it refuses what is larger."""


@click.command()
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@click.option("--lang", default="en", show_default=True, help="Language of the words: en, ru or zh.")
@json_option
def diff(*, old: Path, new: Path, lang: str, as_json: bool) -> None:
    """Tell what changed from OLD to NEW: event lists, folders of them, or .ics feeds; and which reminders move with it.

    Example: calfeed diff events.toml.old events.toml
    """
    from calfeed.events.changes import diff as compare  # only here
    from calfeed.reminders.effect import Effect, effects, others  # only here

    before, after = _catalog(old), _catalog(new)
    now = datetime.now(UTC)
    changes = compare(before, after, now)
    found = {} if _is_feed(old) or _is_feed(new) else effects(before, after, now)  # a feed names no channels
    listed = [(change, found.pop(change.uid, Effect())) for change in changes]
    if as_json:
        print_json([*(_change_json(*one, lang) for one in listed), *_others_json(before, after, found, lang)])
    else:
        for change, effect in listed:
            click.echo(f"{_shown(change.before, change.after).summary.get(lang)}: {_told(change, effect, lang)}")
        if found:
            click.echo(others(found.values(), lang))
    click.echo(counted(len(changes), "change"), err=True)


def _is_feed(path: Path) -> bool:
    return path.suffix.lower() in FEEDS


def _catalog(path: Path) -> Catalog:
    if not _is_feed(path):
        return load_catalog(path)
    from calfeed.events.parse import load  # only for feeds
    from calfeed.feeds.read_ics import read_ics

    return load([(str(path), read_ics(_file(path), str(path)).toml)])


def _told(change: Change, effect: Effect, lang: str) -> str:
    from calfeed.events.wording import describe  # Babel
    from calfeed.events.words import words

    return words(lang).pause.join(filter(None, (describe(change, lang), effect.told(lang))))


def _shown(before: Event | None, after: Event | None) -> Event:
    found = after or before
    if found is None:
        raise ValueError("a change has a state before or after it")
    return found


def _change_json(change: Change, effect: Effect, lang: str) -> dict[str, Any]:
    kind, fields = str(change.kind), list(change.fields)
    said = {"kind": kind, "fields": fields, "words": _told(change, effect, lang)}
    return said | _states(change.before, change.after, effect, lang)


def _others_json(old: Catalog, new: Catalog, found: Mapping[str, Effect], lang: str) -> Iterator[dict[str, Any]]:
    for uid, effect in found.items():
        said = {"kind": "reminders", "fields": [], "words": effect.told(lang)}
        yield said | _states(old.by_uid.get(uid), new.by_uid.get(uid), effect, lang)


def _states(before: Event | None, after: Event | None, effect: Effect, lang: str) -> dict[str, Any]:
    shown = _shown(before, after)
    return {
        "id": shown.id,
        "uid": shown.uid,
        "summary": shown.summary.get(lang),
        "before": _times(before),
        "after": _times(after),
        "reminders": asdict(effect),
    }


def _times(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    end = event.end.isoformat() if event.end else None
    return {
        "start": event.start.isoformat(),
        "end": end,
        "status": event.status,
        "rrule": event.rrule,
        "tba": event.tba,
    }


@click.command("import")
@click.argument("source", type=click.Path(allow_dash=True), metavar="FILE.ics|URL|-")
@click.option("--id", "calendar_id", help="Id of the calendar (else made from its name).")
def import_(*, source: str, calendar_id: str | None) -> None:
    """Turn an iCalendar file or feed into TOML on stdout, UIDs kept; what cannot be carried is told on stderr.

    Example: calfeed import https://calendar.example.org/feed.ics > events.toml
    """
    from calfeed.feeds.read_ics import read_ics  # icalendar

    imported = read_ics(
        _octets(source),
        source,
        calendar_id=calendar_id,
        follow=lambda events: progress(events, len(events), "importing"),
    )
    show_problems(imported.lost, err=True)
    click.echo(imported.toml, nl=False)


def _octets(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(MOST_OCTETS)
    if source.startswith(("http://", "https://", "webcal://")):
        return _fetched(source)
    if "://" in source:
        _leave(f"{source}: error: only http, https and webcal addresses are fetched")
    return _file(Path(source))


def _file(path: Path) -> bytes:
    from calfeed.publish import read_octets  # only here

    try:
        return read_octets(path)
    except OSError as fault:
        _leave(f"{path}: error: cannot be read: {fault.strerror}")


def _fetched(url: str) -> bytes:
    import requests  # only for a URL
    from urllib3.exceptions import HTTPError

    try:
        with requests.get(url.replace("webcal://", "https://", 1), timeout=(5, 60), stream=True) as answer:
            if not answer.ok:
                _leave(f"{url}: error: cannot be fetched: it answers {answer.status_code} {answer.reason}")
            return answer.raw.read(MOST_OCTETS, decode_content=True)
    except (requests.RequestException, HTTPError, ValueError) as fault:  # a body breaks off; an address is none
        _leave(f"{url}: error: cannot be fetched: {type(fault).__name__}")


def _leave(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
