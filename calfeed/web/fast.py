"""Feeds before routing: a WSGI callable that answers a feed from bytes and headers made once a snapshot.

What it does not know (private feeds, pages, faulty queries, odd methods) it passes on to Flask. A 304 costs comparing
two strings.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any, Protocol
from urllib.parse import parse_qsl

from calfeed.errors import QueryError
from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query
from calfeed.feeds.snapshot import Snapshot
from calfeed.web.feeds import Headers, accepts_gzip, answer, disposed

Start = Callable[[str, Headers], object]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

MOST_VARIANTS = 256
"""Spellings of a query whose answers are kept for one snapshot; the oldest go first."""
MOST_VARIANT_OCTETS = 32_000_000

_STATUS = {200: "200 OK", 304: "304 Not Modified"}
_FEEDS = "/feeds/"
_DOWNLOAD = "/download.ics"
_READS = frozenset({"GET", "HEAD"})
_USUAL = 200
"""Characters of an Accept-Encoding that is worth remembering."""

_usual_gzip = lru_cache(maxsize=256)(accepts_gzip)


class Publishing(Protocol):
    """Where the snapshot in use is found."""

    snapshot: Snapshot | None


class Polls(Protocol):
    """Who is told that a client asked for a feed."""

    def seen(self, path: str, user_agent: str, etag: str) -> None:
        """``etag`` tells the version of the feed that the client now has."""


class _Ready:
    """The answers most polls get, each made when it is first asked for."""

    def __init__(self, feed: str, resource: Resource, version: str, disposition: str | None) -> None:
        self.feed = feed
        self.version = version
        self.resource = resource
        self.tags = (resource.etag, resource.gzip_etag)
        self.disposition = disposition

    @cached_property
    def plain(self) -> tuple[Headers, list[bytes]]:
        return self._whole(None)

    @cached_property
    def zipped(self) -> tuple[Headers, list[bytes]]:
        return self._whole("gzip")

    @cached_property
    def kept_plain(self) -> Headers:
        return answer(self.resource, if_none_match=self.tags[0])[1]

    @cached_property
    def kept_zipped(self) -> Headers:
        return answer(self.resource, if_none_match=self.tags[1], accept_encoding="gzip")[1]

    def _whole(self, coding: str | None) -> tuple[Headers, list[bytes]]:
        _, headers, body = answer(self.resource, accept_encoding=coding, disposition=self.disposition)
        return headers, [body]


class _Prepared:
    """The answers of one snapshot. Threads fill it together: the worst a race does is to make the same twice."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot
        self._plain: dict[str, _Ready] = {}
        self._variants: OrderedDict[tuple[str, str], _Ready] = OrderedDict()
        self._octets = 0
        self._lock = Lock()

    def find(self, path: str, query: str) -> _Ready | None:
        """What answers ``path?query``; None is Flask's to explain."""
        if not query:
            return self._plain.get(path) or self._make(path, EVERYTHING)
        found = self._variants.get((path, query))
        if found is None and (asked := _parsed(query)) is not None:
            found = self.find(path, "") if asked == EVERYTHING else self._make(path, asked)
            if found is not None:
                self._keep((path, query), found)
        return found

    def _make(self, path: str, query: Query) -> _Ready | None:
        feed = f"{path.removesuffix(_DOWNLOAD)}.ics" if path.endswith(_DOWNLOAD) else path
        resource = self.snapshot.resource(feed, query) if self.snapshot is not None else None
        if resource is None:
            return None  # not kept: strangers choose the paths
        disposition = disposed("inline" if feed is path else "attachment", feed.removeprefix(_FEEDS))
        if query == EVERYTHING:
            return self._plain.setdefault(path, _Ready(feed, resource, resource.etag, disposition))
        whole = self.find(feed, "")
        return _Ready(feed, resource, whole.version if whole else "", disposition)

    def _keep(self, key: tuple[str, str], ready: _Ready) -> None:
        with self._lock:
            if key in self._variants:
                return
            self._variants[key] = ready
            self._octets += len(ready.resource.body)
            while len(self._variants) > 1 and (
                len(self._variants) > MOST_VARIANTS or self._octets > MOST_VARIANT_OCTETS
            ):
                self._octets -= len(self._variants.popitem(last=False)[1].resource.body)


def _parsed(query: str) -> Query | None:
    """The query, read as Flask reads it; None for what it would read in its own way or refuse."""
    try:
        return Query.parse(parse_qsl(query, keep_blank_values=True, errors="strict")) if query.isascii() else None
    except (QueryError, ValueError):
        return None


class FastFeeds:
    """The application in front of ``app``; the snapshot is taken once a request, so that a swap never mixes two."""

    def __init__(self, app: Application, publisher: Publishing, polls: Polls | None = None) -> None:
        self._app = app
        self._publisher = publisher
        self._polls = polls
        self._prepared = _Prepared(None)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """WSGI."""
        path = environ["PATH_INFO"]
        if path.startswith(_FEEDS) and environ["REQUEST_METHOD"] in _READS:
            ready = self._current().find(path, environ["QUERY_STRING"])
            if ready is not None:
                return self._answer(ready, environ, start_response)
        return self._app(environ, start_response)

    def _current(self) -> _Prepared:
        snapshot, prepared = self._publisher.snapshot, self._prepared
        if prepared.snapshot is not snapshot:
            prepared = self._prepared = _Prepared(snapshot)
        return prepared

    def _answer(self, ready: _Ready, environ: Mapping[str, Any], start_response: Start) -> list[bytes]:
        held = environ.get("HTTP_IF_NONE_MATCH")
        if self._polls is not None and ready.disposition is not None:
            self._polls.seen(ready.feed, environ.get("HTTP_USER_AGENT", ""), ready.version)
        coding = environ.get("HTTP_ACCEPT_ENCODING")
        zipped = coding is not None and (_usual_gzip if len(coding) <= _USUAL else accepts_gzip)(coding)
        if held in ready.tags:
            start_response(_STATUS[304], ready.kept_zipped if zipped else ready.kept_plain)
            return []
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        if held is not None or since is not None or environ["REQUEST_METHOD"] == "HEAD":
            method = environ["REQUEST_METHOD"]
            status, headers, body = answer(ready.resource, method, held, since, coding, disposition=ready.disposition)
            start_response(_STATUS[status], headers)
            return [body]
        headers, body_list = ready.zipped if zipped else ready.plain
        start_response(_STATUS[200], headers)
        return body_list
