"""Text made fit: cut where nothing breaks, and never longer than is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.channels.plain import clean, fit, one_line, units, unmentioned
from calfeed.channels.slack import escape


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("one too many", 11, "one too ma…"),
        ("ends in a space", 10, "ends in a…"),
        ("😀😀😀", 6, "😀😀😀"),
        ("😀😀😀", 5, "😀😀…"),
        ("cafe\u0301s", 5, "caf…"),  # no accent without its letter
        ("ab👨\u200d👩\u200d👧", 6, "ab…"),  # no part of a family
    ],
)
def test_a_cut_text_ends_in_an_ellipsis_and_breaks_no_character(text: str, limit: int, cut: str) -> None:
    assert fit(text, limit) == cut


def test_escapes_count_and_are_never_cut_apart() -> None:
    assert fit("a&b<c", 20, escape) == "a&amp;b&lt;c"
    assert fit("a&b<c", 8, escape) == "a&amp;b…"
    assert fit("&&&", 6, escape) == "&amp;…"


@given(st.text(), st.integers(1, 60))
def test_nothing_is_longer_than_its_limit(text: str, limit: int) -> None:
    assert units(fit(text, limit)) <= limit
    assert units(fit(text, limit, escape)) <= limit


@given(st.text(max_size=20))
def test_what_fits_stays_as_it_is(text: str) -> None:
    assert fit(text, 40) == text


def test_control_characters_and_turns_of_direction_go() -> None:
    assert clean("a\x00b\x1b[31mc\u202ed\u2066e\r\nf\rg\ud800h") == "a b [31mc d e\nf\ng h"
    assert one_line(" a\n\tb\u2028c  ") == "a b c"


def test_an_at_sign_before_a_name_calls_nobody() -> None:
    assert unmentioned("@here (@all), @ 5") == "@\u200bhere (@\u200ball), @ 5"


@pytest.mark.parametrize(
    "text", ["a@b.example", "sip:5@b.example", "https://b.example/@room?x=@y", "HTTP://b.example/@"]
)
def test_an_address_can_still_be_copied_and_opened(text: str) -> None:
    """A space of no width inside would lead elsewhere."""
    assert unmentioned(f"Join: {text}") == f"Join: {text}"
