"""``/changes``: what changed in the published events, in words, and the same lines for one event's history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Blueprint, Response

from calfeed.events.model import Event
from calfeed.events.revision import Change, ChangeKind
from calfeed.feeds.select import select, visible
from calfeed.web.rendering import show
from calfeed.web.site import Page, page

blueprint = Blueprint("changes", __name__)

MOST = 100
"""Changes on the page; the Atom feed and the JSON go further back."""


@dataclass(frozen=True, slots=True)
class Line:
    """One change as a reader sees it; ``words`` say from what to what, where that can be said."""

    change: Change
    event: Event
    kind: str
    words: str
    present: bool


@blueprint.get("/changes")
def changes() -> Response:
    """The newest first; filters as everywhere."""
    here = page()
    return show("changes.html", here, lines=lines(here)[:MOST])


def lines(here: Page) -> list[Line]:
    """The changes that this reader may know of, under the page's filter."""
    return [_line(here, change) for change in here.snapshot.changes for change in _seen(here, change)]


def _seen(here: Page, change: Change) -> Iterator[Change]:
    """Nothing of a state that the reader may not know of; an event that became public was added."""
    now = here.catalog.by_uid.get(change.uid)
    event = change.after or change.before
    if event is None or (now and not visible(now, here.feed.visibility, here.now)):
        return
    if not select([event], here.feed, here.query.filter, here.now):
        return
    if change.before and not visible(change.before, here.feed.visibility, here.now):
        change = replace(change, kind=ChangeKind.ADDED, before=None, fields=())
    yield change


def _line(here: Page, change: Change) -> Line:
    event = change.after or change.before
    if event is None:  # a change without either state cannot be made
        raise ValueError(f"a change of {change.uid} has no event")
    kind = "confirmed_change" if change.kind is ChangeKind.CONFIRMED else change.kind.value
    return Line(change, event, here.words(kind), _words(here, change), change.event_id in here.catalog.by_id)


def _words(here: Page, change: Change) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        return span(here, after or before)
    was, now = span(here, before), span(here, after)
    named = [here.words(f"field_{field}") for field in change.fields if field in _NAMED]
    return "; ".join(([f"{was} → {now}"] if was != now else []) + ([", ".join(named)] if named else []))


_NAMED = ("summary", "description", "location", "status", "categories", "url", "conference", "organizer", "sources")


def span(here: Page, event: Event | None) -> str:
    """``16–17 May 2024``, ``17 May 2024, 14:00``: an event's own time, in its own zone or the reader's."""
    if event is None:
        return ""
    start, dates = event.start, here.dates
    if isinstance(start, datetime):
        begins = start.astimezone(here.zone or event.zone)
        ends = event.end.astimezone(begins.tzinfo) if isinstance(event.end, datetime) else begins
        return f"{dates.plain(begins.date())}, {dates.clocks(begins, ends)}"
    last = (event.end or start + timedelta(days=1)) - timedelta(days=1)
    days = dates.span(start, max(start, last), year=True)
    return f"{days}, {here.words(f'tba_{event.tba}').lower()}" if event.tba else days
