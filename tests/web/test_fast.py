"""The path before routing answers a feed as Flask does, and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import Client

from calfeed.web import fast
from calfeed.web.fast import FastFeeds

OWN = {"ETag", "Last-Modified", "Cache-Control", "Vary", "Content-Type", "Content-Length", "Content-Encoding",
       "Content-Disposition", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers",
       "Cross-Origin-Resource-Policy", "X-Content-Type-Options"}  # fmt: skip

PATHS = [
    "/feeds/all.ics",
    "/feeds/expo.ics",
    "/feeds/insiders.ics",
    "/feeds/all.json",
    "/feeds/all.jcal",
    "/feeds/all.jscal",
    "/feeds/all.atom",
    "/feeds/all/download.ics",
    "/feeds/all.ics?lang=ru&cancelled=mark",
    "/feeds/all.ics?category=expo%2Csummit&q=%D0%B2%D0%B8%D0%B7%D0%B8%D1%82",
    "/feeds/all.ics?unknown=1&alarm=",
    "/feeds/expo/download.ics?alarm=30m",
]
ASKED: list[dict[str, str]] = [
    {},
    {"Accept-Encoding": "gzip, deflate, br"},
    {"Accept-Encoding": "gzip;q=0"},
    {"If-None-Match": '"another"'},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
]


@dataclass
class Heard:
    """Who was told of polls."""

    polls: list[tuple[str, str, str]] = field(default_factory=list)

    def seen(self, path: str, user_agent: str, etag: str) -> None:
        self.polls.append((path, user_agent, etag))


def no_flask(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """Where requests go that are not answered before routing."""
    start("204 Flask", [])
    return []


@pytest.fixture
def ask(served: Any) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """``ask(path, headers, method)``: answered before routing, or 204."""
    front = FastFeeds(no_flask, served.publisher)

    def ask(path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        found = Client(front).open(path, method=method, headers=headers)
        return found.status_code, dict(found.headers), found.data

    return ask


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_flask_would_have_said_the_same(path: str, method: str, served: Any, ask: Any) -> None:
    for headers in [*ASKED, {"If-None-Match": served.client.get(path).headers["ETag"]}]:
        status, sent, body = ask(path, headers, method)
        theirs = served.client.open(path, method=method, headers=headers)
        assert (status, body) == (theirs.status_code, theirs.data), headers
        if status == 304:
            sent.pop("Last-Modified")  # werkzeug takes it from a 304; a tag says enough
        assert sent == {name: value for name, value in theirs.headers.items() if name in OWN}, headers


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "GET"),
        ("/feeds/all.ics", "POST"),
        ("/feeds/all.ics", "OPTIONS"),
        ("/feeds/crew.ics", "GET"),
        ("/feeds/nothing.ics", "GET"),
        ("/feeds/all.txt", "GET"),
        ("/feeds/all.ics?alarm=soon", "GET"),
        ("/feeds/all.ics?q=%FF", "GET"),
        ("/events/visit.ics", "GET"),
    ],
)
def test_the_rest_is_for_flask_to_answer(path: str, method: str, ask: Any) -> None:
    """Pages, private feeds, refusals and their reasons."""
    assert ask(path, method=method)[0] == 204


def test_nothing_is_served_before_the_first_good_state() -> None:
    class Nothing:
        snapshot = None

    assert Client(FastFeeds(no_flask, Nothing())).get("/feeds/all.ics").status_code == 204


def test_an_edit_is_served_by_the_next_answer(served: Any, ask: Any) -> None:
    first = ask("/feeds/all.ics")[1]["ETag"]
    assert ask("/feeds/all.ics", {"If-None-Match": first})[0] == 304
    served.edit('summary = "Talks"', 'summary = "Long talks"')
    status, headers, body = ask("/feeds/all.ics", {"If-None-Match": first})
    assert (status, b"Long talks" in body, headers["ETag"] != first) == (200, True, True)


def test_a_filtered_feed_is_made_once_a_snapshot(served: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often, in whatever coding and by whatever spelling it is asked for."""
    made: list[str] = []
    make = type(served.publisher.snapshot)._make
    monkeypatch.setattr(
        type(served.publisher.snapshot),
        "_make",
        lambda self, path, query, **kept: made.append(query.canonical()) or make(self, path, query, **kept),
    )
    for _ in range(3):
        for spelled in ("lang=ru&category=expo", "category=expo&lang=ru", "category=expo&lang=RU&x=1"):
            assert ask(f"/feeds/all.ics?{spelled}", {"Accept-Encoding": "gzip"})[0] == 200
    assert made == ["category=expo&lang=ru"]
    served.edit('summary = "EXPO"', 'summary = "The EXPO"')
    assert ask("/feeds/all.ics?lang=ru&category=expo")[0] == 200
    assert "category=expo&lang=ru" in made[1:]


def test_what_strangers_spell_does_not_fill_the_memory(ask: Any, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ways to write a query are without number; those kept are not, nor are their octets."""
    front = FastFeeds(no_flask, served.publisher)
    client = Client(front)
    size = len(client.get("/feeds/all.ics").data)
    monkeypatch.setattr(fast, "MOST_VARIANTS", 5)
    for number in range(20):
        assert client.get(f"/feeds/all.ics?x={number}").status_code == 200
    assert [query for _, query in front._prepared._variants] == ["x=15", "x=16", "x=17", "x=18", "x=19"]
    monkeypatch.setattr(fast, "MOST_VARIANT_OCTETS", 2 * size)
    assert client.get("/feeds/all.ics?x=20").status_code == 200
    assert [query for _, query in front._prepared._variants] == ["x=19", "x=20"]
    assert front._prepared._octets == 2 * size


def test_polls_are_heard_of_with_the_version_the_client_now_has(served: Any) -> None:
    """Also under a query; of iCalendar alone."""
    heard = Heard()
    client = Client(FastFeeds(no_flask, served.publisher, heard))
    tag = client.get("/feeds/all.ics", headers={"User-Agent": "A"}).headers["ETag"]
    client.get("/feeds/all.ics", headers={"User-Agent": "B", "If-None-Match": tag})
    client.get("/feeds/all.ics?lang=ru", headers={"User-Agent": "C"})
    client.get("/feeds/all/download.ics", headers={"User-Agent": "D"})
    client.get("/feeds/all.json", headers={"User-Agent": "E"})
    client.get("/feeds/nothing.ics", headers={"User-Agent": "F"})
    assert heard.polls == [("/feeds/all.ics", agent, tag) for agent in "ABCD"]
