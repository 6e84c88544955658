"""`diff` tells what an edit does, to calendars and to reminders; `import` what a file holds, or why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result

from calfeed.errors import SourceError

Run = Callable[..., Result]

LIST = """
[calendar]
id = "visit"
name = "Visit"
timezone = "Asia/Shanghai"

[[events]]
id = "opening"
summary = { en = "EXPO opening", ru = "Открытие ЭКСПО" }
start = 2199-05-17T10:00:00
duration = "1h"

[[events]]
id = "lunch"
summary = "Lunch"
start = 2199-05-18T12:00:00

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:NEWSROOM_SLACK_URL"
before = ["1d", "1h", "10m"]
"""


@pytest.fixture
def edited(run: Run, folder: Path) -> Callable[..., Result]:
    """``edited(old, new, *options)`` is what `diff` says when ``old`` became ``new`` in the list."""

    def diff(old: str, new: str, *options: str) -> Result:
        assert old in LIST
        (folder / "old.toml").write_text(LIST, encoding="utf-8")
        (folder / "new.toml").write_text(LIST.replace(old, new), encoding="utf-8")
        return run("diff", "old.toml", "new.toml", *options)

    return diff


def test_diff_says_what_moves_and_which_reminders_move_with_it(edited: Callable[..., Result]) -> None:
    result = edited("2199-05-17T10", "2199-05-17T11")
    assert (result.exit_code, result.stderr) == (0, "1 change\n")
    assert result.stdout == (
        "EXPO opening: moved from Fri 17 May 2199, 10:00 to 11:00 (Asia/Shanghai); 3 reminders move with it\n"
    )


def test_diff_speaks_the_language_that_is_asked_for(edited: Callable[..., Result]) -> None:
    said = edited("2199-05-17T10", "2199-05-17T11", "--lang", "ru").stdout
    assert said.startswith("Открытие ЭКСПО: перенесено: ")
    assert said.endswith("; с этим переносятся 3 напоминания\n")


def test_diff_of_words_moves_no_reminder(edited: Callable[..., Result]) -> None:
    assert edited('"EXPO opening"', '"Opening"').stdout == "Opening: edited: title\n"


def test_diff_tells_of_reminders_that_no_calendar_shows(edited: Callable[..., Result]) -> None:
    result = edited(', "10m"', "")
    assert (result.stdout, result.stderr) == ("Other items: 2 reminders are withdrawn\n", "0 changes\n")


def test_diff_for_machines(edited: Callable[..., Result]) -> None:
    (moved,) = json.loads(edited("2199-05-17T10", "2199-05-17T11", "--json").stdout)
    assert (moved["kind"], moved["id"], moved["fields"]) == ("moved", "opening", ["start", "end"])
    assert moved["reminders"] == {"moved": 3, "added": 0, "withdrawn": 0}
    assert moved["words"].endswith("; 3 reminders move with it")
    untold = json.loads(edited(', "10m"', "", "--json").stdout)
    assert [(one["kind"], one["id"], one["fields"], one["reminders"]["withdrawn"]) for one in untold] == [
        ("reminders", "opening", [], 1),
        ("reminders", "lunch", [], 1),
    ]


def test_diff_of_a_feed_and_the_list_it_is_of_finds_nothing(run: Run, folder: Path) -> None:
    """A feed names no channels, so nothing is said of reminders."""
    plain = LIST.replace('{ en = "EXPO opening", ru = "Открытие ЭКСПО" }', '"Opening"')
    (folder / "events.toml").write_text(plain, encoding="utf-8")
    (folder / "feed.ics").write_bytes(run("feed").stdout_bytes)
    result = run("diff", "feed.ics", "events.toml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "0 changes\n")


def test_import_turns_a_feed_into_a_list_and_says_what_is_lost(run: Run, folder: Path) -> None:
    feed = run("feed", "--alarm", "30m").stdout_bytes
    (folder / "feed.ics").write_bytes(feed)
    result = run("import", "feed.ics")
    assert result.exit_code == 0
    assert "alarms are the reader's own" in result.stderr
    (folder / "copy.toml").write_text(result.stdout, encoding="utf-8")
    assert run("check", "copy.toml").exit_code == 0


class Nothing(BaseHTTPRequestHandler):
    """Answers 404 to everything."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a site that has no calendar."""
    with HTTPServer(("127.0.0.1", 0), Nothing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_import_of_what_is_not_there_says_what_came_back(run: Run, site: str) -> None:
    missing = run("import", "nowhere.ics")
    assert (missing.exit_code, missing.stderr) == (1, "nowhere.ics: error: cannot be read: No such file or directory\n")
    fetched = run("import", f"{site}/feed.ics")
    assert (fetched.exit_code, fetched.stdout) == (1, "")
    assert fetched.stderr == f"{site}/feed.ics: error: cannot be fetched: it answers 404 Not Found\n"


def test_import_of_what_is_no_calendar_says_what_it_is(run: Run, folder: Path) -> None:
    (folder / "feed.ics").write_text("<html><title>Sign in</title></html>")
    with pytest.raises(SourceError, match=r"^feed\.ics: error: this is a web page, not an iCalendar file \("):
        run("import", "feed.ics")
