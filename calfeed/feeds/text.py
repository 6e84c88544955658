"""Values as iCalendar octets: escaped text, quoted parameters, folded lines (RFC 5545 §3.1, §3.3.11, RFC 6868)."""

from __future__ import annotations

import re
from urllib.parse import quote

LINE_OCTETS = 75
"""RFC 5545 §3.1: the most a line may have, its break not counted."""

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
# A backslash and "=" need no quotes, but without them icalendar unescapes ``\:`` and drops the spaces around "=".
_SPECIAL = re.compile(r'[",;:^\\=]')
_IN_ADDRESS = "@!$'*+-._~"
_CARETS = str.maketrans({"^": "^^", '"': "^'", "\n": "^n"})


def clean(text: str) -> str:
    """Without control characters; every kind of line break that some parser splits at becomes ``\\n``."""
    if text.isprintable() or not _UNCLEAN.search(text):
        return text
    return _CONTROL.sub("", _BREAKS.sub("\n", text))


def escape(text: str) -> str:
    """A TEXT value (RFC 5545 §3.3.11)."""
    if not text.isprintable():
        text = clean(text)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return text.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def parameter(text: str) -> str:
    """A parameter value, quoted where it must be, in the caret encoding of RFC 6868."""
    if text.isprintable() and not _SPECIAL.search(text):
        return text
    encoded = clean(text).translate(_CARETS)
    return f'"{encoded}"' if _SPECIAL.search(encoded) else encoded


def uri(text: str) -> str:
    """A URI value: not escaped, and never able to end its line."""
    return text if text.isprintable() else clean(text).replace("\n", "").strip()


def mailto(address: str) -> str:
    """A mail address as a URI (RFC 6068 §2), whatever characters stand before its ``@``."""
    return f"mailto:{quote(address, safe=_IN_ADDRESS)}"


def fold(line: str) -> str:
    """The line with CRLF SPACE after at most 75 octets, never inside a character nor after a lone backslash."""
    octets = line.encode()
    size = len(octets)
    if size <= LINE_OCTETS:
        return line
    end = _cut(octets, LINE_OCTETS)
    parts = [octets[:end]]
    while size - end >= LINE_OCTETS:
        start, end = end, _cut(octets, end + LINE_OCTETS - 1)
        parts.append(octets[start:end])
    parts.append(octets[end:])
    return b"\r\n ".join(parts).decode()


def _cut(octets: bytes, end: int) -> int:
    """The last place up to ``end`` at which a line may be broken."""
    while octets[end] & 0xC0 == 0x80:
        end -= 1
    if octets[end - 1] != 0x5C:
        return end
    head = octets[:end]
    return end - (end - len(head.rstrip(b"\\"))) % 2
