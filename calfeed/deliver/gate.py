"""How much each receiver takes now: the vendor's rate, a window for each host, a breaker for dead ones.

One dead or slow receiver must not hold the threads that others need. Times are seconds on a monotonic clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from calfeed.events.model import ChannelKind

RATES: dict[ChannelKind, tuple[float, int]] = {
    "slack": (1.0, 1),  # https://docs.slack.dev/apis/web-api/rate-limits
    "teams": (
        4.0,
        4,
    ),  # https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    "discord": (2.5, 5),  # https://discord.com/developers/docs/topics/rate-limits
}
"""Messages a second, and how many at once, to one URL."""

FIRST_WINDOW, WIDEST = 8, 24
"""Requests at once to one host: to begin with, and after it has answered quickly; of 32 threads."""

TRIP = 5
"""Failures in a row that open the breaker."""

PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds between probes of a dead host: at first, and after doubling."""

LATER = 1.0
"""Seconds after which a receiver that is merely busy may take more."""

End = Literal["answered", "failed", "unsent"]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a channel's messages go; the URL is a secret."""

    kind: ChannelKind
    host: str
    url: str = field(repr=False)


@dataclass(slots=True)
class _Line:
    """One URL of one kind: a bucket of tokens, and the pause its receiver asked for."""

    rate: float
    burst: int
    tokens: float = 0.0
    at: float = float("-inf")
    closed_until: float = float("-inf")

    def free(self, now: float) -> int:
        if now < self.closed_until:
            return 0
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return int(self.tokens + 1e-9)


@dataclass(slots=True)
class _Host:
    """One host: how many requests may be under way, and whether it seems alive."""

    window: int = FIRST_WINDOW
    under_way: int = 0
    failures: int = 0
    closed_until: float = float("-inf")
    pause: float = PAUSE

    def free(self, now: float) -> int:
        if self.failures >= TRIP:
            return int(now >= self.closed_until and self.under_way == 0)  # a probe
        return max(self.window - self.under_way, 0)

    def answered(self) -> None:
        self.failures, self.pause = 0, PAUSE
        self.window = min(self.window + 1, WIDEST)

    def failed(self, now: float) -> None:
        self.failures += 1
        self.window = max(self.window // 2, 1)
        if self.failures >= TRIP:
            self.closed_until = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE)


@dataclass(slots=True)
class Gate:
    """Counts what is under way to each URL and host, and says who takes more."""

    _lines: dict[tuple[ChannelKind, str], _Line] = field(default_factory=dict)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    @contextmanager
    def claiming(self, where: Callable[[str], Route], now: float) -> Iterator[Callable[[str], bool]]:
        """Gives the question that one claim asks for each row: does this channel take one more?"""
        asked: Counter[object] = Counter()

        def admit(channel: str) -> bool:
            route = where(channel)
            line, host = self._line(route), self._host(route)
            free = host.free(now) - asked[route.host]
            if line is not None:
                free = min(free, line.free(now) - asked[route.url, route.kind])
            if free <= 0:
                return False
            asked.update({route.host, (route.url, route.kind)})
            return True

        yield admit

    def wait(self, route: Route, now: float) -> float:
        """Seconds until it is worth asking again for a receiver that takes no more now."""
        line, host = self._line(route), self._host(route)
        closed = [host.closed_until] if host.failures >= TRIP else []
        closed += [line.closed_until] if line is not None else []
        return max([LATER, *(until - now for until in closed)])

    def started(self, route: Route) -> None:
        """One more is under way."""
        self._host(route).under_way += 1
        line = self._line(route)
        if line is not None:
            line.tokens -= 1

    def ended(self, route: Route, end: End, now: float, wait: float | None = None) -> None:
        """It came back; ``wait`` is how long the receiver asked to be left alone, in seconds."""
        host = self._host(route)
        host.under_way -= 1
        if end == "answered":
            host.answered()
        elif end == "failed":
            host.failed(now)
        if wait is not None:
            key = route.kind, route.url
            self._lines.setdefault(key, _Line(float("inf"), WIDEST, WIDEST)).closed_until = now + wait

    def _host(self, route: Route) -> _Host:
        return self._hosts.setdefault(route.host, _Host())

    def _line(self, route: Route) -> _Line | None:
        key = route.kind, route.url
        if key not in self._lines and route.kind in RATES:
            rate, burst = RATES[route.kind]
            self._lines[key] = _Line(rate, burst, burst)
        return self._lines.get(key)
