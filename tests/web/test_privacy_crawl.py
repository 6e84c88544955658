"""No answer of any kind shows what is private or embargoed: every address of the site is visited and read.

Each hidden thing carries a mark in all its texts, its id, its categories and its addresses. Whatever is reachable from
the page, from the feeds, the sitemap and the API is fetched, headers included, through the callable that serves feeds.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.test import Client

from calfeed.web.fast import FastFeeds

BASE = "https://calendar.example.org"
EMBARGO = datetime(2024, 5, 17, 16, tzinfo=UTC)
MARKS = ("privmark", "unlmark", "embmark", "chanmark")
MOST = 700
"""Addresses that one crawl visits; calendars go on for ever."""


def hidden(mark: str, **keys: str) -> str:
    """An event whose every text, id and address carries the mark; ``hush…`` is a word to search it by."""
    more = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"""
[[events]]
id = "{mark}-event"
uid = "{mark}-uid"
summary = {{ en = "{mark} summary hush{mark[:3]}", ru = "{mark} сводка" }}
description = "{mark} description"
start = 2024-05-18T10:00:00
end = 2024-05-18T11:00:00
location = {{ name = "{mark} place", address = "{mark} address", url = "https://example.org/{mark}-place" }}
categories = ["{mark}-category"]
url = "https://example.org/{mark}"
image = "https://example.org/{mark}.png"
conference = [{{ uri = "https://example.org/{mark}-call", label = "{mark} call" }}]
organizer = {{ name = "{mark} organizer", email = "{mark}@example.org" }}
contact = "{mark} contact"
attach = ["https://example.org/{mark}.pdf"]
sources = [{{ title = "{mark} source", url = "https://example.org/{mark}-source" }}]
{more}"""


SOURCE = "".join(
    (
        f"""
[calendar]
id = "visit"
name = "The visit"
timezone = "Asia/Shanghai"
url = "{BASE}"

[[feeds]]
id = "expo"
name = "EXPO"
categories = ["expo"]

[[feeds]]
id = "unlmark-feed"
name = "unlmark feed"
visibility = "unlisted"

[[feeds]]
id = "privmark-feed"
name = "privmark feed"
visibility = "private"

[[channels]]
id = "chanmark"
kind = "webhook"
url = "https://example.org/chanmark"

[[events]]
id = "open"
summary = "Open talks"
start = 2024-05-16T10:00:00
categories = ["expo"]
parent = "privmark-event"

