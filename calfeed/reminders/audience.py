"""Who is told: which channel takes which event, and which change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from calfeed.events.changes import compare
from calfeed.events.model import Channel, Event
from calfeed.events.occurrences import last_end
from calfeed.events.revision import Change, ChangeKind, Revision

TOLD = frozenset(
    {ChangeKind.MOVED, ChangeKind.CANCELLED, ChangeKind.RESTORED, ChangeKind.CONFIRMED, ChangeKind.REMOVED}
)
"""The changes a channel hears of; what was added or merely reworded shows in feeds and on the page alone."""


def in_public(event: Event, at: datetime) -> bool:
    """Whether a channel may know of the event at ``at``.

    A message cannot be taken back and a channel is not a secret link, so only public events are told, and an
    embargoed one only from its instant on.
    """
    return event.visibility == "public" and (event.embargo is None or at >= event.embargo)


def known(event: Event, at: datetime) -> Event:
    """The event as channels know it at ``at``: dates singled out that are not (yet) in public are not so for them.

    So an edit of what is hidden is no change that anybody could be told of, not even as a date that is off.
    """
    kept = tuple(one for one in event.overrides if in_public(one, at))
    return event if len(kept) == len(event.overrides) else replace(event, overrides=kept)


def selects(channel: Channel, event: Event) -> bool:
    """Whether the channel's categories let the event through, as those of a feed do: whatever their case."""
    own = _folded(event.categories)
    wanted = (some for some in (channel.categories, channel.within) if some)
    return all(not own.isdisjoint(_folded(some)) for some in wanted) and own.isdisjoint(_folded(channel.exclude))


def takes(channel: Channel, event: Event, at: datetime) -> bool:
    """Whether the channel is told of the event at ``at``: selected, public and not cancelled."""
    return event.status != "cancelled" and in_public(event, at) and selects(channel, event)


def hears(channel: Channel, change: Change, at: datetime) -> bool:
    """Whether the channel is told of the change at ``at``.

    It is when it asks for changes and was, or is now, among the readers of the event. What never was or is not in
    public, and what lies wholly in the past, is not told.
    """
    if not channel.changes or change.kind not in TOLD:
        return False
    states = [event for event in (change.before, change.after) if event is not None]
    return (
        all(in_public(event, at) for event in states)
        and any(selects(channel, event) for event in states)
        and any(lies_ahead(event, at) for event in states)
    )


def news(base: Event, revision: Revision, at: datetime) -> Change | None:
    """What a revision tells those who know its event as ``base``; None when they could not tell the two apart.

    Nor is it told that something is gone, or off on another day, to those who know that it is off.
    """
    before, after = known(base, at), None if revision.removed else known(revision.event, at)
    found = compare(before, after)
    if found is None or (_is_off(before) and (after is None or _is_off(after))):
        return None
    return Change(
        kind=found[0],
        at=revision.modified,
        uid=revision.uid,
        event_id=revision.event.id,
        number=revision.number,
        before=before,
        after=after,
        fields=found[1],
    )


def _is_off(event: Event) -> bool:
    """Whether all of it is cancelled."""
    return all(one.status == "cancelled" for one in (event, *event.overrides))


def lies_ahead(event: Event, at: datetime) -> bool:
    """Whether some of the event is still to come."""
    end = last_end(event)
    return end is None or end > at


@lru_cache(maxsize=4096)
def _folded(categories: tuple[str, ...]) -> frozenset[str]:
    """Kept, since a plan asks for the same few again and again."""
    return frozenset(map(str.casefold, categories))
