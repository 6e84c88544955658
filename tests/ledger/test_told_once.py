"""What a subscription is told of an event that is edited again and again: each time from what it knows, and once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.channels.base import Answer, Fault, Request
from calfeed.deliver import Subscribers
from calfeed.events.model import Calendar, Catalog, Duration, Event, Feed, Text, Visibility
from calfeed.ledger import Ledger, Result, Settlement, copies
from calfeed.ledger.audiences import Audience
from calfeed.ledger.subscriptions import Wish

NOW = datetime(2024, 5, 10, tzinfo=UTC)
TALKS = datetime(2024, 5, 12, 2, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
NAME = Text((("en", "Talks"),))


def event(start: datetime) -> Event:
    return Event(id="talks", uid="uid", summary=NAME, timezone="UTC", start=start, end=start + HOUR)


TWO, THREE, FOUR = (event(TALKS + number * HOUR) for number in range(3))


def well(_: Request) -> Answer | Fault:
    return Answer(status=200)


def away(_: Request) -> Answer | Fault:
    return Answer(status=503)


def lost(_: Request) -> Answer | Fault:
    return Fault(kind="timeout")


class World:
    """Subscriptions of one audience; each has its own answer, and what reached it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.now = NOW
        self.tombstone = Duration(days=30)
        self.answers: dict[str, Callable[[Request], Answer | Fault]] = {}
        self.told: dict[str, list[str]] = {}
        self.subscribers = Subscribers(ledger, transport=self, clock=lambda: self.now, base_url="https://c.example.org")

    def send(self, request: Request) -> Answer | Fault:
        place = request.url.partition("//")[2].partition(".")[0]
        answer = self.answers.get(place, well)(request)
        if isinstance(answer, Fault) or answer.status == 200:
            self.told.setdefault(place, []).append(said(json.loads(request.body)))
        return answer

    def publish(self, one: Event | None, visibility: Visibility = "public") -> None:
        self.now += timedelta(seconds=5)
        calendar = Calendar(id="visit", name=NAME, timezone="UTC", tombstone=self.tombstone)
        events = () if one is None else (one,)
        feed = Feed(id="all", name=NAME, visibility=visibility)
        self.ledger.publish(Catalog(calendar=calendar, events=events, feeds=(feed,)), self.now)

    def subscribe(self, *places: str) -> None:
        audience = Audience(feed="all", categories=(), before=(Duration(seconds=3600),))
        service = self.ledger.self_service
        for place in places:
            host = f"{place}.example.org"
            wish = Wish(audience=audience, kind="webhook", url=f"https://{host}/", host=host, home="https://c.example")
            one, _ = service.create(wish, self.now)
            service.verify(one.id, self.now)
        self.ledger.plan((), self.now)

    def spread(self) -> None:
        """Copies are made, and none is sent."""
        while self.ledger.self_service.spread(self.now):
            pass

    def claim(self) -> copies.Copy:
        """The one copy that is due, in the hands of a sender."""
        (one,) = self.ledger.self_service.claim(self.now, 10, lambda _: 0.0)
        return one

    def sent(self, one: copies.Copy) -> None:
        """It arrived, and told the second revision."""
        done = Settlement(delivery=one.claimed.id, attempt=1, result=Result.SENT, ended=self.now, revision=2)
        self.ledger.settle([done], self.now)

    def turn(self, after: timedelta = timedelta()) -> None:
        self.now += after
        self.ledger.sweep(self.now)
        for _ in range(2):
            self.subscribers.tick()


def said(body: dict[str, Any]) -> str:
    """The kind of change, the hour that was known and the hour that is told; or the hour of which is reminded."""
    if body["type"] == "event.reminder":
        return f"reminder {body['data']['event']['start'][11:13]}"
    change = body["data"]["change"]
    before, after = (one and one["start"][11:13] for one in (change["before"], change["after"]))
    return f"{change['kind']} {before}→{after}"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with Ledger(database_url) as ledger:
        ledger.upgrade()
        made = World(ledger)
        made.publish(TWO)
        made.subscribe("a")
        yield made
        made.subscribers.stop()


