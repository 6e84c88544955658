"""Problems are told in four forms, each safe against what a file may hold."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from calfeed import reports
from calfeed.errors import Location, Problem

LATE = Problem(
    Location("events.toml", 12, 1), "2024-05-15 is before start", "events[3].end", "the last day is inclusive"
)
LONG = Problem(Location("feeds/all.ics", 3, 76), "80 octets", hint="RFC 5545 §3.1: fold it", code="CF102")
SIZE = Problem(Location("/srv/a b.ics"), "too big", severity="warning", code="CF902")


def test_text_has_one_line_for_each_problem():
    assert reports.text([LATE, LONG, SIZE]) == (
        "events.toml:12:1: error: events[3].end: 2024-05-15 is before start (the last day is inclusive)\n"
        "feeds/all.ics:3:76: error: 80 octets (RFC 5545 §3.1: fold it) [CF102]\n"
        "/srv/a b.ics: warning: too big [CF902]\n"
    )


def test_text_steers_no_terminal():
    """A title may hold an escape sequence or a line break: it is shown, not obeyed."""
    assert reports.text([Problem(Location("a\x1b[2J"), "b\nc")]) == "a\\x1b[2J: error: b\\nc\n"


def test_json_has_every_part():
    assert json.loads(reports.as_json([LATE, SIZE])) == [
        {
            "file": "events.toml",
            "line": 12,
            "column": 1,
            "severity": "error",
            "code": "",
            "path": "events[3].end",
            "message": "2024-05-15 is before start",
            "hint": "the last day is inclusive",
        },
        {
            "file": "/srv/a b.ics",
            "line": None,
            "column": None,
            "severity": "warning",
            "code": "CF902",
            "path": "",
            "message": "too big",
            "hint": "",
        },
    ]


def test_github_commands_are_escaped():
    """Properties escape more than the message; a line break would end the command."""
    odd = Problem(Location("a,b:c%.ics", 1), "100%\nsure: yes, really", code="CF314")

    assert reports.github([LONG, odd, LATE]) == (
        "::error file=feeds/all.ics,line=3,col=76,title=CF102::80 octets (RFC 5545 §3.1: fold it)\n"
        "::error file=a%2Cb%3Ac%25.ics,line=1,title=CF314::100%25%0Asure: yes, really\n"
        "::error file=events.toml,line=12,col=1::"
        "events[3].end: 2024-05-15 is before start (the last day is inclusive)\n"
    )


def test_sarif_is_a_log_of_one_run():
    assert json.loads(reports.sarif([LONG, SIZE, LATE], version="1.2", titles={"CF102": "A line is too long"})) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "calfeed check",
                        "version": "1.2",
                        "rules": [
                            rule("CF102", "A line is too long", "error"),
                            rule("CF902", "too big", "warning"),
                            rule("events-error", "2024-05-15 is before start", "error"),
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    result("CF102", "error", "80 octets (RFC 5545 §3.1: fold it)", "feeds/all.ics", 3, 76),
                    result("CF902", "warning", "too big", "file:///srv/a%20b.ics"),
                    result(
                        "events-error",
                        "error",
                        "events[3].end: 2024-05-15 is before start (the last day is inclusive)",
                        "events.toml",
                        12,
                        1,
                    ),
                ],
            }
        ],
    }


def rule(code: str, title: str, level: str) -> dict[str, object]:
    return {"id": code, "shortDescription": {"text": title}, "defaultConfiguration": {"level": level}}


def result(code: str, level: str, message: str, uri: str, *at: int):
    place: dict[str, object] = {"artifactLocation": {"uri": uri}}
    if at:
        place["region"] = dict(zip(("startLine", "startColumn"), at, strict=True))
    return {
        "ruleId": code,
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }


problems = st.builds(
    Problem,
    st.builds(Location, st.text(min_size=1), st.none() | st.integers(1, 9), st.none() | st.integers(1, 9)),
    st.text(),
    st.text(),
    st.text(),
    st.sampled_from(["error", "warning"]),
    st.text(),
)


@given(st.lists(problems, max_size=5))
def test_line_formats_have_as_many_lines_as_problems(found: list[Problem]):
    assert reports.text(found).count("\n") == len(found)
    assert len(reports.github(found).split("\n")) == len(found) + 1


@given(st.lists(problems, max_size=5))
def test_machine_formats_are_json_whatever_the_texts(found: list[Problem]):
    assert len(json.loads(reports.as_json(found))) == len(found)
    assert len(json.loads(reports.sarif(found))["runs"][0]["results"]) == len(found)
