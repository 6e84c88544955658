"""APScheduler's wiring: few jobs in memory, in the reminder process alone. What is due is the ledger's to know.

One job a reminder would lose them: a job that starts a second late is dropped by default. Here every job may start as
late as it likes, runs once for however many turns were missed, and never beside itself. The scheduler sleeps on a
monotonic clock; a turn each second bounds what a suspended machine or a jump of the clock, either way, can cost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from calfeed.channels.base import Request, Target
from calfeed.channels.registry import Courier, driver
from calfeed.deliver import Deliverer, Subscribers
from calfeed.deliver.deliverer import STOP_SECONDS
from calfeed.errors import LedgerError
from calfeed.ledger import Ledger
from calfeed.publish import Publisher, utcnow
from calfeed.settings import Settings
from calfeed.trial import target

log = logging.getLogger(__name__)

Job = Callable[[], object]

TURN = 1.0
RELOAD = 0.5
BEAT = 10.0
PLAN = PING = 60.0
HOUSEKEEPING = 3600.0
"""Seconds between runs."""


class Reminders:
    """The reminder process: a ledger, a publisher that builds no feeds, a deliverer, and what turns them."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, role: str = "remind") -> None:
        self._environ = environ
        self._heartbeat_url = settings.heartbeat_url
        self._courier = Courier(settings.allow_private_webhooks)
        self._turned: datetime | None = None
        self._pinged: float | None = None
        self.ledger = Ledger(settings.database_url, role=role)
        self.publisher = Publisher(settings.events, self.ledger, base_url=settings.base_url, feeds=False)
        self.deliverer = Deliverer(
            self.ledger,
            self.targets,
            transport=self._courier,
            driver=driver,
            clock=utcnow,
            base_url=settings.base_url,
        )
        self.subscribers = Subscribers(self.ledger, transport=self._courier, clock=utcnow, base_url=settings.base_url)
        jobs: dict[str, tuple[Job, float]] = {
            "deliver": (self.turn, TURN),
            "subscribers": (self.subscribers.tick, TURN),
            "reload": (self.publisher.poll, RELOAD),
            "plan": (self.deliverer.plan, PLAN),
            "heartbeat": (self.beat, BEAT),
            "ping": (self.ping, TURN),
            "housekeeping": (self.clean, HOUSEKEEPING),
        }
        self._underway = Underway()
        self._clockwork = clockwork({name: (self._underway.counted(job), often) for name, (job, often) in jobs.items()})

    def start(self) -> None:
        """Reads the source and starts turning; faults are logged and tried again."""
        guarded("reload", self.publisher.reload)()
        self._clockwork.start()

    def stop(self) -> None:
        """Ends within ten seconds: sends under way finish, the rest is given back."""
        self._clockwork.shutdown(wait=False)
        end = time.monotonic() + STOP_SECONDS
        for name, deliverer in (("stop", self.deliverer), ("stop subscribers", self.subscribers)):
            guarded(name, partial(deliverer.stop, max(end - time.monotonic(), 0)))()
        self._underway.end(max(end - time.monotonic(), 0))  # a beat after the leave would say that it is still there
        guarded("leave", lambda: self.ledger.leave(utcnow()))()
        self.ledger.close()

    def targets(self) -> dict[str, Target]:
        """The addresses of the channels whose settings are there; the others are idle in this process."""
        published = self.publisher.published
        channels = published.catalog.channels if published else ()
        found = ((channel.id, target(channel, self._environ)) for channel in channels)
        return {id_: where for id_, where in found if where is not None}

    def turn(self) -> None:
        """One turn of deliveries, and the note that it went well."""
        self.deliverer.tick()
        first, self._turned = self._turned is None, utcnow()
        if first:
            self.beat()

    def beat(self) -> None:
        """Tells the others that this process is alive, and that its turns go well."""
        now = utcnow()
        self.ledger.beat(now, ticked=self._turned is not None and now - self._turned < timedelta(seconds=2 * BEAT))

    def ping(self) -> None:
        """Tells whoever watches from outside once in `PING`, from the first turn on, as long as turns go well."""
        well = self._turned is not None and utcnow() - self._turned < timedelta(seconds=PING)
        if self._heartbeat_url and well and (self._pinged is None or time.monotonic() - self._pinged >= PING):
            self._pinged = time.monotonic()
            self._courier.send(Request(method="GET", url=self._heartbeat_url, headers={}, body=b""))

    def clean(self) -> None:
        """Drops what is too old to matter."""
        self.ledger.prune(utcnow())
        self.ledger.self_service.prune(utcnow())


class Underway:
    """The jobs that run at the moment, so that an end can wait for them."""

    def __init__(self) -> None:
        self._running, self._over = 0, False
        self._changed = threading.Condition()

    def counted(self, job: Job) -> Job:
        """The job, known to be running while it does; it does not begin any more after the end."""

        def run() -> None:
            with self._changed:
                if self._over:
                    return
                self._running += 1
            try:
                job()
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return run

    def end(self, seconds: float) -> bool:
        """Lets none begin and waits so long for those that run; whether all have ended."""
        with self._changed:
            self._over = True
            return self._changed.wait_for(lambda: not self._running, seconds)


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """So often, whatever the clock does: after a jump forward once, not once for each turn that it skipped."""

    def __init__(self, seconds: float) -> None:
        self.interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """One interval after the last time; now when that has passed or there was none."""
        if previous_fire_time is None:
            return now
        return max(previous_fire_time + self.interval, now)


class Clockwork(BackgroundScheduler):  # type: ignore[misc]  # as above
    """A scheduler whose jobs do not wait for a day when the clock is put back by one."""

    def _process_jobs(self) -> float | None:
        now = datetime.now(UTC)
        jobs = self.get_jobs()
        for job in jobs:
            if job.next_run_time > now + job.trigger.interval:
                job.modify(next_run_time=now)
        seconds: float | None = super()._process_jobs()
        longest: list[float] = [job.trigger.interval.total_seconds() for job in jobs]
        return None if seconds is None else min([seconds, *longest])  # it may have been put back between two looks


def clockwork(jobs: Mapping[str, tuple[Job, float]]) -> Clockwork:
    """A scheduler with these jobs, each every so many seconds, the first time at once."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a turn that takes longer than a second is no fault
    scheduler = Clockwork(
        timezone=UTC,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for name, (job, seconds) in jobs.items():
        scheduler.add_job(guarded(name, job), Every(seconds), id=name, next_run_time=datetime.now(UTC))
    return scheduler


def guarded(name: str, job: Job) -> Job:
    """The job, whose faults are logged (one that lasts: once) and never end the scheduler."""
    last = ""

    def run() -> None:
        nonlocal last
        try:
            job()
            last = ""
        except LedgerError as fault:
            if str(fault) != last:
                log.error("%s: %s; trying again", name, fault)
            last = str(fault)
        except Exception:  # whatever one turn meets, the next must come
            log.exception("%s failed; trying again", name)

    return run
