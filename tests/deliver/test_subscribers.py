"""Subscribers: strangers prove themselves, are told in their own words, and hold up nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks import Webhook

from calfeed.channels.base import Answer, Fault, Request, Target
from calfeed.channels.guard import GuardedTransport
from calfeed.channels.registry import driver
from calfeed.deliver import Deliverer, Subscribers
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger
from calfeed.ledger.audiences import Audience
from calfeed.ledger.subscriptions import Standing, Subscription, Wish, find

NOW = datetime(2024, 5, 10, tzinfo=UTC)
TALKS = datetime(2024, 5, 12, 2, tzinfo=UTC)
DUE = TALKS - timedelta(hours=1)
HOUR = (Duration(seconds=3600),)
BASE = "https://calendar.example.org"


def text(english: str, russian: str = "") -> Text:
    return Text((("en", english), *((("ru", russian),) if russian else ())))


def event(name: str = "talks", start: datetime = TALKS, **keys: Any) -> Event:
    local = start.astimezone(ZoneInfo("Asia/Shanghai"))
    values = {
        "summary": text("Talks", "Переговоры"),
        "timezone": "Asia/Shanghai",
        "end": local + timedelta(hours=1),
    }
    return Event(id=name, uid=f"uid-{name}", start=local, **(values | keys))


def catalog(*events: Event, channels: tuple[Channel, ...] = ()) -> Catalog:
    calendar = Calendar(id="visit", name=text("Visit"), timezone="Asia/Shanghai")
    feeds = (Feed(id="all", name=text("All")), Feed(id="expo", name=text("Expo")))
    return Catalog(calendar=calendar, events=events, feeds=feeds, channels=channels)


def echo(request: Request) -> Answer | Fault:
    """An endpoint that gives challenges back and takes everything else."""
    challenge = json.loads(request.body).get("data", {}).get("challenge", "")
    return Answer(status=200, body=f"ok {challenge}".encode())


class Endpoints:
    """A transport that keeps what it is given and answers as it is told."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.answer: Callable[[Request], Answer | Fault] = echo

    def send(self, request: Request) -> Answer | Fault:
        self.sent.append(request)
        return self.answer(request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.sent]


