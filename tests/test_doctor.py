"""`doctor` finds what keeps feeds or reminders from people, says how to mend it, and shows no secret."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from calfeed.doctor import Finding, examine
from calfeed.ledger import Ledger
from calfeed.publish import Publisher
from calfeed.settings import Settings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)

SOURCE = """
[calendar]
id = "visit"
name = "Visit"
timezone = "Asia/Shanghai"

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:SLACK_URL"
"""


class Site(ThreadingHTTPServer):
    """Stands for the public address."""

    def __init__(self) -> None:
        self.now = NOW
        self.robots = "User-agent: *\nAllow: /\n"
        self.headers = {"Content-Type": "text/calendar; charset=utf-8", "ETag": '"1"', "Content-Encoding": "gzip"}
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        robots = self.path == "/robots.txt"
        body = self.server.robots.encode() if robots else gzip.compress(b"BEGIN:VCALENDAR")
        if not robots and "Content-Encoding" not in self.server.headers:
            body = b"BEGIN:VCALENDAR"
        self.send_response_only(200 if robots else self.server.status)
        self.send_header("Date", format_datetime(self.server.now, usegmt=True))
        for name, value in {} if robots else self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def settings(tmp_path: Path, site: Site) -> Settings:
    (tmp_path / "events.toml").write_text(SOURCE)
    made = Settings(events=tmp_path / "events.toml", database_url=f"sqlite:///{tmp_path / 'l.db'}", base_url=site.url)
    with Ledger(made.database_url, role="remind") as ledger:
        ledger.upgrade()
        Publisher(made.events, ledger, clock=lambda: NOW, feeds=False).reload()
        ledger.beat(NOW, ticked=True)
    return made


def look(settings: Settings, now: datetime = NOW, **environ: str) -> dict[str, Finding]:
    return {found.name: found for found in examine(settings, environ, lambda: now)}


def test_all_is_well(settings: Settings, site: Site) -> None:
    found = look(settings, SLACK_URL=f"{site.url}/T0/B0/secret")
    assert {name: one.state for name, one in found.items()} == {
        "source": "ok",
        "database": "ok",
        "reminders": "ok",
        "feed": "ok",
        "clock": "ok",
        "gzip": "ok",
        "robots.txt": "ok",
        "TLS": "warning",  # plain http
        "channel newsroom": "ok",
    }
    assert "secret" not in str(found)


def test_a_reminder_process_that_is_gone(settings: Settings) -> None:
    found = look(settings, now=NOW + timedelta(hours=3))["reminders"]
    assert (found.state, found.found) == ("wrong", "the reminder process was last seen 3 hours ago")
    assert "calfeed remind" in found.mend


def test_a_broken_source_and_a_database_that_was_never_made(settings: Settings, tmp_path: Path) -> None:
    settings.events.write_text("nonsense")
    (tmp_path / "l.db").unlink()
    found = look(settings)
    assert (found["source"].state, found["source"].mend) == ("wrong", "calfeed check")
    assert (found["database"].state, "calfeed upgrade" in found["database"].mend) == ("wrong", True)


def test_a_damaged_database_is_not_upgraded(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "l.db").write_bytes(b"no database at all, but long enough to be looked at" * 99)
    found = look(settings)["database"]
    assert (found.state, "put back a copy" in found.mend, "upgrade" in found.mend) == ("wrong", True, False)


def test_a_clock_that_is_off_and_robots_that_are_kept_out(settings: Settings, site: Site) -> None:
    site.now = NOW + timedelta(minutes=5)
    site.robots = "User-agent: *\nDisallow: /feeds/\n"
    found = look(settings)
    assert found["clock"].found == "this machine and the public address are 300 s apart"
    assert found["robots.txt"].state == "wrong"


def test_a_short_token_of_the_operators(settings: Settings) -> None:
    found = look(replace(settings, admin_token="short"))["operator's token"]
    assert (found.state, found.found) == ("warning", "it has less than 16 characters")
    assert "operator's token" not in look(replace(settings, admin_token="long" * 4))


def test_a_certificate_that_only_a_proxy_of_the_environment_can_see(
    settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = requests.get
    monkeypatch.setattr(requests, "get", lambda url, **keys: get(url.replace("https:", "http:"), **keys))
    found = look(replace(settings, base_url=site.url.replace("http:", "https:")))["TLS"]
    assert (found.state, found.found) == ("not looked at", "no connection of its own to 127.0.0.1: SSLError")


def test_a_proxy_that_mangles_answers(settings: Settings, site: Site) -> None:
    site.headers = {"Content-Type": "text/plain"}
    found = look(settings)
    assert (found["feed"].state, found["gzip"].state) == ("wrong", "warning")
    site.status = 301
    assert "answers 301" in look(settings)["feed"].found


def test_an_address_where_nobody_answers(settings: Settings, site: Site) -> None:
    site.shutdown()
    site.server_close()
    found = look(settings, SLACK_URL=f"{site.url}/T0/B0/secret")
    assert (found["public address"].state, found["channel newsroom"].state) == ("wrong", "wrong")
    assert "secret" not in str(found)


def test_an_idle_channel_names_what_is_missing(settings: Settings) -> None:
    found = look(settings)["channel newsroom"]
    assert (found.state, found.found) == ("not looked at", "idle: env:SLACK_URL is not set")


def test_a_channel_whose_address_is_none_is_not_looked_for(settings: Settings) -> None:
    found = look(settings, SLACK_URL="hooks.example.org/T0/B0/secret")["channel newsroom"]
    assert (found.state, found.found) == ("wrong", "its address is no http:// or https:// URL")


def test_a_broken_source_is_told_by_its_first_fault(settings: Settings) -> None:
    settings.events.write_text('[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\ncolour = "red"\n')
    one = look(settings)["source"].found
    assert one.endswith(":5:1: error: calendar.colour: unknown key (did you mean `color`?)")
    settings.events.write_text(settings.events.read_text() + "more = 1\n")
    assert look(settings)["source"].found == f"{one}; 1 more"
