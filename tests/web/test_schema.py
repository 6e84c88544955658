"""The schema that editors fetch."""

from __future__ import annotations

import json
from typing import Any

from calfeed.events.schema import json_schema


def test_editors_get_what_the_command_prints_and_keep_it(site: Any) -> None:
    first = site.client.get("/schema.json")
    assert (first.status_code, json.loads(first.data)) == (200, json_schema())
    assert first.mimetype == "application/schema+json"
    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    again = site.client.get("/schema.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_it_is_there_while_no_list_is_good(served: Any) -> None:
    served.publisher.snapshot = None
    assert served.client.get("/schema.json").status_code == 200
