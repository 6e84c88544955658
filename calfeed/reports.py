"""Problems for people and for machines: text, JSON, GitHub's workflow commands, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from calfeed.errors import Location, Problem

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "calfeed check"


def text(problems: Iterable[Problem]) -> str:
    """One problem a line: ``events.toml:12:1: error: events[3].end: … (hint) [code]``."""
    return "".join(f"{one_line(str(problem))}\n" for problem in problems)


def as_json(problems: Iterable[Problem]) -> str:
    """A JSON array of objects: file, line, column, severity, code, path, message, hint."""
    return json.dumps([record(problem) for problem in problems], ensure_ascii=False, indent=2) + "\n"


def record(problem: Problem) -> dict[str, Any]:
    """One problem as JSON values; what is not known is null or empty."""
    place = problem.location
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "severity": problem.severity,
        "code": problem.code,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }


def github(problems: Iterable[Problem]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Problem) -> str:
    place = problem.location
    names = {"file": place.file, "line": place.line, "col": place.column, "title": problem.code or None}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in names.items() if value is not None)
    return f"::{problem.severity} {properties}::{_data(_sentence(problem))}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Sequence[Problem], *, version: str = "", titles: Mapping[str, str] | None = None) -> str:
    """A SARIF 2.1.0 log of one run; ``titles`` tells what each code means."""
    driver: dict[str, Any] = {"name": TOOL, "rules": _rules(problems, titles or {})}
    if version:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rules(problems: Iterable[Problem], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    found = {_rule_id(problem): problem for problem in problems}
    return [
        {
            "id": code,
            "shortDescription": {"text": titles.get(code) or found[code].message},
            "defaultConfiguration": {"level": found[code].severity},
        }
        for code in sorted(found)
    ]


def _result(problem: Problem) -> dict[str, Any]:
    return {
        "ruleId": _rule_id(problem),
        "level": problem.severity,
        "message": {"text": _sentence(problem)},
        "locations": [{"physicalLocation": _physical(problem.location)}],
    }


def _rule_id(problem: Problem) -> str:
    """SARIF wants an id of every result; a fault of the event list has none but its severity."""
    return problem.code or f"events-{problem.severity}"


def _physical(place: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line is not None:
        region = {"startLine": place.line}
        if place.column is not None:
            region["startColumn"] = place.column
        physical["region"] = region
    return physical


def _uri(file: str) -> str:
    """A relative reference stays one; an absolute path becomes ``file:///…``; an address is kept."""
    if "://" in file:
        return file
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), safe="/._-~+@")


def _sentence(problem: Problem) -> str:
    what = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"{what} ({problem.hint})" if problem.hint else what


def one_line(line: str) -> str:
    """A file name or value may hold anything; a line of the report stays a line, and no terminal is steered."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)


FORMATS: dict[str, Callable[[Sequence[Problem]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
"""Every format by its name on the command line."""


def report(problems: Sequence[Problem], style: str, titles: Mapping[str, str] | None = None) -> str:
    """The problems in one of `FORMATS`; ``titles`` tells what each code means, where the format says it."""
    return sarif(problems, titles=titles) if style == "sarif" else FORMATS[style](problems)
