"""The JSON that anybody may read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def test_events_are_those_of_the_feed_under_the_filter(site: Any) -> None:
    body = site.client.get("/api/v1/events?category=summit").json
    assert [event["id"] for event in body["events"]] == ["visit", "talks", "signing"]
    assert (body["total"], body["next"]) == (3, None)


def test_texts_are_in_the_language_asked_for(site: Any) -> None:
    body = site.client.get("/api/v1/events?lang=ru").json
    assert body["events"][0]["summary"] == "Государственный визит"


def test_long_lists_are_paged_by_links(site: Any) -> None:
    seen, address = [], "/api/v1/events?limit=2"
    while address:
        body = site.client.get(address.removeprefix("https://calendar.example.org")).json
        seen += [event["id"] for event in body["events"]]
        address = body["next"]
    assert seen == ["visit", "talks", "signing", "expo", "concert"]


def test_occurrences_are_in_order_of_time(site: Any) -> None:
    body = site.client.get("/api/v1/occurrences?from=2024-05-17&to=2024-05-17").json
    assert [(one["event"], one["start"], one["end"]) for one in body["occurrences"]] == [
        ("signing", "2024-05-16", "2024-05-18"),
        ("visit", "2024-05-16", "2024-05-18"),
        ("expo", "2024-05-17", "2024-05-22"),
    ]


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        ("from=2024-05-16T02:00:00Z&to=2024-05-16T03:00:00Z", {"signing", "visit", "talks"}),
        ("from=2024-05-16T03:30:00Z&to=2024-05-16T04:00:00Z", {"signing", "visit"}),
        ("from=2024-05-16T09:00&to=2024-05-16T10:00", {"signing", "visit"}),
        ("from=2024-05-16T09:00&to=2024-05-16T10:01", {"signing", "visit", "talks"}),
        ("from=2024-05-16T10:00:00+08:00&to=2024-05-16", {"signing", "visit", "talks"}),
        ("from=2024-05-18&to=2024-05-18T01:00:00Z", {"expo"}),
    ],
)
def test_occurrences_are_found_between_instants_too(site: Any, span: str, shown: set[str]) -> None:
    """A program knows instants; without an offset they are local, and a + need not be escaped."""
    body = site.client.get(f"/api/v1/occurrences?{span}").json
    assert {one["event"] for one in body["occurrences"]} == shown


@pytest.mark.parametrize(
    "span", ["from=2024-05-17&to=2024-05-16T00:00:00Z", "from=2024-05-16T24:61", "from=0001-01-01T00:00:00Z"]
)
def test_a_span_that_is_none_is_refused(site: Any, span: str) -> None:
    assert site.client.get(f"/api/v1/occurrences?{span}").status_code == 400


def test_feeds_name_their_addresses_and_only_the_public_ones(site: Any) -> None:
    body = site.client.get("/api/v1/feeds").json
    assert [feed["id"] for feed in body["feeds"]] == ["all", "expo"]
    assert body["feeds"][1]["urls"]["ics"] == "https://calendar.example.org/feeds/expo.ics"


def test_changes_tell_what_happened_in_words(served: Any) -> None:
    served.clock.now += timedelta(hours=1)
    served.edit('status = "tentative"', 'status = "cancelled"')
    newest = served.client.get("/api/v1/changes").json["changes"][0]
    assert (newest["kind"], newest["event"], newest["at"]) == ("cancelled", "signing", "2024-05-14T10:00:00Z")


@pytest.mark.parametrize(
    ("query", "key"), [("limit=0", "limit"), ("limit=many", "limit"), ("offset=-1", "offset"), ("from=x", "from")]
)
def test_bad_values_are_problems(site: Any, query: str, key: str) -> None:
    response = site.client.get(f"/api/v1/events?{query}")
    assert (response.status_code, response.mimetype, response.json["status"]) == (400, "application/problem+json", 400)
    assert response.json["detail"].startswith(f"{key}: ")


def test_any_page_may_read_and_unchanged_answers_are_not_sent_again(site: Any) -> None:
    response = site.client.get("/api/v1/events")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = site.client.get("/api/v1/events", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_feeds_keep_the_promises_of_every_feed_answer(site: Any) -> None:
    """Through Flask: filtered feeds take this way."""
    first = site.client.get("/feeds/all.ics?category=expo")
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Content-Disposition"] == 'inline; filename="all.ics"'
    again = site.client.get("/feeds/all.ics?category=expo", headers={"If-None-Match": first.headers["ETag"]})
    head = site.client.head("/feeds/all.ics?category=expo")
    assert (again.status_code, head.status_code, head.data) == (304, 200, b"")
    assert head.headers["Content-Length"] == str(len(first.data))
    assert site.client.get("/feeds/all.ics?alarm=soon").text.startswith("400 Bad Request: alarm: ")
