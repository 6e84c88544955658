"""Whatever is published and edited: each reminder that is owed is told once, in a message that its vendor takes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calfeed.channels.base import Target
from calfeed.channels.registry import driver
from calfeed.deliver.desk import Desk
from calfeed.events.model import ALL, Calendar, Catalog, Channel, ChannelKind, Duration, Event, Feed, instant
from calfeed.ledger import Ledger, Result, Settlement
from calfeed.ledger.planning import reminder_key
from calfeed.reminders.digest import due_digests
from calfeed.reminders.plan import due_reminders
from tests.conformance import test_channels as conformance
from tests.property.conftest import ZONES, events, texts

CHECKS = {
    "slack": conformance.TestSlack().check,
    "teams": conformance.TestTeams().check,
    "discord": conformance.TestDiscord().check,
    "webhook": conformance.TestWebhook().check,
}
TARGETS: dict[ChannelKind, Target] = {
    "slack": Target(url="https://hooks.slack.com/services/T0/B0/x"),
    "teams": Target(url="https://example.org/workflows/x"),
    "discord": Target(url="https://discord.com/api/webhooks/1/x"),
    "webhook": Target(url="https://example.org/hook", secret="whsec_c2VjcmV0c2VjcmV0c2VjcmV0"),
}
LEADS = tuple(map(Duration.parse, ("0m", "1h", "1d")))
DAY = timedelta(days=1)

uids = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=40)


def named(event: Event, uid: str) -> Event:
    return replace(event, id="it", uid=uid, overrides=tuple(named(one, uid) for one in event.overrides))


@st.composite
def edits(draw: st.DrawFn) -> tuple[Catalog, Catalog]:
    """An event list of one event, and what an edit makes of it."""
    uid, name, quiet = draw(uids), draw(texts()), draw(st.sampled_from([None, (time(22), time(7))]))
    before = Catalog(
        calendar=Calendar(id="any", name=name, timezone=draw(st.sampled_from(ZONES))),
        events=(named(draw(events()), uid),),
        feeds=(Feed(id=ALL, name=name),),
        channels=tuple(
            Channel(id=f"to-{kind}", kind=kind, url="env:URL", before=LEADS, digest=time(8), quiet=quiet)
            for kind in TARGETS
        ),
    )
    after, some = named(draw(events()), uid), before.events[0]
    if draw(st.booleans()):  # else it may lie years away
        after = replace(some, status=after.status, overrides=())
        if not some.recurs:
            after = replace(after, start=some.start + DAY, end=some.end and some.end + DAY)
    return before, replace(before, events=(after,))


def owed(catalog: Catalog, since: datetime, until: datetime) -> set[str]:
    """The keys of what falls due in (since, until]."""
    reminders = {reminder_key(due) for due in due_reminders(catalog, since, until)}
    return reminders | {due.key for due in due_digests(catalog, since, until)}


def run(ledger: Ledger, until: datetime) -> None:
    """Sends all that falls due until then, at the moment when it does."""
    current = ledger.current()
    assert current is not None
    desk, channels = Desk(current, "https://calendar.example.org"), current.catalog.channel_by_id
    while pending := [one.at for one in ledger.deliveries(state="pending", limit=100_000) if one.at <= until]:
        now = min(pending)
        for claimed in ledger.claim(now, 1_000, list(channels), lambda _: True):
            message, kind = desk.message(claimed, now), channels[claimed.channel].kind
            assert message is not None, "it is owed, yet there is nothing to tell"
            request = driver(kind).request(message, TARGETS[kind], webhook_id=claimed.webhook_id, at=now)
            CHECKS[kind](json.loads(request.body))
            done = Settlement(
                delivery=claimed.id, attempt=1, result=Result.SENT, ended=now, revision=desk.revision(claimed)
            )
            ledger.settle([done], now)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(edits())
def test_what_is_owed_is_told_once(empty_ledger: Path, edit: tuple[Catalog, Catalog]) -> None:
    before, after = edit
    (event,) = before.events
    begin = instant(event.start, event.zone) - 2 * DAY
    edited, end = begin + 3 * DAY / 2, begin + 6 * DAY
    with TemporaryDirectory() as folder:
        shutil.copy(empty_ledger, folder)
        with Ledger(f"sqlite:///{folder}/{empty_ledger.name}") as ledger:
            ledger.publish(before, begin)
            ledger.plan(list(before.channel_by_id), begin)
            run(ledger, edited)
            ledger.publish(after, edited)
            run(ledger, end)
            told = {one.key for one in ledger.deliveries(state="sent", limit=100_000) if one.kind != "change"}
            assert told == owed(before, begin, edited) | owed(after, edited, end)
            assert ledger.audit(end).findings == ()
