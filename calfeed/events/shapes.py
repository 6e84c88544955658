"""Tables to checked tables: the whole file in one call, and when that fails, what of it can still be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from calfeed.events import wording
from calfeed.events.report import Report
from calfeed.events.scan import Path
from calfeed.events.schema import CalendarTable, ChannelTable, EventTable, FeedTable, SourceFile

M = TypeVar("M", bound=BaseModel)


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
        path = wording.place_of(each, data)
        if path is None:
            continue
        missing = each["type"] == "missing"
        path = path[:-1] if missing else path
        report.add(document, path, *wording.words(each, path))
        paths.append(path)
    return paths


def _remove(data: dict[str, Any], path: Path) -> None:
    """Takes out what stands at ``path``, or the list that it is an item of."""
    while len(path) > 2 and isinstance(path[-1], int):
        path = path[:-1]
    around: Any = data
    for part in path[:-1]:
        around = wording.step(around, part)
    if isinstance(around, dict):
        around.pop(path[-1], None)
    elif isinstance(around, list) and isinstance(path[-1], int):
        around[path[-1]] = None


def _remains(data: dict[str, Any]) -> Shaped:
    calendar = _maybe(CalendarTable, data.get("calendar"))
    return Shaped(
        calendar,
        [_maybe(FeedTable, each) for each in _list(data.get("feeds"))],
        [_maybe(EventTable, each) for each in _list(data.get("events"))],
        [_maybe(ChannelTable, each) for each in _list(data.get("channels"))],
    )


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _maybe(model: type[M], value: object) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
