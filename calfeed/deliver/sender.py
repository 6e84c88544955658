"""Threads that send: take a job, write its message, post it, judge the answer, hand back how it went."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from calfeed.channels.base import Answer, ChannelDriver, Fault, Outcome, Target, Verdict
from calfeed.channels.registry import Transport
from calfeed.deliver.desk import Desk
from calfeed.deliver.gate import Route
from calfeed.events.model import ChannelKind
from calfeed.ledger import Claimed, Current, Result, Settlement

log = logging.getLogger(__name__)

FEW = 2
"""Threads to begin with: as many as keep an interpreter busy that sends to receivers next door."""

BUSY = 500
"""Messages a second; more come from a processor with work to do, fewer from threads that wait."""

T = TypeVar("T")

EXCERPT = 500
"""Characters of an answer that are kept."""

SECRET = 8
"""What is shorter is a word like "hook" that may stand in any text."""

STALE = timedelta(seconds=20)
"""A job that waited longer (a stopped process, a sleeping machine) is given back: its lease may be over by the end."""

RESULTS = {
    Outcome.SENT: Result.SENT,
    Outcome.RETRY: Result.RETRY,
    Outcome.REJECTED_MESSAGE: Result.REJECTED,
    Outcome.BROKEN_CHANNEL: Result.BROKEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One claimed delivery, with all that a thread needs to send it."""

    claimed: Claimed
    desk: Desk
    target: Target
    route: Route
    taken: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a job went."""

    job: Job
    settlement: Settlement
    answered: bool = False  # the host is alive, whatever it thinks of the message


class Senders:
    """A bounded pool of daemon threads.

    There are few of them until receivers prove slow: beyond that, threads only wait for the interpreter's lock.
    """

    def __init__(
        self,
        transport: Transport,
        driver: Callable[[ChannelKind], ChannelDriver],
        clock: Callable[[], datetime],
        *,
        known: Callable[[], Current | None],
        threads: int,
    ) -> None:
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._wanted = 1
        self._enough = threading.Event()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._transport = transport
        self._driver = driver
        self._clock = clock
        self._known = known
        self._threads = threads
        self._running = 0

    def submit(self, job: Job) -> None:
        """Hands a job to the next free thread."""
        self._jobs.put(job)
        if self._running < min(FEW, self._threads):
            self._grow(1)

    def finished(self, wanted: int, seconds: float) -> list[Done]:
        """What has finished, once it is as many as ``wanted`` or the time is up.

        The caller sleeps until then: to wake it for each one would cost as much as sending does.
        """
        self._wanted = wanted
        self._enough.clear()
        if self._done.qsize() < wanted:
            self._enough.wait(seconds)
        return _drained(self._done)

    def grow(self, finished: int, seconds: float) -> None:
        """More threads, when jobs wait and so few were finished in that time that those that run must wait too."""
        if finished < seconds * BUSY and self._running < self._threads and not self._jobs.empty():
            self._grow(min(self._running, self._threads - self._running))

    def recall(self) -> list[Job]:
        """Takes back the jobs that no thread has begun."""
        return _drained(self._jobs)

    def _grow(self, count: int) -> None:
        for _ in range(count):
            self._running += 1
            threading.Thread(target=self._run, name=f"calfeed-send-{self._running}", daemon=True).start()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                done = self._sent(job, self._clock())
            except Exception as fault:  # noqa: BLE001  # a thread that dies would take its place in the pool with it
                log.error("a delivery failed inside calfeed: %s", type(fault).__name__, extra=_names(job))
                done = unanswered(job, Result.RETRY, self._clock(), f"calfeed failed: {type(fault).__name__}")
            self._done.put(done)
            if self._done.qsize() >= self._wanted:
                self._enough.set()

    def _sent(self, job: Job, now: datetime) -> Done:
        if now - job.taken > STALE:
            return unanswered(job, Result.UNSENT, now)
        desk = job.desk.renewed(self._known())
        if desk is not job.desk:  # an edit came while it waited
            job = replace(job, desk=desk)
        message = desk.message(job.claimed, now)
        if message is None:
            version = desk.current.version
            return unanswered(job, Result.SUPERSEDED, now, "outdated before it was sent", version=version)
        driver, claimed = self._driver(job.route.kind), job.claimed
        try:
            request = driver.request(
                message, job.target, webhook_id=claimed.webhook_id, at=now, corrects=claimed.corrects
            )
        except ValueError as fault:
            return unanswered(job, Result.BROKEN, now, redacted(str(fault), job.target))
        answer = self._transport.send(request)
        return self._answered(job, answer, self._verdict(job, driver, answer), now)

    def _verdict(self, job: Job, driver: ChannelDriver, answer: Answer | Fault) -> Verdict:
        """The driver's; should it fail over an answer nobody foresaw, a 2xx at least must not have it sent again."""
        try:
            return driver.judge(answer, self._clock())
        except Exception as fault:  # noqa: BLE001  # what was sent is sent, whatever is wrong with the code that reads answers
            log.error("an answer was not understood: %s", type(fault).__name__, extra=_names(job))
            taken = isinstance(answer, Answer) and answer.status // 100 == 2
            outcome = Outcome.SENT if taken else Outcome.RETRY
            return Verdict(outcome=outcome, reason=f"calfeed failed: {type(fault).__name__}")

    def _answered(self, job: Job, answer: Answer | Fault, verdict: Verdict, started: datetime) -> Done:
        settlement = Settlement(
            delivery=job.claimed.id,
            attempt=job.claimed.attempt,
            result=RESULTS[verdict.outcome],
            started=started,
            ended=self._clock(),
            status=answer.status if isinstance(answer, Answer) else None,
            error=None if verdict.outcome is Outcome.SENT else redacted(verdict.reason, job.target),
            retry_after=verdict.retry_after,
            provider_ref=verdict.provider_ref,
            revision=job.desk.revision(job.claimed),
            excerpt=_excerpt(answer.body, job.target) if isinstance(answer, Answer) else None,
        )
        return Done(job=job, settlement=settlement, answered=isinstance(answer, Answer) and answer.status < 500)


def _drained(source: queue.SimpleQueue[T]) -> list[T]:
    found = []
    while True:
        try:
            found.append(source.get_nowait())
        except queue.Empty:
            return found


def unanswered(
    job: Job, result: Result, now: datetime, error: str | None = None, *, version: int | None = None
) -> Done:
    """How a job went that no answer speaks of; ``version`` is the publication that made it outdated."""
    settlement = Settlement(
        delivery=job.claimed.id, attempt=job.claimed.attempt, result=result, ended=now, error=error, version=version
    )
    return Done(job=job, settlement=settlement)


def redacted(text: str, target: Target) -> str:
    """The text without the target's address, its path (Slack's token) or its secret."""
    if len(text) < SECRET:
        return text
    parts = urlsplit(target.url)
    secrets = (target.url, target.secret or "", parts.query, parts.path.strip("/"), parts.password or "")
    for secret in secrets:
        if len(secret) >= SECRET:
            text = text.replace(secret, "…")
    return text


def _excerpt(body: bytes, target: Target) -> str | None:
    text = body[: 4 * EXCERPT].decode(errors="replace").replace("\x00", "\ufffd")  # PostgreSQL keeps no NUL
    return redacted(text, target)[:EXCERPT] or None


def _names(job: Job) -> dict[str, str]:
    return {"delivery": job.claimed.id, "channel": job.claimed.channel, "host": job.route.host}
