"""The body of a webhook: ``{"type", "timestamp", "data"}``, for machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from calfeed.events.comparison import changed_occurrences, occurrence_of
from calfeed.events.model import Duration, Event
from calfeed.events.revision import Change
from calfeed.feeds.json_feed import event_json, moment, occurrence_json, stamp
from calfeed.feeds.select import redacted, visible
from calfeed.reminders.digest import DueDigest
from calfeed.reminders.message import Message
from calfeed.reminders.plan import DueReminder


def body(message: Message) -> dict[str, Any]:
    """What a webhook receives."""
    return {"type": message.type, "timestamp": stamp(message.timestamp), "data": _data(message)}


def _data(message: Message) -> dict[str, Any]:
    subject = message.subject
    if isinstance(subject, DueReminder):
        data = _reminder(subject, message)
    elif isinstance(subject, DueDigest):
        data = _digest(subject, message)
    elif isinstance(subject, Change):
        data = _change(subject, message)
    elif isinstance(subject, str):
        data = {"challenge": subject}
    else:
        data = {}
    return data | _origin(message)


def _origin(message: Message) -> dict[str, Any]:
    origin = message.origin
    calendar = {
        "id": origin.calendar.id,
        "name": origin.calendar.name.get(message.language),
        "url": origin.home or None,
    }
    links = {"unsubscribe_url": origin.unsubscribe_url} if origin.unsubscribe_url else {}
    return {"calendar": calendar, "feed_url": origin.feed_url or None, **links}


def _reminder(due: DueReminder, message: Message) -> dict[str, Any]:
    return {
        "event": _event(due.event, message),
        "occurrence": occurrence_json(due.occurrence),
        "lead": due.lead.iso,
        "due": stamp(due.due),
        "late_by": _late_by(message.late_by),
    }


def _digest(digest: DueDigest, message: Message) -> dict[str, Any]:
    items = [{"event": _event(item.event, message), "occurrence": occurrence_json(item)} for item in digest.items]
    return {
        "day": digest.day.isoformat(),
        "items": items,
        "due": stamp(digest.due),
        "late_by": _late_by(message.late_by),
    }


def _change(change: Change, message: Message) -> dict[str, Any]:
    shown = change.after or change.before
    return {
        "event": _event(shown, message) if shown else None,
        "change": {
            "kind": str(change.kind),
            "fields": list(change.fields),
            "before": _times(change.before),
            "after": _times(change.after),
            "occurrences": _occurrences(change),
        },
    }


def _occurrences(change: Change) -> list[dict[str, Any]]:
    """The dates of a series that the change speaks of; none when it speaks of the whole event."""
    before, after = change.before, change.after
    if before is None or after is None:
        return []
    return [
        {
            "recurrence_id": moment(at),
            "before": _times(occurrence_of(before, at)),
            "after": _times(occurrence_of(after, at)),
        }
        for at in changed_occurrences(before, after)
    ]


def _times(event: Event | None) -> dict[str, Any] | None:
    """When an event was or is; the end is exclusive, as in RFC 5545, and null where none is known."""
    if event is None:
        return None
    return {
        "start": moment(event.start),
        "end": None if event.end is None else moment(event.end),
        "all_day": event.all_day,
        "tba": event.tba,
        "status": event.status,
    }


def _event(event: Event, message: Message) -> dict[str, Any]:
    """As the API shows it: without the dates, and without the parent, that are not (yet) in public."""
    origin, now = message.origin, message.timestamp + message.late_by
    parent = origin.revisions.get(event.parent or "")
    if parent is not None and not visible(parent.event, "public", now):
        event = replace(event, parent=None)
    shown = redacted(event, "public", now)
    return event_json(shown, origin.revisions.get(event.uid), origin.home or None, message.language)


def _late_by(late: timedelta) -> str:
    return Duration(seconds=int(late.total_seconds())).iso
