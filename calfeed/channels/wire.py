"""The body of a webhook: ``{"type", "timestamp", "data"}``, for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from calfeed.events.model import Duration, Event, Moment, Occurrence
from calfeed.events.revision import Change
from calfeed.reminders.digest import DueDigest
from calfeed.reminders.message import Message
from calfeed.reminders.plan import DueReminder


def body(message: Message) -> dict[str, Any]:
    """What a webhook receives."""
    return {"type": message.type, "timestamp": instant(message.timestamp), "data": _data(message)}


def instant(at: datetime) -> str:
    """``2024-05-17T02:00:00Z``; with microseconds only where there are some."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
        "due": instant(due.due),
        "late_by": _late_by(message.late_by),
    }


def _digest(digest: DueDigest, message: Message) -> dict[str, Any]:
    items = [{"event": _event(item.event, message), "occurrence": occurrence_json(item)} for item in digest.items]
    return {
        "day": digest.day.isoformat(),
        "items": items,
        "due": instant(digest.due),
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
        },
    }


def _times(event: Event | None) -> dict[str, Any] | None:
    """The old or new time of an event; ends are exclusive, as in RFC 5545."""
    if event is None:
        return None
    end = event.end if event.end is not None else event.start
    return {
        "start": moment(event.start),
        "end": moment(end),
        "all_day": event.all_day,
        "tba": event.tba,
        "status": event.status,
    }


def _event(event: Event, message: Message) -> dict[str, Any]:
    from calfeed.feeds.json_feed import event_json  # late: written in these days by its owner

    origin = message.origin
    return event_json(event, origin.revisions.get(event.uid), origin.home, message.language)


def occurrence_json(occurrence: Occurrence) -> dict[str, Any]:
    """One happening: moments as ISO 8601, its ``recurrence_id`` null for what does not recur."""
    return {
        "start": moment(occurrence.start),
        "end": moment(occurrence.end),
        "all_day": occurrence.all_day,
        "tba": occurrence.event.tba,
        "recurrence_id": None if occurrence.recurrence_id is None else moment(occurrence.recurrence_id),
    }


def moment(value: Moment) -> str:
    """A day, or a local time with its offset."""
    return value.isoformat()


def _late_by(late: timedelta) -> str:
    return Duration(seconds=int(late.total_seconds())).iso
