"""Octets of RFC 5545: escapes, quotes, folds."""

from __future__ import annotations

import pytest

from calfeed.feeds.text import clean, escape, fold, parameter, uri


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a, b; c", r"a\, b\; c"),
        ("C:\\New\nline", r"C:\\New\nline"),
        ("a\r\nb\rc\u2028d\x85e", r"a\nb\nc\nd\ne"),
        ("a\x00\x07\x7f\tb", "a\tb"),
        ('say "hi": ok', 'say "hi": ok'),
    ],
)
def test_text_is_escaped_and_without_control_characters(text: str, written: str) -> None:
    assert escape(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a: b, c; d", '"a: b, c; d"'),
        ('6" pipe', '"6^\' pipe"'),
        ("a^b\nc", '"a^^b^nc"'),
    ],
)
def test_parameters_are_quoted_and_encoded(text: str, written: str) -> None:
    assert parameter(text) == written


def test_a_uri_is_not_escaped_and_cannot_end_its_line() -> None:
    assert uri("https://example.org/a,b;c?d=\\") == "https://example.org/a,b;c?d=\\"
    assert uri("https://example.org/\r\nX-EVIL:1") == "https://example.org/X-EVIL:1"


def test_lines_are_folded_at_75_octets() -> None:
    assert fold("x" * 75) == "x" * 75
    assert fold("x" * 76) == "x" * 75 + "\r\n " + "x"
    assert fold("x" * 150) == "x" * 75 + "\r\n " + "x" * 74 + "\r\n " + "x"


def test_no_character_and_no_escape_is_cut_in_two() -> None:
    assert fold("x" * 74 + "é") == "x" * 74 + "\r\n é"
    assert fold("x" * 74 + "\\n" + "y") == "x" * 74 + "\r\n \\ny"
    assert fold("x" * 73 + "\\\\" + "y") == "x" * 73 + "\\\\" + "\r\n y"


def test_cleaning_leaves_ordinary_text_alone() -> None:
    text = "Ж 中 👩‍👩‍👧 \u00a0 e\u0301"
    assert clean(text) is text
