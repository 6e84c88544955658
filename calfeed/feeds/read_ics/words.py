"""Titles and descriptions: as texts, by language, and in a feed of ours less what calfeed adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from calfeed.events import bounds
from calfeed.events.model import Event, Moment, Source, Tba, Text
from calfeed.feeds.lint.content import Line
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.read_ics import ours, texts
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.meetings import conferences
from calfeed.feeds.read_ics.reading import parameter

UNTITLED = "Untitled"


def words(component: Component, start: Moment, end: Moment | None, frame: Frame) -> Iterator[tuple[str, Any]]:
    """Title, description, and in a feed of ours what its description says besides."""
    summaries, descriptions = component.lines.get("SUMMARY", []), component.lines.get("DESCRIPTION", [])
    tba = _tba(component) if frame.is_ours else None
    if frame.is_ours:
        said = _said(component, start, end, tba, frame)
        title: Any = tagged(said.title, summaries[0] if summaries else None, frame.language)
        prose: Any = said.description and texts.commonmark(said.description)
        prose = prose and tagged(prose, descriptions[0] if descriptions else None, frame.language)
        sources = [_source_table(each) for each in said.sources]
    else:
        title = by_language(summaries, frame, texts.line, bounds.TITLE)
        prose = by_language(descriptions, frame, _prose, bounds.PROSE)
        sources = []
    if not title:
        frame.lost.add("SUMMARY", f"an event without a title was called {UNTITLED!r}", component.number)
    yield "summary", title or UNTITLED
    for key, value in (("description", prose), ("tba", tba), ("sources", sources)):
        if value:
            yield key, value


def _prose(value: str) -> str:
    return texts.commonmark(texts.tidied(texts.from_html(texts.text(value))))


def _tba(component: Component) -> Tba | None:
    found = component.text("X-CALFEED-TBA").lower()
    return "time" if found == "time" else "date" if found == "date" else None


def _said(component: Component, start: Moment, end: Moment | None, tba: Tba | None, frame: Frame) -> ours.Said:
    line = component.first("SUMMARY")
    language = (line.parameter("LANGUAGE") if line else None) or frame.language
    links = {parameter(each, "LABEL") or "": each.value for each in component.all("LINK")}
    event = Event(
        id="x",
        uid="x",
        summary=Text(((language, texts.line(line.value) if line else ""),)),
        start=start,
        end=end or (start if isinstance(start, datetime) else start + timedelta(days=1)),
        timezone="UTC",
        tba=tba,
        conference=tuple(conferences(component, frame)),
    )
    told = component.first("DESCRIPTION")
    text = texts.cleaned(cut(told, bounds.PROSE, frame.lost)) if told else ""
    return ours.unsaid(event, text, links, language)


def by_language(lines: list[Line], frame: Frame, read: Callable[[str], str], most: int) -> Any:
    """A text, or a table of it by language where the lines say other ones; None where nothing is said."""
    found: dict[str, str] = {}
    for line in lines:
        value = read(cut(line, most, frame.lost))
        if value:
            found.setdefault(line.parameter("LANGUAGE") or frame.language, value)
    if not found:
        return None
    only = next(iter(found.values()))
    return only if len(found) == 1 and _same(next(iter(found)), frame.language) else found


def cut(line: Line, most: int, lost: Lost) -> str:
    """The value of a line, cut where an event list would not take it; marks of CommonMark still have room."""
    if len(line.value) <= most:
        return line.value
    lost.add(line.name, f"a text was cut after {most * 3 // 4} characters", line.number)
    return line.value[: most * 3 // 4].rstrip("\\")


def tagged(text: str, line: Line | None, language: str) -> Any:
    """A text, as a table where its line says that it is in another language."""
    tag = (line.parameter("LANGUAGE") if line else None) or language
    return text if _same(tag, language) or not text else {tag: text}


def _same(tag: str, language: str) -> bool:
    return tag.lower() == language.lower()


def _source_table(source: Source) -> dict[str, Any]:
    table: dict[str, Any] = {"title": source.title.get()}
    if source.url:
        table["url"] = source.url
    if source.published:
        table["published"] = source.published
    return table
