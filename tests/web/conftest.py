"""A whole site over a source given as text: real Publisher, real ledger on SQLite, a clock that tests move."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calfeed.ledger import Ledger
from calfeed.publish import Publisher
from calfeed.settings import Settings
from calfeed.web.app import create_app

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
TOKEN = "a-token-for-operators-only"

HEAD = """
[calendar]
id = "visit"
name = { en = "The visit", ru = "Визит" }
timezone = "Asia/Shanghai"
language = "en"
url = "https://calendar.example.org"
"""

SOURCE = (
    HEAD
    + """
[[feeds]]
id = "expo"
name = "EXPO"
categories = ["expo"]

[[feeds]]
id = "insiders"
name = "Insiders"
visibility = "unlisted"

[[feeds]]
id = "crew"
name = "Crew"
visibility = "private"

[[events]]
id = "visit"
summary = { en = "State visit", ru = "Государственный визит" }
description = "Two days <b>in</b> China. *Talks* and [more](https://example.org/more)."
start = 2024-05-16
end = 2024-05-17
location = { name = "Beijing", geo = [39.9, 116.4] }
categories = ["summit"]
sources = [{ title = "News agencies", published = 2024-05-14 }]

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00
end = 2024-05-16T11:30:00
categories = ["summit"]
parent = "visit"

[[events]]
id = "signing"
summary = "Signing"
start = 2024-05-16
end = 2024-05-17
tba = "date"
status = "tentative"
categories = ["summit"]

[[events]]
id = "expo"
summary = "EXPO"
start = 2024-05-17
end = 2024-05-21
location = "Harbin"
categories = ["expo"]

[[events]]
id = "concert"
summary = "Concert"
start = 2024-05-18T19:00:00
duration = "2h"
status = "cancelled"
categories = ["culture"]

[[events]]
id = "briefing"
summary = "Unlisted briefing"
start = 2024-05-15T09:00:00
categories = ["press"]
visibility = "unlisted"

[[events]]
id = "rehearsal"
summary = "Private rehearsal"
start = 2024-05-15T08:00:00
categories = ["backstage"]
visibility = "private"

[[events]]
id = "surprise"
summary = "Embargoed surprise"
start = 2024-05-19T08:00:00
categories = ["secret"]
embargo = 2024-05-18T00:00:00+08:00
"""
)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Served:
    """The application and its parts, for tests to look at and to move."""

    app: Flask
    client: FlaskClient
    publisher: Publisher
    ledger: Ledger
    path: Path
    clock: Clock
    token: str = TOKEN

    def get(self, path: str, **headers: str) -> str:
        """The text of a page that is there."""
        response = self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.text

    def edit(self, old: str, new: str) -> bool:
        """Edits the source and has it read; False when it has faults."""
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))
        return self.publisher.reload()


Make = Callable[..., Served]


def built(folder: Path, database: Path, source: str, now: datetime, settings: dict[str, object]) -> Served:
    """A site over ``source`` with its files in ``folder``."""
    path, clock = folder / "events.toml", Clock(now)
    path.write_text(source)
    shutil.copy(database, folder / "calfeed.db")
    ledger = Ledger(f"sqlite:///{folder / 'calfeed.db'}")
    chosen = Settings(events=path, **{"admin_token": TOKEN, **settings})  # type: ignore[arg-type]  # by name
    publisher = Publisher(path, ledger, base_url=chosen.base_url, clock=clock)
    publisher.reload()
    app = create_app(publisher, ledger, chosen, clock=clock)
    return Served(app, app.test_client(), publisher, ledger, path, clock)


@pytest.fixture
def make_site(tmp_path: Path, empty_ledger: Path) -> Iterator[Make]:
    """``make_site(source, now=…, **settings)``: a site over that source."""
    made: list[Served] = []

    def make(source: str = SOURCE, *, now: datetime = NOW, **settings: object) -> Served:
        made.append(built(tmp_path, empty_ledger, source, now, settings))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, empty_ledger: Path) -> Iterator[Served]:
    """The site over `SOURCE` for tests that only read it and keep no cookie."""
    made = built(tmp_path_factory.mktemp("site"), empty_ledger, SOURCE, NOW, {})
    yield made
    made.ledger.close()


@pytest.fixture
def served(make_site: Make) -> Served:
    """The site over `SOURCE`, two days before its first event."""
    return make_site()


@dataclass
class Element:
    """A start tag with the text that follows it up to its end tag."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Document(HTMLParser):
    """The elements of a page, in order."""

    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in {"meta", "link", "img", "input", "br", "path"}:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].tag == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements by tag; ``class_`` names one of its classes, other attributes their whole value."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [element for element in self.elements if element.tag == tag and _has(element, wanted)]

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Their texts, spaces made one."""
        return [" ".join(element.text.split()) for element in self.all(tag, **attributes)]


def _has(element: Element, wanted: dict[str, str]) -> bool:
    return all(
        value in element.attributes.get(name, "").split() if name == "class" else element.attributes.get(name) == value
        for name, value in wanted.items()
    )


@pytest.fixture
def parse() -> Callable[[str], Document]:
    """Reads HTML."""

    def read(html: str) -> Document:
        document = Document()
        document.feed(html)
        return document

    return read
