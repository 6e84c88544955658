"""What is private or embargoed stands nowhere in public: on no page, in no feed, search, category or log of changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

PLACES = [
    "/",
    "/?view=month&month=2024-05",
    "/?view=timeline&from=2024-05-10&to=2024-05-25",
    "/?q=a",
    "/changes",
    "/subscribe/all",
    "/embed/all",
    "/sitemap.xml",
    "/api/v1/events",
    "/api/v1/occurrences?from=2024-05-01",
    "/api/v1/changes",
    "/api/v1/feeds",
    "/feeds/all.ics",
    "/feeds/all.json",
    "/feeds/all.atom",
    "/feeds/all.jcal",
    "/readyz",
    "/metrics",
]
HIDDEN = ["rehearsal", "backstage", "Embargoed", "secret", "Crew", "crew"]


@pytest.mark.parametrize("place", PLACES)
def test_nothing_hidden_is_named(site: Any, place: str) -> None:
    text = site.get(place)
    assert [word for word in HIDDEN if word in text] == []


@pytest.mark.parametrize(
    "place", ["/events/rehearsal", "/events/rehearsal.ics", "/events/surprise", "/events/surprise.ics"]
)
def test_a_hidden_events_own_address_looks_like_one_that_never_was(site: Any, place: str) -> None:
    never = place.replace("rehearsal", "never").replace("surprise", "never")
    found, missing = site.client.get(place), site.client.get(never)
    assert (found.status_code, found.text.replace(place, never)) == (404, missing.text)


@pytest.mark.parametrize(
    "place", ["/feeds/crew.ics", "/subscribe/crew", "/embed/crew", "/?feed=crew", "/feeds/crew/download.ics"]
)
def test_a_private_feed_looks_like_one_that_never_was(site: Any, place: str) -> None:
    found, missing = site.client.get(place), site.client.get(place.replace("crew", "none"))
    assert (found.status_code, found.text.replace("crew", "none")) == (404, missing.text)


def test_an_unlisted_feed_works_for_who_knows_it_and_is_named_nowhere(site: Any) -> None:
    assert "Unlisted briefing" in site.get("/?feed=insiders")
    assert "insiders" not in site.get("/") + site.get("/subscribe/all") + site.get("/api/v1/feeds")


def test_an_embargo_ends_at_its_instant(served: Any) -> None:
    served.clock.now = datetime(2024, 5, 17, 16, 0, 1, tzinfo=UTC)
    assert served.publisher.poll() or served.publisher.poll()
    assert "Embargoed surprise" in served.get("/")
    assert "Embargoed surprise" in served.get("/changes")
