"""CommonMark as plain text for calendars and as sanitised HTML for pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

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
    from markdown_it.tree import SyntaxTreeNode  # with the parser, only for texts that are more than prose

    return _joined(SyntaxTreeNode(_parser().parse(text)).children)


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


def _joined(nodes: Iterable[SyntaxTreeNode], gap: str = "\n\n") -> str:
    return gap.join(block for block in map(_block, nodes) if block)


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "paragraph" | "heading":
            lines = "".join(_inline(child) for part in node.children for child in part.children).split("\n")
            return "\n".join(_spaced(line) for line in lines)
        case "bullet_list" | "ordered_list":
            return "\n".join(_items(node))
        case "code_block" | "fence":
            return node.content.rstrip("\n")
        case "hr":
            return "———"
        case "html_block":
            return _HTML_TAG.sub("", node.content).strip()
        case _:
            return _joined(node.children)


def _items(node: SyntaxTreeNode) -> Iterable[str]:
    first = int(node.attrs.get("start", 1))
    for number, item in enumerate(node.children, first):
        mark = "• " if node.type == "bullet_list" else f"{number}. "
        tight = any(child.type == "paragraph" and child.hidden for child in item.children)
        body = _joined(item.children, "\n" if tight else "\n\n")
        yield mark + _INNER.sub("\n" + " " * len(mark), body)


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline" | "image":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            return _link(node)
        case _:
            return "".join(map(_inline, node.children))


def _link(node: SyntaxTreeNode) -> str:
    label = "".join(map(_inline, node.children))
    target = str(node.attrs.get("href", ""))
    if not target or target.removeprefix("mailto:") == label:
        return label
    return f"{label} ({target})" if label else target
