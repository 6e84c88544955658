"""Liveness, readiness, metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from calfeed.errors import LedgerBusy


def ready(served: Any) -> tuple[int, Any]:
    response = served.client.get("/readyz")
    return response.status_code, response.json


def test_a_process_that_answers_lives(served: Any) -> None:
    response = served.client.get("/healthz")
    assert (response.status_code, response.json, response.headers["Cache-Control"]) == (
        200,
        {"status": "ok"},
        "no-store",
    )


def test_all_is_well(served: Any) -> None:
    assert ready(served) == (
        200,
        {
            "status": "ok",
            "checks": {
                "source": {"status": "ok", "published_at": "2024-05-14T09:00:00Z"},
                "database": {"status": "ok", "version": 1},
                "reminders": {"status": "ok"},
            },
        },
    )


def test_a_broken_edit_degrades_and_names_its_place_without_its_words(served: Any) -> None:
    served.edit("start = 2024-05-17\n", "start = 'a secret plan'\n")
    status, body = ready(served)
    assert (status, body["status"], body["checks"]["source"]["status"]) == (200, "degraded", "degraded")
    (problem,) = body["checks"]["source"]["problems"]
    assert problem.endswith("events[3].start")
    assert "events.toml:" in problem
    assert "secret plan" not in problem


def test_without_any_good_source_nothing_can_be_served(make_site: Any) -> None:
    status, body = ready(make_site("nonsense = ["))
    assert (status, body["status"]) == (503, "unavailable")


def test_without_the_database_it_is_not_ready(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise LedgerBusy("the database is away")

    monkeypatch.setattr(served.ledger, "version", away)
    status, body = ready(served)
    assert (status, body["checks"]["database"]) == (503, {"status": "unavailable"})


def test_a_calendar_with_channels_needs_a_reminder_process(make_site: Any) -> None:
    source = (
        '[calendar]\nid = "x"\nname = "X"\ntimezone = "UTC"\n[[channels]]\nid = "c"\nkind = "slack"\nurl = "env:NONE"\n'
    )
    served = make_site(source)
    assert ready(served)[1]["checks"]["reminders"] == {"status": "degraded"}
    served.ledger.beat(served.clock.now, ticked=True)
    assert ready(served)[1]["checks"]["reminders"] == {"status": "ok", "last_tick": "2024-05-14T09:00:00Z"}
    served.clock.now += timedelta(minutes=1)
    assert ready(served)[1]["checks"]["reminders"]["status"] == "degraded"


def test_metrics_are_prometheus_text(served: Any) -> None:
    lines = served.get("/metrics").splitlines()
    assert "calfeed_events 8.0" in lines
    assert "calfeed_source_problems 0.0" in lines
    assert "calfeed_database_up 1.0" in lines
    assert "calfeed_channels_broken 0.0" in lines
