"""Laws of the source: the scanner sees what the parser sees, and whatever is read ends in a Catalog or in problems."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time, timedelta, timezone
from itertools import cycle
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import SourceError
from calfeed.events import schema
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.events.scan import places
from calfeed.events.source import Document

FILES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "golden" / "toml").glob("*.toml"))]
PIECES = [
    b"",
    b"\n",
    b'"',
    b"'''",
    b"[",
    b"]]",
    b"{",
    b"=",
    b"\xff",
    b"\r",
    b"[[events]]\n",
    b"start = 2024-03-31T02:30\n",
    b"9" * 99,
]
TRICKY = ["a", "b", "<text>", "[key]", "events", "a.b", "", "é", "日", 'q"q', "#", "[[events]]", "=", "a b", "-", "1"]
TEXTS = [
    "",
    "x",
    "[[events]]",
    "a\n[[events]]\nb",
    "[calendar]\n[[events.overrides]]",
    'a\nevents = []\n"events" = 1',
    'a\n[["events"]]',
    '[["\\q"]]\n"\\q" = 1',
    "# no comment",
    "} ]",
    '"',
    "'",
    '""',
    "\\",
    'a"""b',
    "日本\t",
    "= 1",
]

scalars = st.one_of(
    st.sampled_from(TEXTS),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(),
    st.times().map(lambda each: each.replace(microsecond=0)),
    st.datetimes().map(lambda each: each.replace(microsecond=0)),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=8)))).map(lambda each: each.replace(microsecond=0)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(TRICKY), inner, max_size=3),
        st.lists(st.dictionaries(st.sampled_from(TRICKY), inner, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=12,
)
tapes = st.lists(st.integers(0, 11), min_size=1, max_size=40)
trees = st.dictionaries(st.sampled_from(TRICKY), values, max_size=4)
simple = st.dictionaries(st.sampled_from(["a", "b"]), scalars, max_size=2)
ours = st.fixed_dictionaries(
    {},
    optional={
        "calendar": st.one_of(simple, simple, values),
        "events": st.lists(
            st.fixed_dictionaries({}, optional={"a": scalars, "overrides": st.lists(simple, max_size=3), "b": simple}),
            max_size=3,
        ),
        "feeds": st.lists(simple, max_size=2),
    },
)


class Writer:
    """Writes a tree as TOML in the spellings that the tape chooses, and notes where each key and item begins."""

    def __init__(self, tape: list[int]) -> None:
        self.tape = cycle(tape)
        self.text = ""
        self.places: dict[tuple[str | int, ...], int] = {}

    def choose(self, options: int) -> int:
        return next(self.tape) % options

    def document(self, tree: dict[str, Any]) -> None:
        self._gap()
        self._table((), tree)

    def _table(self, path: tuple[str | int, ...], tree: dict[str, Any]) -> None:
        later = []
        for key, value in tree.items():
            is_table = isinstance(value, dict)
            is_array = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
            if (is_table or is_array) and self.choose(3) == 0:
                later.append(key)
            elif is_table and value and self.choose(2):
                self._dotted(path, (key,), value)
            else:
                self._pair(path, (key,), value)
                self._line_end()
        for key in later:
            value = tree[key]
            for number, each in enumerate(value if isinstance(value, list) else [value]):
                below = (*path, key, number) if isinstance(value, list) else (*path, key)
                self._header(below, is_array=isinstance(value, list))
                self._table(below, each)

    def _header(self, path: tuple[str | int, ...], *, is_array: bool) -> None:
        self._space()
        start = len(self.text)
        for length in range(1, len(path) + 1):
            self.places.setdefault(path[:length], start)
        self.text += "[[" if is_array else "["
        names = [part for part in path if isinstance(part, str)]
        for number, name in enumerate(names):
            self.text += "." if number else ""
            self._space()
            self.text += self._name(name)
            self._space()
        self.text += "]]" if is_array else "]"
        self._line_end()

    def _dotted(self, path: tuple[str | int, ...], keys: tuple[str, ...], tree: dict[str, Any]) -> None:
        for key, value in tree.items():
            if isinstance(value, dict) and value and self.choose(2):
                self._dotted(path, (*keys, key), value)
            else:
                self._pair(path, (*keys, key), value)
                self._line_end()

    def _pair(self, path: tuple[str | int, ...], keys: tuple[str, ...], value: Any) -> None:
        self._space()
        for number, key in enumerate(keys):
            self.text += "." if number else ""
            self._space()
            path = (*path, key)
            self.places.setdefault(path, len(self.text))
            self.text += self._name(key)
            self._space()
        self.text += "="
        self._space()
        self._value(path, value)

    def _value(self, path: tuple[str | int, ...], value: Any) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for number, (key, each) in enumerate(value.items()):
                self.text += "," if number else ""
                self._pair(path, (key,), each)
            self._space()
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for number, each in enumerate(value):
                self._gap()
                self.places[(*path, number)] = len(self.text)
                self._value((*path, number), each)
                self._gap()
                self.text += "," if number < len(value) - 1 or self.choose(2) else ""
            self._gap()
            self.text += "]"
        else:
            self.text += self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, datetime):
            return value.isoformat(" " if self.choose(2) else "T")
        return value.isoformat() if isinstance(value, date | time) else repr(value)

    def _string(self, value: str) -> str:
        style = self.choose(4)
        if style == 0 and "'" not in value and "\n" not in value:
            return f"'{value}'"
        if style == 1 and "'" not in value:
            return f"'''\n{value}'''"
        escaped = value.replace("\\", "\\\\").replace("\t", "\\t")
        if style == 2:
            return '"""\n' + escaped.replace('""', '"\\"') + '"""'
        return '"' + escaped.replace('"', '\\"').replace("\n", "\\n") + '"'

    def _name(self, key: str) -> str:
        if key.isascii() and key.replace("-", "").isalnum() and self.choose(2):
            return key
        if "'" not in key and self.choose(2):
            return f"'{key}'"
        return '"' + key.replace('"', "\\u0022") + '"'

    def _space(self) -> None:
        self.text += ["", " ", "\t "][self.choose(3)]

    def _gap(self) -> None:
        self.text += ["", " ", "\n", " # ] } = comment\n\n"][self.choose(4)]

    def _line_end(self) -> None:
        self.text += ["\n", " \n", " # [[events]]\n", "\n\n"][self.choose(4)]


