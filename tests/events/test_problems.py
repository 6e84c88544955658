"""Faulty sources: every problem of a run at once, each with its place, what is wrong and what to do.

The sources stand in tests/golden/toml, the problems that each must give beside it, in the words the user sees.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from calfeed.errors import SourceError
from calfeed.events import bounds
from calfeed.events.parse import load

GOLDEN = Path(__file__).parents[1] / "golden" / "toml"
HEAD = '[calendar]\nid = "test"\nname = "Test"\ntimezone = "Europe/Paris"\n'


def problems(*files: tuple[str, str | bytes]) -> list[str]:
    with pytest.raises(SourceError) as raised:
        load(files)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize("expected", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_all_problems_of_a_run_in_file_order(expected: Path) -> None:
    """The golden source gives exactly the golden problems; a folder is one source."""
    folder = expected.with_suffix("")
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else [expected.with_suffix(".toml")]
    found = problems(*((path.name, path.read_bytes()) for path in paths))
    assert found == expected.read_text(encoding="utf-8").splitlines()


def test_no_problem_holds_a_secret() -> None:
    """Neither URLs nor secrets of channels are repeated, whatever is wrong with them."""
    found = (GOLDEN / "channels.txt").read_text(encoding="utf-8") + (GOLDEN / "texts.txt").read_text(encoding="utf-8")
    assert [word for word in ("HIDDEN", "hooks.slack", "SElE", "password") if word in found] == []


def test_carriage_returns_do_not_move_a_line() -> None:
    """A file with CRLF has its problems where the same file with LF has them."""
    text = (GOLDEN / "times.toml").read_bytes()
    assert problems(("times.toml", text.replace(b"\n", b"\r\n"))) == problems(("times.toml", text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a = Foo", '1:5: error: not TOML: invalid value (texts stand in quotes: key = "text")'),
        (
            b'a = "x\nb = 1',
            (
                "1:7: error: not TOML: illegal character '\\n' "
                "(close the text with a quote; texts of several lines stand in three quotes)"
            ),
        ),
        (b'a = """x\n\n\n', "1:5: error: not TOML: unterminated string (close the text with a quote)"),
        (b"a = 1\n  a = 2\n", "2:1: error: not TOML: cannot overwrite a value (the key stands twice in its table)"),
        (
            b"[events]\n[[events]]\n",
            (
                "2:1: error: not TOML: cannot overwrite a value "
                "(lists of tables are written [[events]], [[feeds]], [[channels]], [[events.overrides]])"
            ),
        ),
        (b'a = """b"""\nc = "x', "2:1: error: not TOML: unterminated string (close the text with a quote)"),
        (
            b"a = 2024-5-7",
            (
                "1:9: error: not TOML: expected newline or end of document after a statement (one key = value a line; "
                'dates are written 2024-05-17, date-times 2024-05-17T10:00:00, and a quote inside a text \\")'
            ),
        ),
        (
            b"a = C:\\Users",
            '1:5: error: not TOML: invalid value (texts stand in quotes: key = "text")',
        ),
        (b"\x00", "1:1: error: not TOML: invalid statement (a line is [table], [[table]], key = value or # comment)"),
        (b'\na = "\xc3\xa9\xff"', "2:7: error: byte 0xff is not UTF-8 (save the file as UTF-8)"),
        (
            "a".encode("utf-16"),
            "1:1: error: the file is UTF-16, not UTF-8 (save it as UTF-8 without a byte order mark)",
        ),
        (
            b"\xef\xbb\xbfa = 1",
            "1:1: error: the file begins with a byte order mark (save it as UTF-8 without a byte order mark)",
        ),
        (b"a = " + b"[" * 500, "1:5: error: nested too deep (nothing here nests so deep)"),
        (b"\na" + b".a" * 1000 + b" = 1", "2:1: error: nested too deep (nothing here nests so deep)"),
        (b"a = 1\nb = " + b"9" * 5000, "2:5: error: the number has too many digits"),
    ],
)
def test_a_file_that_is_not_toml(text: bytes, problem: str) -> None:
    """One problem, at the line and column where the user made it."""
    assert problems(("events.toml", text)) == [f"events.toml:{problem}"]


