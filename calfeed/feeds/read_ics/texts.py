"""Texts of a feed as texts of the event list: cleaned, unescaped, and plain text as CommonMark."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from calfeed.feeds.lint.content import unescape
from calfeed.feeds.markdown import plain
from calfeed.feeds.text import clean

_NEVER = re.compile("[\x0b\x0c\x80-\x9f\ufffe\uffff]")
_ESCAPED = re.compile(r"\\([\\;,])")
_SPACES = re.compile("[ \t]+")
_BREAKS = re.compile("\n{2,}")
_TAG = re.compile(r"</?(?:a|b|br|div|em|h[1-6]|html|i|li|ol|p|span|strong|u|ul)\b[^<>]*>", re.IGNORECASE)
_LINK = re.compile(r"<a\b[^<>]*?href=[\"']([^\"'<>]*)[\"'][^<>]*>([^<>]*)</a>", re.IGNORECASE)
_LINE_END = re.compile(r"<br\b[^<>]*>|</(?:div|h[1-6]|li|p|ul|ol)>", re.IGNORECASE)
_ITEM = re.compile(r"<li\b[^<>]*>", re.IGNORECASE)
_MARKS = re.compile(r"[\\`*_\[\]<&]")
_FIRST = re.compile(r"(?:[#>+=~|-]|\d{1,9}(?=[.)]))")
_BULLET = re.compile(r"^( *)• ", re.MULTILINE)


def text(value: str) -> str:
    """A TEXT value as people write it: unescaped, no control characters, no blank ends."""
    return cleaned(value).strip()


def cleaned(value: str) -> str:
    """The same, with its blank ends."""
    return _NEVER.sub("", clean(unescape(value)))


def line(value: str) -> str:
    """A TEXT value of one line."""
    return " ".join(text(value).split())


def uid(value: str) -> str:
    """A UID as its readers know it. Some products write a backslash of their own in it: that is no escape."""
    return _ESCAPED.sub(r"\1", value).strip()


def tidied(value: str) -> str:
    """A text with single spaces, and at most one empty line between its paragraphs."""
    lines = (_SPACES.sub(" ", each).strip() for each in value.split("\n"))
    return _BREAKS.sub("\n\n", "\n".join(lines)).strip()


def from_html(value: str) -> str:
    """Plain text of what a service wrote as HTML (Google does); other texts as they are."""
    if not _TAG.search(value):
        return value
    value = _LINK.sub(lambda match: match[1] if match[1] == match[2] else f"{match[2]} ({match[1]})", value)
    value = _LINE_END.sub("\n", _ITEM.sub("• ", value))
    return tidied(html.unescape(_TAG.sub("", value)))


def commonmark(value: str) -> str:
    """CommonMark whose plain text is ``value``, with no more marks than that takes."""
    blocks = "\n\n".join(_block(each) for each in value.split("\n\n"))
    return blocks if plain(blocks) == value else _fenced(value)


def _block(value: str) -> str:
    return next((each for each in _ways(value) if plain(each) == value), _fenced(value))


def _ways(value: str) -> Iterator[str]:
    yield value
    yield value.replace("\n", "\\\n")
    yield "\\\n".join(_escaped(each) for each in value.split("\n"))
    yield _BULLET.sub(r"\1- ", value)
    yield "\n".join(_listed(each) for each in value.split("\n"))


def _escaped(value: str) -> str:
    value = _MARKS.sub(r"\\\g<0>", value)
    first = _FIRST.match(value)
    if first is None:
        return value
    return f"\\{value}" if first.end() == 1 and not value[0].isdigit() else f"{first[0]}\\{value[first.end() :]}"


def _listed(value: str) -> str:
    match = _BULLET.match(value)
    return f"{match[1]}- {_escaped(value[match.end() :])}" if match else _escaped(value)


def _fenced(value: str) -> str:
    """A code block says its text as it is, and looks so on the page."""
    runs = (len(each) for each in re.findall("~+", value))
    fence = "~" * max(3, max(runs, default=0) + 1)
    return f"{fence}\n{value}\n{fence}"
