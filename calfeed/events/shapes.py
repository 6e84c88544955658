"""Tables to checked tables: the whole file in one call, and when that fails, what of it can still be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from calfeed.events import complaints
from calfeed.events.report import Report
from calfeed.events.scan import Path
from calfeed.events.schema import CalendarTable, ChannelTable, EventTable, FeedTable, SourceFile

M = TypeVar("M", bound=BaseModel)

UNKNOWN = date(1, 1, 1)
"""Stands for a start that cannot be read; compared by identity."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """The tables of one file; None stands for one that is too broken to look at further."""

    calendar: CalendarTable | None
    feeds: list[FeedTable] | list[FeedTable | None]
    events: list[EventTable] | list[EventTable | None]
    channels: list[ChannelTable] | list[ChannelTable | None]


def shaped(document: int, report: Report) -> Shaped:
    """The tables of a document; every fault of shape goes to the report.

    Where there are faults, the faulty keys are taken out and the rest is read again, so that the faults that only
    ``parse`` can see are told in the same run.
    """
    data = report.documents[document].data
    try:
        whole = SourceFile.model_validate(data)
    except ValidationError as error:
        for path in _told(error, document, report):
            _remove(data, path)
        return _remains(data)
    return Shaped(whole.calendar, whole.feeds, whole.events, whole.channels)


def _told(error: ValidationError, document: int, report: Report) -> list[Path]:
    data = report.documents[document].data
    paths = []
    for each in error.errors(include_url=False):
        path = complaints.place_of(each, data)
        if path is None:
            continue
        missing = each["type"] == "missing"
        path = path[:-1] if missing else path
        report.add(document, path, *complaints.words(each, path))
        paths.append(path)
    return paths


def _remove(data: dict[str, Any], path: Path) -> None:
    """Takes out what stands at ``path``, or the list that it is an item of."""
    while len(path) > 2 and isinstance(path[-1], int):
        path = path[:-1]
    around: Any = data
    for part in path[:-1]:
        around = complaints.step(around, part)
    if isinstance(around, dict):
        around.pop(path[-1], None)
    elif isinstance(around, list) and isinstance(path[-1], int):
        around[path[-1]] = None


def _remains(data: dict[str, Any]) -> Shaped:
    return Shaped(
        _maybe(CalendarTable, data.get("calendar"), id="x", name="x", timezone="UTC"),
        [_maybe(FeedTable, each, id=f"feeds-{number}") for number, each in _numbered(data, "feeds")],
        [_event(each, number) for number, each in _numbered(data, "events")],
        [
            _maybe(ChannelTable, each, id=f"channels-{number}", kind="webhook", url="env:X")
            for number, each in _numbered(data, "channels")
        ],
    )


def _event(value: object, number: int) -> EventTable | None:
    for each in value.get("overrides", ()) if isinstance(value, dict) else ():
        each.setdefault("recurrence_id", UNKNOWN)
    return _maybe(EventTable, value, id=f"events-{number}", summary="x", start=UNKNOWN)


def _numbered(data: Mapping[str, Any], array: str) -> Iterable[tuple[int, object]]:
    value = data.get(array)
    return enumerate(value) if isinstance(value, list) else ()


def _maybe(model: type[M], value: object, **instead: object) -> M | None:
    """The table, with something ``instead`` of required keys that are missing or were taken out."""
    try:
        return model.model_validate({**instead, **value} if isinstance(value, dict) else value)
    except ValidationError:
        return None
