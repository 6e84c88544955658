"""Who polls the feeds: families of clients and what they hold. No address is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock

KEPT = timedelta(days=14)
"""A client that has not polled for so long no longer counts."""
MOST = 2_000
"""Pairs of feed and family remembered; the longest silent go first."""

_FAMILIES = (
    ("Google-Calendar-Importer", "Google Calendar"),
    ("Googlebot", "Googlebot"),
    ("Microsoft.Exchange", "Outlook.com and Microsoft 365"),
    ("Microsoft Office", "Outlook"),
    ("Outlook", "Outlook"),
    ("Thunderbird", "Thunderbird"),
    ("dataaccessd", "Apple Calendar (iPhone, iPad)"),
    ("iOS/", "Apple Calendar (iPhone, iPad)"),
    ("macOS/", "Apple Calendar (Mac)"),
    ("CalendarAgent", "Apple Calendar (Mac)"),
    ("Evolution", "Evolution"),
    ("HomeAssistant", "Home Assistant"),
    ("ICSx5", "ICSx⁵"),
    ("vdirsyncer", "vdirsyncer"),
    ("khal", "khal"),
    ("Yahoo", "Yahoo Calendar"),
    ("Nextcloud", "Nextcloud"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-requests", "Python"),
    ("Mozilla/", "Browser"),
)
"""What a User-Agent holds → the family, first match."""


def family(user_agent: str) -> str:
    """The family of client that sends this User-Agent; its beginning says it."""
    return _family(user_agent[:200])


@lru_cache(maxsize=1024)
def _family(user_agent: str) -> str:
    return next((name for sign, name in _FAMILIES if sign.lower() in user_agent.lower()), "Other")


@dataclass(slots=True)
class Seen:
    """A family's last poll of a feed, to be rewritten by its next; ``etag`` is the version it was given."""

    path: str
    family: str
    at: datetime
    etag: str
    polls: int


class Polls:
    """What this process saw; safe to share between threads. ``current`` gives a path's present ETag, if it has one."""

    def __init__(self, current: Callable[[str], str | None], clock: Callable[[], datetime]) -> None:
        self.current = current
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], Seen] = OrderedDict()
        self._lock = Lock()

    def seen(self, path: str, user_agent: str, etag: str) -> None:
        """A client has asked for a feed and is being given, or told that it has, the version of that tag."""
        key, now = (path, family(user_agent)), self._clock()
        with self._lock:
            known = self._seen.get(key)
            if known is None:
                self._begin(Seen(*key, now, etag, 1))
                return
            known.at, known.etag, known.polls = now, etag, known.polls + 1
            self._seen.move_to_end(key)

    def _begin(self, first: Seen) -> None:
        self._seen[first.path, first.family] = first
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)

    def recent(self) -> list[Seen]:
        """The families of late, last seen first."""
        oldest = self._clock() - KEPT
        with self._lock:
            return [one for one in reversed(self._seen.values()) if one.at >= oldest]

    def reached(self, path: str) -> tuple[int, int]:
        """(families that hold the present version of a feed, families that poll it)."""
        polling = [one for one in self.recent() if one.path == path]
        return sum(one.etag == self.current(path) for one in polling), len(polling)
