"""``/changes``: what changed in the published events, in words, and the same lines for one event's history."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from calfeed.events.model import Event
from calfeed.events.revision import Change, ChangeKind
from calfeed.events.wording import describe
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
    """The changes that this reader may know of, under the page's filter, the newest first."""
    return [line(here, change) for change in here.snapshot.history(here.feed, here.query.filter)]


def line(here: Page, change: Change) -> Line:
    """A change as this reader reads it."""
    event = change.after or change.before
    if event is None:  # a change without either state cannot be made
        raise ValueError(f"a change of {change.uid} has no event")
    kind = "confirmed_change" if change.kind is ChangeKind.CONFIRMED else change.kind.value
    words = describe(change, here.language, timezone=here.query.tz)
    return Line(change, event, here.words(kind), words[:1].upper() + words[1:], change.event_id in here.catalog.by_id)
