"""Other people's parsers see in our feeds what we mean: the same instants, days and titles.

Each file of ``golden/judges`` is one calendar of hard cases; a seeded generator writes more. What a judge gets wrong by
itself stands in `FAULTS` with its reason; when it is mended there, the test here says so.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.changes import revise
from calfeed.events.model import Catalog, Occurrence
from calfeed.events.parse import load
from calfeed.feeds.lint import lint
from calfeed.feeds.prose import title
from calfeed.feeds.read_ics import read_ics
from calfeed.feeds.snapshot import Snapshot, build

pytestmark = pytest.mark.judges

HERE = Path(__file__).parents[1]
JUDGES = HERE / "judges"
PYTHON = JUDGES / ".venv-python" / "bin"
LIBICAL = JUDGES / ".venv-libical" / "judge_libical"
GOLDEN = sorted((HERE / "golden" / "judges").glob("*.toml"))
NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
SINCE, UNTIL = datetime(2010, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
WRITTEN = 40
"""Calendars that the generator writes."""

Seen = list[list[str]]
"""``[start, end, title]`` of every occurrence, sorted; see `tests/judges/judging.py`."""


class Case(NamedTuple):
    """A calendar: its feed, and what everybody is to see in it."""

    name: str
    feed: str
    expected: Seen


def case(name: str, toml: str) -> Case:
    snapshot = published(load([(f"{name}.toml", toml)]))
    resource = snapshot.resource("/feeds/all.ics")
    assert resource is not None
    occurrences = snapshot.occurrences(SINCE, UNTIL)
    begin, end = SINCE.date().isoformat(), UNTIL.date().isoformat()
    seen = sorted(said(each) for each in occurrences)
    return Case(name, resource.body.decode(), [each for each in seen if begin <= each[0][:10] < end])


def published(catalog: Catalog) -> Snapshot:
    revisions = revise(catalog, {}, NOW, timedelta(days=30)).revisions
    return build(catalog, revisions, (), base_url="https://calendar.example.org", now=NOW)


def said(occurrence: Occurrence) -> list[str]:
    return [moment(occurrence.start), moment(occurrence.end), title(occurrence.event, "en")]


def moment(value: date) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value.isoformat()


def written(seed: int) -> str:
    """An event list of a few events of every kind; ``seed`` decides all of it."""
    chance = random.Random(seed)
    zone = chance.choice(["Europe/Paris", "America/New_York", "Asia/Shanghai", "Asia/Kathmandu", "Europe/Moscow"])
    tables = [f'[calendar]\nid = "written"\nname = "Written {seed}"\ntimezone = "{zone}"\n']
    tables += [happening(chance, number) for number in range(chance.randint(2, 6))]
    return "\n".join(tables)


def happening(chance: random.Random, number: int) -> str:
    words = ["fair, again", "back\\slash", "semi; colon", "«ёлка»", "展览会", 'a "quoted" word', "long " * 30 + "tail"]
    begin = datetime(2024, 1, 1) + timedelta(days=chance.randint(0, 300), minutes=15 * chance.randint(24, 88))  # noqa: DTZ001  # local
    lines = ["[[events]]", f'id = "e{number}"', f"summary = {json.dumps(chance.choice(words), ensure_ascii=False)}"]
    step = timedelta(days=chance.choice([1, 7]))
    if chance.random() < 0.3:
        first: date = begin.date()
        lines += [f"start = {first}", f"end = {first + timedelta(days=chance.randint(0, 3))}"]
    else:
        first = begin
        lines += [f"start = {first.isoformat()}", f'duration = "{chance.randint(1, 9)}h{chance.choice([0, 30])}m"']
    if chance.random() < 0.6:
        count = chance.randint(3, 30)
        lines.append(f'rrule = "FREQ={"DAILY" if step.days == 1 else "WEEKLY"};COUNT={count}"')
        excluded, moved = chance.sample(range(count), 2)
        lines.append(f"exdate = [{(first + excluded * step).isoformat()}]")
        lines += ["[[events.overrides]]", f"recurrence_id = {(first + moved * step).isoformat()}"]
        lines += [f"start = {(first + moved * step + timedelta(days=1)).isoformat()}", 'summary = "Moved"']
    return "\n".join(lines) + "\n"


@cache
def cases() -> list[Case]:
    golden = [case(file.stem, file.read_text("utf-8")) for file in GOLDEN]
    return golden + [case(f"written-{seed}", written(seed)) for seed in range(WRITTEN)]


GOLDEN_CASES = [file.stem for file in GOLDEN]
CASES = [*GOLDEN_CASES, *(f"written-{seed}" for seed in range(WRITTEN))]


def named(name: str) -> Case:
    return next(each for each in cases() if each.name == name)


Judge = Callable[[tuple[str, ...]], list[Any]]
"""What it sees in each of some feeds."""


def driven(*command: str | Path) -> Judge:
    """A judge that reads all calendars in one process, as `tests/judges/judging.py` tells."""

    @cache
    def run(feeds: tuple[str, ...]) -> list[Any]:
        asked = {"since": SINCE.date().isoformat(), "until": UNTIL.date().isoformat(), "calendars": feeds}
        done = subprocess.run(
            list(map(str, command)),
            cwd=JUDGES,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return run


@cache
def libical(feeds: tuple[str, ...]) -> list[Any]:
    """libical takes a calendar at a time; its first line tells what is not valid, the others what occurs."""
    span = [str(int(each.timestamp())) for each in (SINCE, UNTIL)]
    found = []
    for feed in feeds:
        done = subprocess.run([LIBICAL, *span], input=feed.encode(), capture_output=True, check=True)
        _, *lines = done.stdout.decode().splitlines()
        found.append(sorted([*row.split("\t")] for row in set(lines) if row < UNTIL.date().isoformat()))
    return found


PY = {name: driven(PYTHON / "python", f"judge_{name}.py") for name in ("recurring", "ical", "vobject", "icalevents")}
JS = {name: driven("node", f"judge_{name}.mjs") for name in ("icaljs", "nodeical")}
EXPANDING: dict[str, Judge] = {**PY, **JS, "libical": libical}
READING = {"ics": driven(PYTHON / "python", "judge_ics.py"), "tsics": driven("node", "judge_tsics.mjs")}

EXACT = "it adds the length on the wall clock; RFC 5545 §3.8.5.3 wants the exact duration of DTEND"
SECOND = "it takes a clock time that happens twice for its second happening; RFC 5545 §3.3.5 says the first"
LEAP = "it moves a yearly 29 February, or a monthly 30th, to a day that exists; RFC 5545 §3.3.10 skips it"
FIRST_FOLD, NIGHT = "The first half past two", "Night of the change"
IN_LOCAL = "x-wr-timezone, which it uses, takes times in UTC for local ones of X-WR-TIMEZONE"

FAULTS: dict[str, dict[str, str]] = {
    "recurring": {NIGHT: EXACT, "By universal time": IN_LOCAL, "The second half past two": IN_LOCAL},
    "ical": {NIGHT: EXACT},
    "vobject": {NIGHT: EXACT},
    "icalevents": {
        NIGHT: EXACT,
        FIRST_FOLD: SECOND,
        "ends a second before": "it reads UNTIL as the last day, whole",
    },
    "icaljs": {NIGHT: EXACT, FIRST_FOLD: SECOND, "Leap day": LEAP},
    "nodeical": {
        FIRST_FOLD: SECOND,
        "Leap day": LEAP,
        "the thirtieth": LEAP,
        "No break: \\n \\N \\t \\, \\; \\\\": "it reads an escaped backslash before n as a break",
    },
    "libical": {FIRST_FOLD: SECOND},
    "ics": {"No break: \\n \\N \\t \\, \\; \\\\": "it reads an escaped backslash before n as a break"},
    "khal": {
        FIRST_FOLD: SECOND,
        "No break: \\n \\N \\t \\, \\; \\\\": "icalendar reads an escaped backslash before N as a break",
    },
    "calcurse": {FIRST_FOLD: SECOND},
    "tsics": {
        FIRST_FOLD: SECOND,
        "Five hours on the wall, four in truth": "it takes the offset of midnight from the wrong side of the change",
        "Five hours on the wall, six in truth": "it takes the offset of midnight from the wrong side of the change",
        "BEGIN:VEVENT": "it looks for components inside of titles",
    },
}
"""Titles of events that a judge sees wrong by its own fault, and what the fault is."""


def differing(answer: Any, expected: Seen) -> set[str]:
    """The titles of which something else was seen; a refused calendar differs as a whole."""
    if isinstance(answer, dict):
        return {answer["error"]}
    seen, meant = ({tuple(each) for each in some} for some in (answer, expected))
    return {title for _, _, title in meant - seen} or {str(title) for _, _, title in seen - meant}


@pytest.mark.parametrize("judge", EXPANDING)
def test_everything_occurs_when_and_as_it_was_meant(judge: str):
    answers = EXPANDING[judge](tuple(each.feed for each in cases()))

    found = {name for answer, each in zip(answers, cases(), strict=True) for name in differing(answer, each.expected)}
    assert found == set(FAULTS[judge])


@pytest.mark.parametrize("judge", READING)
def test_readers_that_expand_no_rules_see_single_events_as_they_were_meant(judge: str):
    answers = READING[judge](tuple(each.feed for each in cases()))

    found = {name for answer, each in zip(answers, cases(), strict=True) for name in differing(answer, singles(each))}
    assert found == set(FAULTS[judge])


@pytest.mark.parametrize("judge", ["recurring", "icaljs"])
def test_what_is_imported_and_published_again_occurs_as_before(judge: str):
    """Feeds in the shape of other products, read by `read_ics` and written by us."""
    files = sorted((HERE / "golden" / "lint" / "products").glob("*.ics"))
    before = tuple(file.read_bytes().decode() for file in files)
    after = tuple(case(file.stem, read_ics(file.read_bytes(), file.name).toml).feed for file in files)

    assert dict(zip(files, EXPANDING[judge](after), strict=True)) == dict(
        zip(files, EXPANDING[judge](before), strict=True)
    )


def singles(each: Case) -> Seen:
    """What is meant of the VEVENTs that have no rule and replace no occurrence."""
    events = each.feed.replace("\r\n ", "").split("\r\nBEGIN:VEVENT\r\n")[1:]
    starts = Counter(
        (stamp(event), summary(event))
        for event in events
        if not re.search("^(RRULE|RECURRENCE-ID)", event, re.MULTILINE)
    )
    return [one for one in each.expected if starts[one[0], one[2]]]


def stamp(event: str) -> str:
    found = re.search(r"^DTSTART(?:;TZID=([^:]+)|;VALUE=DATE)?:(\w+)", event, re.MULTILINE)
    assert found
    if len(found[2]) == 8:
        return moment(date.fromisoformat(found[2]))
    return moment(datetime.fromisoformat(found[2]).replace(tzinfo=ZoneInfo(found[1] or "UTC")))


def summary(event: str) -> str:
    found = re.search(r"^SUMMARY[^:]*:(.*)\r$", event, re.MULTILINE)
    assert found
    return re.sub(r"\\(.)", r"\1", found[1])


def test_libical_finds_our_feeds_valid():
    """Its 3.0 is older than LINK (RFC 9253), which tells the source of an event, and says so."""
    found = set()
    for each in cases():
        done = subprocess.run([LIBICAL, "0", "1"], input=each.feed.encode(), capture_output=True, check=True)
        found |= set(done.stdout.decode().splitlines()[0].split("; "))

    assert found == {"", "Parse error in property name: LINK"}


@pytest.mark.parametrize("name", CASES)
def test_our_own_linter_finds_no_fault(name: str):
    each = named(name)

    assert [str(problem) for problem in lint(each.feed.encode(), each.name)] == []


@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_calcurse_shows_single_events_at_their_hours_and_on_their_days(name: str, tmp_path: Path):
    """calcurse keeps rules in one clock time without zones, so they are left aside; days come one by one."""
    each = named(name)
    feed = tmp_path / "feed.ics"
    feed.write_bytes(each.feed.encode())
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment)
    run(["calcurse", "-D", tmp_path / "data", "-i", feed], check=False)  # 1: it skipped a rule that it does not take
    form = "%(start:epoch)\t%(end:epoch)\t%m\n"
    query = ["calcurse", "-D", tmp_path / "data", "-Q", "--from", "01/01/2010", "--to", "12/31/2025"]
    formats = {"apt": form, "recur-apt": "", "event": "%m\n", "recur-event": "%m\n"}
    shown = run([*query, *(word for kind, text in formats.items() for word in (f"--format-{kind}", text))]).stdout

    aside = {one[2] for one in each.expected} - {one[2] for one in singles(each)} | FAULTS["calcurse"].keys()
    meant = {one for whole in singles(each) for one in by_days(whole)}
    assert {one for one in calcurse_days(shown) if one[-1] not in aside} == {
        one for one in meant if one[-1] not in aside
    }


def calcurse_days(shown: str) -> Iterator[tuple[str, ...]]:
    day = ""
    for line in filter(None, shown.splitlines()):
        if re.fullmatch(r"\d\d/\d\d/\d\d:", line):
            day = f"20{line[6:8]}-{line[:2]}-{line[3:5]}"
        elif re.match(r"\d+\t\d+\t", line):
            start, end, name = line.split("\t", 2)
            yield *(moment(datetime.fromtimestamp(int(each), UTC)) for each in (start, end)), name
        else:
            yield day, line


def by_days(one: list[str]) -> Iterator[tuple[str, ...]]:
    start, end, name = one
    if "T" in start:
        yield start, end, name
        return
    day = date.fromisoformat(start)
    while day.isoformat() < end:
        yield day.isoformat(), name
        day += timedelta(days=1)


@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_khal_imports_a_feed_and_lists_the_right_days(name: str, tmp_path: Path):
    each = named(name)
    feed = tmp_path / "feed.ics"
    feed.write_bytes(each.feed.encode())
    (tmp_path / "vdir").mkdir()
    (tmp_path / "conf").write_text(KHAL.format(tmp_path))
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment)
    run([PYTHON / "khal", "-c", tmp_path / "conf", "import", "--batch", "-a", "judged", feed])
    form = "{all-day}\t{start-long-full}\t{end-long-full}\t{title}\x1f"
    span = [SINCE.date().isoformat(), UNTIL.date().isoformat()]
    khal = [PYTHON / "khal", "-c", tmp_path / "conf", "list", "--day-format", "", "--format", form, *span]
    shown = [khal_said(line) for line in run(khal).stdout.split("\x1f\n")[:-1]]

    meant = [[start, an_hour_later(start) if start == end else end, title] for start, end, title in each.expected]
    assert differing(shown, meant) == FAULTS["khal"].keys() & {title for _, _, title in meant}


def an_hour_later(start: str) -> str:
    """khal gives an hour to what has no end."""
    return moment(datetime.fromisoformat(start) + timedelta(hours=1))


def khal_said(line: str) -> list[str]:
    whole, start, end, name = line.split("\t", 3)
    first, last = (datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in (start, end))
    if whole == "True":
        return [moment(first.date()), moment(last.date() + timedelta(days=1)), name]
    return [moment(first), moment(last), name]


KHAL = """
[calendars]
[[judged]]
path = {0}/vdir
type = calendar
[sqlite]
path = {0}/khal.db
[locale]
local_timezone = UTC
default_timezone = UTC
timeformat = %H:%M:%S
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M:%S
longdatetimeformat = %Y-%m-%d %H:%M:%S
[default]
default_calendar = judged
"""


def test_vdirsyncer_subscribes_and_gets_an_item_an_event(tmp_path: Path):
    """Overrides stay with their event; nothing moves at the second sync, and one item when one event does."""
    toml = (HERE / "golden" / "judges" / "overrides.toml").read_text("utf-8")
    folder = tmp_path / "www"
    folder.mkdir()
    (tmp_path / "local").mkdir()
    with serving(folder) as url:
        (tmp_path / "conf").write_text(VDIRSYNCER.format(tmp_path, url))
        first = synced(tmp_path, case("overrides", toml).feed)
        again = synced(tmp_path, case("overrides", toml).feed)
        moved = synced(tmp_path, case("overrides", toml.replace("2024-05-02T09", "2024-05-02T10")).feed)

    assert sorted(text.count("BEGIN:VEVENT") for text in first) == [1, 2, 2, 5]
    assert again == first
    assert len(moved) == len(first)
    assert len(moved & first) == len(first) - 1


def synced(home: Path, feed: str) -> set[str]:
    (home / "www" / "all.ics").write_bytes(feed.encode())
    for command in (["discover", "feed"], ["sync"]):
        subprocess.run(
            [PYTHON / "vdirsyncer", "-c", home / "conf", *command],
            input="y\n" * 9,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)},
        )
    return {file.read_bytes().decode() for file in (home / "local").glob("*.ics")}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/all.ics"
        server.shutdown()
        thread.join()


VDIRSYNCER = """
[general]
status_path = "{0}/status/"
[pair feed]
a = "remote"
b = "local"
collections = null
[storage remote]
type = "http"
url = "{1}"
[storage local]
type = "filesystem"
path = "{0}/local"
fileext = ".ics"
"""
