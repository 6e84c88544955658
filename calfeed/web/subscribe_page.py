"""``/subscribe/<feed>``: every way to follow a feed under a filter, and how long each client takes."""

from __future__ import annotations

from flask import Blueprint, Response

from calfeed.events.model import ALL
from calfeed.web.page_query import with_query
from calfeed.web.qr import qr
from calfeed.web.rendering import show
from calfeed.web.site import Page, base_url, page
from calfeed.web.subscribe import is_local, subscribe_links

blueprint = Blueprint("subscribe", __name__)

FORMATS = (("JSON", "json"), ("jCal", "jcal"), ("Atom", "atom"), ("iCalendar", "ics"))


@blueprint.get("/subscribe/<feed>")
def subscribe(feed: str) -> Response:
    """The links carry the filter of the page they were reached from."""
    here = page()
    here.query = here.query.change(feed=feed)
    base, query = base_url(here.snapshot), here.feed_query()
    name = feed_name(here)
    links = subscribe_links(base, here.feed.id, name, query)
    keys = f"?{query.canonical()}".rstrip("?")
    return show(
        "subscribe.html",
        here,
        name=name,
        links=links,
        code=qr(links.webcal, here.words("qr_label")),
        narrowed=_narrowed(here),
        formats=[(label, f"{base}/feeds/{feed}.{suffix}{keys}") for label, suffix in FORMATS],
        others=[other for other in here.catalog.feeds if other.visibility == "public" and other.id != feed],
        frame=_frame(here, base, name),
        local=is_local(base),
    )


def feed_name(here: Page) -> str:
    """The feed's name; the whole calendar's is that of the calendar."""
    return here.text(here.catalog.calendar.name if here.feed.id == ALL else here.feed.name)


def _narrowed(here: Page) -> str:
    given = here.query.filter
    parts = [here.category(one) for one in given.categories]
    parts += [f"− {here.category(one)}" for one in given.exclude]
    return ", ".join(parts + ([f"“{given.q}”"] if given.q else []))


def _frame(here: Page, base: str, name: str) -> str:
    address = with_query(f"{base}/embed/{here.feed.id}", here.query.subscribed().pairs())
    quoted = address.replace("&", "&amp;").replace('"', "%22")
    title = name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<iframe src="{quoted}" title="{title}" width="100%" height="640" loading="lazy"></iframe>'
