"""The OpenAPI document names every operation there is, and every shape it names is there."""

from __future__ import annotations

import json
import re
from typing import Any

METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}


def test_it_holds_every_operation_of_the_api_and_no_other(served: Any) -> None:
    document = json.loads(served.get("/api/v1/openapi.json"))
    told = {
        (path, method.upper())
        for path, item in document["paths"].items()
        for method in item
        if method.upper() in METHODS
    }
    there = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method)
        for rule in served.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) & METHODS
    }
    assert told == there


def test_every_reference_leads_somewhere(served: Any) -> None:
    text = served.get("/api/v1/openapi.json")
    document = json.loads(text)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found = document
        for part in reference.split("/"):
            found = found[part]


def test_its_server_is_the_public_address(served: Any) -> None:
    assert json.loads(served.get("/api/v1/openapi.json"))["servers"] == [{"url": "https://calendar.example.org/api/v1"}]


def test_any_page_may_read_it_and_caches_may_keep_it(served: Any) -> None:
    response = served.client.get("/api/v1/openapi.json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = served.client.get("/api/v1/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_pages_of_lists_are_linked(served: Any) -> None:
    first = served.client.get("/api/v1/events?limit=2&category=summit")
    body = first.get_json()
    assert first.headers["Link"] == f'<{body["next"]}>; rel="next"'
    assert body["next"] == "https://calendar.example.org/api/v1/events?category=summit&limit=2&offset=2"
    last = served.client.get("/api/v1/events?category=summit&limit=2&offset=2")
    assert (last.get_json()["next"], "Link" in last.headers) == (None, False)
