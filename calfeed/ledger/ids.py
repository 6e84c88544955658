"""Ids that sort by time: 48 bits of milliseconds and 80 of chance (as UUIDv7, RFC 9562 §5.7), in 26 letters."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from itertools import count

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread


def new_id(now: datetime) -> str:
    """A fresh id, unique without asking anybody."""
    return next(new_ids(now))


def new_ids(now: datetime) -> Iterator[str]:
    """Fresh ids without end, each sorting after the one before."""
    first = int(now.timestamp() * 1000) << 80 | secrets.randbits(79)
    return (_text(number) for number in count(first))


def _text(number: int) -> str:
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -1, -5))
