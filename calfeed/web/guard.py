"""Who may see the operator's pages: the bearer of CALFEED_ADMIN_TOKEN, or a browser that signed in with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlsplit

from flask import Response, abort, redirect, request, url_for

from calfeed.errors import NotFound
from calfeed.web.faults import respond
from calfeed.web.limits import network
from calfeed.web.session import FORM_LIFETIME, LIFETIME, form_key, issue, same_secret, valid
from calfeed.web.site import site

COOKIE = "calfeed_operator"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is signed in; ``form`` is what each form must carry, empty for a bearer."""

    form: str = ""


def token() -> str:
    """The operator's secret; without one these pages do not exist. Raises NotFound."""
    found = site().settings.admin_token
    if not found:
        raise NotFound("the operator's pages are closed: CALFEED_ADMIN_TOKEN is not set")
    return found


def operator() -> Operator | None:
    """Who asks, if it is the operator; a wrong bearer is answered at once."""
    secret = token()
    given = bearer_token()
    if given is not None:
        check(given)
        return Operator()
    cookie = request.cookies.get(COOKIE, "")
    return Operator(form_key(cookie, secret)) if valid(cookie, secret, "session", site().clock()) else None


def bearer() -> None:
    """For programs: aborts with 401 or 429 unless the bearer token is right. A cookie is not enough."""
    token()
    given = bearer_token()
    if given is None:
        abort(_unauthorized())  # nobody guesses without a token: it does not count
    check(given)


def bearer_token() -> str | None:
    """What stands after ``Bearer``, in any case (RFC 9110 §11.1); None without, as under a proxy's own Basic."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else None


def check(given: str) -> None:
    """Aborts with 429 for who must wait and 401 for a wrong secret."""
    brake = site().brake
    address, now, secret = network(request.remote_addr or ""), site().clock(), token()
    pause = brake.wait(address, now)
    if pause:
        response = respond(429, "too many wrong tokens from this address")
        response.headers["Retry-After"] = str(ceil(pause.total_seconds()))
        abort(response)
    if not same_secret(given, secret):
        brake.failed(address, now)
        abort(_unauthorized())
    brake.succeeded(address)


def _unauthorized() -> Response:
    response = respond(401, "the token is missing or wrong")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def signed_in() -> Response:
    """On to the status page, with a session cookie that no other site and no script can use."""
    value = issue(token(), "session", site().clock(), LIFETIME, secrets.token_urlsafe(12))
    response = redirect(url_for("status.status"), 303)
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(LIFETIME.total_seconds()),
        path=request.script_root + "/status",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response  # type: ignore[return-value]  # flask's redirect makes a Flask Response


def fresh_form() -> str:
    """What the sign-in form carries, before there is a session."""
    return issue(token(), "sign-in", site().clock(), FORM_LIFETIME, secrets.token_urlsafe(12))


def check_sign_in_form() -> None:
    """Aborts with 400 for a form that did not come from the sign-in page of late."""
    _check_origin()
    if not valid(request.form.get("form", ""), token(), "sign-in", site().clock()):
        abort(400, "the form is too old; load the page again")


def check_form(who: Operator) -> None:
    """Aborts with 400 for a form that this session's pages did not make."""
    _check_origin()
    if who.form and not same_secret(request.form.get("form", ""), who.form):
        abort(400, "the form does not belong to this session; load the page again")


def _check_origin() -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(400, "the form was sent from another site")
    origin = request.headers.get("Origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.host:
        abort(400, "the form was sent from another site")
