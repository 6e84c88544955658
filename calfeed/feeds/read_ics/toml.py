"""The subset of TOML that an import needs: texts, numbers, dates, lists and inline tables; no booleans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f]')
_NOT_LITERAL = re.compile("'''|[\x00-\x08\x0b-\x1f\x7f]")
_WIDE = 100
"""Columns that a list may fill on one line."""


def table(header: str, keys: Mapping[str, Any]) -> str:
    """``[header]`` or ``[[header]]`` and a line for each key."""
    return "".join((f"{header}\n", *(f"{_key(key)} = {value(item)}\n" for key, item in keys.items())))


def value(item: Any) -> str:
    """One value; a text of several lines stands in three quotes."""
    match item:
        case str():
            return _text(item)
        case date():
            return item.isoformat()
        case int() | float():
            return repr(item)
        case Mapping():
            return f"{{ {', '.join(f'{_key(key)} = {_inline(each)}' for key, each in item.items())} }}"
        case _:
            return _list(item)


def _list(items: Iterable[Any]) -> str:
    written = [_inline(item) for item in items]
    line = f"[{', '.join(written)}]"
    if len(line) <= _WIDE:
        return line
    return "[\n" + "".join(f"  {each},\n" for each in written) + "]"


def _inline(item: Any) -> str:
    """A value on one line, as TOML 1.0 wants it inside of braces."""
    return _basic(item) if isinstance(item, str) else value(item)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _basic(key)


def _text(text: str) -> str:
    if "\n" not in text or _NOT_LITERAL.search(text) or text.endswith("'"):
        return _basic(text)
    return f"'''\n{text}'''"


def _basic(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"
