"""plan → claim → send → settle: one turn at a time, the ledger deciding what is whose.

A row is claimed, and that is committed, before anything is sent. At most `ROOM` rows are claimed and not yet settled:
so many may be sent twice when the process is killed, each under the same webhook-id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from calfeed.channels.base import ChannelDriver, Target
from calfeed.channels.registry import Transport
from calfeed.deliver.desk import Desk
from calfeed.deliver.gate import End, Gate, Route
from calfeed.deliver.sender import Done, Job, Senders, unanswered
from calfeed.events.model import ChannelKind
from calfeed.ledger import Current, Ledger, Result, Settlement
from calfeed.ledger.values import UNTRIED

log = logging.getLogger(__name__)

THREADS = 32
ROOM = 96
"""Rows claimed and not yet settled: one a thread, and a few for the threads that come free next."""

TURN_SECONDS = 0.8
BATCH_SECONDS = 0.02
"""How long finished sends are gathered before they are settled together."""

WAIT_SECONDS = 0.1
STOP_SECONDS = 7.0
STOPPED = "calfeed was stopped before the answer came; whether it arrived is unknown"
LONGEST_WAIT = 60.0
"""Seconds that a receiver's Retry-After keeps its other messages waiting; the message itself waits as long as asked."""


class Deliverer:
    """Sends what is due. ``targets`` gives the address of every channel this process can reach, by channel id.

    `tick` is one turn, to be called each second; `plan` moves the horizon on. Both may raise LedgerError, after which
    the next call goes on where this one stopped.
    """

    def __init__(
        self,
        ledger: Ledger,
        targets: Callable[[], Mapping[str, Target]],
        *,
        transport: Transport,
        driver: Callable[[ChannelKind], ChannelDriver],
        clock: Callable[[], datetime],
        base_url: str | None = None,
        threads: int = THREADS,
        room: int = ROOM,
    ) -> None:
        self._ledger = ledger
        self._targets = targets
        self._clock = clock
        self._base_url = base_url
        self._room = room
        self._gate = Gate()
        self._senders = Senders(transport, driver, clock, known=lambda: ledger.known, threads=threads)
        self._jobs: dict[tuple[str, int], Job] = {}  # by delivery and attempt: what was given up is claimed again
        self._unsettled: list[Settlement] = []
        self._planned: tuple[int, Mapping[str, Target]] | None = None
        self._turn = threading.Lock()
        self._stopping = False
        self._first = True  # what this process had claimed when it was killed need not wait for its leases

    def plan(self) -> int:
        """Makes rows of all that falls due within the horizon; counts them."""
        prints = {id_: _fingerprint(target) for id_, target in self._targets().items()}
        now = self._clock()
        planned = self._ledger.plan(prints.keys(), now)
        for id_ in self._ledger.mend(prints, now):
            log.info("the channel leads elsewhere now and is tried again", extra={"channel": id_})
        return planned

    def tick(self) -> None:
        """One turn: sends what is due, for at most about a second."""
        with self._turn:
            current = None if self._stopping else self._ledger.current()
            if current is not None:
                targets = self._targets()
                self._replan(current, targets)
                self._work(_routes(current, targets), targets, time.monotonic() + TURN_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Lets sends that are under way finish, and gives back the rest."""
        self._stopping = True
        with self._turn:
            for job in self._senders.recall():
                self._finish(unanswered(job, Result.UNSENT, self._clock()))
            end = time.monotonic() + seconds
            while self._jobs and time.monotonic() < end:
                self._collect(WAIT_SECONDS)
            for job in list(self._jobs.values()):
                self._finish(unanswered(job, Result.LOST, self._clock(), STOPPED))
            self._settle()

    def _replan(self, current: Current, targets: Mapping[str, Target]) -> None:
        """At once when there is a new source or another address; the scheduler sees to the rest."""
        state = current.version, targets
        if state != self._planned:
            self.plan()
            self._planned = state

    def _work(self, routes: Mapping[str, Route], targets: Mapping[str, Target], end: float) -> None:
        if self._first or not self._ledger.idle(self._clock()):
            self._settle()
            self._ledger.sweep(self._clock())
            self._first = False
        claimed = self._claim(routes, targets)
        while self._jobs and time.monotonic() < end:
            self._gather(BATCH_SECONDS if claimed else WAIT_SECONDS)
            claimed = self._claim(routes, targets)
        self._settle()

    def _claim(self, routes: Mapping[str, Route], targets: Mapping[str, Target]) -> int:
        """Settles and claims in one transaction: each commit costs as much as several sends."""
        now, free = self._clock(), self._room - len(self._jobs)
        if free <= 0 or (not self._unsettled and self._ledger.idle(now)):
            self._ledger.current()  # what still waits for a thread must not be sent if an edit has outdated it
            return 0
        with self._gate.claiming(routes.__getitem__, time.monotonic()) as admit:
            claimed = self._ledger.claim(now, free, list(routes), admit, self._unsettled)
        self._unsettled = []
        current = self._ledger.known
        if claimed and current is not None:
            desk = Desk(current, self._base_url)
            for one in claimed:
                route, target = routes[one.channel], targets[one.channel]
                self._start(Job(claimed=one, desk=desk, target=target, route=route, taken=now))
        return len(claimed)

    def _start(self, job: Job) -> None:
        self._gate.started(job.route)
        self._jobs[job.claimed.id, job.claimed.attempt] = job
        self._senders.submit(job)

    def _collect(self, seconds: float) -> None:
        """Settles what finishes within ``seconds``."""
        self._gather(seconds)
        self._settle()

    def _gather(self, seconds: float) -> None:
        """Takes in what finishes within ``seconds``, or half the room, whichever comes first."""
        if self._jobs:
            begin = time.monotonic()
            finished = self._senders.finished(min(len(self._jobs), self._room // 2), seconds)
            for done in finished:
                self._finish(done)
            self._senders.grow(len(finished), time.monotonic() - begin)

    def _finish(self, done: Done) -> None:
        job, settlement = done.job, done.settlement
        if self._jobs.pop((job.claimed.id, job.claimed.attempt), None) is None:
            return
        wait = settlement.retry_after
        self._gate.ended(job.route, _end(done), time.monotonic(), None if wait is None else min(wait, LONGEST_WAIT))
        self._unsettled.append(settlement)
        self._tell(done)

    def _tell(self, done: Done) -> None:
        one, claimed = done.settlement, done.job.claimed
        level = logging.INFO if one.result in {Result.SENT, *UNTRIED} else logging.WARNING
        if not log.isEnabledFor(level):
            return
        names = {"delivery": claimed.id, "kind": claimed.kind, "channel": claimed.channel, "attempt": claimed.attempt}
        details = {"status": one.status, "error": one.error, "retry_after": one.retry_after}
        told = {name: value for name, value in details.items() if value is not None}
        log.log(level, "%s", one.result, extra=names | told)

    def _settle(self) -> None:
        """What the ledger cannot take now is kept for the next turn."""
        if self._unsettled:
            self._ledger.settle(self._unsettled, self._clock())
            self._unsettled = []


def _routes(current: Current, targets: Mapping[str, Target]) -> dict[str, Route]:
    """Where each published channel leads that this process has an address for."""
    found = ((one, targets[one.id]) for one in current.catalog.channels if one.id in targets)
    return {one.id: Route(one.kind, urlsplit(target.url).netloc, target.url) for one, target in found}


def _fingerprint(target: Target) -> str:
    return sha256(f"{target.url}\n{target.secret or ''}".encode()).hexdigest()


def _end(done: Done) -> End:
    if done.settlement.result in UNTRIED:
        return "unsent"
    return "answered" if done.answered else "failed"
