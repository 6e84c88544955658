"""A logical line to its name, parameters and value (RFC 5545 §3.1, RFC 6868)."""

from __future__ import annotations

import re
from typing import NamedTuple

from calfeed.feeds.lint import findings
from calfeed.feeds.lint.octets import Logical
from calfeed.feeds.lint.report import Report

_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)=")
_VALUE = re.compile(r'"([^"]*)"|([^";:,]*)')
_CARETS = re.compile(r"[^^]*(?:\^[n'^][^^]*)*")
_SHOWN = 60

MOST_PARAMETERS = 1000
"""A line with more is not read: no client writes a tenth of it."""


class Parameter(NamedTuple):
    """One parameter: its values as written, without their quotes, and whether each stood in quotes."""

    name: str
    values: tuple[str, ...]
    quoted: tuple[bool, ...]

    @property
    def value(self) -> str:
        """The values as one text."""
        return ",".join(self.values)


class Line(NamedTuple):
    """One content line."""

    number: int
    name: str
    parameters: tuple[Parameter, ...]
    value: str

    def parameter(self, name: str) -> str | None:
        """A parameter's value, or None."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.value
        return None


def read_line(logical: Logical, report: Report) -> Line | None:
    """The content line, or None (reported) where there is none."""
    text = logical.text
    name = _NAME.match(text)
    end = name.end() if name else 0
    if name is None or text[end : end + 1] not in (":", ";") or _is_wrapped_address(name[0], text[end:]):
        report.add(findings.NOT_A_LINE, f"{shown(text)} is no name:value", line=logical.number)
        return None
    if text[end] == ":":
        return Line(logical.number, name[0].upper(), (), text[end + 1 :])
    return _with_parameters(logical, name[0].upper(), end, report)


def shown(text: str) -> str:
    """A text for a message, shortened."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def unescape(text: str) -> str:
    r"""A TEXT value as its reader sees it (RFC 5545 §3.3.11)."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text)


def _is_wrapped_address(name: str, rest: str) -> bool:
    """``https://example.org`` at the beginning of a line is the tail of an unfolded description, not a property."""
    return rest.startswith("://") and name.islower()


def _with_parameters(logical: Logical, name: str, at: int, report: Report) -> Line | None:
    text = logical.text
    found: list[Parameter] = []
    while text[at : at + 1] == ";":
        match = _PARAMETER.match(text, at)
        if match is None or len(found) >= MOST_PARAMETERS:
            _report_broken(logical, name, text[at:], report)
            return None
        at, parameter = _values(text, match.end(), match[1].upper())
        found.append(parameter)
    if text[at : at + 1] != ":":
        _report_broken(logical, name, text[at:], report)
        return None
    for parameter in found:
        _check_carets(logical.number, name, parameter, report)
    return Line(logical.number, name, tuple(found), text[at + 1 :])


def _values(text: str, at: int, name: str) -> tuple[int, Parameter]:
    values: list[str] = []
    quoted: list[bool] = []
    while match := _VALUE.match(text, at):
        values.append(match[2] if match[1] is None else match[1])
        quoted.append(match[1] is not None)
        at = match.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    return at, Parameter(name, tuple(values), tuple(quoted))


def _report_broken(logical: Logical, name: str, rest: str, report: Report) -> None:
    report.add(findings.BAD_PARAMETER, f"no parameter can be read at {shown(rest)}", line=logical.number, path=name)


def _check_carets(number: int, name: str, parameter: Parameter, report: Report) -> None:
    if not all(_CARETS.fullmatch(value) for value in parameter.values):
        report.add(findings.CARET, f"{parameter.name} is {shown(parameter.value)}", line=number, path=name)
