"""CommonMark as plain text for calendars and as HTML that cannot hurt a page."""

from __future__ import annotations

import pytest

from calfeed.feeds.markdown import html, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One line.", "One line."),
        (
            "Hard wrapped\nsource lines\n\nand a second\nparagraph",
            "Hard wrapped source lines\n\nand a second paragraph",
        ),
        ("A *b* **c** `d` and\\\nbroken  \nlines", "A b c d and\nbroken\nlines"),
        ("[Site](https://e.org/a?b=1&c=2)", "Site (https://e.org/a?b=1&c=2)"),
        ("<https://e.org> [](https://e.org) <desk@e.org>", "https://e.org https://e.org desk@e.org"),
        ("# Title\nText", "Title\n\nText"),
        ("- one\n- two\n  - three\n\n1. first\n2. second", "• one\n• two\n  • three\n\n1. first\n2. second"),
        ("- loose\n\n- list\n\n  para", "• loose\n• list\n  para"),
        ("> quoted\n> words", "quoted words"),
        ("```\ncode  here\n```", "code  here"),
        ("above\n\n---\n\nbelow", "above\n\n———\n\nbelow"),
        ("![A photo](https://e.org/a.jpg)", "A photo"),
        ("AT&amp;T &copy; <b>bold</b>", "AT&T © bold"),
        ("<div>block <i>x</i></div>\n\n<!-- gone -->", "block x"),
        ("10 \u00a0000 \u2014 narrow", "10 \u00a0000 \u2014 narrow"),
        ("", ""),
    ],
)
def test_plain_text_says_the_same_without_marks(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A *b*", "<p>A <em>b</em></p>"),
        ("[x](https://e.org)", '<p><a href="https://e.org" rel="noopener noreferrer nofollow">x</a></p>'),
        ("<script>alert(1)</script>ok", "ok"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ('<a href="data:text/html,x" onclick="y">x</a>', '<p><a rel="noopener noreferrer nofollow">x</a></p>'),
        ('<img src=x onerror=alert(1)> <b style="position:fixed">b</b>', "<p> <b>b</b></p>"),
        ("<iframe src=https://e.org></iframe>text", "text"),
    ],
)
def test_html_holds_nothing_that_acts(text: str, shown: str) -> None:
    assert html(text) == shown


@pytest.mark.parametrize(
    "text", ["> " * 10_000 + "x", "[" * 10_000, "*a " * 5_000 + "b" + "*" * 5_000, "- " * 500 + "x"]
)
def test_no_nesting_is_too_deep(text: str) -> None:
    """The parser gives up on what no person writes; nothing breaks."""
    assert isinstance(plain(text), str)
    assert isinstance(html(text), str)
