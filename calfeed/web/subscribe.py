"""The links by which calendar clients subscribe to a feed or take one event. All are the vendors' unofficial ones,
so the address itself always stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from calfeed.events.model import Event, Moment
from calfeed.feeds.select import EVERYTHING, Query

GOOGLE_BY_URL = "https://calendar.google.com/calendar/u/0/r/settings/addbyurl"
_GOOGLE = "https://calendar.google.com/calendar"
_OUTLOOK = "https://outlook.live.com/calendar/0"
_OFFICE = "https://outlook.office.com/calendar/0"


@dataclass(frozen=True, slots=True)
class SubscribeLinks:
    """Everything a reader can do with one feed's address."""

    url: str
    webcal: str
    google: str
    google_by_url: str
    outlook: str
    office: str
    download: str


def subscribe_links(base_url: str, feed: str, name: str, query: Query = EVERYTHING) -> SubscribeLinks:
    """``base_url`` without a trailing slash; ``query`` is the filter the feed is to carry."""
    keys = f"?{query.canonical()}".rstrip("?")
    url = f"{base_url}/feeds/{feed}.ics{keys}"
    webcal = _webcal(url)
    add = urlencode({"url": url, "name": name}, quote_via=quote)
    return SubscribeLinks(
        url=url,
        webcal=webcal,
        google=f"{_GOOGLE}/u/0/r?cid={quote(webcal, safe='')}",  # the webcal form: Google refuses https here
        google_by_url=GOOGLE_BY_URL,
        outlook=f"{_OUTLOOK}/addfromweb/?{add}",
        office=f"{_OFFICE}/addfromweb/?{add}",
        download=f"{base_url}/feeds/{feed}/download.ics{keys}",
    )


def _webcal(url: str) -> str:
    return f"webcal://{url.partition('://')[2]}"


@dataclass(frozen=True, slots=True)
class EventLinks:
    """Ways to take one event, once."""

    google: str
    outlook: str
    office: str
    ics: str


def event_links(event: Event, base_url: str, language: str | None = None) -> EventLinks:
    """A recurring event goes by its first occurrence: these forms know no rule."""
    where = event.location.name.get(language) if event.location else ""
    page = f"{base_url}/events/{quote(event.id, safe='')}"
    text = "\n\n".join(part for part in (event.description.get(language) if event.description else "", page) if part)
    title, (start, end) = event.summary.get(language), _span(event)
    google = {"action": "TEMPLATE", "text": title, "dates": f"{_basic(start)}/{_basic(end)}", "details": text}
    outlook = {"rru": "addevent", "subject": title, "startdt": _extended(start), "enddt": _extended(end), "body": text}
    if where:
        google["location"] = outlook["location"] = where
    if event.all_day:
        outlook["allday"] = "true"
    else:
        google["ctz"] = event.timezone
    compose = f"action/compose?{urlencode(outlook, quote_via=quote)}"
    return EventLinks(
        google=f"{_GOOGLE}/render?{urlencode(google, quote_via=quote)}",
        outlook=f"{_OUTLOOK}/{compose}",
        office=f"{_OFFICE}/{compose}",
        ics=f"{page}.ics",
    )


def _span(event: Event) -> tuple[Moment, Moment]:
    start = event.start
    if isinstance(start, datetime):
        return start, event.end or start
    return start, event.end or start + timedelta(days=1)


def _basic(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return moment.strftime("%Y%m%d")


def _extended(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _day(moment)


def _day(day: date) -> str:
    return day.isoformat()


def map_link(geo: tuple[float, float] | None, words: str) -> str:
    """OpenStreetMap: the point itself when it is known, else a search for the words."""
    if geo:
        latitude, longitude = geo
        return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=15/{latitude}/{longitude}"
    return f"https://www.openstreetmap.org/search?{urlencode({'query': words}, quote_via=quote)}"


def is_local(base_url: str) -> bool:
    """Whether no one but this machine can reach the address, so that Google and Outlook cannot either."""
    return urlsplit(base_url).hostname in {"localhost", "127.0.0.1", "::1"}
