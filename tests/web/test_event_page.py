"""One event's page: its facts, its family, its history, and ways to take it along."""

from __future__ import annotations

import json
from typing import Any

import pytest


def test_the_facts(site: Any, parse: Any) -> None:
    page = parse(site.get("/events/visit"))
    assert page.texts("h1") == ["State visit"]
    assert page.texts("p", class_="big-date") == ["16–17 May 2024"]
    facts = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert facts == {"Where": "Beijing Map: Beijing", "Sources": "News agencies published 14 May 2024"}
    (point,) = [link.attributes["href"] for link in page.all("a") if "openstreetmap" in link.attributes["href"]]
    assert point == "https://www.openstreetmap.org/?mlat=39.9&mlon=116.4#map=15/39.9/116.4"


def test_parent_and_children_lead_to_each_other(site: Any, parse: Any) -> None:
    children = [link.attributes["href"] for link in parse(site.get("/events/visit")).all("a") if link.text == "Talks"]
    parents = [
        link.attributes["href"] for link in parse(site.get("/events/talks")).all("a") if link.text == "State visit"
    ]
    assert (children, parents) == (["/events/talks"], ["/events/visit"])


def test_the_description_is_commonmark_and_harmless(site: Any, parse: Any) -> None:
    page = parse(site.get("/events/visit"))
    assert page.texts("em") == ["Talks"]
    (link,) = page.all("a", href="https://example.org/more")
    assert "nofollow" in link.attributes["rel"]


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))"]
)
def test_no_text_of_the_source_becomes_markup_that_acts(make_site: Any, parse: Any, payload: str) -> None:
    quoted = json.dumps(payload)
    head = '[calendar]\nid = "x"\nname = "X"\ntimezone = "UTC"\n'
    event = (
        f'[[events]]\nid = "e"\nstart = 2024-05-16\nsummary = {quoted}\ndescription = {quoted}\nlocation = {quoted}\n'
    )
    served = make_site(head + event)
    for path in ("/", "/?view=month", "/?view=timeline", "/events/e", "/changes", "/embed/all", "/subscribe/all"):
        page = parse(served.get(path))
        assert [
            one for one in page.all("script") if "src" not in one.attributes and "ld+json" not in one.attributes["type"]
        ] == []
        assert not [one for one in page.elements if any(name.startswith("on") for name in one.attributes)]
        assert not [one for one in page.all("a") if one.attributes.get("href", "").startswith("javascript:")]


def test_a_mail_address_is_a_link_whatever_stands_in_it(make_site: Any, parse: Any) -> None:
    head = '[calendar]\nid = "x"\nname = "X"\ntimezone = "UTC"\n'
    organizer = 'organizer = { name = "Desk", email = "press?cc=all%desk@example.org" }'
    served = make_site(f'{head}[[events]]\nid = "e"\nstart = 2024-05-16\nsummary = "E"\n{organizer}\n')
    (link,) = [one for one in parse(served.get("/events/e")).all("a") if "@" in one.text]
    assert link.attributes["href"] == "mailto:press%3Fcc%3Dall%25desk@example.org"
    assert link.text == "press?cc=all%desk@example.org"


def test_json_ld_tells_search_engines_the_same(site: Any, parse: Any) -> None:
    (script,) = parse(site.get("/events/concert")).all("script", type="application/ld+json")
    data = json.loads(script.text)
    assert (data["@type"], data["name"], data["startDate"], data["eventStatus"]) == (
        "Event",
        "Concert",
        "2024-05-18T19:00:00+08:00",
        "https://schema.org/EventCancelled",
    )


def test_open_graph_and_canonical_name_the_public_address(site: Any, parse: Any) -> None:
    page = parse(site.get("/events/expo", Host="attacker.example"))
    assert [link.attributes["href"] for link in page.all("link", rel="canonical")] == [
        "https://calendar.example.org/events/expo"
    ]
    graph = {
        one.attributes["property"]: one.attributes["content"]
        for one in page.all("meta")
        if "property" in one.attributes
    }
    assert graph["og:title"] == "EXPO · The visit"
    assert graph["og:url"] == "https://calendar.example.org/events/expo"
    assert graph["og:description"] == "17–21 May · Harbin"


def test_one_event_can_be_taken_along(site: Any) -> None:
    response = site.client.get("/events/expo.ics")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == 'attachment; filename="expo.ics"'
    assert response.text.count("BEGIN:VEVENT") == 1


def test_an_unlisted_event_is_found_at_its_own_address_alone(site: Any) -> None:
    assert "Unlisted briefing" in site.get("/events/briefing")
    for path in ("/", "/?view=month", "/changes", "/sitemap.xml", "/api/v1/events", "/embed/all", "/?q=briefing"):
        assert "Unlisted briefing" not in site.get(path)


def test_an_event_that_is_gone_is_not_found(site: Any) -> None:
    response = site.client.get("/events/nothing")
    assert (response.status_code, response.mimetype) == (404, "text/html")
