"""What a source says besides its events, as JSON: calendar, feeds, channels, order.

A channel's URL and secret stay out of the database; where the source names them by reference (``env:``, ``file:``), the
reference is kept, so that a process whose own source is broken still reaches the channel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from calfeed.events.model import Calendar, Catalog, Channel, Event, Feed
from calfeed.events.record import unseen

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Frame = dict[str, Any]

_PLACE = {"source"}
_REFERENCES = ("env:", "file:")


def to_frame(catalog: Catalog) -> Frame:
    """JSON values of everything but the events, of which only the order is kept."""
    return {
        "calendar": _adapter(Calendar).dump_python(
            catalog.calendar, mode="json", exclude=_PLACE, exclude_defaults=True
        ),
        "feeds": [_dump(Feed, feed, _PLACE) for feed in catalog.feeds],
        "channels": [_dump(Channel, channel, _PLACE | _literals(channel)) for channel in catalog.channels],
        "events": [event.uid for event in catalog.events],
    }


def from_frame(frame: Frame, events: Mapping[str, Event]) -> Catalog:
    """The catalog that `to_frame` was given, with ``events`` by uid; what it named literally is no address any more."""
    return Catalog(
        calendar=_adapter(Calendar).validate_python(frame["calendar"]),
        events=tuple(events[uid] for uid in frame["events"] if uid in events),
        feeds=tuple(_adapter(Feed).validate_python(feed) for feed in frame["feeds"]),
        channels=tuple(_adapter(Channel).validate_python({"url": "", **channel}) for channel in frame["channels"]),
    )


def source_digest(catalog: Catalog, digests: Mapping[str, str]) -> str:
    """SHA-256 of all that the source says, given the digest of each event by uid.

    Comments, and how it is spread over files, do not count.
    """
    events = [[digests[event.uid], unseen(event)] for event in catalog.events]
    addresses = [[channel.id, channel.url, channel.secret] for channel in catalog.channels]
    content = json.dumps([to_frame(catalog), addresses, events], sort_keys=True, separators=(",", ":"))
    return sha256(content.encode()).hexdigest()


def _literals(channel: Channel) -> set[str]:
    named = {"url": channel.url, "secret": channel.secret or ""}
    return {field for field, value in named.items() if not value.startswith(_REFERENCES)}


def _dump(kind: type, value: object, exclude: set[str]) -> Frame:
    dumped: Frame = _adapter(kind).dump_python(value, mode="json", exclude=exclude, exclude_defaults=True)
    return dumped


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # late: reading a ledger needs none of it until the source is rebuilt

    return TypeAdapter(kind)
