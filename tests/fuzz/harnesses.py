"""What is fuzzed: each takes octets and raises only for a fault of ours. ``python harnesses.py NAME`` runs atheris."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

from calfeed.errors import Problem, QueryError, SourceError
from calfeed.events.parse import load
from calfeed.feeds.lint import lint
from calfeed.feeds.read_ics import read_ics
from calfeed.feeds.select import Query
from calfeed.web.page_query import PageQuery
from calfeed.web.wishes import InvalidWish, SubscriptionRequest


def source(octets: bytes) -> None:
    """An event list: a catalog or problems, each with its file."""
    problems: tuple[Problem, ...] = ()
    try:
        load([("fuzz.toml", octets)])
    except SourceError as fault:
        problems = fault.problems
    assert all(one.location.file == "fuzz.toml" and one.message for one in problems)


def check_lint(octets: bytes) -> None:
    """An iCalendar file: findings."""
    assert all(one.location.file == "fuzz.ics" for one in lint(octets, "fuzz.ics"))


def check_import(octets: bytes) -> None:
    """An iCalendar file: an event list that has no fault, or one problem."""
    try:
        made = read_ics(octets, "fuzz.ics")
    except SourceError:
        return
    load([("made.toml", made.toml)])


def query(octets: bytes) -> None:
    """A query string: a query that says the same when it is written and read again, or what is wrong with it."""
    pairs = parse_qsl(octets.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    try:
        asked, page = Query.parse(pairs), PageQuery.parse(pairs)
    except QueryError:
        return
    assert Query.parse(parse_qsl(asked.canonical(), keep_blank_values=True)) == asked
    assert PageQuery.parse(page.pairs()) == page


def body(octets: bytes) -> None:
    """The JSON of a subscription: a request or its faults."""
    try:
        given = json.loads(octets)
    except (ValueError, RecursionError):
        return
    try:
        SubscriptionRequest.read(given if isinstance(given, dict) else {"url": given})
    except InvalidWish:
        return


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "source": source,
    "lint": check_lint,
    "import": check_import,
    "query": query,
    "json": body,
}

GOLDEN = Path(__file__).parents[1] / "golden"
SEEDS = {
    "source": [path.read_bytes() for path in sorted(GOLDEN.glob("toml/*.toml"))],
    "lint": [path.read_bytes() for path in sorted(GOLDEN.glob("lint/*/*.ics"))],
    "import": [path.read_bytes() for path in sorted(GOLDEN.glob("ics/*.ics"))],
    "query": [b"category=a,b&not=c&lang=zh&q=x&cancelled=mark&alarm=30m&expand=1", b"view=month&month=2024-05&tz=UTC"],
    "json": [b'{"url": "https://example.org/", "before": ["1d"], "category": "x", "timezone": "UTC"}'],
}
"""What the fuzzers begin with: inputs that get far."""


def corpus(name: str) -> Path:
    """A folder with the seeds, to which atheris adds what gets further; kept from one run to the next."""
    folder = Path("build/fuzz") / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(SEEDS[name]):
        (folder / f"seed-{number}").write_bytes(octets)
    return folder


if __name__ == "__main__":
    import runpy

    import atheris  # in the environment of its own that `make fuzz` makes

    for name in [name for name in sys.modules if name.startswith("calfeed")]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["calfeed"]):
        harnesses = runpy.run_path(__file__)["HARNESSES"]
    found = f"-artifact_prefix=build/fuzz/{sys.argv[1]}-"
    atheris.Setup([sys.argv[0], *sys.argv[2:], found, str(corpus(sys.argv[1]))], harnesses[sys.argv[1]])
    atheris.Fuzz()
