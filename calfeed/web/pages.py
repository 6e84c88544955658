"""``/`` in its three views, and ``/embed/<feed>``: the same page for a frame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request

from calfeed.events.model import ALL, instant
from calfeed.web import agenda, month, security, timeline
from calfeed.web.page_query import PageQuery
from calfeed.web.qr import qr
from calfeed.web.rendering import show
from calfeed.web.site import Page, base_url, page
from calfeed.web.subscribe import subscribe_links
from calfeed.web.window import SCREENFUL, Window, any_after, any_before, backward, forward, whole
from calfeed.web.zones import zone_choices

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> Response:
    """The calendar."""
    here = page()
    values = contents(here)
    feeds = [feed for feed in here.catalog.feeds if feed.visibility == "public"]
    name = here.text(here.catalog.calendar.name if here.feed.id == ALL else here.feed.name)
    links = subscribe_links(base_url(here.snapshot), here.feed.id, name, here.feed_query())
    zones = zone_choices(here.query.tz)
    return show("index.html", here, name=name, feeds=feeds, links=links, qr=qr(links.webcal), zones=zones, **values)


@blueprint.get("/embed/<feed>")
def embed(feed: str) -> Response:
    """The calendar for an ``<iframe>``: the only page that others may frame."""
    here = page()
    here.query = here.query.change(feed=feed)
    response = show("embed.html", here, **contents(here))
    response.headers["Content-Security-Policy"] = security.policy(frame_ancestors="*")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@dataclass(frozen=True)
class Steps:
    """What the arrows of a view say and where they lead; None where nothing lies that way."""

    label: str
    earlier: PageQuery | None
    later: PageQuery | None


def contents(here: Page) -> dict[str, Any]:
    """What the view of this query shows: its days, the way on, and what to say when nothing lies ahead or there."""
    opening = _opening(here)
    make = {"agenda": _agenda, "month": _month, "timeline": _timeline}[here.query.view]
    values = make(here, opening)
    dated = here.query.since or here.query.until or here.query.month
    if here.still and (here.feed.id != ALL or request.path != "/"):
        values["steps"] = Steps(values["steps"].label, None, None)  # a folder for each window of each feed is too many
    values["at"] = _at(here, opening)
    values["past"] = not dated and bool(opening.items) and not _ahead(here, opening)
    values["next_day"] = None if dated or not _ahead(here, opening) else opening.items[0].first
    return values


def _opening(here: Page) -> Window:
    """What lies ahead from today; else the calendar's last screenful, its own dates."""
    ahead = forward(here.find, here.today)
    if ahead.items or not ahead.before:
        return ahead
    return backward(here.find, here.today)


def _ahead(here: Page, opening: Window) -> bool:
    return any(item.over >= here.today for item in opening.items)


def _at(here: Page, opening: Window) -> datetime:
    """The instant whose UTC offsets the page names: its own days', not those of a winter's visitor."""
    return instant(opening.items[0].first, here.page_zone) if opening.items else here.now


def _steps(here: Page, shown: Window) -> Steps:
    first = min((max(item.first, shown.first) for item in shown.items), default=shown.first)
    last = max((item.last for item in shown.items if item.last <= shown.last), default=shown.last)
    label = here.dates.span(first, max(first, last), year=True) if shown.items else here.dates.plain(shown.first)
    earlier, later = shown.first - timedelta(days=1), shown.last + timedelta(days=1)
    fresh = here.query.change(since=None, until=None, month=None)
    if here.still:  # windows that begin anywhere would be files without end
        back, on = fresh.change(month=earlier.replace(day=1)), fresh.change(month=later.replace(day=1))
    else:
        back, on = fresh.change(until=earlier), fresh.change(since=later)
    return Steps(label, back if shown.before else None, on if shown.after else None)


def _agenda(here: Page, opening: Window) -> dict[str, Any]:
    query = here.query
    if query.since:
        shown = forward(here.find, query.since, query.until)
    elif query.until:
        shown = backward(here.find, query.until)
    elif query.month:
        last = month.neighbours(query.month)[1] - timedelta(days=1)
        shown = whole(here.find, query.month, last) if here.still else forward(here.find, query.month, last)
    else:
        shown = opening
    return {"months": agenda.agenda(shown.items, shown.first), "shown": shown, "steps": _steps(here, shown)}


def _month(here: Page, opening: Window) -> dict[str, Any]:
    first = (here.query.month or here.query.since or _opening_day(here, opening)).replace(day=1)
    before, after = month.neighbours(first)
    days = timedelta(days=6)
    found = here.find(first - days, after + days)
    fresh = here.query.change(since=None, until=None)
    steps = Steps(
        here.dates.month_year(first),
        fresh.change(month=before) if not here.still or any_before(here.find, first) else None,
        fresh.change(month=after) if not here.still or any_after(here.find, after - timedelta(days=1)) else None,
    )
    inside = [item for item in found if item.first < after and item.over >= first][:SCREENFUL]
    weeks = month.weeks(found, first, here.dates.locale.first_week_day)
    return {"weeks": weeks, "inside": agenda.agenda(inside, first), "count": len(inside), "steps": steps}


def _opening_day(here: Page, opening: Window) -> date:
    if not opening.items or _ahead(here, opening):
        return here.today
    return opening.items[0].first


def _timeline(here: Page, opening: Window) -> dict[str, Any]:
    first, last = _across(here, opening)
    days = timeline.days(first, last)
    first, last = days[0], days[-1]
    found = here.find(first, last)
    before, after = any_before(here.find, first), any_after(here.find, last)
    step = timedelta(days=len(days))
    query = here.query.change(month=None)
    steps = Steps(
        here.dates.span(first, last, year=True),
        query.change(since=first - step, until=first - timedelta(1)) if before else None,
        query.change(since=last + timedelta(1), until=last + step) if after else None,
    )
    rows = timeline.rows(found[: timeline.MOST_ROWS], days)
    return {"days": days, "rows": rows, "left": max(len(found) - len(rows), 0), "steps": steps}


def _across(here: Page, opening: Window) -> tuple[date, date]:
    query, usual = here.query, timedelta(days=timeline.USUAL_DAYS - 1)
    if query.month:
        return query.month, month.neighbours(query.month)[1] - timedelta(days=1)
    if query.since or query.until:
        first = query.since or max(query.until - usual, date.min) if query.until else query.since or here.today
        return first, query.until or first + usual
    if not opening.items:
        return here.today, here.today + usual
    return _own_dates(here, opening)


def _own_dates(here: Page, opening: Window) -> tuple[date, date]:
    """Today's fortnight when it has something, else the next items' days, else the last ones'."""
    first = min(item.first for item in opening.items)
    last = max(item.last for item in opening.items)
    if _ahead(here, opening):
        usual = timedelta(days=timeline.USUAL_DAYS - 1)
        start = here.today if first <= here.today + usual else first
        return start, max(start + timedelta(days=5), min(last, start + usual))
    most = timedelta(days=timeline.MOST_DAYS - 1)
    return max(first, last - most), last
