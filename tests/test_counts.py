"""What must not become dearer, counted rather than timed: pieces made, statements, octets written, imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import Engine

from calfeed.channels.base import Answer, Request, Target
from calfeed.channels.registry import driver
from calfeed.deliver import Deliverer
from calfeed.events import changes, scan
from calfeed.events.changes import revise
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.export import build_site
from calfeed.feeds import pieces
from calfeed.feeds.snapshot import Snapshot, build
from calfeed.ledger import Ledger, State

NOW = datetime(2024, 5, 10, tzinfo=UTC)
HEAD = '[calendar]\nid = "c"\nname = "Calendar"\ntimezone = "Europe/Paris"\n'
CHANNEL = '[[channels]]\nid = "hook"\nkind = "webhook"\nurl = "env:HOOK"\nbefore = ["1h"]\n'
COUNT = 300


def catalog(count: int = COUNT, head: str = HEAD, edited: int = -1) -> Catalog:
    """``count`` events of an hour on one day, one of them edited."""
    entries = (
        f'[[events]]\nid = "e{number}"\nsummary = "{"Edited" if number == edited else "Event"} {number}"\n'
        f'start = 2024-05-20T10:00:00\nduration = "1h"\ncategories = ["c{number % 3}"]\n'
        for number in range(count)
    )
    return load([("events.toml", head + "".join(entries))])


def published(found: Catalog, before: Snapshot | None = None) -> Snapshot:
    """A snapshot, with its feeds made."""
    revised = revise(found, before.revisions if before else {}, NOW, timedelta(days=30))
    made = build(found, revised.revisions, revised.changes, base_url=None, now=NOW, previous=before)
    made.warm()
    return made


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> Iterator[list[tuple[object, ...]]]:
    """The calls of a function, while it goes on working."""
    calls: list[tuple[object, ...]] = []
    real: Callable[..., object] = getattr(owner, name)

    def count(*given: object, **named: object) -> object:
        calls.append(given)
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, count)
        yield calls


def test_an_edit_of_one_event_writes_one_vevent(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many feeds it stands in."""
    feeds = "".join(f'[[feeds]]\nid = "f{n}"\ncategories = ["c{n}"]\n' for n in range(3))
    with counted(monkeypatch, pieces, "make") as cold:
        first = published(catalog(head=HEAD + feeds))
    with counted(monkeypatch, pieces, "make") as again:
        published(catalog(head=HEAD + feeds, edited=7), first)
    assert (len(cold), len(again)) == (COUNT, 1)


def test_an_edit_of_one_event_digests_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that stand as they were are compared, which costs less."""
    first = published(catalog())
    with counted(monkeypatch, changes, "digest") as digests:
        published(catalog(edited=7), first)
    assert {event.id for (event,) in digests} == {"e7"}  # type: ignore[attr-defined]  # of an event


def test_the_second_of_two_equal_clock_times_is_another_time() -> None:
    """Python says that they are equal, and yet the event is moved."""
    event = '[[events]]\nid = "e"\nsummary = "E"\nstart = 2024-10-27T02:30:00{}\n'
    first, second = (load([("events.toml", HEAD + event.format(offset))]) for offset in ("+02:00", "+01:00"))
    assert first.events == second.events
    before = revise(first, {}, NOW, timedelta(days=30))
    after = revise(second, before.revisions, NOW, timedelta(days=30))
    assert [revision.number for revision in after.revisions.values()] == [2]


def test_a_source_without_problems_is_not_scanned_for_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """tomli reads it once; where headers stand is found by one search."""
    with counted(monkeypatch, scan, "places") as scans:
        catalog()
    assert scans == []


def test_a_snapshot_of_the_same_state_compresses_nothing() -> None:
    """Feeds that are still the same are lent by the snapshot before, their gzip with them."""
    first = published(catalog())
    again = published(catalog(), first)
    assert again.resource("/feeds/all.ics") is first.resource("/feeds/all.ics")


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL statements of every engine."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        found.append(statement.split(maxsplit=1)[0])

    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    yield found
    sqlalchemy_event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger at this version."""
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as made:
        made.upgrade()
        yield made


