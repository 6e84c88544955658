"""A real Chromium before a real server: the festival of ``calendar.toml`` on its first day, and our own event list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from werkzeug.serving import make_server

from calfeed.ledger import Ledger, Result, Settlement
from calfeed.publish import Publisher
from calfeed.settings import Settings
from calfeed.web.app import create_app

HERE = Path(__file__).parent
SCREENSHOTS = HERE / "screenshots"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
TOKEN = "a-token-for-operators-only"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Running:
    """A server and its parts."""

    url: str
    ledger: Ledger
    now: datetime
    token: str = TOKEN


def _serve(source: Path, folder: Path, now: datetime) -> Iterator[Running]:
    ledger = Ledger(f"sqlite:///{folder / 'calfeed.db'}")
    ledger.upgrade()
    publisher = Publisher(source, ledger, clock=lambda: now)
    assert publisher.reload(), publisher.problems
    app = create_app(publisher, ledger, Settings(events=source, admin_token=TOKEN), clock=lambda: now)
    with _listening(app) as url:
        yield Running(url, ledger, now)
    ledger.close()


@contextmanager
def _listening(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another site: ``<it>/?<address>`` is a page with that address in a frame."""

    def framing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [f'<iframe src="{environ["QUERY_STRING"]}"></iframe>'.encode()]

    with _listening(framing) as url:
        yield url


@pytest.fixture(scope="session")
def festival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Everything a page can meet, at 13:00 in Moscow on the first day of the festival."""
    now = datetime(2024, 5, 17, 10, tzinfo=UTC)
    for running in _serve(HERE / "calendar.toml", tmp_path_factory.mktemp("festival"), now):
        _reject_one(running)
        yield running


@pytest.fixture(scope="session")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The repository's own event list, long after its last day: it opens on its own dates."""
    now = datetime(2024, 9, 1, 10, tzinfo=UTC)
    yield from _serve(HERE.parents[1] / "events.toml", tmp_path_factory.mktemp("visit"), now)


def _reject_one(running: Running) -> None:
    """A delivery that its receiver would not take, for the operator's page to show."""
    ledger, now = running.ledger, running.now
    ledger.plan(["newsroom"], now)
    ledger.beat(now, ticked=True)
    due = datetime(2024, 5, 17, 15, 1, tzinfo=UTC)
    (claimed,) = ledger.claim(due, 1, ["newsroom"], lambda _: True)
    refused = Settlement(
        delivery=claimed.id,
        attempt=claimed.attempt,
        result=Result.REJECTED,
        started=due,
        ended=due,
        status=400,
        error="HTTP 400: the receiver does not know this kind of message",
        excerpt='{"error": "unknown type"}',
    )
    ledger.settle([refused], due)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, started once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A page with what went wrong on it: console errors, and requests to anyone but the server."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.outside.append(request.url)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def follow(self, control: Locator) -> None:
        """Click what leads to another page, and wait until that is there: a click alone returns before."""
        with self.page.expect_event("load"):
            control.click()

    def look(self, width: int, scheme: str) -> None:
        """The page as it is, in another window and colour scheme, once its colours have gone over to that."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.evaluate("() => document.getAnimations().forEach(one => one.finish())")

    def sign_in(self) -> None:
        """Through the form, as a person does."""
        self.open("/status")
        self.page.get_by_label("Token").fill(TOKEN)
        self.follow(self.page.get_by_role("button", name="Sign in"))

    def violations(self) -> list[str]:
        """What axe-core finds, as ``rule: element``."""
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]

    def overflow(self) -> list[str]:
        """The elements that reach beyond the window, when the page scrolls sideways."""
        return self.page.evaluate(  # type: ignore[no-any-return]  # JSON
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
              ["the page is " + document.documentElement.scrollWidth + " wide",
               ...[...document.querySelectorAll("body *")]
               .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
               .map(e => e.tagName + "." + e.className).slice(0, 12)]"""
        )

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def visitor(chromium: Browser, festival: Running) -> Iterator[Callable[..., Visitor]]:
    """``visitor(width=…, running=…, **context)``: a fresh browser profile that reads English."""
    contexts: list[BrowserContext] = []

    def make(width: int = 1280, running: Running | None = None, **context: Any) -> Visitor:
        chosen = {"locale": "en-GB", "viewport": {"width": width, "height": 900}, **context}
        contexts.append(chromium.new_context(**chosen))
        return Visitor(contexts[-1].new_page(), (running or festival).url)

    yield make
    for context in contexts:
        context.close()
