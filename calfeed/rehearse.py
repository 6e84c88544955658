"""The real schedule on a simulated clock, to real endpoints; it never touches the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from calfeed.channels.base import Answer, Fault, Outcome, Request, Target, Verdict
from calfeed.channels.registry import driver
from calfeed.errors import Location
from calfeed.events.model import Catalog, Channel
from calfeed.reminders.digest import DueDigest, due_digests
from calfeed.reminders.message import Message, Origin, digest_message, reminder_message
from calfeed.reminders.plan import DueReminder, due_reminders

Due = DueReminder | DueDigest
Send = Callable[[Request], Answer | Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message of the rehearsal; ``verdict`` is None when nothing was sent."""

    due: Due
    message: Message
    verdict: Verdict | None


def schedule(catalog: Catalog, since: datetime, until: datetime) -> list[Due]:
    """Every reminder and digest due in (since, until], of all channels, in order."""
    found: list[Due] = [*due_reminders(catalog, since, until), *due_digests(catalog, since, until)]
    return sorted(found, key=lambda due: (due.due, due.key))


def for_one_endpoint(catalog: Catalog, url: str, since: datetime, until: datetime) -> list[Due]:
    """The same schedule with each reminder once, whatever number of channels it goes to, all to one webhook.

    Where no channel is configured, the default lead times serve.
    """
    only = Channel(id="rehearsal", kind="webhook", url=url, source=Location("--to-url"))
    if not catalog.channels:
        catalog = replace(catalog, channels=(only,))
    once: dict[str, Due] = {}
    for due in schedule(catalog, since, until):
        moved = replace(due, channel=replace(due.channel, id=only.id, kind=only.kind, url=url, secret=None))
        once.setdefault(moved.key, moved)
    return list(once.values())


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """Plays ``dues`` from ``since`` on, ``speed`` simulated seconds a second.

    ``target`` gives the address of a channel or None for one that is idle; ``wait`` sleeps real seconds;
    ``now`` is the real clock, which the signatures of webhooks need.
    """

    origin: Origin
    since: datetime
    speed: float
    target: Callable[[Channel], Target | None]
    send: Send | None
    wait: Callable[[float], object]
    now: Callable[[], datetime]

    def play(self, dues: list[Due]) -> Iterator[Step]:
        """One Step for each, at its simulated time; sending takes no simulated time."""
        started = self.now()
        for due in dues:
            at = started + (due.due - self.since) / self.speed
            ahead = (at - self.now()) / timedelta(seconds=1)
            if ahead > 0:
                self.wait(ahead)
            yield self._step(due)

    def _step(self, due: Due) -> Step:
        write = reminder_message if isinstance(due, DueReminder) else digest_message
        message = write(due, due.due, self.origin)  # type: ignore[arg-type]  # each writer gets what it was chosen for
        target = self.target(due.channel)
        if self.send is None or target is None:
            return Step(due=due, message=message, verdict=None)
        channel = driver(due.channel.kind)
        webhook_id = f"msg_{uuid5(NAMESPACE_URL, f'calfeed:rehearsal:{due.key}').hex}"
        try:
            request = channel.request(message, target, webhook_id=webhook_id, at=self.now())
        except ValueError as fault:  # the address or the secret; its text holds neither
            return Step(due=due, message=message, verdict=Verdict(outcome=Outcome.BROKEN_CHANNEL, reason=str(fault)))
        return Step(due=due, message=message, verdict=channel.judge(self.send(request), self.now()))
