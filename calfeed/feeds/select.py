"""Which event stands in which feed, and what the keys of a URL ask for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeVar
from urllib.parse import urlencode

from calfeed.errors import QueryError
from calfeed.events.model import Duration, Event, Feed, Text, Visibility, moment_key

Cancelled = Literal["keep", "mark", "drop"]
T = TypeVar("T")

KEYS = ("category", "not", "lang", "q", "cancelled", "alarm", "expand", "rich")
"""Every query key there is; others are ignored."""

MAX_LENGTH = 200
"""Characters of one value."""
MAX_VALUES = 50
"""Categories in one query."""
MAX_ALARM = 366 * 86400

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_SWITCH = {"1": True, "true": True, "0": False, "false": False}
_CANCELLED: dict[str, Cancelled] = {"keep": "keep", "mark": "mark", "drop": "drop"}
_RANK = {"public": 0, "unlisted": 1, "private": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a URL asks of a feed; the default asks for the feed as it is."""

    categories: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    lang: str | None = None
    q: str | None = None
    cancelled: Cancelled = "keep"
    alarm: Duration | None = None
    expand: bool = False
    rich: bool = False

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> Query:
        """Unknown keys and empty values ask for nothing; raises QueryError for a value that cannot be used."""
        given: dict[str, list[str]] = {key: [] for key in KEYS}
        for key, value in pairs:
            if key in given and value.strip():
                given[key].append(_checked(key, value.strip(" ")))
        return cls(
            categories=_list("category", given["category"]),
            exclude=_list("not", given["not"]),
            lang=_one("lang", given["lang"], _language, None),
            q=_one("q", given["q"], _words, None),
            cancelled=_one("cancelled", given["cancelled"], _cancelled, "keep"),
            alarm=_one("alarm", given["alarm"], _alarm, None),
            expand=_one("expand", given["expand"], _switch, default=False),
            rich=_one("rich", given["rich"], _switch, default=False),
        )

    def canonical(self) -> str:
        """The shortest query string that asks for the same, keys in one order; empty for the default."""
        pairs = [
            ("category", ",".join(self.categories)),
            ("not", ",".join(self.exclude)),
            ("lang", self.lang or ""),
            ("q", self.q or ""),
            ("cancelled", "" if self.cancelled == "keep" else self.cancelled),
            ("alarm", "" if self.alarm is None else str(self.alarm)),
            ("expand", "1" if self.expand else ""),
            ("rich", "1" if self.rich else ""),
        ]
        return urlencode([(key, value) for key, value in pairs if value], safe=",")


EVERYTHING = Query()


def visible(event: Event, visibility: Visibility, now: datetime) -> bool:
    """Whether readers at a level (a public, unlisted or private feed) may know of the event at ``now``."""
    if visibility == "private":
        return True
    if event.embargo is not None and now < event.embargo:
        return False
    return _RANK[event.visibility] <= _RANK[visibility]


def buried(event: Event, removed: datetime) -> Event:
    """The event as it stands once removed: an embargo that it did not live to see the end of never ends."""
    return replace(event, embargo=_NEVER) if event.embargo is not None and removed < event.embargo else event


_NEVER = datetime.max.replace(tzinfo=UTC)


def redacted(event: Event, visibility: Visibility, now: datetime) -> Event:
    """The event without the occurrences that readers at a level may not know of."""
    if visibility == "private" or not event.overrides:
        return event
    return _without(event, [each for each in event.overrides if not visible(each, visibility, now)])


def held(event: Event) -> Event:
    """The event without its cancelled occurrences."""
    return _without(event, [each for each in event.overrides if each.status == "cancelled"])


def _without(event: Event, overrides: list[Event]) -> Event:
    if not overrides:
        return event
    gone = {moment_key(each.recurrence_id): each.recurrence_id for each in overrides if each.recurrence_id is not None}
    kept = tuple(each for each in event.overrides if moment_key(each.recurrence_id) not in gone)
    exdate = tuple(sorted({*event.exdate, *gone.values()}, key=moment_key))
    return replace(event, overrides=kept, exdate=exdate)


