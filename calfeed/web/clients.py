"""Who polls the feeds: families of clients and what they hold. No address is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from threading import Lock, Thread
from time import sleep
from typing import Protocol

from calfeed.errors import LedgerError
from calfeed.ledger.polls import KEPT, Poll

FLUSH_SECONDS = 10.0
"""How long a poll may be known to the process alone that saw it."""
MOST = 2_000
"""Pairs of feed and family that wait for the ledger; more than there can be feeds and families worth a look."""

Table = dict[tuple[str, str], Poll]
"""By feed and family."""

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


class PollLedger(Protocol):
    """What is asked of the ledger."""

    def note_polls(self, seen: Iterable[Poll], now: datetime) -> None:
        """Adds what this process saw to what all saw."""

    def polls(self, now: datetime) -> list[Poll]:
        """What all saw, last seen first."""


class Polls:
    """What was seen; safe to share between threads. ``current`` gives a path's present ETag, if it has one.

    A request notes its poll in memory. What is new there is added to the ledger every `FLUSH_SECONDS`, in one
    transaction and by a thread of its own (`watch`), so that all processes show one view. While the ledger is away,
    its last known state and what this process saw since are shown.
    """

    def __init__(
        self, current: Callable[[str], str | None], clock: Callable[[], datetime], ledger: PollLedger | None = None
    ) -> None:
        self.current = current
        self._clock = clock
        self._ledger = ledger
        self._new: Table = {}  # since the last flush
        self._leaving: Table = {}  # on its way to the ledger
        self._known: Table = {}  # what the ledger last said
        self._lock = Lock()

    def seen(self, path: str, user_agent: str, etag: str) -> None:
        """A client has asked for a feed and is being given, or told that it has, the version of that tag."""
        key, now = (path, family(user_agent)), self._clock()
        with self._lock:
            known = self._new.get(key)
            if known is not None:
                known.at, known.etag, known.polls = now, etag, known.polls + 1
            elif len(self._new) < MOST:
                self._new[key] = Poll(*key, now, etag, 1)

    def flush(self) -> None:
        """Adds what is new to the ledger; what it cannot take now is kept for the next time. For one thread alone."""
        if self._ledger is None or not self._new:
            return
        with self._lock:
            self._leaving, self._new = self._new, {}
        try:
            self._ledger.note_polls(self._leaving.values(), self._clock())
        except LedgerError:
            with self._lock:
                self._new, self._leaving = _together(self._leaving, self._new), {}
        else:
            with self._lock:
                self._known, self._leaving = _together(self._known, self._leaving), {}

    def watch(self) -> Thread:
        """A daemon thread that flushes for as long as the process lives."""
        thread = Thread(target=self._watch, name="calfeed-polls", daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        while True:
            sleep(FLUSH_SECONDS)
            self.flush()

    def recent(self) -> list[Poll]:
        """The families of late, last seen first."""
        now = self._clock()
        if self._ledger is not None and not self._leaving:  # else the answer may hold it, or not
            with suppress(LedgerError):
                self._known = {one.key: one for one in self._ledger.polls(now)}
        with self._lock:
            found = _together(_together(self._known, self._leaving), self._new)
        return sorted((one for one in found.values() if one.at >= now - KEPT), key=lambda one: one.at, reverse=True)

    def reached(self, path: str, recent: Iterable[Poll]) -> tuple[int, int]:
        """(families that hold the present version of a feed, families that poll it)."""
        polling = [one for one in recent if one.path == path]
        return sum(one.etag == self.current(path) for one in polling), len(polling)


def _together(some: Table, more: Table) -> Table:
    """Both as one; neither is changed."""
    found = {key: replace(one) for key, one in some.items()}
    for key, one in more.items():
        if key in found:
            found[key].add(one)
        else:
            found[key] = replace(one)
    return found
