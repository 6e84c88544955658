"""CommonMark as plain text for calendars and as sanitised HTML for pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li",
    "ol", "p", "pre", "q", "s", "small", "strong", "sub", "sup", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel", "webcal", "geo"}

_START = r"(?:[^\W\d_]|\d(?!\d{0,8}[.)](?:\s|$))|[(\"'«“„‘—–])"
_LINE = _START + r"[^\n\t\\`*_\[\]<>&]*"
_PROSE = re.compile(rf"{_LINE}(?:\n+{_LINE})*")
"""Lines that begin with no mark and hold no character that CommonMark gives a meaning."""
_SPACES = re.compile("[ \t\n]+")
_INNER = re.compile(r"\n(?=[^\n])")
_HTML_TAG = re.compile("<!--.*?-->|<[^>]*>", re.DOTALL)


def plain(text: str) -> str:
    """Paragraphs parted by an empty line, list items on lines of their own, links as ``text (URL)``."""
    text = text.strip()
    if _PROSE.fullmatch(text) and "  \n" not in text:
        if "\n" not in text and "  " not in text:
            return text
        return "\n\n".join(_spaced(part) for part in re.split("\n\n+", text))
    return _joined(_blocks(iter(_parser().parse(text))))


def html(text: str) -> str:
    """HTML that holds no script, style, form, image or frame, whatever the text holds."""
    import nh3  # a compiled sanitiser that only pages and rich feeds need

    rendered: str = _parser().render(text)
    return nh3.clean(
        rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow"
    ).strip()


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 40 ms that a list of plain descriptions never pays

    return MarkdownIt("commonmark")


def _spaced(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" ")


def _joined(blocks: Iterable[str], gap: str = "\n\n") -> str:
    return gap.join(filter(None, blocks))


def _blocks(tokens: Iterator[Token]) -> Iterator[str]:
    """The texts of the blocks up to the end of the one that holds them."""
    for token in tokens:
        if token.nesting == -1:
            return
        yield _block(token, tokens)


def _block(token: Token, tokens: Iterator[Token]) -> str:
    match token.type:
        case "inline":
            lines = _inline(token.children or []).split("\n")
            return "\n".join(_spaced(line) for line in lines)
        case "bullet_list_open" | "ordered_list_open":
            return "\n".join(_items(token, tokens))
        case "code_block" | "fence":
            return token.content.rstrip("\n")
        case "hr":
            return "———"
        case "html_block":
            return _HTML_TAG.sub("", token.content).strip()
        case _:
            return _joined(_blocks(tokens))


def _items(parent: Token, tokens: Iterator[Token]) -> Iterator[str]:
    number = int(parent.attrs.get("start", 1))
    for token in tokens:
        if token.nesting == -1:
            return
        mark = f"{number}. " if parent.type == "ordered_list_open" else "• "
        yield mark + _INNER.sub("\n" + " " * len(mark), _joined(_blocks(tokens), "\n"))
        number += 1


def _inline(tokens: Iterable[Token]) -> str:
    """A flat walk: emphasis may be nested thousands deep."""
    parts: list[str] = []
    links: list[tuple[int, str]] = []
    for token in tokens:
        if token.type in {"text", "code_inline", "image"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" " if token.type == "softbreak" else "\n")
        elif token.type == "link_open":
            links.append((len(parts), str(token.attrs.get("href", ""))))
        elif token.type == "link_close":
            start, target = links.pop()
            parts[start:] = [_link("".join(parts[start:]), target)]
    return "".join(parts)


def _link(label: str, target: str) -> str:
    if not target or target.removeprefix("mailto:") == label:
        return label
    return f"{label} ({target})" if label else target