[[events]]
id = "daily"
summary = "Daily briefing"
start = 2024-05-16T09:00:00
duration = "1h"
rrule = "FREQ=DAILY;COUNT=6"
""",
        hidden("privmark", visibility='"private"'),
        hidden("unlmark", visibility='"unlisted"'),
        hidden("embmark", embargo="2024-05-18T00:00:00+08:00"),
    )
)

FORMATS = ("ics", "json", "jcal", "atom", "jscal")
QUERIES = ("", "?lang=ru", "?cancelled=mark", "?expand=1", "?alarm=30m", "?rich=1", "?category=expo", "?q=hushpri")
SEEDS = [
    "/",
    *(f"/feeds/{feed}.{suffix}{query}" for feed in ("all", "expo") for suffix in FORMATS for query in QUERIES),
    "/feeds/all/download.ics",
    *(f"/?view={view}&q=hush{word}" for view in ("agenda", "month", "timeline") for word in ("pri", "unl", "emb")),
    "/?month=2024-05&view=month",
    "/?view=timeline&from=2024-05-10&to=2024-05-30",
    "/?tz=America/New_York",
    "/embed/all",
    "/embed/expo?view=month",
    "/subscribe/all",
    "/subscribe/all/webhook",
    "/changes",
    "/changes?lang=zh",
    "/events/open",
    "/events/daily",
    "/events/daily.ics",
    "/events/daily.json",
    "/help",
    "/help?q=hushpri",
    "/sitemap.xml",
    "/robots.txt",
    "/api/v1/events",
    "/api/v1/events?lang=ru",
    "/api/v1/events?q=hushemb",
    "/api/v1/feeds",
    "/api/v1/occurrences?from=2024-05-01&to=2024-06-01",
    "/api/v1/changes",
    "/api/v1/openapi.json",
    "/api/v1/deliveries",
    "/api/v1/channels",
    "/status",
    "/healthz",
    "/readyz",
    "/metrics",
    "/nothing-here",
    "/feeds/nothing.ics",
    "/?from=nonsense",
    "/api/v1/events?limit=nonsense",
    "/private/x/nothing.ics",
]  # fmt: skip
_HTML = re.compile(r'(?:href|src|action)="([^"]*)"')
_TEXT = re.compile(rf"{re.escape(BASE)}(/[^\s\"<>\\]*)")


@dataclass
class Crawl:
    """What was visited and what was found there."""

    visited: dict[str, int] = field(default_factory=dict)
    found: dict[str, set[str]] = field(default_factory=dict)

    def where(self, mark: str) -> set[str]:
        return self.found.get(mark, set())


def crawl(client: Client, seeds: list[str]) -> Crawl:
    """Breadth first, from the seeds."""
    done, waiting = Crawl(), deque(seeds)
    while waiting and len(done.visited) < MOST:
        url = waiting.popleft()
        if url in done.visited:
            continue
        response = client.get(url)
        text = response.get_data(as_text=True)
        done.visited[url] = response.status_code
        whole = f"{text}\n{response.headers}".casefold()
        for mark in MARKS:
            if mark in whole or mark in json.dumps(whole):
                done.found.setdefault(mark, set()).add(url)
        links = [unescape(link) for link in _HTML.findall(text)] + _TEXT.findall(text)
        waiting.extend(path for link in links if (path := local(url, link)))
    return done


def local(here: str, link: str) -> str:
    """The path and query of a link within the site; empty for others."""
    parts = urlsplit(urljoin(BASE + here, link))
    if f"{parts.scheme}://{parts.netloc}" != BASE or parts.path.startswith("/static/"):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


@pytest.fixture
def world(make_site: Any) -> Any:
    """The site, a day after each hidden thing was edited, so that there are changes to tell of."""
    served = make_site(SOURCE.replace("summary hush", "old summary hush"), admin_token=None)
    served.clock.now += timedelta(days=1)
    served.path.write_text(SOURCE)
    assert served.publisher.reload()
    return served


def client_of(world: Any) -> Client:
    return Client(FastFeeds(world.app.wsgi_app, world.publisher))


def test_nothing_hidden_stands_anywhere_before_its_time(world: Any) -> None:
    done = crawl(client_of(world), SEEDS)
    assert {mark: sorted(done.where(mark))[:5] for mark in MARKS if done.where(mark)} == {}
    visited = done.visited
    assert len(visited) > 200
    assert {visited["/"], visited["/feeds/all.ics"], visited["/api/v1/events"], visited["/events/open"]} == {200}
    assert {visited["/status"], visited["/api/v1/deliveries"], visited["/private/x/nothing.ics"]} == {404}


def test_at_its_instant_the_embargoed_appears_everywhere_without_a_restart(world: Any) -> None:
    client = client_of(world)
    before = client.get("/feeds/all.ics").headers["ETag"]
    world.clock.now = EMBARGO - timedelta(seconds=1)
    world.publisher.poll()
    assert client.get("/feeds/all.ics").headers["ETag"] == before
    world.clock.now = EMBARGO
    assert world.publisher.poll()
    assert client.get("/feeds/all.ics").headers["ETag"] != before
    done = crawl(client, SEEDS)
    everywhere = {
        "/",
        "/?view=agenda&q=hushemb",
        *(f"/feeds/all.{suffix}" for suffix in FORMATS),
        "/changes",
        "/events/embmark-event",
        "/sitemap.xml",
        "/api/v1/events",
        "/api/v1/events?q=hushemb",
        "/api/v1/occurrences?from=2024-05-01&to=2024-06-01",
        "/api/v1/changes",
    }
    assert everywhere - done.where("embmark") == set()
    still = ("privmark", "unlmark", "chanmark")
    assert {mark: sorted(done.where(mark))[:5] for mark in still if done.where(mark)} == {}


def test_what_is_unlisted_is_there_for_who_knows_its_address(world: Any) -> None:
    client = client_of(world)
    for path in ("/events/unlmark-event", "/events/unlmark-event.ics", "/feeds/unlmark-feed.ics"):
        response = client.get(path)
        assert (response.status_code, "unlmark summary" in response.get_data(as_text=True)) == (200, True)
        assert not any(mark in response.get_data(as_text=True) for mark in ("privmark", "embmark"))


def test_what_is_private_is_there_for_who_has_a_token_alone(world: Any) -> None:
    client = client_of(world)
    _, token = world.ledger.make_token("privmark-feed", world.clock())
    text = client.get(f"/private/{token}/privmark-feed.ics").get_data(as_text=True)
    assert all(mark in text for mark in ("privmark", "unlmark", "embmark"))
    for path in (
        "/events/privmark-event",
        "/events/privmark-event.ics",
        "/events/embmark-event",
        "/feeds/privmark-feed.ics",
        "/subscribe/privmark-feed",
        "/embed/privmark-feed",
        "/?feed=privmark-feed",
        "/api/v1/events?feed=privmark-feed",
    ):
        response = client.get(path)
        never = client.get(re.sub(r"(priv|emb)mark-(event|feed)", "never", path))
        shown = response.get_data(as_text=True).replace(re.findall(r"\w+mark-\w+", path)[0], "never")
        assert (path, response.status_code, shown) == (path, 404, never.get_data(as_text=True))