def paths(tree: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path of a parsed tree."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = {path} if path else set()
    for key, value in children:
        found |= paths(value, (*path, key))
    return found


@given(st.one_of(trees, ours), tapes)
def test_scanner_sees_every_key_where_it_was_written(tree: dict[str, Any], tape: list[int]) -> None:
    """The scanner's paths are those of the parsed tree, each at the place where it was first written."""
    writer = Writer(tape)
    writer.document(tree)
    assert tomllib.loads(writer.text) == tree
    assert places(writer.text) == writer.places
    assert set(writer.places) == paths(tree)


@given(st.one_of(trees, ours), tapes)
def test_a_place_is_the_same_without_reading_all(tree: dict[str, Any], tape: list[int]) -> None:
    """Headers found by one search, and entries scanned alone, are where the scanner of the whole text sees them."""
    writer = Writer(tape)
    writer.document(tree)
    document = Document("events.toml", writer.text, tree)
    assert {path: document.offset(path) for path in writer.places} == writer.places
    events = tree["events"] if isinstance(tree.get("events"), list) else []
    assert document.items("events") == [document.at(writer.places["events", n]) for n in range(len(events))]
    if "calendar" in tree:
        assert document.table("calendar") == document.at(writer.places["calendar",])
    for index, overrides in document.overrides.items():
        expected = [writer.places["events", index, "overrides", n] for n in range(len(overrides))]
        assert overrides == [document.at(place) for place in expected]


moments = st.one_of(
    st.dates(),
    st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    st.datetimes().map(lambda each: each.replace(microsecond=0)),
    st.datetimes(datetime.fromisoformat("2024-03-30"), datetime.fromisoformat("2024-04-01")).map(
        lambda each: each.replace(second=0, microsecond=0)
    ),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=-11)))).map(lambda each: each.replace(microsecond=0)),
)
words = st.sampled_from(
    [
        "",
        " ",
        "a",
        "b",
        "c",
        "..",
        "../x",
        "all",
        "en",
        "/etc/passwd",
        "time",
        "private",
        "https://example.org/é",
        "http://[::1",
        "javascript:x",
        "0m",
        "99999w",
        "FREQ=SECONDLY",
        "crimson",
        "whsec_AAAA",
        "\x07",
        "\u2028",
        "x" * 501,
    ]
)
anything = st.one_of(
    words, moments, st.lists(words, max_size=3), st.lists(moments, max_size=3), values, st.just(10**30)
)
ids = st.sampled_from(["a", "b", "c", "A", "all", "a.ics"])
texts = st.one_of(
    st.sampled_from(["a", " b ", "日本"]),
    st.dictionaries(st.sampled_from(["en", "EN", "ru"]), st.just("a"), min_size=1),
)
urls = st.sampled_from(["https://example.org/", "https://é..x/", "https://пример.рф/é?ü#ß", "http://[::1]:99999/"])
lengths = st.sampled_from(["0m", "1h30m", "1d", "2w", "999d", "99999w"])
zones = st.sampled_from(["Europe/Paris", "Asia/Shanghai", "America", "Africa/Casablanca", "Nowhere", "UTC"])
categories = st.lists(st.sampled_from(["expo", "протокол"]), max_size=2)
rules = st.sampled_from(
    [
        "FREQ=WEEKLY;COUNT=4",
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYWEEKNO=53",
        "FREQ=DAILY;UNTIL=99991231T235959",
        "FREQ=DAILY",
        "FREQ=DAILY;UNTIL=00010101",
        "RRULE:FREQ=MONTHLY;BYDAY=5FR;BYSETPOS=-1",
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=X",
        "x",
    ]
)
people = st.fixed_dictionaries({"name": texts}, optional={"email": st.sampled_from(["desk@example.org", "@"])})
locations = st.fixed_dictionaries(
    {"name": texts},
    optional={"address": texts, "url": urls, "geo": st.lists(st.floats(-181, 181), min_size=2, max_size=2)},
)
conferences = st.fixed_dictionaries(
    {"uri": st.sampled_from(["tel:1", "https://é/", "x:y"])}, optional={"label": texts, "features": st.just(["audio"])}
)
references = st.sampled_from(
    ["env:X", "env:1", "file:", "https://example.org/", "https://example.org:x/", "ntfy://h/x", "whsec_" + "A" * 32]
)
origins = st.fixed_dictionaries({"title": texts}, optional={"url": urls, "published": st.dates()})
GOOD = {
    "id": ids,
    "name": texts,
    "summary": texts,
    "description": texts,
    "contact": texts,
    "timezone": zones,
    "start": moments,
    "end": moments,
    "duration": lengths,
    "embargo": moments,
    "recurrence_id": moments,
    "rdate": st.lists(moments, max_size=3),
    "exdate": st.lists(moments, max_size=3),
    "rrule": rules,
    "tba": st.sampled_from(["time", "date"]),
    "uid": ids,
    "status": st.sampled_from(["confirmed", "cancelled"]),
    "location": st.one_of(texts, locations),
    "categories": categories,
    "exclude": categories,
    "conference": st.lists(conferences, max_size=2),
    "sources": st.lists(origins, max_size=2),
    "organizer": people,
    "attach": st.lists(urls, max_size=2),
    "url": urls,
    "image": urls,
    "parent": ids,
    "language": st.just("zh"),
    "transparency": st.just("opaque"),
    "visibility": st.just("private"),
    "priority": st.integers(0, 9),
    "color": st.just("Crimson"),
    "remind": st.lists(lengths, max_size=3),
    "before": st.lists(lengths, max_size=3),
    "refresh": lengths,
    "tombstone": lengths,
    "all_day_at": st.just("09:00"),
    "digest": st.just("08:00"),
    "quiet": st.sampled_from(["22:00-07:00", "07:00-07:00"]),
    "changes": st.booleans(),
    "kind": st.sampled_from(["slack", "webhook", "apprise"]),
    "secret": references,
}


