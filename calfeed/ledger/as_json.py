"""Deliveries and their attempts for machines: the same from the command line and from the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from calfeed.ledger.values import Attempt, Delivery


def stamp(at: datetime | None) -> str | None:
    """``2024-05-14T09:00:00Z``; None for never."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


def delivery_json(one: Delivery) -> dict[str, Any]:
    """A delivery; ``late_by`` in seconds."""
    return {
        "id": one.id,
        "key": one.key,
        "kind": one.kind,
        "channel": one.channel,
        "uid": one.uid,
        "event": one.event,
        "state": str(one.state),
        "due": stamp(one.due),
        "attempts": one.attempt,
        "sent_at": stamp(one.sent_at),
        "late_by": one.late,
        "last_error": one.last_error,
        "webhook_id": one.webhook_id,
    }


def attempt_json(one: Attempt) -> dict[str, Any]:
    """One attempt; ``overtaken``: it ended after another process had taken the delivery over."""
    return {
        "number": one.number,
        "started": stamp(one.started),
        "ended": stamp(one.ended),
        "outcome": one.outcome,
        "status": one.status,
        "error": one.error,
        "retry_after": one.retry_after,
        "excerpt": one.excerpt,
        "overtaken": one.overtaken,
    }
