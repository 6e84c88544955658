"""``/schema.json``: the JSON Schema of the event list, for the first line of a file in an editor with Taplo."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, json, request

from calfeed.events.schema import json_schema
from calfeed.web.api import open_to_all
from calfeed.web.rendering import CACHE

blueprint = Blueprint("schema", __name__)
blueprint.after_request(open_to_all)


@blueprint.get("/schema.json")
def schema() -> Response:
    """As `calfeed schema` prints it; there whatever state the event list is in."""
    response = Response(_body(), mimetype="application/schema+json", headers={"Cache-Control": CACHE})
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def _body() -> str:
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