def texts(event: Event) -> str:
    """Every text of the event in every language, folded for search."""
    found: list[str] = []
    for one in (event, *event.overrides):
        found += (value for text in texts_of(one) for _, value in text.by_language)
        found += one.categories
    return fold_case("\n".join(found))


def texts_of(event: Event) -> Iterator[Text]:
    """Every text of one event."""
    some: list[Text | None] = [event.summary, event.description, event.contact]
    if event.location is not None:
        some += [event.location.name, event.location.address]
    if event.organizer is not None:
        some.append(event.organizer.name)
    some += [each.label for each in event.conference] + [each.title for each in event.sources]
    return (text for text in some if text is not None)


def fold_case(text: str) -> str:
    """Case and compatibility forms made one."""
    return unicodedata.normalize("NFKC", text).casefold()


def select(
    events: Iterable[Event],
    feed: Feed,
    query: Query,
    now: datetime,
    *,
    searchable: Callable[[Event], str] = texts,
) -> list[Event]:
    """The events of a feed under a query, as its readers may see them, in the order given.

    A parent that these readers may not know of is left out of its children. ``searchable`` may bring kept texts.
    """
    level = feed.visibility
    seen = [redacted(event, level, now) for event in events if visible(event, level, now)]
    uids = {event.uid for event in seen}
    matches = _matcher(feed, query, searchable)
    found = [_child(event, uids) for event in seen if matches(event)]
    if query.cancelled == "drop":
        return [held(event) for event in found if event.status != "cancelled"]
    return found


def _child(event: Event, uids: set[str]) -> Event:
    return event if event.parent is None or event.parent in uids else replace(event, parent=None)


def _matcher(feed: Feed, query: Query, searchable: Callable[[Event], str]) -> Callable[[Event], bool]:
    every = [_folded(some) for some in (feed.categories, query.categories) if some]
    none = _folded((*feed.exclude, *query.exclude))
    words = fold_case(query.q or "").split()

    def matches(event: Event) -> bool:
        if every or none:
            own = _folded(event.categories)
            if not (all(own & wanted for wanted in every) and own.isdisjoint(none)):
                return False
        if words:
            text = searchable(event)
            return all(word in text for word in words)
        return True

    return matches


def _folded(categories: Iterable[str]) -> frozenset[str]:
    return frozenset(map(str.casefold, categories))


def _checked(key: str, value: str) -> str:
    if len(value) > MAX_LENGTH:
        raise QueryError(key, f"at most {MAX_LENGTH} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise QueryError(key, "no control characters")
    return value


def _list(key: str, values: list[str]) -> tuple[str, ...]:
    found = sorted({part.strip() for value in values for part in value.split(",")} - {""})
    if len(found) > MAX_VALUES:
        raise QueryError(key, f"at most {MAX_VALUES} categories")
    return tuple(found)


def _one(key: str, values: list[str], convert: Callable[[str, str], T], default: T) -> T:
    found = [convert(key, value) for value in values]
    if any(other != found[0] for other in found[1:]):
        raise QueryError(key, "given more than once, with different values")
    return found[0] if found else default


def _language(key: str, value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise QueryError(key, f"expected a language tag such as 'en', 'ru' or 'zh-Hans', got {value!r}")
    return value.lower()


def _words(_: str, value: str) -> str:
    return " ".join(value.split())


def _cancelled(key: str, value: str) -> Cancelled:
    try:
        return _CANCELLED[value.lower()]
    except KeyError:
        raise QueryError(key, f"expected keep, mark or drop, got {value!r}") from None


def _alarm(key: str, value: str) -> Duration:
    try:
        lead = Duration.parse(value)
    except ValueError as fault:
        raise QueryError(key, str(fault)) from None
    if lead.total_seconds > MAX_ALARM:
        raise QueryError(key, f"at most 366d, got {value!r}")
    return lead


def _switch(key: str, value: str) -> bool:
    try:
        return _SWITCH[value.lower()]
    except KeyError:
        raise QueryError(key, f"expected 1 or 0, got {value!r}") from None
