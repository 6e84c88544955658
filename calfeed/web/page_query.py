"""What the address of a page asks for: view, dates, feed and zone, and the same filter keys as the feeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, Self, get_args
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calfeed.errors import QueryError
from calfeed.events.model import ALL
from calfeed.feeds.select import EVERYTHING, Query

View = Literal["agenda", "month", "timeline"]
VIEWS: tuple[View, ...] = get_args(View)
YEARS = range(1900, 2201)
"""Dates beyond these are no calendar's; they keep arithmetic away from the ends of time."""


@dataclass(frozen=True)
class PageQuery:
    """The parsed query string of a page; ``filter`` is what the subscribe link of that page carries."""

    view: View = "agenda"
    since: date | None = None  # from
    until: date | None = None  # to, inclusive
    month: date | None = None  # its first day
    feed: str = ALL
    tz: str | None = None
    filter: Query = EVERYTHING

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Unknown keys are ignored; raises QueryError for values that cannot be used."""
        pairs = list(pairs)
        last = {key: value.strip(" ") for key, value in pairs if value.strip()}
        found = cls(
            view=_view(last.get("view", "agenda")),
            since=_day("from", last.get("from")),
            until=_day("to", last.get("to")),
            month=_month(last.get("month")),
            feed=last.get("feed", ALL),
            tz=_zone(last.get("tz")),
            filter=Query.parse(pairs),
        )
        if found.since and found.until and found.until < found.since:
            raise QueryError("to", f"{found.until} is before from={found.since}")
        return found

    def change(self, **values: Any) -> Self:
        """The same with other values."""
        return replace(self, **values)

    def refine(self, **values: Any) -> Self:
        """The same with other filter keys."""
        return replace(self, filter=replace(self.filter, **values))

    def toggle(self, category: str) -> Self:
        """With ``category`` chosen when it was not, and left out when it was."""
        chosen = self.filter.categories
        kept = tuple(one for one in chosen if one != category)
        return self.refine(categories=kept if len(kept) < len(chosen) else (*chosen, category))

    def subscribed(self) -> Self:
        """What the subscribe page of this page is asked for: the filter, the reader's zone aside."""
        return self.change(view="agenda", since=None, until=None, month=None, feed=ALL, tz=None)

    def pairs(self) -> list[tuple[str, str]]:
        """The keys that differ from the defaults, in a fixed order."""
        own = [
            ("view", "" if self.view == "agenda" else self.view),
            ("from", str(self.since or "")),
            ("to", str(self.until or "")),
            ("month", f"{self.month:%Y-%m}" if self.month else ""),
            ("feed", "" if self.feed == ALL else self.feed),
            ("tz", self.tz or ""),
        ]
        return [pair for pair in own if pair[1]] + parse_qsl(self.filter.canonical(), keep_blank_values=True)

    def __str__(self) -> str:
        return with_query("", self.pairs())


def with_query(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """``path?key=value``; no question mark without pairs."""
    text = urlencode(list(pairs), safe="/,:")
    return f"{path}?{text}" if text else path


def _view(text: str) -> View:
    for view in VIEWS:
        if text == view:
            return view
    raise QueryError("view", f"expected one of {', '.join(VIEWS)}, got {text!r}")


def _day(key: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QueryError(key, f"expected a date such as 2024-05-16, got {text!r}") from None
    if len(text) != 10 or day.year not in YEARS:
        raise QueryError(key, f"expected a date between {YEARS.start} and {YEARS.stop - 1}, got {text!r}")
    return day


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    if len(text) != 7:
        raise QueryError("month", f"expected a month such as 2024-05, got {text!r}")
    try:
        return _day("month", f"{text}-01")
    except QueryError:
        raise QueryError("month", f"expected a month such as 2024-05, got {text!r}") from None


def _zone(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError("tz", f"expected an IANA time zone such as Europe/Moscow, got {text!r}") from None
    return text