class World:
    """A ledger, endpoints, a clock and what delivers to subscriptions."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.now = NOW
        self.endpoints = Endpoints()
        self.subscribers = self.another()

    def another(self, **keys: Any) -> Subscribers:
        values = {"transport": self.endpoints, "clock": lambda: self.now, "base_url": BASE}
        return Subscribers(self.ledger, **(values | keys))

    def publish(self, *events: Event, **keys: Any) -> None:
        self.ledger.publish(catalog(*events, **keys), self.now)

    def wish(self, place: str = "a", **keys: Any) -> Wish:
        values = {
            "audience": Audience(feed="all", categories=(), before=HOUR),
            "kind": "webhook",
            "url": f"https://{place}.example.org/hook",
            "host": f"{place}.example.org",
            "home": "https://elsewhere.example.org",
        }
        return Wish(**(values | keys))

    def subscribe(self, place: str = "a", **keys: Any) -> Subscription:
        """A subscription whose challenge was sent, and answered by an endpoint that does."""
        one, _ = self.ledger.self_service.create(self.wish(place, **keys), self.now)
        self.tick(turns=2)
        return self.seen(one)

    def seen(self, one: Subscription) -> Subscription:
        with self.ledger.database.read() as connection:
            return find(connection, one.id)

    def tick(self, at: datetime | None = None, turns: int = 1) -> None:
        self.now = at or self.now
        for _ in range(turns):
            self.subscribers.tick()

    def states(self, kind: str) -> list[str]:
        return sorted(str(one.state) for one in self.ledger.deliveries(kind=kind) if one.id.count("-"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Ledger(f"sqlite:///{tmp_path / 'calfeed.db'}") as ledger:
        ledger.upgrade()
        made = World(ledger)
        made.publish(event())
        yield made
        made.subscribers.stop()


class TestProof:
    """A URL belongs to whoever can make it answer."""

    def test_a_challenge_that_comes_back_proves_the_url(self, world: World) -> None:
        one = world.subscribe()
        (body,) = world.endpoints.bodies
        assert (body["type"], body["data"]["challenge"]) == ("subscription.challenge", one.proof("challenge"))
        assert one.state is Standing.ACTIVE

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=200),
            Answer(status=204, body=b"ok"),
            Answer(status=200, body=b"challenge"),
            Answer(status=404),
            Answer(status=302, headers={"location": "https://elsewhere.example.org"}),
            Answer(status=410),
            Fault(kind="timeout"),
            Fault(kind="refused", detail="its address is not a public one"),
        ],
        ids=str,
    )
    def test_nothing_else_proves_it(self, world: World, answer: Answer | Fault) -> None:
        world.endpoints.answer = lambda _: answer
        assert world.subscribe().state is Standing.UNVERIFIED

    def test_an_error_that_holds_the_challenge_proves_nothing(self, world: World) -> None:
        world.endpoints.answer = lambda request: Answer(status=400, body=request.body)
        assert world.subscribe().state is Standing.UNVERIFIED

    def test_what_takes_challenges_without_giving_them_back_gets_one_and_no_reminder(self, world: World) -> None:
        world.endpoints.answer = lambda _: Answer(status=200, body=b"ok")
        world.subscribe()
        world.tick(DUE, turns=2)
        assert [body["type"] for body in world.endpoints.bodies] == ["subscription.challenge"]

    def test_challenges_are_signed_with_the_subscriptions_secret(self, world: World) -> None:
        one = world.subscribe()
        (request,) = world.endpoints.sent
        world_time = {**request.headers, "webhook-timestamp": request.headers["webhook-timestamp"]}
        signed = Webhook(one.secret)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Webhook, "_Webhook__verify_timestamp", lambda *_: NOW)
            assert signed.verify(request.body, world_time) == json.loads(request.body)

    def test_slack_is_sent_a_link_to_confirm_and_no_key_to_compute_it(self, world: World) -> None:
        url = "https://hooks.slack.com/services/T0/B0/x"
        one = world.subscribe(kind="slack", url=url, host="hooks.slack.com")
        (body,) = world.endpoints.bodies
        link = f"{BASE}/confirm/{one.id}/{one.proof('confirm')}"
        assert (one.state, link in json.dumps(body)) == (Standing.UNVERIFIED, True)
        assert "webhook-signature" not in world.endpoints.sent[0].headers


class TestMessages:
    """What a subscription is told."""

    def test_a_reminder_in_its_language_and_zone_with_the_way_out(self, world: World) -> None:
        audience = Audience(feed="expo", categories=(), before=HOUR)
        one = world.subscribe(audience=audience, language="ru", timezone="Europe/Moscow")
        world.tick(DUE)
        data = world.endpoints.bodies[-1]["data"]
        assert {key: data[key] for key in ("lead", "due", "late_by", "calendar", "feed_url", "unsubscribe_url")} == {
            "lead": "PT1H",
            "due": "2024-05-12T01:00:00Z",
            "late_by": "PT0S",
            "calendar": {"id": "visit", "name": "Visit", "url": BASE},
            "feed_url": f"{BASE}/feeds/expo.ics",
            "unsubscribe_url": f"{BASE}/unsubscribe/{one.id}/{one.proof('unsubscribe')}",
        }
        assert data["event"]["summary"] == "Переговоры"

    def test_slack_readers_see_their_own_zone_and_the_way_out(self, world: World) -> None:
        url = "https://hooks.slack.com/services/T0/B0/x"
        one = world.subscribe(kind="slack", url=url, host="hooks.slack.com", language="ru")
        world.ledger.self_service.verify(one.id, world.now)
        world.subscribers = world.another()  # whose gate knows nothing of the challenge a moment ago
        world.tick()
        world.tick(DUE)
        told = json.dumps(world.endpoints.bodies[-1], ensure_ascii=False)
        assert "Переговоры" in told
        assert f"/unsubscribe/{one.id}/{one.proof('unsubscribe')}" in told

    def test_links_lead_to_where_it_was_made_when_no_public_address_is_set(self, world: World) -> None:
        world.subscribers = world.another(base_url=None)
        one = world.subscribe()
        data = world.endpoints.bodies[0]["data"]
        assert data["unsubscribe_url"].startswith(f"https://elsewhere.example.org/unsubscribe/{one.id}/")
        assert data["feed_url"] == "https://elsewhere.example.org/feeds/all.ics"

    def test_each_gets_its_own_copy_under_an_id_of_its_own(self, world: World) -> None:
        for place in "abc":
            world.subscribe(place)
        world.endpoints.sent.clear()
        world.tick(DUE, turns=2)
        sent = world.endpoints.sent
        assert sorted(request.url for request in sent) == [f"https://{p}.example.org/hook" for p in "abc"]
        assert len({request.headers["webhook-id"] for request in sent}) == 3

    def test_every_request_goes_the_guarded_way(self, world: World) -> None:
        world.subscribe()
        world.subscribe(kind="slack", url="https://hooks.slack.com/services/T0/B0/x", host="hooks.slack.com")
        world.tick(DUE)
        assert {request.via for request in world.endpoints.sent} == {"guarded"}

    def test_a_cancelled_event_is_told_as_such(self, world: World) -> None:
        world.subscribe()
        world.publish(event(status="cancelled"))
        world.tick()
        body = world.endpoints.bodies[-1]
        assert (body["type"], body["data"]["change"]["kind"]) == ("event.cancelled", "cancelled")

    def test_what_stops_being_public_between_copy_and_send_is_not_sent(self, world: World) -> None:
        """Decided when it is planned, and again when it is sent."""
        world.subscribe()
        world.endpoints.sent.clear()
        world.now = DUE
        while world.ledger.self_service.spread(DUE):
            pass
        world.publish(event(visibility="private"))
        world.tick(turns=2)
        assert (world.endpoints.sent, world.states("reminder")) == ([], ["superseded"])

    @pytest.mark.parametrize("hidden", [{"visibility": "private"}, {"embargo": TALKS + timedelta(days=9)}], ids=str)
    def test_a_hidden_date_of_a_series_stands_in_no_message(self, world: World, hidden: dict[str, Any]) -> None:
        series = event(rrule="FREQ=DAILY;COUNT=5")
        at = series.start + timedelta(days=2)
        secret = replace(series, rrule=None, recurrence_id=at, start=at, summary=text("MARKER"), **hidden)
        world.publish(replace(series, overrides=(secret,)))
        world.subscribe()
        for day in range(5):
            world.tick(DUE + timedelta(days=day))
        told = json.dumps(world.endpoints.bodies)
        assert ("MARKER" in told, told.count('"event.reminder"')) == (False, 4)


class TestFailures:
    """What becomes of endpoints that do not take their messages."""

    def test_410_ends_it(self, world: World) -> None:
        one = world.subscribe()
        world.endpoints.answer = lambda _: Answer(status=410)
        world.tick(DUE)
        assert (world.seen(one).state, world.states("reminder")) == (Standing.GONE, ["rejected"])

    def test_a_failure_is_tried_again_under_the_same_id(self, world: World) -> None:
        world.subscribe()
        world.endpoints.sent.clear()
        world.endpoints.answer = lambda _: Answer(status=503)
        world.tick(DUE)
        world.endpoints.answer = echo
        world.tick(DUE + timedelta(seconds=10))
        first, second = world.endpoints.sent
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert world.states("reminder") == ["sent"]

    def test_an_address_that_turns_private_is_not_connected_to_and_ends_it(self, world: World) -> None:
        """The real guarded transport, over a resolver that has changed its mind since the challenge."""
        one = world.subscribe()
        world.endpoints.answer = GuardedTransport(resolve=lambda *_: [(2, 1, 6, "", ("10.0.0.1", 443))]).send
        world.tick(DUE)
        assert world.seen(one).state is Standing.GONE

    def test_nothing_of_an_endpoint_stands_in_the_log(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG")
        world.endpoints.answer = lambda request: Answer(status=503, body=request.url.encode())
        one = world.subscribe(url="https://a.example.org/secret-path-of-theirs")
        kept = " ".join(str(each) for each in world.ledger.delivery(world.ledger.deliveries()[0].id)[1])
        for words in ("secret-path-of-theirs", one.secret, one.seed):
            assert words not in caplog.text + kept


def test_a_stranger_that_hangs_holds_up_no_channel(world: World) -> None:
    """Their threads are their own."""
    channel = Channel(id="hook", kind="webhook", url="", before=HOUR)
    world.publish(event(), channels=(channel,))
    ours = Endpoints()
    deliverer = Deliverer(
        world.ledger,
        lambda: {"hook": Target(url="https://ours.example.org/hook")},
        transport=ours,
        driver=driver,
        clock=lambda: world.now,
    )
    deliverer.tick()
    for number in range(40):
        one, _ = world.ledger.self_service.create(world.wish(f"p{number}"), world.now)
        world.ledger.self_service.verify(one.id, world.now)
    world.tick()
    hang = threading.Event()
    world.endpoints.answer = lambda _: (hang.wait(10), Answer(status=200))[1]
    world.tick(DUE)
    assert ours.sent == []
    deliverer.tick()
    assert [request.url for request in ours.sent] == ["https://ours.example.org/hook"]
    hang.set()
    deliverer.stop()


def test_an_allowed_network_may_be_reached_over_http() -> None:
    """What tests and intranets need; the operator names it."""
    transport = GuardedTransport((ip_network("127.0.0.0/8"),))
    transport.check("http://127.0.0.1:8080/hook")
