"""The pages as files for a host without a server: the same templates, their addresses without a query string.

``/?view=month&lang=ru`` becomes ``ru/month/index.html``. What only a server can answer (search, categories, a zone of
the reader's own) is left out of these pages, so that nothing on them promises what the host cannot do.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape
from urllib.parse import parse_qsl, unquote, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from calfeed.errors import Problem
from calfeed.feeds.snapshot import Snapshot
from calfeed.ledger import Ledger
from calfeed.settings import Settings
from calfeed.web import assets, changes_page, event_page, faults, pages, rendering, robots, schema, subscribe_page
from calfeed.web import help as help_pages
from calfeed.web.clients import Polls
from calfeed.web.page_query import with_query
from calfeed.web.site import Site

MANY = 1_000
"""Events above which each has its page in the calendar's own language alone."""

_KEYS = ("view", "month", "from", "to", "feed", "lang")
_ROUTES = re.compile(r"/(?:|changes|help(?:/[^/]+)?|(?:events|subscribe|embed)/[^/]+)")
_FILES = {
    "/robots.txt": "robots.txt",
    "/sitemap.xml": "sitemap.xml",
    "/schema.json": "schema.json",
    "/no-such-page": "404.html",
}
_LINKS = re.compile(r'(href|src|content)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Address:
    """A page of the dynamic site: its path and the keys that make it another page."""

    path: str
    keys: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """As the application is asked for it."""
        return with_query(self.path, self.keys)

    def without_language(self) -> Address:
        """The same page in the calendar's own language."""
        return Address(self.path, tuple(pair for pair in self.keys if pair[0] != "lang"))

    @property
    def folder(self) -> str:
        """The folder of its ``index.html``: language, path, feed, view and dates."""
        keys = dict(self.keys)
        dates = "-".join(f"{key}-{keys[key]}" for key in ("month", "from", "to") if key in keys)
        view = "month" if dates.startswith("month-") and keys.get("view") == "month" else keys.get("view", "")
        last = dates if view and dates.startswith(f"{view}-") else "-".join(part for part in (view, dates) if part)
        feed = f"calendar/{keys['feed']}" if "feed" in keys else ""
        return "/".join(part for part in (keys.get("lang", ""), self.path.strip("/"), feed, last) if part)


Told = Callable[[int, int], object]


@dataclass
class _Still:
    """A Publisher whose state does not move."""

    snapshot: Snapshot | None
    problems: tuple[Problem, ...] = ()
    reloaded_at: datetime | None = None


def static_pages(snapshot: Snapshot, told: Told = lambda _done, _known: None) -> dict[str, bytes]:
    """Path in the folder to content, for every page that leads to another from ``/``.

    ``told`` hears after each page how many are done, and how many are known so far.
    """
    return _Crawl(snapshot, still_app(snapshot).test_client()).run(told)


def still_app(snapshot: Snapshot) -> Flask:
    """The public pages alone, at the moment of the snapshot; its ledger is one that is never opened."""
    app = Flask(__name__, static_folder=None)
    polls = Polls(lambda _: None, lambda: snapshot.built_at)
    ledger = Ledger("sqlite://")
    settings = Settings(base_url=snapshot.base_url)
    app.extensions["calfeed"] = Site(_Still(snapshot), ledger, settings, lambda: snapshot.built_at, polls, still=True)
    for part in (rendering, assets, faults):
        part.register(app)
    for blueprint in (pages, event_page, subscribe_page, changes_page, help_pages, robots, schema):
        app.register_blueprint(blueprint.blueprint)
    return app


class _Crawl:
    def __init__(self, snapshot: Snapshot, client: FlaskClient) -> None:
        self._client = client
        self._base = snapshot.base_url or "http://localhost"
        self._root = urlsplit(self._base).path.rstrip("/")
        self._language = snapshot.catalog.calendar.language
        self._many = len(snapshot.catalog.events) > MANY
        embeds = [Address(f"/embed/{feed.id}") for feed in snapshot.catalog.feeds if feed.visibility != "private"]
        self._waiting = deque([Address("/"), *embeds])
        self._known = set(self._waiting)
        self._files: dict[str, bytes] = {}

    def run(self, told: Told) -> dict[str, bytes]:
        while self._waiting:
            here = self._waiting.popleft()
            html = self._get(here.url).decode()
            self._files[f"{here.folder}/index.html".lstrip("/")] = _LINKS.sub(self._rewritten, html).encode()
            told(len(self._known) - len(self._waiting), len(self._known))
        for url, file in _FILES.items():
            self._files[file] = self._still_links(self._get(url)) if file.endswith("html") else self._get(url)
        return self._files

    def _still_links(self, body: bytes) -> bytes:
        return _LINKS.sub(self._rewritten, body.decode()).encode()

    def _get(self, url: str) -> bytes:
        body: bytes = self._client.get(url, base_url=self._base).data
        return body

    def _rewritten(self, link: re.Match[str]) -> str:
        name, value = link[1], unescape(link[2])
        path = value.removeprefix(self._base)
        absolute = path != value and name != "src"
        if not absolute and (name == "content" or not path.startswith(f"{self._root}/") or path.startswith("//")):
            return link[0]
        target = urlsplit(path if absolute else path[len(self._root) :])
        if target.path.startswith(("/static/", "/help/pictures/")):
            self._keep_asset(target.path)
            return link[0]
        found = self._address(target.path or "/", target.query)
        if found is None:
            return link[0]
        fragment = f"#{target.fragment}" if target.fragment else ""
        folder = f"{found.folder}/" if found.folder else ""
        return f'{name}="{escape((self._base if absolute else self._root) + "/" + folder + fragment)}"'

    def _address(self, path: str, query: str) -> Address | None:
        """The page that a link leads to, put down to be made; None for feeds and files."""
        if not _ROUTES.fullmatch(path) or re.search(r"\.(ics|json)$", path):
            return None
        given = dict(parse_qsl(query))
        if given.get("lang") == self._language:
            del given["lang"]
        found = Address(path, tuple((key, given[key]) for key in _KEYS if key in given))
        if path.startswith("/help") or (self._many and path.startswith("/events/")):
            found = found.without_language()
        if found not in self._known:
            self._known.add(found)
            self._waiting.append(found)
        return found

    def _keep_asset(self, path: str) -> None:
        file = unquote(path).lstrip("/")
        if file not in self._files:
            self._files[file] = self._get(path)
