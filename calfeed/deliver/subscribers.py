"""Deliveries to self-service subscriptions: threads and room of their own, so that no stranger holds up a channel."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from calfeed.channels.registry import Transport
from calfeed.deliver.deliverer import BATCH_SECONDS, ROOM, THREADS, TURN_SECONDS, WAIT_SECONDS, Deliverer
from calfeed.deliver.gate import Route
from calfeed.deliver.sender import Done, Job
from calfeed.deliver.stranger import Shelf, Stranger, StrangersDesk, target
from calfeed.ledger import Ledger
from calfeed.ledger.subscriptions import Subscription

log = logging.getLogger(__name__)


class Subscribers(Deliverer):
    """Copies what audiences are owed to their subscriptions, and sends the copies."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        transport: Transport,
        clock: Callable[[], datetime],
        base_url: str | None = None,
        threads: int = THREADS,
        room: int = ROOM,
    ) -> None:
        super().__init__(
            ledger,
            dict,
            transport=transport,
            driver=Stranger,
            clock=clock,
            base_url=base_url,
            threads=threads,
            room=room,
        )
        self._service = ledger.self_service
        self._shelf: Shelf | None = None

    def tick(self) -> None:
        """One turn: a page of copies and what can be sent of them, again and again, for at most about a second."""
        with self._turn:
            if self._stopping or self._ledger.current() is None:
                return
            if self._service.unplanned():
                self._ledger.plan((), self._clock())
            end = time.monotonic() + TURN_SECONDS
            while self._round() and time.monotonic() < end:
                pass
            self._settle()

    def _round(self) -> bool:
        """Whether there may be more to do at once."""
        now = self._clock()
        idle = self._service.idle(now)
        copied = not idle and self._service.spread(now)
        claimed = 0 if idle and not self._unsettled else self._claim_copies(now)
        if self._jobs:
            self._gather(BATCH_SECONDS if claimed or copied else WAIT_SECONDS)
            self._ledger.current()  # what still waits for a thread must not be sent if an edit has outdated it
        return bool(copied or claimed or self._jobs)

    def _claim_copies(self, now: datetime) -> int:
        free = self._room - len(self._jobs)
        if free <= 0:
            return 0
        routes: dict[str, Route] = {}
        clock = time.monotonic()
        with self._gate.claiming(routes.__getitem__, clock) as takes:

            def admit(one: Subscription) -> float:
                route = routes.setdefault(one.id, Route(one.kind, one.host, one.url))
                return 0.0 if takes(one.id) else self._gate.wait(route, clock)

            found = self._service.claim(now, free, admit, self._unsettled)
        self._unsettled = []
        shelf = self._current_shelf()
        for each in found:
            one = each.subscription
            desk = StrangersDesk(shelf.current, self._base_url, one, shelf)
            self._start(Job(claimed=each.claimed, desk=desk, target=target(one), route=routes[one.id], taken=now))
        return len(found)

    def _current_shelf(self) -> Shelf:
        """What is claimed belongs to this state or an older one, never to a newer."""
        current = self._ledger.known
        if current is None:
            raise RuntimeError("nothing is published, yet something was claimed")
        if self._shelf is None or self._shelf.current is not current:
            self._shelf = Shelf(current, self._base_url)
        return self._shelf

    def _tell(self, done: Done) -> None:
        """That a stranger's endpoint fails is no news for the operator, and 100,000 lines are none for anybody."""
        claimed, one = done.job.claimed, done.settlement
        log.debug("%s", one.result, extra={"delivery": claimed.id, "kind": claimed.kind, "status": one.status})
