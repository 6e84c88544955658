"""``/healthz``: this process lives. ``/readyz``: it can serve, and how well. ``/metrics``: Prometheus.

``/readyz`` is 503 only when nothing can be served or the database is away. When a broken edit keeps the last good
state in use, or no reminder process ticks, this process still serves: 200 with ``"status": "degraded"`` and the reason,
so that no load balancer takes a working page away while the operator's monitoring sees it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, json

from calfeed.errors import LedgerError
from calfeed.web.site import Site, site

blueprint = Blueprint("health", __name__)

QUIET = timedelta(seconds=30)
"""A reminder process ticks each second; after this long without a tick it is not running."""

Check = dict[str, Any]


@blueprint.get("/healthz")
def healthz() -> Response:
    """Nothing but that the process answers."""
    return _answer({"status": "ok"}, 200)


@blueprint.get("/readyz")
def readyz() -> Response:
    """One check each for source, database and reminders."""
    here = site()
    checks = {"source": source(here), "database": database(here), "reminders": reminders(here)}
    status = _worst([check["status"] for check in checks.values()])
    return _answer({"status": status, "checks": checks}, 503 if status == "unavailable" else 200)


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body) + "\n", status, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _worst(found: list[str]) -> str:
    return next((one for one in ("unavailable", "degraded") if one in found), "ok")


def source(here: Site) -> Check:
    """Whether the event list is good; its faults by place, without their texts, which may quote what is not public."""
    publisher, snapshot = here.publisher, here.publisher.snapshot
    check: Check = {"status": "ok" if snapshot else "unavailable"}
    faults = [one for one in publisher.problems if one.severity == "error"]
    if faults:
        check["status"] = "degraded" if snapshot else "unavailable"
        check["problems"] = [f"{one.location}: {one.path or 'error'}" for one in faults[:20]]
    if publisher.reloaded_at:
        check["published_at"] = _utc(publisher.reloaded_at)
    return check


def database(here: Site) -> Check:
    """Whether the ledger answers."""
    try:
        return {"status": "ok", "version": here.ledger.version()}
    except LedgerError:
        return {"status": "unavailable"}


def reminders(here: Site) -> Check:
    """When a reminder process last ticked; a calendar without channels and subscriptions needs none."""
    snapshot = here.publisher.snapshot
    try:
        ticked, subscribed = here.ledger.last_tick(), here.ledger.self_service.wanted()
    except LedgerError:
        return {"status": "degraded"}
    alive = ticked is not None and here.clock() - ticked < QUIET
    needed = subscribed or bool(snapshot and snapshot.catalog.channels)
    check: Check = {"status": "ok" if alive or not needed else "degraded"}
    return check | ({"last_tick": _utc(ticked)} if ticked else {})


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
