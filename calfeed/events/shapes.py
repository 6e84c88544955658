"""Tables to checked tables: the whole file in one call, and when that fails, what of it can still be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from calfeed.events import complaints
from calfeed.events.report import Report
from calfeed.events.scan import Path
from calfeed.events.schema import CalendarTable, ChannelTable, EventTable, FeedTable, SourceFile

M = TypeVar("M", bound=BaseModel)

UNKNOWN = date(1, 1, 1)
"""Stands for a start that cannot be read; compared by identity."""

_ITEMS: dict[str | int, object] = {
    "feeds": None,
    "events": None,
    "channels": None,
    "attach": "https://example.org/",
    "conference": {"uri": "https://example.org/"},
    "sources": {"title": "x"},
    "remind": "1h",
    "before": "1h",
}
"""What stands in for an item that cannot be used, so that the others keep their places."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """The tables of one file; None stands for one that is too broken to look at further."""

    calendar: CalendarTable | None
    feeds: list[FeedTable] | list[FeedTable | None]
    events: list[EventTable] | list[EventTable | None]
    channels: list[ChannelTable] | list[ChannelTable | None]


def shaped(document: int, report: Report) -> Shaped:
    """The tables of a document; every fault of shape goes to the report.

    Where there are faults, the faulty values are taken out and the rest is read again, so that the faults that only
    ``parse`` can see are told in the same run.
    """
    data = report.documents[document].data
    try:
        whole = SourceFile.model_validate(data)
    except ValidationError as error:
        for path in _told(error, document, report):
            _take_out(data, path)
        return _remains(data, document)
    return Shaped(whole.calendar, whole.feeds, whole.events, whole.channels)


def _told(error: ValidationError, document: int, report: Report) -> list[Path]:
    """Reports every error; the paths of what is to be taken out."""
    data = report.documents[document].data
    paths = []
    for each in error.errors(include_url=False):
        path = complaints.place_of(each, data)
        if path is None:
            continue
        table = path[:-1] if each["type"] == "missing" else path
        report.add(document, table, *complaints.words(each, table))
        paths.append(path if _has_substitutes(table) else table)
    return paths


def _has_substitutes(path: Path) -> bool:
    """Whether it is a table whose missing keys `_remains` replaces."""
    return path == ("calendar",) or (len(path) > 1 and path[-2] in {"feeds", "events", "channels", "overrides"})


def _take_out(data: dict[str, Any], path: Path) -> None:
    """Takes out the value at ``path``: a key from its table, an item for a substitute, or the list that has no such."""
    for place, key in enumerate(path[2:-1], 2):
        path = path[: place + 2] if key in _ITEMS else path
    around: Any = reduce(complaints.step, path[:-1], data)
    if isinstance(around, dict):
        around.pop(path[-1], None)
    elif isinstance(around, list) and path[-2] in _ITEMS:
        around[int(path[-1])] = _ITEMS[path[-2]]
    elif len(path) > 1:
        _take_out(data, path[:-1])


def _remains(data: dict[str, Any], document: int) -> Shaped:
    def name(number: int) -> str:
        return f"unnamed.{document}.{number}"

    return Shaped(
        _maybe(CalendarTable, data.get("calendar"), id="x", name="x", timezone="UTC"),
        [_maybe(FeedTable, each, id=name(number)) for number, each in _numbered(data, "feeds")],
        [
            _maybe(EventTable, each, id=name(number), summary="x", start=UNKNOWN)
            for number, each in _numbered(data, "events")
        ],
        [
            _maybe(ChannelTable, each, id=name(number), kind="webhook", url="env:X")
            for number, each in _numbered(data, "channels")
        ],
    )


def _numbered(data: Mapping[str, Any], array: str) -> Iterable[tuple[int, object]]:
    value = data.get(array)
    return enumerate(value) if isinstance(value, list) else ()


def _maybe(model: type[M], value: object, **instead: object) -> M | None:
    """The table, with something ``instead`` of required keys that are missing or were taken out."""
    if not isinstance(value, dict):
        return None
    for each in value.get("overrides", ()):
        each.setdefault("recurrence_id", UNKNOWN)
    try:
        return model.model_validate({**instead, **value})
    except ValidationError as error:  # what was taken out of an inner table was all it had
        spoiled = {each["loc"][0] for each in error.errors(include_url=False)}
        rest = {key: each for key, each in value.items() if key not in spoiled}
        return None if rest.keys() == value.keys() else _maybe(model, rest, **instead)
