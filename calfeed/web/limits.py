"""How often one address may write: a bucket of tokens each, as this process knows it. Pure: time is an argument.

The ledger counts for all processes; what it says is taken over here, so that who has nothing left costs it no question.
What is remembered of an address is a hash under a salt that is thrown away each day, and only while its bucket fills.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from calfeed.ledger.allowances import Quota

REMEMBERED = 100_000
"""Addresses at once; the longest silent are forgiven first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left: ``remaining`` writes now, all of them again in ``reset`` seconds."""

    policy: str
    quota: int
    window: int  # seconds
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """``RateLimit`` and ``RateLimit-Policy`` as draft-ietf-httpapi-ratelimit-headers-10 has them."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }


@dataclass
class Limiter:
    """So many writes as ``terms`` say, for each address. Safe to share between threads."""

    terms: Quota
    _buckets: OrderedDict[bytes, tuple[float, datetime]] = field(default_factory=OrderedDict)
    _salt: tuple[date, bytes] = (date.min, b"")
    _lock: Lock = field(default_factory=Lock)

    def take(self, address: str, now: datetime) -> Allowance:
        """Counts one write. Raises TooMany, which counts nothing."""
        with self._lock:
            key = self._key(address, now)
            return self._keep(key, self.terms.spent(self._tokens(key, now)), now)

    def expect(self, address: str, now: datetime) -> None:
        """Counts nothing. Raises TooMany where `take` would."""
        with self._lock:
            self.terms.spent(self._tokens(self._key(address, now), now))

    def correct(self, address: str, tokens: float, now: datetime) -> Allowance:
        """What is left by the count of all processes."""
        with self._lock:
            return self._keep(self._key(address, now), tokens, now)

    def look(self, address: str, now: datetime) -> Allowance:
        """What is left, without counting."""
        with self._lock:
            return self._allowance(self._tokens(self._key(address, now), now))

    def _tokens(self, key: bytes, now: datetime) -> float:
        return self.terms.refilled(*self._buckets.get(key, (float(self.terms.quota), now)), now)

    def _keep(self, key: bytes, tokens: float, now: datetime) -> Allowance:
        self._buckets[key] = (tokens, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return self._allowance(tokens)

    def _allowance(self, tokens: float) -> Allowance:
        terms, window = self.terms, int(self.terms.window.total_seconds())
        reset = ceil((terms.quota - tokens) * terms.each)
        return Allowance(terms.policy, terms.quota, window, max(int(tokens), 0), reset)

    def _key(self, address: str, now: datetime) -> bytes:
        if self._salt[0] != now.date():
            self._salt = (now.date(), secrets.token_bytes(16))
            self._buckets.clear()
        return blake2b(network(address).encode(), key=self._salt[1], digest_size=16).digest()


def network(address: str) -> str:
    """What one client has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)