def test_a_source_has_a_calendar() -> None:
    """Without [calendar] the first file is at fault."""
    assert problems(("a.toml", ""), ("b.toml", "")) == [
        "a.toml:1:1: error: the table [calendar] is missing (add it with id, name and timezone)"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'summary = "{"x" * (bounds.TITLE + 1)}"', "summary: is longer than 500 characters"),
        (f'description = "{"x" * (bounds.PROSE + 1)}"', "description: is longer than 20000 characters"),
        (f"categories = {['x'] * (bounds.CATEGORIES + 1)}", "categories: holds 33, more than 32"),
        (f"remind = {['1h'] * (bounds.LEADS + 1)}", "remind: holds 17, more than 16"),
        (f"exdate = [{'2024-05-16,' * (bounds.DATES + 1)}]", "exdate: holds 1001, more than 1000"),
        (f"rdate = [{'2024-05-16,' * (bounds.DATES + 1)}]", "rdate: holds 1001, more than 1000"),
        (f'url = "https://example.org/{"x" * bounds.URL}"', "url: is longer than 2000 characters"),
        (f'rrule = "FREQ=DAILY;{"X" * bounds.RRULE}"', "rrule: is longer than 500 characters"),
        (f'uid = "{"x" * (bounds.UID + 1)}"', "uid: is longer than 255 characters"),
        (f"overrides = [{'{},' * (bounds.OVERRIDES + 1)}]", "overrides: holds 1001, more than 1000"),
        (f"attach = {['https://example.org'] * (bounds.LINKS + 1)}", "attach: holds 33, more than 32"),
        ("priority = -1", "priority: -1 is less than 0"),
        ("priority = 99999999999999999999999", "priority: a huge number is more than 9"),
        ("location = { name = 'x', geo = [1, inf] }", "location.geo[1]: expected a finite number, got inf"),
        ("location = { name = 'x', geo = [1, 180.1] }", "location.geo[1]: 180.1 is more than 180"),
    ],
)
def test_bounds_of_an_event(text: str, problem: str) -> None:
    """What a single event may hold is bounded, and the bound is named."""
    keys = {"summary": '"One"', "start": "2024-05-16"} | dict([text.split(" = ", 1)])
    event = "\n".join(f"{key} = {value}" for key, value in keys.items())
    (found,) = problems(("events.toml", f'{HEAD}[[events]]\nid = "one"\n{event}\n'))
    assert found.partition("events[0].")[2].partition(" (")[0] == problem


def test_bounds_of_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Octets are counted before anything is read, events over all files."""
    event = '[[events]]\nid = "{}"\nsummary = "x"\nstart = 2024-05-16\n'
    monkeypatch.setattr(bounds, "EVENTS", 2)
    files = [("a.toml", HEAD + event.format("a") + event.format("b")), ("b.toml", event.format("c"))]
    assert problems(*files) == ["a.toml:1:1: error: the source has 3 events, more than 2 (split it into calendars)"]
    monkeypatch.setattr(bounds, "SOURCE_BYTES", 2**20)
    assert problems(("a.toml", b"#" * 2**20), ("b.toml", b"#")) == ["a.toml: error: the source is larger than 1 MiB"]


EVENT = '[[events]]\nid = "{}"\nsummary = "x"\nstart = 2024-05-16\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"\\u001b[31m\\n" = 1', '5:1: error: calendar."\\u001b[31m\\n": unknown key'),
        ('"é ü" = 1', '5:1: error: calendar."é ü": unknown key'),
        (f"{EVENT.format('e')}a{'.a' * 990} = 1", "9:1: error: events[0].a: unknown key"),
        (
            f"{EVENT.format('e')}description = {'[' * 390}{']' * 390}",
            "9:1: error: events[0].description: expected a text or a table of texts by language, got a list",
        ),
        (
            f"{EVENT.format('e')}description = {'{a=' * 390}1{'}' * 390}",
            "9:16: error: events[0].description.a: 'a' is not a language tag",
        ),
        (
            "".join(EVENT.format(f"e{n}") + f'parent = "e{(n + 1) % 999}"\n' for n in range(999)),
            "9:1: error: events[0].parent: an event is part of itself: e0 → e1 → e2 → e3 → e4 → e5 → e6 → e7 → …",
        ),
    ],
)
def test_hostile_sources(text: str, problem: str) -> None:
    """Depth, length and characters that terminals obey end in the same short words."""
    assert problems(("events.toml", HEAD + text))[0].partition(" (")[0] == f"events.toml:{problem}"


def test_many_near_misses() -> None:
    """All are told; the search for what was meant, which takes time, is made for the first hundred."""
    text = EVENT.format("visit") + "".join(EVENT.format(n) + 'parent = "vist"\n' for n in range(150))
    found = problems(("events.toml", HEAD + text))
    assert len(found) == 150
    assert ["did you mean 'visit'?" in each for each in found] == [True] * 100 + [False] * 50
