"""Text made fit for a place with limits: no control characters, and never longer than is taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

ELLIPSIS = "…"
# controls but line breaks; overrides and isolates, which would turn the rest of a message round; lone surrogates
_UNFIT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff]+")
_AT = re.compile(r"(https?://\S+)|(?<!\w)@(?=\w)", re.IGNORECASE)
BREAK = "\u200b"
"""A space of no width: it takes a character's meaning for a machine, not for a reader."""


def clean(text: str) -> str:
    """The text without what no place shows; line breaks stay."""
    return _UNFIT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(clean(text).split())


def unmentioned(text: str) -> str:
    """``@here`` and ``@everyone`` that call nobody; mail and web addresses can still be copied and opened."""
    return _AT.sub(lambda found: found[1] or "@" + BREAK, text)


def units(text: str) -> int:
    """Length in UTF-16 code units, the strictest of the ways in which vendors count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, limit: int, dress: Callable[[str], str] = str) -> str:
    """The text dressed by ``dress``, cut with an ellipsis so that the result has at most ``limit`` UTF-16 units.

    ``dress`` works on each character alone, as escaping does. The cut leaves no accent, joiner or variation without
    what it belongs to.
    """
    if len(text) <= limit:
        whole = dress(text)
        if units(whole) <= limit:
            return whole
    room, kept = limit - 1, 0
    for character in text:
        room -= units(dress(character))
        if room < 0:
            break
        kept += 1
    while kept and kept < len(text) and _joins(text[kept - 1], text[kept]):
        kept -= 1
    return dress(text[:kept].rstrip()) + ELLIPSIS


def _joins(left: str, right: str) -> bool:
    return left == "\u200d" or right == "\u200d" or unicodedata.category(right) in ("Mn", "Me", "Mc", "Sk")