def test_edited_twice_before_it_was_told(world: World) -> None:
    world.publish(THREE)
    world.spread()
    world.publish(FOUR)
    world.turn()
    assert world.told == {"a": ["moved 02→04"]}


def test_edited_again_between_the_last_look_and_the_claim(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    service = world.ledger.self_service
    spread = service.spread
    world.publish(THREE)

    def edited(now: datetime) -> bool:
        monkeypatch.undo()
        mine = world.ledger
        with Ledger(mine.database.url.render_as_string(hide_password=False)) as world.ledger:
            world.publish(FOUR)
        world.ledger = mine
        return spread(world.now)

    monkeypatch.setattr(service, "spread", edited)
    world.turn()
    assert world.told == {"a": ["moved 02→04"]}


def test_undone_before_it_was_told(world: World) -> None:
    world.publish(THREE)
    world.spread()
    world.publish(TWO)
    world.turn()
    assert world.told == {}


def test_undone_and_done_again_before_it_was_told(world: World) -> None:
    for edit in (THREE, TWO, THREE):
        world.publish(edit)
        world.spread()
    world.turn()
    assert world.told == {"a": ["moved 02→03"]}


def test_told_and_edited_again(world: World) -> None:
    for edit in (THREE, FOUR, TWO):
        world.publish(edit)
        world.turn()
    assert world.told == {"a": ["moved 02→03", "moved 03→04", "moved 04→02"]}


def test_told_edited_twice_and_back_to_what_was_told(world: World) -> None:
    world.publish(THREE)
    world.turn()
    for edit in (FOUR, THREE):
        world.publish(edit)
        world.spread()
    world.turn()
    assert world.told == {"a": ["moved 02→03"]}


@pytest.mark.parametrize("off", [None, replace(FOUR, status="cancelled")], ids=["removed", "cancelled"])
def test_moved_and_then_off_before_it_was_told(world: World, off: Event | None) -> None:
    world.publish(THREE)
    world.spread()
    world.publish(off)
    world.turn()
    assert world.told == {"a": ["cancelled 02→04" if off else "removed 02→None"]}


def test_each_is_told_from_what_it_knows(world: World) -> None:
    """One endpoint was away when the first edit was told."""
    world.subscribe("b")
    world.answers["b"] = away
    world.publish(THREE)
    world.turn()
    world.publish(FOUR)
    del world.answers["b"]
    world.turn(after=MINUTE)
    world.turn(after=HOUR)
    assert world.told == {"a": ["moved 02→03", "moved 03→04"], "b": ["moved 02→04"]}


def test_undone_after_some_were_told(world: World) -> None:
    """Who was away hears nothing of it; who may have heard of it is told."""
    world.subscribe("b", "c")
    world.answers |= {"b": away, "c": lost}
    world.publish(THREE)
    world.turn()
    world.publish(TWO)
    world.answers.clear()
    world.turn(after=MINUTE)
    world.turn(after=HOUR)
    told = ["moved 02→03", "moved 03→02"]
    assert world.told == {"a": told, "c": told}


def test_back_to_what_may_have_been_told(world: World) -> None:
    """Nobody knows whether the second edit arrived; back to the first, it is told what it may not know."""
    world.publish(THREE)
    world.turn()
    world.answers["a"] = lost
    world.publish(FOUR)
    world.turn()
    world.answers.clear()
    world.publish(THREE)
    world.turn(after=MINUTE)
    assert world.told == {"a": ["moved 02→03", "moved 03→04", "moved 04→03"]}


def test_edited_again_while_it_is_being_told(world: World) -> None:
    """The second notice waits until it is known whether the first arrived."""
    world.publish(THREE)
    world.spread()
    first = world.claim()
    world.publish(FOUR)
    world.turn()
    assert world.told == {}
    world.sent(first)
    world.turn(after=MINUTE)
    assert world.told == {"a": ["moved 03→04"]}


def test_undone_while_half_of_the_copies_were_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was told hears that it is undone, although the notice was withdrawn from the others."""
    monkeypatch.setattr(copies, "PAGE", 1)
    world.subscribe("b")
    world.publish(THREE)
    world.ledger.self_service.spread(world.now)
    one = world.claim()
    world.sent(one)
    world.publish(TWO)
    world.turn()
    assert world.told == {one.subscription.host[0]: ["moved 03→02"]}


def test_undone_while_a_reminder_was_tried_again(world: World) -> None:
    """Who was told nothing meanwhile still waits for it; who had it hears that the edit came and went."""
    world.subscribe("b")
    world.answers["a"] = away
    world.turn(after=TALKS - HOUR - world.now)
    world.publish(THREE)
    world.turn(after=MINUTE)
    world.turn(after=3 * SECOND)
    world.publish(TWO)
    world.answers.clear()
    world.turn(after=MINUTE)
    world.turn(after=3 * SECOND)
    assert world.told == {"a": ["reminder 02"], "b": ["reminder 02", "moved 02→03", "moved 03→02"]}


def test_undone_and_told_while_a_reminder_was_tried_again(world: World) -> None:
    """Who heard of the edit after its reminder was outdated hears that it is undone, and needs no reminder."""
    world.answers["a"] = away
    world.turn(after=TALKS - HOUR - world.now)
    world.publish(THREE)
    world.turn(after=MINUTE)
    world.turn(after=3 * SECOND)
    world.answers.clear()
    world.turn(after=5 * MINUTE)
    world.publish(TWO)
    world.turn(after=MINUTE)
    world.turn(after=3 * SECOND)
    assert world.told == {"a": ["moved 02→03", "moved 03→02"]}


@pytest.mark.parametrize("hours", [0, 2])
def test_a_date_of_a_series_that_was_off_while_its_reminder_was_tried_again(world: World, hours: int) -> None:
    """It is on again and its reminder still waits, also where the series has moved and the date has stayed."""

    def series(moved: int, **keys: Any) -> Event:
        first = event(TALKS - 21 * HOUR + moved * HOUR)
        own = replace(TWO, recurrence_id=first.start + 24 * HOUR, **keys)
        return replace(first, rrule="FREQ=DAILY;COUNT=2", overrides=(own,))

    world.publish(series(0))
    world.turn()
    world.answers["a"] = away
    world.turn(after=TALKS - HOUR - world.now)
    world.publish(series(0, status="cancelled"))
    world.turn(after=MINUTE)
    world.answers.clear()
    world.told.clear()
    world.publish(series(hours))
    world.turn(after=MINUTE)
    world.turn(after=3 * SECOND)
    assert [said for said in world.told["a"] if said.startswith("reminder")] == [f"reminder {5 + hours:02}"]


def test_edited_while_the_feed_was_not_in_public(world: World) -> None:
    """Once it is back, those who were told of the event hear the change."""
    world.turn(after=TALKS - HOUR - world.now)
    world.publish(THREE, "private")
    world.turn(after=MINUTE)
    world.publish(THREE)
    world.ledger.plan((), world.now)
    world.turn(after=MINUTE)
    assert world.told == {"a": ["reminder 02", "moved 02→03"]}


def test_removed_where_no_tombstone_is_kept(world: World) -> None:
    """Feeds forget it at once, but those who were told of it hear that it is gone."""
    world.tombstone = Duration()
    world.publish(THREE)
    world.turn()
    world.publish(None)
    world.turn()
    assert world.told == {"a": ["moved 02→03", "removed 03→None"]}
    world.publish(FOUR)
    world.turn()
    assert world.told["a"][2:] == ["restored 03→04"]


def test_removed_after_some_were_told_that_it_is_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To those who know that it is off, that it is gone is no news; to those who do not, it is."""
    monkeypatch.setattr(copies, "PAGE", 1)
    world.subscribe("b")
    world.publish(replace(TWO, status="cancelled"))
    world.ledger.self_service.spread(world.now)
    one = world.claim()
    world.sent(one)
    world.publish(None)
    world.turn()
    (other,) = {"a", "b"} - {one.subscription.host[0]}
    assert world.told == {other: ["removed 02→None"]}


def test_edited_again_by_a_process_whose_clock_is_behind(world: World) -> None:
    world.publish(THREE)
    world.spread()
    world.now -= HOUR
    world.publish(FOUR)
    world.turn(after=2 * HOUR)
    assert world.told == {"a": ["moved 02→04"]}
