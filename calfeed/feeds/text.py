"""Values as iCalendar octets: escaped text, quoted parameters, folded lines (RFC 5545 §3.1, §3.3.11, RFC 6868)."""

from __future__ import annotations

import re

LINE_OCTETS = 75
"""RFC 5545 §3.1: the most a line may have, its break not counted."""

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_SPECIAL = re.compile("[\\\\;,\n]")
_PARAMETER = re.compile('[^",;:^\n\x00-\x1f\x7f]*')
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_CARETS = str.maketrans({"^": "^^", '"': "^'", "\n": "^n"})


def clean(text: str) -> str:
    """Without control characters; every kind of line break that some parser splits at becomes ``\\n``."""
    if not _UNCLEAN.search(text):
        return text
    return _CONTROL.sub("", _BREAKS.sub("\n", text))


def escape(text: str) -> str:
    """A TEXT value (RFC 5545 §3.3.11)."""
    text = clean(text)
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


def parameter(text: str) -> str:
    """A parameter value, quoted where it must be, in the caret encoding of RFC 6868."""
    if _PARAMETER.fullmatch(text):
        return text
    encoded = clean(text).translate(_CARETS)
    return f'"{encoded}"' if re.search("[,;:^]", encoded) else encoded


def uri(text: str) -> str:
    """A URI value: not escaped, and never able to end its line."""
    return clean(text).replace("\n", "").strip() if _UNCLEAN.search(text) or "\n" in text else text


def fold(line: str) -> str:
    """The line with CRLF SPACE after at most 75 octets, never inside a character nor after a lone backslash."""
    if len(line) <= LINE_OCTETS and (line.isascii() or len(line.encode()) <= LINE_OCTETS):
        return line
    octets = line.encode()
    parts, start, room = [], 0, LINE_OCTETS
    while len(octets) - start > room:
        end = _cut(octets, start, start + room)
        parts.append(octets[start:end])
        start, room = end, LINE_OCTETS - 1
    parts.append(octets[start:])
    return b"\r\n ".join(parts).decode()


def _cut(octets: bytes, start: int, end: int) -> int:
    while octets[end] & 0xC0 == 0x80:
        end -= 1
    head = octets[start:end]
    backslashes = len(head) - len(head.rstrip(b"\\"))
    return end - backslashes % 2
