"""What calfeed's own feeds say in words besides the event's own: taken off again, so that it is not said twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from calfeed.events.model import Event, Source, Text
from calfeed.feeds.phrases import Phrases, phrases
from calfeed.feeds.prose import description, title

PRODID = "-//calfeed//"

_DATED = re.compile(r"(.+), (\d.*)")
_LANGUAGES = {tag: phrases(tag) for tag in ("en", "ru", "zh")}
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Said:
    """What an event of ours says: its title, its description, and what it has from whom."""

    title: str
    description: str
    sources: tuple[Source, ...]


def unsaid(event: Event, text: str, links: Mapping[str, str], language: str) -> Said:
    """The words of an event of ours, given what is known of it and the ``text`` of its DESCRIPTION.

    ``event`` has the title as its summary; ``links`` has the URLs of LINK by their labels.
    """
    words = phrases(language)
    bare = replace(event, summary=Text(((language, "{}"),)))
    before, _, after = title(bare, language).partition("{}")
    name = event.summary.get().removeprefix(before).removesuffix(after)
    sources = _sources(text.rpartition("\n\n")[2], words, links)
    for found in (sources, ()):
        own = _between(replace(event, sources=found), text, language)
        if own is not None:
            return Said(name, own, found)
    return Said(name, text, ())


def _between(event: Event, text: str, language: str) -> str | None:
    """``text`` without what `description` puts before and after the event's own; None where it is not so."""
    head = description(replace(event, conference=(), sources=()), language)
    tail = description(replace(event, tba=None), language)
    rest = text if not head else "" if text == head else _without(text, f"{head}\n\n", "")
    if rest is None or not tail:
        return rest
    return "" if rest == tail else _without(rest, "", f"\n\n{tail}")


def _without(text: str, head: str, tail: str) -> str | None:
    stands = text.startswith(head) and text.endswith(tail)
    return text.removeprefix(head).removesuffix(tail) if stands else None


def language(texts: Iterable[tuple[str, str]]) -> str:
    """The language of whose words calfeed made these titles and descriptions; English where it added none."""
    for name, told in texts:
        for tag, words in _LANGUAGES.items():
            marks = (words.tba_time_title, words.tba_date_title, words.cancelled_title)
            starts = (f"\n{words.join}: ", f"\n{words.join} (", f"\n{words.source}: ")
            if any(_is_made(mark, name) for mark in marks) or any(start in f"\n{told}" for start in starts):
                return tag
    return "en"


def _is_made(mark: str, text: str) -> bool:
    before, _, after = mark.partition("{}")
    return text.startswith(before) and text.endswith(after)


def without_dropped(text: str) -> str:
    """The description of a feed of ours without what it says of events that were left out."""
    own, gap, last = text.rpartition("\n\n")
    return (own if gap else "") if any(_dropped(words).fullmatch(last) for words in _LANGUAGES.values()) else text


def _dropped(words: Phrases) -> re.Pattern[str]:
    return re.compile(".+?".join(map(re.escape, words.dropped.split("{}"))))


def _sources(paragraph: str, words: Phrases, links: Mapping[str, str]) -> tuple[Source, ...]:
    lines = paragraph.split("\n")
    if not all(line.startswith(f"{words.source}: ") for line in lines):
        return ()
    return tuple(_source(line.removeprefix(f"{words.source}: "), words, links) for line in lines)


def _source(text: str, words: Phrases, links: Mapping[str, str]) -> Source:
    url = next((url for label, url in links.items() if text.startswith(label) and text.endswith(f" {url}")), None)
    label = text.removesuffix(f" {url}") if url else text
    dated = _DATED.fullmatch(label)
    day = _day(dated[2], words) if dated else None
    name = dated[1] if dated and day else label
    return Source(Text((("en", name),)), url, day)


def _day(text: str, words: Phrases) -> date | None:
    """The date that a language writes so."""
    numbers = [int(number) for number in _NUMBERS.findall(text[:40]) if len(number) <= 4]
    for year, month, day in _readings(numbers):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if words.day(found) == text:
            return found
    return None


def _readings(numbers: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    match numbers:
        case [day, year]:
            return ((year, month, day) for month in range(1, 13))
        case [year, month, day]:
            return ((year, month, day),)
        case _:
            return ()