def test_statements_of_a_publication_do_not_grow_with_the_list(ledger: Ledger, statements: list[str]) -> None:
    """An edit of one event among 50 or among 450 takes as many."""
    counts = []
    for count in (50, 450):
        ledger.publish(catalog(count, HEAD + CHANNEL), NOW)
        statements.clear()
        ledger.publish(catalog(count, HEAD + CHANNEL, edited=7), NOW)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[0] <= 40


class Sent:
    """A transport that answers 200 at once."""

    def __init__(self) -> None:
        self.count = 0

    def send(self, request: Request) -> Answer:
        self.count += 1
        return Answer(status=200, body=b"ok")


def _statements_to_send(ledger: Ledger, count: int, statements: list[str]) -> int:
    ledger.publish(catalog(count, HEAD + CHANNEL), NOW)
    clock, transport = [NOW], Sent()
    target = Target(url="http://127.0.0.1:9/hook", secret="whsec_" + "c2VjcmV0" * 4)
    deliverer = Deliverer(
        ledger, lambda: {"hook": target}, transport=transport, driver=driver, clock=lambda: clock[0], base_url=None
    )
    deliverer.tick()
    clock[0] = datetime(2024, 5, 20, 7, tzinfo=UTC)  # an hour before 10:00 in Paris
    statements.clear()
    for _ in range(200):
        deliverer.tick()
        if transport.count == count and ledger.stats(clock[0]).count(State.SENT) == count:
            break
    deliverer.stop()
    assert transport.count == count
    return len(statements)


def test_reminders_are_claimed_and_settled_in_groups(ledger: Ledger, statements: list[str]) -> None:
    """Far less than one statement a reminder."""
    assert _statements_to_send(ledger, COUNT, statements) < COUNT


def test_a_rebuild_writes_what_changed(tmp_path: Path) -> None:
    """Of a static site: nothing when nothing changed, after an edit the event's own files and those that list it."""
    first = build_site(catalog(30), tmp_path, base_url="https://example.org", now=NOW)
    same = build_site(catalog(30), tmp_path, base_url="https://example.org", now=NOW)
    edit = build_site(catalog(30, edited=7), tmp_path, base_url="https://example.org", now=NOW)
    assert (len(first.written) > 60, same.written) == (True, ())
    assert {name for name in edit.written if name.startswith("events/")} == {"events/e7.ics", "events/e7.json"}
    assert sum((tmp_path / name).stat().st_size for name in edit.written) < sum(
        (tmp_path / name).stat().st_size for name in first.written
    )


HEAVY = {"sqlalchemy", "flask", "apscheduler", "requests", "granian", "icalendar", "urllib3", "markdown_it"}


@pytest.mark.parametrize(
    ("command", "may"),
    [
        ("--help", set()),
        ("check events.toml", set()),
        ("feed all", set()),
        ("agenda", set()),
        ("plan", {"requests", "urllib3"}),  # with the channels, whose words it shows
        ("schema", set()),
        ("init -", set()),
    ],
)
def test_a_command_imports_only_what_it_uses(command: str, may: set[str], tmp_path: Path) -> None:
    """Flask, SQLAlchemy and the like cost more than most commands do."""
    (tmp_path / "events.toml").write_text(HEAD + '[[events]]\nid = "e"\nsummary = "E"\nstart = 2024-05-20\n')
    code = (
        "import json, sys, contextlib, io\n"
        "from calfeed.cli import main\n"
        "try:\n"
        f"    main({command.split()!r})\n"
        "except SystemExit as end:\n"
        "    sys.stderr.write('\\n' + json.dumps([end.code or 0, sorted(sys.modules)]))\n"
    )
    run = [sys.executable, "-c", code]
    ended = subprocess.run(run, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    status, modules = json.loads(ended.stderr.rpartition("\n")[2])
    assert status == 0, ended.stderr
    assert HEAVY & set(modules) == may
