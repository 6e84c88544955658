"""Feeds before routing: a WSGI callable that answers an unfiltered feed from bytes and headers made once a snapshot.

What it does not know (filters, private feeds, pages, odd methods) it passes on. A 304 costs comparing two strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from calfeed.feeds.snapshot import Resource, Snapshot
from calfeed.web.feeds import Headers, accepts_gzip, answer

Start = Callable[[str, Headers], object]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_STATUS = {200: "200 OK", 304: "304 Not Modified"}
_FEEDS = "/feeds/"


class Publishing(Protocol):
    """Where the snapshot in use is found."""

    snapshot: Snapshot | None


class Polls(Protocol):
    """Who is told that a client asked for a feed."""

    def seen(self, path: str, user_agent: str, held: str) -> None:
        """``held`` is the validator the client sent, empty when it had none."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """The three answers most polls get, as ``(status, headers, body)`` for each coding."""

    resource: Resource
    tags: tuple[str, str]
    plain: tuple[Headers, list[bytes]]
    zipped: tuple[Headers, list[bytes]]
    kept_plain: Headers
    kept_zipped: Headers


def _ready(resource: Resource) -> _Ready:
    _, plain, body = answer(resource)
    _, zipped, packed = answer(resource, accept_encoding="gzip")
    tags = (resource.etag, resource.gzip_etag)
    _, kept_plain, _ = answer(resource, if_none_match=tags[0])
    _, kept_zipped, _ = answer(resource, if_none_match=tags[1], accept_encoding="gzip")
    return _Ready(resource, tags, (plain, [body]), (zipped, [packed]), kept_plain, kept_zipped)


class FastFeeds:
    """The application in front of ``app``; the snapshot is taken once a request, so that a swap never mixes two."""

    def __init__(self, app: Application, publisher: Publishing, polls: Polls | None = None) -> None:
        self._app = app
        self._publisher = publisher
        self._polls = polls
        self._prepared: tuple[Snapshot | None, dict[str, _Ready | None]] = (None, {})

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """WSGI."""
        path = environ["PATH_INFO"]
        if path.startswith(_FEEDS) and not environ["QUERY_STRING"] and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            ready = self._find(path)
            if ready is not None:
                return self._answer(ready, environ, start_response)
        return self._app(environ, start_response)

    def _find(self, path: str) -> _Ready | None:
        snapshot = self._publisher.snapshot
        known, prepared = self._prepared
        if known is not snapshot:
            prepared = {}
            self._prepared = (snapshot, prepared)
        if path not in prepared:
            resource = snapshot.resource(path) if snapshot is not None else None
            if resource is None:
                return None  # not kept: strangers choose the paths
            prepared[path] = _ready(resource)
        return prepared[path]

    def _answer(self, ready: _Ready, environ: Mapping[str, Any], start_response: Start) -> list[bytes]:
        held = environ.get("HTTP_IF_NONE_MATCH")
        if self._polls is not None:
            self._polls.seen(environ["PATH_INFO"], environ.get("HTTP_USER_AGENT", ""), held or "")
        coding = environ.get("HTTP_ACCEPT_ENCODING")
        zipped = coding is not None and accepts_gzip(coding)
        if held in ready.tags:
            start_response(_STATUS[304], ready.kept_zipped if zipped else ready.kept_plain)
            return []
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        if held is not None or since is not None or environ["REQUEST_METHOD"] == "HEAD":
            status, headers, body = answer(ready.resource, environ["REQUEST_METHOD"], held, since, coding)
            start_response(_STATUS[status], headers)
            return [body]
        headers, body = ready.zipped if zipped else ready.plain
        start_response(_STATUS[200], headers)
        return body
