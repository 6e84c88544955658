"""What answers to strangers who subscribe have in common: how often they may ask, whether a URL may be used, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, json, request

from calfeed.channels.guard import GuardedTransport, check_url
from calfeed.channels.transport import Refused
from calfeed.errors import NotFound, TooMany
from calfeed.ledger.allowances import Quota
from calfeed.ledger.subscriptions import Subscription
from calfeed.settings import Settings
from calfeed.web.faults import respond
from calfeed.web.limits import Allowance, Limiter, network
from calfeed.web.site import Page, base_url, site
from calfeed.web.wishes import Fault, InvalidWish, SubscriptionRequest, wish
from calfeed.web.zones import zone_choices

LOOKUP_SECONDS = 3.0
"""How long a host's addresses are waited for; a resolver may take half a minute, and a thread with it."""


@dataclass
class Counter:
    """Where strangers are served: ``asking`` bounds an address's new subscriptions, ``writing`` all its writes.

    What is refused by its words alone counts as a write: to correct a typing error takes no subscription away.
    """

    check: Callable[[str], None]
    asking: Limiter = field(default_factory=lambda: Limiter(Quota("subscriptions", 20, timedelta(hours=1))))
    writing: Limiter = field(default_factory=lambda: Limiter(Quota("writes", 120, timedelta(minutes=1))))


def register(app: Flask, settings: Settings) -> None:
    """Opens the counter; templates offer it where ``self_service`` is true."""
    transport = GuardedTransport(settings.allow_private_webhooks)
    lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="calfeed-lookup")

    def check(url: str) -> None:
        try:
            lookups.submit(transport.check, url).result(LOOKUP_SECONDS)
        except TookTooLong:
            raise Refused("its host could not be looked up in time") from None

    app.extensions["calfeed.self_service"] = Counter(check)
    app.jinja_env.globals |= {"self_service": True, "zone_choices": zone_choices}


def counter() -> Counter:
    """The running application's."""
    found: Counter = current_app.extensions["calfeed.self_service"]
    return found


def take(limiter: Limiter) -> None:
    """Counts a write of whoever asks: here, which costs nothing, then for all processes. Raises TooMany."""
    address, now = request.remote_addr or "", site().clock()
    g.allowance = limiter.look(address, now)
    g.allowance = limiter.take(address, now)
    try:
        left = site().ledger.self_service.take(limiter.terms, network(address), now)
    except TooMany as fault:
        g.allowance = limiter.correct(address, 1 - fault.seconds / limiter.terms.each, now)
        raise
    g.allowance = limiter.correct(address, left, now)


def admit() -> None:
    """Counts that somebody asks for a subscription. Raises TooMany, also for who may have no more of them."""
    asking, address, now = counter().asking, request.remote_addr or "", site().clock()
    g.allowance = asking.look(address, now)
    asking.expect(address, now)
    take(counter().writing)


def subscribe(here: Page, asked: SubscriptionRequest) -> tuple[Subscription, str]:
    """(the new subscription, its owner's token). Raises InvalidWish, TooMany."""
    counted = False

    def check(url: str) -> None:
        nonlocal counted
        check_url(url)
        if not _is_address(url):  # to look a name up costs time that others wait for
            take(counter().asking)
            counted = True
        counter().check(url)

    wanted = wish(asked, here.catalog, here.snapshot.events(), base_url(here.snapshot), check)
    if not counted:
        take(counter().asking)
    return site().ledger.self_service.create(wanted, site().clock())


def _is_address(url: str) -> bool:
    try:
        ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


def finish(response: Response) -> Response:
    """What every answer here says: how much is left, and that nobody keeps a copy."""
    allowance: Allowance | None = g.get("allowance")
    if allowance is not None:
        response.headers.update(allowance.headers)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def invalid(fault: InvalidWish) -> Response:
    """422 with every fault by its key."""
    response = respond(422, "what is asked for cannot be")
    if response.mimetype == "application/problem+json":
        body = {**json.loads(response.get_data()), "errors": list(_listed(fault.faults))}
        response.set_data(json.dumps(body))
    return response


def too_many(fault: TooMany) -> Response:
    """429, and when to come back."""
    response = respond(429, str(fault))
    response.headers["Retry-After"] = str(fault.seconds)
    return response


def missing(_fault: NotFound) -> Response:
    """404, the same for what never was and for who may not know of it."""
    return respond(404, "there is no such subscription")


def _listed(faults: Iterable[Fault]) -> Iterable[dict[str, str]]:
    return ({"field": key, "message": what} for key, what in faults)
