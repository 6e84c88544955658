"""``/status``: the operator's page, with its sign-in, the retry of deliveries and the test of channels."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from calfeed.errors import LedgerError
from calfeed.ledger import Delivery, State
from calfeed.ledger.reading import RETRIABLE
from calfeed.web import guard, health, operator_view
from calfeed.web.dates import Dates
from calfeed.web.guard import Operator
from calfeed.web.site import Site, site

blueprint = Blueprint("status", __name__)

DELIVERIES = 50


@blueprint.after_request
def private(response: Response) -> Response:
    """Nothing of these pages stays in a cache, nor in another site's log."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/status")
def status() -> Response:
    """The whole state on one page."""
    who = guard.operator()
    return _to_sign_in() if who is None else _page("status.html", who, **_contents(site()))


@blueprint.get("/status/deliveries/<delivery>")
def delivery(delivery: str) -> Response:
    """One delivery with its attempts."""
    who = guard.operator()
    if who is None:
        return _to_sign_in()
    found, attempts = site().ledger.delivery(delivery)
    return _page("delivery.html", who, one=found, attempts=attempts)


@blueprint.get("/status/sign-in")
def sign_in() -> Response:
    """The form."""
    return _page("sign_in.html", Operator(guard.fresh_form()))


@blueprint.post("/status/sign-in")
def signing_in() -> Response:
    """A right token gets a session; a wrong one the form again."""
    guard.check_sign_in_form()
    guard.check(request.form.get("token", "").strip())
    return guard.signed_in()


@blueprint.post("/status/sign-out")
def sign_out() -> Response:
    """Ends the session in this browser."""
    guard.check_form(_who())
    response = make_response(redirect(url_for("status.sign_in"), 303))
    response.delete_cookie(guard.COOKIE, path=request.script_root + "/status", httponly=True, samesite="Strict")
    return response


@blueprint.post("/status/retry")
def retry() -> Response:
    """Sends a delivery again."""
    guard.check_form(_who())
    taken = site().ledger.retry(request.form.getlist("id")[:100], site().clock())
    return _back("retried" if taken else "not-retried")


@blueprint.post("/status/test")
def test() -> Response:
    """Sends one test message and shows what came back."""
    who = _who()
    guard.check_form(who)
    taken, words = operator_view.send_test(site(), request.form.get("channel", ""))
    return _page("status.html", who, told=words, told_well=taken, **_contents(site()))


def _who() -> Operator:
    who = guard.operator()
    if who is None:
        abort(401, "sign in first")
    return who


def _to_sign_in() -> Response:
    return make_response(redirect(url_for("status.sign_in"), 303))


def _back(done: str) -> Response:
    return make_response(redirect(url_for("status.status", done=done) + "#deliveries", 303))


def _page(template: str, who: Operator, **values: Any) -> Response:
    here = site()
    snapshot = here.publisher.snapshot
    zone = snapshot.catalog.calendar.zone if snapshot else None
    dates = Dates("en")

    def stamp(moment: Any) -> str:
        return dates.stamp(moment, zone) if zone else f"{moment:%Y-%m-%d %H:%M}Z"

    def title(one: Delivery) -> str | None:
        event = snapshot.catalog.by_uid.get(one.uid or "") if snapshot else None
        return event.summary.get() if event else one.event

    name = snapshot.catalog.calendar.name.get() if snapshot else "calfeed"
    common = {"who": who, "name": name, "zone": zone, "now": here.clock(), "retriable": RETRIABLE}
    return make_response(render_template(template, stamp=stamp, title=title, **common, **values))


def _contents(here: Site) -> dict[str, Any]:
    snapshot, polls = here.publisher.snapshot, here.polls
    recent = polls.recent()
    values: dict[str, Any] = {
        "publisher": here.publisher,
        "checks": {
            "source": health.source(here),
            "database": health.database(here),
            "reminders": health.reminders(here),
        },
        "snapshot": snapshot,
        "feeds": operator_view.feed_rows(snapshot, polls, recent) if snapshot else [],
        "clients": operator_view.client_rows(polls, recent[:30]),
        "coming": operator_view.coming(snapshot.catalog, here.clock()) if snapshot else [],
        "states": list(State),
        "done": request.args.get("done", ""),
    }
    try:
        return values | _ledger(here)
    except LedgerError:
        return values | {"deliveries": [], "channels": [], "processes": [], "ticked": None, "away": True}


def _ledger(here: Site) -> dict[str, Any]:
    ledger, snapshot = here.ledger, here.publisher.snapshot
    wanted = request.args.get("state", "")
    return {
        "deliveries": ledger.deliveries(state=wanted if wanted in list(State) else None, limit=DELIVERIES),
        "state": wanted,
        "channels": operator_view.channel_rows(snapshot.catalog, ledger.channels()) if snapshot else [],
        "processes": ledger.processes(),
        "ticked": ledger.last_tick(),
        "away": False,
    }
