"""Reading a source again costs what the edit touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calfeed.errors import SourceError
from calfeed.events import reader, source
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.events.reader import Reader

HEAD = '[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\n\n[[feeds]]\nid = "talks"\ncategories = ["talk"]\n\n'


def entry(number: int, title: str = "Talk", more: str = "") -> str:
    return (
        f'[[events]]\nid = "e{number}"\nsummary = "{title} {number}"\nstart = 2024-05-16T10:00\n'
        f'categories = ["talk"]\nparent = "e0"\n{more}\n'
    )


BEFORE = [HEAD, entry(0).replace('parent = "e0"\n', ""), *(entry(number) for number in range(1, 40))]


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every reading of a whole source by a Reader."""
    calls: list[object] = []

    def count(files: list[tuple[str, str]]) -> source.Tables:
        calls.append(files)
        return source.read(files)

    monkeypatch.setattr(reader, "read", count)
    return calls


def edit(at: int, new: str, size: int = 1) -> str:
    return "".join([*BEFORE[:at], new, *BEFORE[at + size :]])


def said(read: Callable[[list[tuple[str, str]]], Catalog], files: list[tuple[str, str]]) -> str:
    """All that a reading comes to."""
    try:
        return repr(read(files))
    except SourceError as error:
        return repr(error.problems)


@pytest.mark.parametrize(
    "after",
    [
        edit(7, entry(6, "Other")),
        edit(7, entry(6, "Other", 'description = """\nof two\nlines"""\n')),
        edit(41, entry(40)),
        edit(5, entry(77), 0),
        edit(9, ""),
        edit(9, entry(90) + entry(91), 3),
        edit(
            7, entry(6, more='rrule = "FREQ=DAILY;COUNT=2"\n[[events.overrides]]\nrecurrence_id = 2024-05-17T10:00\n')
        ),
        "".join(BEFORE),
    ],
)
def test_an_edit_of_entries_reads_those_entries(after: str, read_whole: list[object]) -> None:
    again = Reader()
    again.load([("e.toml", "".join(BEFORE))])
    assert repr(again.load([("e.toml", after)])) == repr(load([("e.toml", after)]))
    assert len(read_whole) == 1


@pytest.mark.parametrize(
    "after",
    [
        edit(0, HEAD.replace("UTC", "Asia/Tokyo")),
        edit(0, HEAD.replace('"talk"]', '"walk"]')),
        edit(1, ""),
        edit(7, entry(8)),
        edit(7, entry(6).replace("e0", "e7")),
        edit(7, entry(6, more='[[feeds]]\nid = "f"\n')),
        edit(7, entry(6).replace("10:00", "25:00")),
        edit(7, entry(6).replace("e0", "nobody")),
    ],
)
def test_an_edit_that_others_may_feel_reads_everything(after: str, read_whole: list[object]) -> None:
    again, files = Reader(), [("e.toml", after)]
    again.load([("e.toml", "".join(BEFORE))])
    assert said(again.load, files) == said(load, files)
    assert len(read_whole) == 2


def test_what_stood_as_it_was_is_the_same_object() -> None:
    """So that whoever compares need not look at it."""
    again = Reader()
    before = again.load([("e.toml", "".join(BEFORE))])
    after = again.load([("e.toml", edit(7, entry(6, "Other")))])
    assert [a is b for a, b in zip(before.events, after.events, strict=True)] == [number != 6 for number in range(40)]


def test_the_last_good_reading_is_where_the_next_one_starts(read_whole: list[object]) -> None:
    """A broken text between two good ones costs a whole reading of its own, and no other."""
    again = Reader()
    again.load([("e.toml", "".join(BEFORE))])
    with pytest.raises(SourceError):
        again.load([("e.toml", edit(7, "[[events]]\n'"))])
    again.load([("e.toml", edit(7, entry(6, "Other")))])
    assert len(read_whole) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("a", "U"), ("b", "U")),
        (("a", "U", "b", "V"), ("b", "U", "a", "V")),
    ],
)
def test_a_child_names_its_parent_by_id(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """An event that is renamed and keeps its UID is lost to the children that stand elsewhere."""

    def text(named: tuple[str, ...]) -> str:
        pairs = zip(named[::2], named[1::2], strict=True)
        events = "".join(
            f'[[events]]\nid = "{name}"\nuid = "{uid}"\nsummary = "P"\nstart = 2024-05-16\n' for name, uid in pairs
        )
        return HEAD.replace('categories = ["talk"]', "") + events + entry(1).replace("e0", "a")

    again = Reader()
    again.load([("e.toml", text(old))])
    assert said(again.load, [("e.toml", text(new))]) == said(load, [("e.toml", text(new))])
