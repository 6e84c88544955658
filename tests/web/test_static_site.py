"""The pages as files: every link leads to a file, nothing needs a server, nothing private is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.events.changes import revise
from calfeed.events.parse import load
from calfeed.feeds.snapshot import Snapshot, build
from calfeed.web.static_site import Address, static_pages

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def snapshot(request: Any) -> Snapshot:
    source = request.getfixturevalue("site").path.read_bytes()
    catalog = load([("events.toml", source)])
    revised = revise(catalog, {}, NOW, timedelta(days=30))
    return build(catalog, revised.revisions, revised.changes, base_url="https://example.org/calendar", now=NOW)


@pytest.fixture(scope="module")
def files(snapshot: Snapshot) -> dict[str, bytes]:
    return static_pages(snapshot)


def pages(files: dict[str, bytes]) -> dict[str, str]:
    return {path: body.decode() for path, body in files.items() if path.endswith(".html")}


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        (Address("/"), ""),
        (Address("/", (("view", "month"), ("lang", "ru"))), "ru/month"),
        (Address("/", (("view", "month"), ("month", "2024-06"))), "month-2024-06"),
        (Address("/", (("view", "timeline"), ("feed", "expo"))), "calendar/expo/timeline"),
        (Address("/", (("from", "2024-05-22"),)), "from-2024-05-22"),
        (Address("/events/expo", (("lang", "zh"),)), "zh/events/expo"),
    ],
)
def test_an_address_has_a_folder(address: Address, folder: str) -> None:
    assert address.folder == folder


def test_views_languages_feeds_and_events_are_there(files: dict[str, bytes]) -> None:
    assert {
        "index.html",
        "month/index.html",
        "timeline/index.html",
        "ru/index.html",
        "zh/timeline/index.html",
        "calendar/expo/month/index.html",
        "events/expo/index.html",
        "ru/events/expo/index.html",
        "subscribe/all/index.html",
        "embed/expo/index.html",
        "changes/index.html",
        "help/index.html",
        "static/style.css",
        "static/script.js",
        "static/favicon.svg",
        "robots.txt",
        "sitemap.xml",
        "404.html",
    } <= files.keys()


def test_every_link_leads_to_a_file(files: dict[str, bytes]) -> None:
    """Under the prefix of the base URL; feeds and events' own files are written by the export."""
    missing = set()
    for page in pages(files).values():
        for link in re.findall(r'(?:href|src)="(/[^"#?]*)', page):
            assert link.startswith("/calendar/")
            path = link.removeprefix("/calendar/")
            file = f"{path}index.html" if link.endswith("/") else path
            if file not in files and not file.startswith("feeds/") and not file.endswith(".ics"):
                missing.add(file)
    assert missing == set()


def test_nothing_asks_a_server_that_is_not_there(files: dict[str, bytes], parse: Any) -> None:
    for path, text in pages(files).items():
        page = parse(text)
        assert (path, page.all("form")) == (path, [])
        asked = [link.attributes["href"] for link in page.all("a") if "?" in link.attributes.get("href", "")]
        assert [
            link for link in asked if not re.match(r"https://(calendar\.google|outlook|www\.openstreetmap)", link)
        ] == []


def test_links_to_the_public_address_name_the_same_folders(files: dict[str, bytes], parse: Any) -> None:
    page = parse(files["ru/index.html"].decode())
    assert [link.attributes["href"] for link in page.all("link", rel="canonical")] == [
        "https://example.org/calendar/ru/"
    ]


def test_nothing_hidden_is_written(files: dict[str, bytes]) -> None:
    for path, body in files.items():
        if path.startswith("help/"):  # the manual has words of its own
            continue
        assert not [word for word in (b"rehearsal", b"backstage", b"Embargoed", b"Crew") if word in body], path


def test_two_builds_are_the_same(snapshot: Snapshot, files: dict[str, bytes]) -> None:
    assert static_pages(snapshot) == files
