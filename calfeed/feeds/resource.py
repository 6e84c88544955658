"""What is served: octets with all that HTTP says of them, computed once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from gzip import compress
from hashlib import sha256

_LARGE = 2_000_000
"""Octets above which a faster, slightly looser compression is used."""


@dataclass(frozen=True)
class Resource:
    """``etag`` is strong: over ``body``. The gzip coding has a strong tag of its own (RFC 9110 §8.8.3.3).

    ``dropped`` counts the past events left out so that calendar services read the rest.
    """

    body: bytes = field(repr=False)
    etag: str
    modified: datetime
    media_type: str
    dropped: int = 0

    @classmethod
    def of(cls, body: bytes, media_type: str, modified: datetime, *, dropped: int = 0) -> Resource:
        """A resource of these octets."""
        return cls(body, etag(body), modified, media_type, dropped)

    @cached_property
    def gzip(self) -> bytes:
        """The body compressed, the same octets every time; made at first use (`Snapshot.warm` uses it early)."""
        return compress(self.body, 6 if len(self.body) <= _LARGE else 4, mtime=0)

    @property
    def gzip_etag(self) -> str:
        """The tag of the gzip coding."""
        return f'{self.etag[:-1]}-gzip"'

    def matches(self, if_none_match: str) -> bool:
        """Whether an If-None-Match names this state, in any coding and whether or not a proxy made it weak."""
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return not tags.isdisjoint({"*", self.etag, self.gzip_etag})


def etag(body: bytes) -> str:
    """A strong entity-tag: 132 bits of SHA-256."""
    return f'"{urlsafe_b64encode(sha256(body).digest()).decode()[:22]}"'
