"""The operator's session: signed values, no store; and the brake on guessing. Pure: time is an argument.

All keys come from CALFEED_ADMIN_TOKEN: every replica accepts what another issued, and a new token ends every session.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

LIFETIME = timedelta(hours=12)
FORM_LIFETIME = timedelta(hours=1)


def same_secret(given: str, token: str) -> bool:
    """Compared in constant time, also where the lengths differ."""
    return hmac.compare_digest(sha256(given.encode()).digest(), sha256(token.encode()).digest())


def issue(token: str, purpose: str, now: datetime, lifetime: timedelta, nonce: str) -> str:
    """``expiry.nonce.signature``: a value for one purpose that `valid` accepts until it expires."""
    body = f"{int((now + lifetime).timestamp())}.{nonce}"
    return f"{body}.{_sign(token, purpose, body)}"


def valid(value: str, token: str, purpose: str, now: datetime) -> bool:
    """Whether the value was issued for the purpose under this token and has not expired."""
    body, _, signature = value.rpartition(".")
    expiry = body.partition(".")[0]
    if not hmac.compare_digest(signature.encode(), _sign(token, purpose, body).encode()):
        return False
    return expiry.isdecimal() and now.timestamp() < int(expiry)


def form_key(session: str, token: str) -> str:
    """What the forms of a session carry: a page elsewhere cannot know it."""
    return _sign(token, "form", session)


def _sign(token: str, purpose: str, body: str) -> str:
    key = sha256(f"calfeed operator {token}".encode()).digest()
    return hmac.new(key, f"{purpose}:{body}".encode(), sha256).hexdigest()


@dataclass
class Brake:
    """Slows down who guesses: after ``free`` failures an address waits, twice as long each time, at most ``most``."""

    free: int = 5
    first: timedelta = timedelta(seconds=2)
    most: timedelta = timedelta(minutes=5)
    remembered: int = 10_000
    _failures: OrderedDict[str, tuple[int, datetime]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, address: str, now: datetime) -> timedelta:
        """How long the address has yet to wait; zero for most."""
        count, last = self._failures.get(address, (0, now))
        if count < self.free:
            return timedelta()
        pause = self._pause(count)
        return min(max(last + pause - now, timedelta()), pause)  # however far back the clock was put

    def failed(self, address: str, now: datetime) -> None:
        """Counts a wrong secret; failures an hour old are forgiven."""
        with self._lock:
            count, last = self._failures.pop(address, (0, now))
            self._failures[address] = (1 if now - last > timedelta(hours=1) else count + 1, now)
            while len(self._failures) > self.remembered:
                self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forgets the address."""
        with self._lock:
            self._failures.pop(address, None)

    def _pause(self, count: int) -> timedelta:
        return min(self.first * (1 << min(count - self.free, 20)), self.most)