def tables(
    model: type[schema.Table], bad: st.SearchStrategy[Any], **own: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """A table with its required and some other keys, each as it should be or ``bad``."""
    keys = {key: st.one_of(own.get(key, GOOD.get(key, st.nothing())), bad) for key in model.model_fields}
    required = {key: keys.pop(key) for key, field in model.model_fields.items() if field.is_required()}
    return st.fixed_dictionaries(required, optional={**keys, "<text>": bad, "unheard-of": bad})


def sources(bad: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A whole source of up to three events, two feeds and two channels."""
    overrides = st.lists(tables(schema.OverrideTable, bad), max_size=2)
    return st.fixed_dictionaries(
        {
            "calendar": tables(schema.CalendarTable, bad),
            "events": st.lists(tables(schema.EventTable, bad, overrides=overrides), max_size=3),
        },
        optional={
            "feeds": st.lists(tables(schema.FeedTable, bad), max_size=2),
            "channels": st.lists(tables(schema.ChannelTable, bad, url=references), max_size=2),
        },
    )


def outcome(content: str | bytes) -> Catalog | SourceError:
    """What a reader of one file gets; anything but a Catalog or located problems fails the test."""
    try:
        return load([("events.toml", content)])
    except SourceError as error:
        lines = content.count("\n" if isinstance(content, str) else b"\n") + 1
        misplaced = [
            problem
            for problem in error.problems
            if problem.location.file != "events.toml"
            or not 1 <= (problem.location.line or 0) <= lines
            or (problem.location.column or 0) < 1
        ]
        if misplaced or not any(problem.severity == "error" for problem in error.problems):
            raise AssertionError(misplaced or "no error") from error
        return error


@given(st.one_of(st.text(), st.binary()))
def test_any_content_ends_in_a_catalog_or_in_problems(content: str | bytes) -> None:
    """No text and no octets make a traceback."""
    outcome(content)


@given(st.one_of(sources(st.nothing()), sources(anything)), tapes)
def test_any_values_end_in_a_catalog_or_in_problems(tree: dict[str, Any], tape: list[int]) -> None:
    """Our own keys with values of any kind, in any spelling: a Catalog, or problems with their places."""
    writer = Writer(tape)
    writer.document(tree)
    outcome(writer.text)


@given(st.sampled_from(FILES), st.data())
def test_any_mutation_ends_in_a_catalog_or_in_problems(content: bytes, data: st.DataObject) -> None:
    """Real files, with pieces taken out, doubled, or put in the wrong place."""
    for _ in range(data.draw(st.integers(1, 4))):
        start, end, to = (data.draw(st.integers(0, len(content))) for _ in range(3))
        piece = data.draw(st.one_of(st.just(content[start : start + 40]), st.sampled_from(PIECES)))
        content = content[:to] + piece + content[max(to, end if end - to < 40 else to) :]
    outcome(content)


@given(st.sampled_from([content for content in FILES if b"\n[[" in content]), st.data())
def test_an_unknown_key_is_found_where_it_stands(content: bytes, data: st.DataObject) -> None:
    """Put behind any header, it is one problem more, on its own line."""
    lines = content.decode().splitlines()
    line = data.draw(
        st.sampled_from([number for number, text in enumerate(lines) if text.startswith(("[[", "[calendar"))])
    )
    lines.insert(line + 1, "  unheard-of = 1")
    error = outcome("\n".join(lines))
    places = [
        (each.location.line, each.location.column) for each in error.problems if each.path.endswith(".unheard-of")
    ]
    assert places == [(line + 2, 3)]
