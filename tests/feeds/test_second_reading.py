"""The `icalendar` library's opinion of a file: silent on good ones, a warning where it cannot follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from calfeed.errors import Location, Problem
from calfeed.feeds.second_reading import second_reading

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "ics").glob("*.ics"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_our_own_feeds_raise_no_word(file: Path) -> None:
    assert second_reading(file.read_bytes(), file.name) == []


def test_a_property_it_leaves_out_is_named() -> None:
    text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:tomorrow\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    (problem,) = second_reading(text.encode(), "x.ics")
    assert (problem.severity, problem.location) == ("warning", Location("x.ics"))
    assert problem.message.startswith("the icalendar library leaves out DTSTART of VEVENT 1: ")


@pytest.mark.parametrize("data", [b"", b"\xff\x00", b"BEGIN:VEVENT\r\n", b"END:VCALENDAR\r\n", b"nonsense\r\n"])
def test_whatever_comes_the_outcome_is_a_value(data: bytes) -> None:
    found = second_reading(data, "x.ics")
    assert all(isinstance(problem, Problem) and problem.severity == "warning" for problem in found)


def test_a_huge_file_is_not_read_twice() -> None:
    assert second_reading(b"x" * 4_000_001, "x.ics") == []
