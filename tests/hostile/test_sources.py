"""Broken and hostile event lists through `calfeed check`: never a traceback, always a line that names the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., tuple[int, list[str]]]

LINE = re.compile(r"events\.toml(:\d+:\d+)?: (error|warning): .{1,900}")

BASE = {
    "calendar": {"id": '"c"', "name": '"C"', "timezone": '"Asia/Shanghai"'},
    "feeds": {"id": '"f"', "name": '"F"'},
    "events": {"id": '"e"', "summary": '"E"', "start": "2024-05-16T10:00:00", "rrule": '"FREQ=DAILY;COUNT=3"'},
    "events.overrides": {"recurrence_id": "2024-05-17T10:00:00"},
    "channels": {"id": '"n"', "kind": '"slack"', "url": '"env:X"'},
}
KEYS = {
    "calendar": "id name description timezone language url color refresh tombstone all_day_at organizer unknown",
    "feeds": "id name categories exclude visibility",
    "events": "id summary description start end duration timezone tba status location categories url image conference "
    "organizer contact attach sources parent transparency visibility embargo priority rrule rdate exdate remind uid "
    "overrides",
    "events.overrides": "recurrence_id summary start end status location description categories",
    "channels": "id kind url secret categories exclude before language timezone changes digest quiet",
}
PLACES = [(table, key) for table, keys in KEYS.items() for key in keys.split()]
VALUES = [
    *("7", "-7", "9" * 30, "9" * 4400, "true", "1.5", "nan", "inf", '""', '"   "'),
    *('"a\\u0000b"', '"a\\r\\nATTENDEE:x"', '"\\u001b[31m"', '"\\u202ex"', '"\\ud800"', f'"{"x" * 30000}"'),
    *("2024-05-16", "0001-01-01", "9999-12-31", "2024-05-16T25:00:00", "2024-05-16T10:00:00", "10:00:00"),
    *("2024-05-16T10:00:00+23:59", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("[]", "[[]]", '[1, "a"]', "{}", "{ a = 1 }", '{ en = { en = { en = "x" } } }'),
    *('"../../etc/passwd"', '"</script><script>alert(1)</script>"', '"env:"', '"file:/etc/shadow"', '"Asia"'),
    *('"javascript:alert(1)"', '"http://[::1"', '"https://a b"', '"99999999999999d"', '"-1d"'),
    *('"FREQ=SECONDLY;COUNT=999999999"', '"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"', '"FREQ=DAILY;INTERVAL=99999999999"'),
    *('"FREQ=SECONDLY;BYSECOND=1;UNTIL=99991231T235959Z"', '"FREQ=MINUTELY;BYYEARDAY=366;BYHOUR=25"'),
    *(f"[{'2024-05-16,' * 2000}]", f"[{'{},' * 2000}]", "[" + ",".join(f'"c{n}"' for n in range(2000)) + "]"),
    "{ " + ", ".join(f'{a}{b} = "x"' for a in "abcdefgh" for b in "abcdefgh") + " }",
]
STEP = 5
"""Values a key is given in the quick run; over all keys each value comes several times."""


def source(table: str, key: str, value: str) -> str:
    """A good list with one value that may be anything."""
    parts = []
    for name, keys in BASE.items():
        given = {**keys, key: value} if name == table else keys
        header = "[calendar]" if name == "calendar" else f"[[{name}]]"
        parts.append("\n".join([header, *(f"{one} = {text}" for one, text in given.items())]))
    return "\n\n".join(parts)


def proves(check: Check, table: str, key: str, value: str) -> int:
    status, lines = check(source(table, key, value))
    why = (table, key, value[:80])
    assert [line for line in lines if not LINE.fullmatch(line) or not line.isprintable()] == [], why
    errors = [line for line in lines if ": error: " in line]
    assert (status, bool(errors)) in {(0, False), (1, True)}, why
    return status


@pytest.mark.parametrize("number", range(len(PLACES)), ids=[f"{table}.{key}" for table, key in PLACES])
def test_any_value_of_any_key_ends_in_lines(check: Check, number: int) -> None:
    """One line a problem, with file, line and column, nothing that a terminal obeys; exit 1 where one is an error."""
    some = [VALUES[(number * STEP + n) % len(VALUES)] for n in range(STEP)]
    found = [proves(check, *PLACES[number], value) for value in some]
    print(f"{len(found)} sources, lost 0, repeated 0")


@pytest.mark.slow
@pytest.mark.parametrize("table", KEYS)
def test_every_value_of_every_key_ends_in_lines(check: Check, table: str) -> None:
    """All of them: some three thousand sources."""
    found = [proves(check, table, key, value) for key in KEYS[table].split() for value in VALUES]
    assert found.count(1) > len(found) / 2
    print(f"{len(found)} sources, lost 0, repeated 0")


WHOLE: dict[str, Any] = {
    "nothing": b"",
    "binary": bytes(range(256)) * 100,
    "utf-16": "[calendar]".encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf[calendar]\n",
    "latin-1": "[calendar]\nname = \"é\"\n".encode("latin-1"),
    "surrogates": '[calendar]\nname = "\ud800"\n',
    "NULs": b"\0" * 100_000,
    "one long line": b"a" * 1_000_000,
    "unclosed": b'[calendar]\nname = """' + b"x\n" * 100_000,
    "deep lists": b"a = " + b"[" * 100_000,
    "deep tables": b"a = " + b"{a=" * 100_000,
    "deep keys": b"a" + b".a" * 100_000 + b" = 1",
    "deep headers": b"[" + b"a." * 50_000 + b"a]",
    "headers alone": b"[[events]]\n" * 500,
    "two calendars": b"[calendar]\n[calendar]\n",
    "a calendar that is a list": b"[[calendar]]\n[[calendar]]\n",
    "events that are a table": b"[events]\nid = 'x'\n",
    "events that are a number": b"events = 1\nfeeds = 2\nchannels = 3\n",
    "overrides that are no tables": b"[[events]]\noverrides = [1, [], 'x', {}]\n",
    "an override of everything": source("events", "overrides", "[{ recurrence_id = 2024-05-17T10:00, rrule = '' }]"),
    "one id for all": source("feeds", "id", '"f"') + '\n[[events]]\nid = "e"\nsummary = "x"\nstart = 2024-05-16\n' * 99,
    "parents in a ring": source("events", "parent", '"e"'),
    "keys that steer terminals": '[calendar]\n"\\u001b]0;x\\u0007" = 1\n"\\n::error::x" = 2\n',
    "names of Python": '[calendar]\n__class__ = "x"\n__init__ = "y"\n',
    "format strings": '[calendar]\nid = "{0.__class__}"\nname = "%s%n"\ntimezone = "{}"\n',
    "quadratic keys": b"".join(b"a.b%d = 1\n" % n for n in range(20_000)),
    "comments": b"#" * 2_000_000,
    "carriage returns": b"[calendar]\rid = 'x'\r",
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_any_file_ends_in_lines(check: Check, name: str) -> None:
    """Files that are no event lists at all: exit 1, and at least one line with the file's name."""
    status, lines = check(WHOLE[name])
    assert status == 1
    assert lines
    assert [line for line in lines if not LINE.fullmatch(line) or not line.isprintable()] == []


def test_a_hostile_file_name_is_told_harmlessly(check: Check) -> None:
    """Line breaks and escapes of a name do not reach the terminal; the line stays one."""
    status, lines = check(b"x", name="a\n\x1b[31m.toml")
    assert (status, len(lines), lines[0].isprintable()) == (1, 1, True)
