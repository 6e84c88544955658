"""Edits that race with claims: what is cancelled is told so once, and is never reminded of by whoever knows."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.channels.base import Answer, Request, Target
from calfeed.channels.registry import driver
from calfeed.deliver import Deliverer
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, State

pytestmark = pytest.mark.slow

START = datetime(2024, 5, 12, 2, tzinfo=UTC)
DUE = START - timedelta(hours=1)
COUNT, EDITS, EACH = 400, 40, 5
NAME = Text((("en", "Desk"),))


def event(number: int) -> Event:
    end = START + timedelta(hours=1)
    return Event(id=f"e{number}", uid=f"uid-{number}", summary=NAME, start=START, end=end, timezone="UTC")


SOURCE = Catalog(
    calendar=Calendar(id="desk", name=NAME, timezone="UTC"),
    events=tuple(event(number) for number in range(COUNT)),
    feeds=(Feed(id="all", name=NAME),),
    channels=(Channel(id="hook", kind="webhook", url="env:HOOK", before=(Duration(seconds=3600),)),),
)


class Receiver:
    """Takes a few milliseconds a message, and notes reminders of events that its sender knows to be cancelled."""

    def __init__(self, told: list[tuple[str, str]], wrong: list[str], ledger: Ledger) -> None:
        self.told, self.wrong, self.ledger = told, wrong, ledger

    def send(self, request: Request) -> Answer:
        _, kind, event_id = _told(request)
        known = self.ledger.known
        if kind == "event.reminder" and known is not None and known.catalog.by_id[event_id].status == "cancelled":
            self.wrong.append(event_id)
        threading.Event().wait(0.003)
        self.told.append((kind, event_id))
        return Answer(status=200)


def _told(request: Request) -> tuple[str, str, str]:
    body = json.loads(request.body)
    return request.headers["webhook-id"], body["type"], body["data"]["event"]["id"]


def test_edits_racing_with_claims(database_url: str) -> None:
    """Two senders at work while 200 of 400 events are cancelled, five an edit."""
    told: list[tuple[str, str]] = []
    wrong: list[str] = []
    with Ledger(database_url) as editor:
        editor.upgrade()
        editor.publish(SOURCE, DUE - timedelta(days=1))
        editor.plan(["hook"], DUE - timedelta(days=1))
        done = threading.Event()
        senders = [
            threading.Thread(target=work, args=(database_url, told, wrong, done), name=f"sender {n}") for n in range(2)
        ]
        for one in senders:
            one.start()
        cancelled = edit(editor, random.Random(7))
        done.set()
        for one in senders:
            one.join()
        states = {(one.kind, one.uid): one.state for one in editor.deliveries(limit=2 * COUNT)}
        assert editor.audit(DUE).findings == ()
    reminded = Counter(event_id for kind, event_id in told if kind == "event.reminder")
    noticed = Counter(event_id for kind, event_id in told if kind == "event.cancelled")
    before = sum(reminded[one] for one in cancelled)
    lost = [one.id for one in SOURCE.events if not reminded[one.id] and one.id not in cancelled]
    repeated = [one for one in (reminded + noticed) if reminded[one] > 1 or noticed[one] > 1]
    print(
        f"{EDITS} edits racing with claims: {len(cancelled)} cancelled, {before} of them after their reminder; "
        f"lost {len(lost)}, repeated {len(repeated)}, wrong {len(wrong)}"
    )
    assert wrong == []
    assert noticed == Counter(cancelled)
    for one in SOURCE.events:
        state = states["reminder", one.uid]
        assert reminded[one.id] == (state is State.SENT)
        assert state is State.SENT or (state is State.SUPERSEDED and one.id in cancelled)


def edit(editor: Ledger, chance: random.Random) -> set[str]:
    """Cancels events in random order; every edit is one publication."""
    source = SOURCE
    order = chance.sample(range(COUNT), EDITS * EACH)
    for number in range(EDITS):
        off = {f"e{one}" for one in order[number * EACH : (number + 1) * EACH]}
        events = (replace(one, status="cancelled") if one.id in off else one for one in source.events)
        source = replace(source, events=tuple(events))
        editor.publish(source, DUE)
    return {f"e{one}" for one in order}


def work(url: str, told: list[tuple[str, str]], wrong: list[str], done: threading.Event) -> None:
    """Sends until the edits are done and nothing is left."""
    with Ledger(url, role="remind") as ledger:
        targets = {"hook": Target(url="https://hooks.example.org/1")}
        begin = time.monotonic()
        deliverer = Deliverer(
            ledger,
            lambda: targets,
            transport=Receiver(told, wrong, ledger),
            driver=driver,
            clock=lambda: (
                DUE + timedelta(seconds=time.monotonic() - begin)
            ),  # a notice may wait for a reminder's answer
        )
        while not (done.is_set() and over(ledger)):
            deliverer.tick()
        deliverer.stop()


def over(ledger: Ledger) -> bool:
    """Whether nothing waits, nor is at a sender that could give it back."""
    stats = ledger.stats(DUE)
    return stats.count(State.PENDING) + stats.count(State.SENDING) == 0
