"""`lint` flags each way to break a feed, and no good file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import Location, Problem
from calfeed.feeds.lint import HOPELESS, lint
from calfeed.feeds.lint.findings import FINDINGS
from calfeed.feeds.lint.report import PER_FINDING

GOLDEN = Path(__file__).parents[1] / "golden" / "lint"
BASE = (GOLDEN / "good" / "base.ics").read_bytes()
BY_SIZE = {"CF902", "CF903"}
"""Findings whose files are too big to keep: made here."""


def files(folder: str) -> list[Path]:
    return sorted((GOLDEN / folder).glob("*.ics"))


@pytest.mark.parametrize("file", files("good"), ids=lambda file: file.stem)
def test_nothing_is_said_of_a_good_file(file: Path):
    assert lint(file.read_bytes(), file.name) == []


@pytest.mark.parametrize("file", files("broken"), ids=lambda file: file.stem)
def test_a_broken_file_gives_the_problems_written_beside_it(file: Path):
    """The name of each file begins with the code that it is there for."""
    problems = lint(file.read_bytes(), file.name)

    assert [str(problem) for problem in problems] == file.with_suffix(".txt").read_text("utf-8").splitlines()
    assert file.name[:5] in {problem.code for problem in problems}


@pytest.mark.parametrize("file", files("products"), ids=lambda file: file.stem)
def test_a_product_s_feed_has_no_error_and_only_the_warnings_written_beside_it(file: Path):
    problems = lint(file.read_bytes(), file.name)

    assert [str(problem) for problem in problems] == file.with_suffix(".txt").read_text("utf-8").splitlines()
    assert {problem.severity for problem in problems} <= {"warning"}


def test_every_finding_has_a_broken_file():
    assert {file.name[:5] for file in files("broken")} | BY_SIZE == set(FINDINGS)


def test_a_problem_says_where_what_and_how_to_mend():
    (problem,) = lint(BASE.replace(b"SUMMARY:Fair", b"SUMMARY:Fair, again"), "fair.ics")

    assert problem == Problem(
        Location("fair.ics", 57),
        "unescaped ',' at 'Fair, again'",
        "VEVENT.SUMMARY",
        "RFC 5545 §3.3.11: write \\, and \\;",
        "error",
        "CF314",
    )


def test_a_feed_that_google_would_truncate_is_told_its_size():
    begin, end = BASE.index(b"BEGIN:VEVENT"), BASE.index(b"END:VCALENDAR")
    fair = BASE[BASE.index(b"BEGIN:VEVENT\r\nUID:7c9e6679") : end]
    events = [fair.replace(b"7c9e6679", b"%08x" % number) for number in range(5000)]

    problems = lint(BASE[:begin] + BASE[begin:end] + b"".join(events) + BASE[end:], "big.ics")

    assert [(problem.code, problem.message) for problem in problems] == [
        ("CF902", f"the file has {len(BASE) + 5000 * len(fair)} octets, more than 1000000"),
        ("CF903", "the feed has 5003 events, more than 1000"),
    ]


def test_the_places_of_one_finding_are_bounded_and_the_rest_counted():
    data = BASE.replace(b"SUMMARY:Fair\r\n", b"SUMMARY:Fair\r\n" + b"no colon\r\n" * (PER_FINDING + 7))

    problems = lint(data, "fair.ics")

    assert len(problems) == PER_FINDING + 1
    assert str(problems[-1]).startswith("fair.ics: error: 7 more of these (RFC 5545")


def test_of_too_many_places_the_first_ones_are_listed():
    """Which they are depends on nothing but the file, so that two runs can be compared."""
    unknown = b"".join(b"X-TIME;TZID=Nowhere/%d:noon\r\n" % number for number in range(PER_FINDING * 3))

    problems = lint(BASE.replace(b"SUMMARY:Fair\r\n", b"SUMMARY:Fair\r\n" + unknown), "fair.ics")

    assert [p.message for p in problems if p.code == "CF509" and p.location.line] == [
        f"'Nowhere/{number}' is no IANA time zone" for number in range(PER_FINDING)
    ]


def test_a_file_that_is_something_else_is_read_no_further():
    """A video or a log of any size costs no more than its first thousand lines."""
    problems = lint(b"no colon here\r\n" * (HOPELESS * 50), "movie.mkv")

    assert [problem.code for problem in problems].count("CF110") == PER_FINDING + 1


@given(st.binary(max_size=400))
def test_any_octets_give_problems_and_never_an_exception(data: bytes):
    assert all(isinstance(problem, Problem) for problem in lint(data, "any"))


@given(st.data())
def test_a_good_feed_with_any_octets_put_in_never_raises(data: st.DataObject):
    at = data.draw(st.integers(0, len(BASE)))
    cut = data.draw(st.integers(0, 60))
    piece = data.draw(st.binary(max_size=20) | st.sampled_from(VALUES))

    problems = lint(BASE[:at] + piece + BASE[at + cut :], "any")

    lines = BASE.count(b"\n") + piece.count(b"\n") + piece.count(b"\r") + 1
    assert all(problem.location.line is None or 1 <= problem.location.line <= lines for problem in problems)


VALUES = [
    *(b":" + value for value in (b"00010101T000000Z", b"99991231T235960", b"20240230", b"P999999999W", b"-PT0S")),
    *(b"\r\n" + line + b"\r\n" for line in (b"BEGIN:VEVENT", b"END:VEVENT", b"END:VCALENDAR", b"RRULE:FREQ=DAILY;;")),
    *(b";TZID=" + zone for zone in (b"America/New_York", b"/x/y/Europe/Paris", b"../../etc/passwd", b"Europe", b"")),
    *(
        b"\r\nDTSTART;TZID=Europe/Paris:" + time
        for time in (b"00010101T000000", b"99991231T235959", b"20240331T023000")
    ),
]
