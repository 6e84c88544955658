"""The event list that an import makes must load: what it would refuse is taken out, with the reason it gave."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from calfeed.errors import Problem, SourceError
from calfeed.events.parse import load
from calfeed.feeds.read_ics.draft import Draft
from calfeed.feeds.read_ics.entry import Entry
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.words import UNTITLED

ROUNDS = 4
"""How often what is refused is taken out piece by piece; after that, whole events are."""

NEVER = "exdate leaves no occurrence"
"""What the event list says of an event that never happens."""

_STEP = re.compile(r"([a-z_]+)|\[(\d+)\]")
_PROPERTY = {
    "start": "DTSTART",
    "end": "DTEND",
    "location": "LOCATION",
    "organizer": "ORGANIZER",
    "contact": "CONTACT",
    "conference": "CONFERENCE",
    "attach": "ATTACH",
    "recurrence_id": "RECURRENCE-ID",
    "sources": "LINK",
    "name": "NAME",
    "color": "COLOR",
    "refresh": "REFRESH-INTERVAL",
    "language": "LANGUAGE",
}

Path = tuple[str | int, ...]


def mended(draft: Draft, lost: Lost) -> str:
    """The TOML of a draft, less what an event list cannot hold."""
    for number in range(2 * ROUNDS):
        toml = draft.toml()
        try:
            load([("import", toml)])
        except SourceError as fault:
            errors = [problem for problem in fault.problems if problem.severity == "error"]
            _take_out(draft, errors, lost, whole=number >= ROUNDS)
        else:
            return toml
    draft.entries.clear()
    return draft.toml()


def _take_out(draft: Draft, errors: Iterable[Problem], lost: Lost, *, whole: bool) -> None:
    gone: dict[int, Problem] = {}
    paths = sorted(((_path(error.path), error) for error in errors), key=lambda pair: _order(pair[0]), reverse=True)
    for path, error in paths:
        if path[:1] == ("calendar",):
            _from_calendar(draft, path, error, lost)
        elif path[:1] == ("events",) and len(path) > 1 and isinstance(path[1], int):
            if whole or not _from_event(draft, path[1], path[2:], error, lost):
                gone[path[1]] = error
        else:
            draft.entries.clear()
    for index in sorted(gone, reverse=True):
        entry = draft.entries.pop(index)
        why = f"an event that an event list cannot hold was left out: {gone[index].message}"
        lost.add("VEVENT", why, entry.component.number)


def _path(text: str) -> Path:
    return tuple(int(number) if number else name for name, number in _STEP.findall(text))


def _order(path: Path) -> list[tuple[int, str]]:
    """Later items of a list are taken out first, so that the earlier keep their places."""
    return [(part, "") if isinstance(part, int) else (0, part) for part in path]


def _from_calendar(draft: Draft, path: Path, error: Problem, lost: Lost) -> None:
    key = str(path[1]) if len(path) > 1 else ""
    instead = {"id": "imported", "name": "Imported calendar", "timezone": "UTC"}
    if draft.calendar.pop(key, None) is not None:
        lost.add(_PROPERTY.get(key, key.upper()), _why(error), draft.line)
    if key in instead:
        draft.calendar[key] = instead[key]


def _from_event(draft: Draft, index: int, path: Path, error: Problem, lost: Lost) -> bool:
    """Take out what the path leads to; False where the event cannot be without it."""
    entry = draft.entries[index]
    if path[:1] == ("overrides",):
        return _from_override(draft, entry, path[1:], error, lost)
    if not path or path[0] in ("start", "id") or error.message == NEVER:
        return False
    _drop(entry, entry.keys, path, error, lost)
    return True


def _from_override(draft: Draft, entry: Entry, path: Path, error: Problem, lost: Lost) -> bool:
    if not path or not isinstance(path[0], int):
        for override in reversed(entry.overrides):
            draft.detach(entry, override)
        return True
    override = entry.overrides[path[0]]
    if len(path) < 2 or path[1] in ("start", "recurrence_id"):
        lost.add("RECURRENCE-ID", f"{_why(error)}; it became an event", override.line("RECURRENCE-ID"))
        draft.detach(entry, override)
        return True
    _drop(override, override.changes, path[1:], error, lost)
    return True


def _drop(entry: Entry, keys: dict[str, Any], path: Path, error: Problem, lost: Lost) -> None:
    key = str(path[0])
    name = _PROPERTY.get(key, key.upper())
    held = keys.get(key)
    if isinstance(held, list) and len(path) > 1 and isinstance(path[1], int) and path[1] < len(held):
        held.pop(path[1])
        if not held:
            del keys[key]
    else:
        keys.pop(key, None)
    if key == "summary" and keys is entry.keys:
        keys[key] = UNTITLED
    if key == "uid":
        entry.uid = ""
    lost.add(name, _why(error), entry.line(name))


def _why(error: Problem) -> str:
    return f"left out: {error.message}"
