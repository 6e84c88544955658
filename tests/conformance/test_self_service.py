"""What the ledger promises to strangers: secret links and subscriptions, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text as sql

from calfeed.errors import NotFound, TooMany
from calfeed.events.model import Calendar, Catalog, Channel, Duration, Event, Feed, Text
from calfeed.ledger import Ledger, Result, Settlement, audiences, copies, quotas, subscriptions
from calfeed.ledger.audiences import Audience
from calfeed.ledger.copies import Copy
from calfeed.ledger.subscriptions import Standing, Subscription, Wish

NOW = datetime(2024, 5, 10, tzinfo=UTC)
TALKS = datetime(2024, 5, 12, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUE = TALKS - HOUR
ALL = Audience(feed="all", categories=(), before=(Duration(seconds=3600),))


def text(words: str) -> Text:
    return Text((("en", words),))


def event(name: str = "talks", start: datetime = TALKS, **keys: Any) -> Event:
    local = start.astimezone(ZoneInfo("Asia/Shanghai"))
    values = {"summary": text(name), "timezone": "Asia/Shanghai", "end": local + HOUR}
    return Event(id=name, uid=f"uid-{name}", start=local, **(values | keys))


def catalog(*events: Event, feeds: tuple[Feed, ...] = (), channels: tuple[Channel, ...] = ()) -> Catalog:
    calendar = Calendar(id="visit", name=text("Visit"), timezone="Asia/Shanghai")
    return Catalog(
        calendar=calendar, events=events, feeds=(Feed(id="all", name=text("All")), *feeds), channels=channels
    )


def wish(place: str = "a", **keys: Any) -> Wish:
    host = keys.pop("host", f"{place}.example.org")
    values = {"audience": ALL, "kind": "webhook", "url": f"https://{host}/{place}", "home": "https://c.example.org"}
    return Wish(host=host, **(values | keys))


class Desk:
    """A ledger and what its users do with it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.service = ledger.self_service

    def publish(self, *events: Event, at: datetime = NOW, **keys: Any) -> None:
        self.ledger.publish(catalog(*events, **keys), at)

    def subscribe(self, place: str = "a", *, at: datetime = NOW, **keys: Any) -> Subscription:
        """An active subscription, whose audience is planned for."""
        one, _ = self.service.create(wish(place, **keys), at)
        self.service.verify(one.id, at)
        self.ledger.plan((), at)
        return self.seen(one)

    def seen(self, one: Subscription) -> Subscription:
        with self.ledger.database.read() as connection:
            return subscriptions.find(connection, one.id)

    def claim(
        self, at: datetime, limit: int = 100, admit: Callable[[Subscription], float] = lambda _: 0.0
    ) -> list[Copy]:
        return self.service.claim(at, limit, admit)

    def settle(self, claimed: list[Copy], at: datetime, results: dict[str, Result] | None = None, **keys: Any) -> None:
        found = results or {}
        self.ledger.settle(
            [
                Settlement(
                    delivery=one.claimed.id,
                    attempt=one.claimed.attempt,
                    result=found.get(one.subscription.id, Result.SENT),
                    started=at,
                    ended=at,
                    **keys,
                )
                for one in claimed
            ],
            at,
        )

    def send(self, at: datetime, results: dict[str, Result] | None = None, **keys: Any) -> list[tuple[str, str]]:
        """One turn: (kind, subscription) of what was sent; each ends as ``results`` say, else well."""
        self.ledger.sweep(at)
        while self.service.spread(at):
            pass
        claimed = self.claim(at)
        self.settle(claimed, at, results, **keys)
        return [(one.claimed.kind, one.subscription.id) for one in claimed]

    def states(self, **asked: Any) -> Counter[str]:
        """How many copies stand where; audiences' own deliveries and challenges aside."""
        found = self.ledger.deliveries(limit=10_000, **asked)
        return Counter(str(one.state) for one in found if "-" in one.id)


@pytest.fixture
def desk(ready_url: str) -> Iterator[Desk]:
    with Ledger(ready_url, role="remind") as ledger:
        yield Desk(ledger)


class TestTokens:
    """Secret links of private feeds."""

    def test_a_token_opens_its_feed_alone_until_it_is_revoked(self, desk: Desk) -> None:
        id_, token = desk.ledger.make_token("crew", NOW)
        opened = [desk.ledger.check(token, feed, NOW) for feed in ("crew", "all")]
        desk.ledger.revoke(id_, NOW + HOUR)
        assert (opened, desk.ledger.check(token, "crew", NOW + HOUR)) == ([True, False], False)

    def test_what_nobody_was_given_opens_nothing(self, desk: Desk) -> None:
        _, token = desk.ledger.make_token("crew", NOW)
        wrong = ("", token[:-1], token.swapcase(), "\N{SNOWMAN}", "x" * 10_000)
        assert [desk.ledger.check(one, "crew", NOW) for one in wrong] == [False] * 5

    def test_tokens_have_256_bits_of_chance_and_are_kept_as_hashes(self, desk: Desk) -> None:
        found = {desk.ledger.make_token("crew", NOW)[1] for _ in range(50)}
        assert (len(found), {len(one) for one in found}) == (50, {43})
        with desk.ledger.database.read() as connection:
            kept = str(connection.execute(sql("SELECT * FROM token")).all())
        assert [one for one in found if one in kept] == []

    def test_the_last_use_is_noted_to_the_hour(self, desk: Desk) -> None:
        _, token = desk.ledger.make_token("crew", NOW)
        uses = []
        for minutes in (0, 59, 60):
            desk.ledger.check(token, "crew", NOW + timedelta(minutes=minutes))
            uses.append(desk.ledger.tokens()[0].used)
        assert uses == [NOW, NOW, NOW + HOUR]

    def test_another_feeds_token_is_not_noted_as_used(self, desk: Desk) -> None:
        _, token = desk.ledger.make_token("crew", NOW)
        desk.ledger.check(token, "all", NOW)
        assert desk.ledger.tokens()[0].used is None

    def test_revoking_is_for_ever_and_an_unknown_id_an_error(self, desk: Desk) -> None:
        id_, _ = desk.ledger.make_token("crew", NOW)
        for at in (NOW, NOW + HOUR):
            desk.ledger.revoke(id_, at)
        assert desk.ledger.tokens()[0].revoked == NOW
        with pytest.raises(NotFound):
            desk.ledger.revoke("nope", NOW)


class TestProof:
    """Before its URL has proved itself, a subscription gets nothing but challenges."""

    def test_a_new_one_is_unverified_and_gets_its_challenge_at_once(self, desk: Desk) -> None:
        one, _ = desk.service.create(wish(), NOW)
        assert one.state is Standing.UNVERIFIED
        assert desk.send(NOW) == [("challenge", one.id)]

    def test_one_that_proved_nothing_is_told_nothing(self, desk: Desk) -> None:
        desk.publish(event())
        one, _ = desk.service.create(wish(), NOW)
        desk.send(NOW, {one.id: Result.REJECTED}, error="answered without the challenge in its body")
        desk.ledger.plan((), NOW)
        assert desk.send(DUE) == []
        assert desk.seen(one).reason == "answered without the challenge in its body"

    def test_an_endpoint_that_fails_is_challenged_again_for_a_day(self, desk: Desk) -> None:
        one, _ = desk.service.create(wish(), NOW)
        tries = [desk.send(NOW + timedelta(minutes=10 * n), {one.id: Result.RETRY}) for n in range(200)]
        assert sum(map(len, tries)) in {
            7,
            8,
        }  # at once and as far as the schedule reaches within a day, with its jitter
        assert [str(one.state) for one in desk.ledger.deliveries(kind="challenge")] == ["dead"]

    def test_a_challenge_that_nobody_sent_for_a_day_is_expired(self, desk: Desk) -> None:
        desk.service.create(wish(), NOW)
        assert desk.send(NOW + DAY) == []
        assert [str(one.state) for one in desk.ledger.deliveries()] == ["expired"]

    def test_a_slack_channel_is_proved_by_its_readers_not_by_an_answer(self, desk: Desk) -> None:
        one, _ = desk.service.create(wish(kind="slack"), NOW)
        desk.send(NOW)
        before = desk.seen(one).state
        desk.service.verify(one.id, NOW)
        assert (before, desk.seen(one).state) == (Standing.UNVERIFIED, Standing.ACTIVE)

    def test_the_owners_token_is_kept_as_a_hash(self, desk: Desk) -> None:
        one, token = desk.service.create(wish(), NOW)
        with desk.ledger.database.read() as connection:
            assert token not in str(connection.execute(sql("SELECT * FROM subscription")).all())
        assert desk.service.owned(one.id, token) == one
        assert desk.service.owned(one.id, token + "x") is None
        with pytest.raises(NotFound):
            desk.service.owned("sub_nope", token)

    def test_links_are_good_for_one_purpose_and_one_subscription(self, desk: Desk) -> None:
        one, _ = desk.service.create(wish("a"), NOW)
        other, _ = desk.service.create(wish("b"), NOW)
        assert desk.service.shown(one.id, "unsubscribe", one.proof("unsubscribe")) == one
        for id_, proof in ((one.id, one.proof("confirm")), (other.id, one.proof("unsubscribe")), (one.id, "")):
            with pytest.raises(NotFound):
                desk.service.shown(id_, "unsubscribe", proof)

    def test_whoever_makes_a_subscription_cannot_compute_its_challenge(self, desk: Desk) -> None:
        """Else a page that shows what its maker wrote would prove itself."""
        one, _ = desk.service.create(wish(), NOW)
        told = replace(one, seed=one.secret)
        assert told.proof("challenge") != one.proof("challenge")


class TestCopies:
    """What an audience is owed reaches each of its subscriptions once."""

    def test_each_subscription_gets_its_copy_when_it_is_due(self, desk: Desk) -> None:
        desk.publish(event())
        ours = sorted(desk.subscribe(place).id for place in "abc")
        assert desk.send(DUE - timedelta(seconds=1)) == []
        assert sorted(desk.send(DUE)) == [("reminder", id_) for id_ in ours]
        assert desk.send(DUE + HOUR / 2) == []

    def test_an_audience_is_planned_once_however_many_are_in_it(self, desk: Desk) -> None:
        desk.publish(event())
        for place in "abcde":
            desk.subscribe(place)
        assert len(desk.ledger.deliveries(kind="reminder")) == 1

    def test_lead_times_and_filters_are_their_own(self, desk: Desk) -> None:
        expo = Feed(id="expo", name=text("Expo"), categories=("expo",), exclude=("crew",))
        events = (
            event("plain"),
            event("fair", categories=("Expo",)),
            event("stand", categories=("expo", "art")),
            event("hidden", categories=("expo", "art", "crew")),
        )
        desk.publish(*events, feeds=(expo,))
        early = Audience(feed="all", categories=(), before=(Duration(days=1),))
        within = Audience(feed="expo", categories=("art",), before=(Duration(seconds=3600),))
        everything, some = desk.subscribe("a", audience=early), desk.subscribe("b", audience=within)
        assert Counter(desk.send(TALKS - DAY)) == {("reminder", everything.id): 4}
        assert [(one.claimed.uid, one.subscription.id) for one in self._due(desk)] == [("uid-stand", some.id)]

    def _due(self, desk: Desk) -> list[Copy]:
        while desk.service.spread(DUE):
            pass
        return desk.claim(DUE)

    def test_ids_differ_between_subscriptions_and_stay_over_retries(self, desk: Desk) -> None:
        desk.publish(event())
        ours = [desk.subscribe(place) for place in "ab"]
        while desk.service.spread(DUE):
            pass
        first = desk.claim(DUE)
        desk.settle(first, DUE, {one.id: Result.RETRY for one in ours})
        again = desk.claim(DUE + timedelta(minutes=1))
        ids = [{one.claimed.webhook_id for one in some} for some in (first, again)]
        assert (len(ids[0]), ids[0] == ids[1]) == (2, True)

    def test_who_comes_after_it_fell_due_is_not_told(self, desk: Desk) -> None:
        desk.publish(event())
        early = desk.subscribe("a", at=DUE - timedelta(minutes=1))
        desk.subscribe("b", at=DUE + timedelta(minutes=1))
        assert desk.send(DUE + timedelta(minutes=2)) == [("reminder", early.id)]

    def test_copies_are_made_a_page_at_a_time_and_go_on_where_another_stopped(
        self, desk: Desk, ready_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies, "PAGE", 3)
        desk.publish(event())
        for place in "abcdefg":
            desk.subscribe(place)
        made = []
        for _ in range(4):
            with Ledger(ready_url, role="remind") as another:
                another.self_service.spread(DUE)
            made.append(desk.states().total())
        assert made == [3, 6, 7, 7]
        assert str(desk.ledger.deliveries(kind="reminder", state="sent")[0].id).count("-") == 0

    def test_several_processes_make_and_claim_each_copy_once(
        self, desk: Desk, ready_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies, "PAGE", 5)
        desk.publish(event())
        for number in range(40):
            desk.subscribe(f"p{number}")

        def work(_number: int) -> list[str]:
            got = []
            with Ledger(ready_url, role="remind") as ledger:
                for _ in range(30):
                    ledger.self_service.spread(DUE)
                    got += [one.claimed.id for one in ledger.self_service.claim(DUE, 7, lambda _: 0.0)]
            return got

        with ThreadPoolExecutor(4) as pool:
            claimed = [id_ for some in pool.map(work, range(4)) for id_ in some]
        assert (len(claimed), len(set(claimed))) == (40, 40)

    def test_what_a_lost_process_had_claimed_is_claimed_again(self, desk: Desk, ready_url: str) -> None:
        desk.publish(event())
        desk.subscribe()
        while desk.service.spread(DUE):
            pass
        (lost,) = desk.claim(DUE)
        later = DUE + timedelta(minutes=2)
        desk.ledger.sweep(later)
        assert desk.claim(later) == [], "what is in hand is not lost"
        with Ledger(ready_url) as heir:
            heir.sweep(later)
        (again,) = desk.claim(later)
        assert (again.claimed.id, again.claimed.attempt) == (lost.claimed.id, 2)

    def test_a_host_that_takes_no_more_is_put_off_and_holds_up_nobody(self, desk: Desk) -> None:
        desk.publish(event())
        busy = [desk.subscribe(f"busy{n}", host="busy.example.org") for n in range(90)]
        free = desk.subscribe("free")
        while desk.service.spread(DUE):
            pass

        def admit(one: Subscription) -> float:
            return 20.0 if one.host == "busy.example.org" else 0.0

        assert [one.subscription.id for one in desk.claim(DUE, 5, admit)] == [free.id]
        assert desk.claim(DUE + timedelta(seconds=19), 100) == []
        assert len(desk.claim(DUE + timedelta(seconds=20), 100)) == len(busy)

    def test_copies_in_plenty_do_not_stand_before_a_channels_deliveries(self, desk: Desk) -> None:
        channel = Channel(id="hook", kind="webhook", url="", before=(Duration(seconds=3540),))
        desk.publish(event(), channels=(channel,))
        desk.ledger.plan(["hook"], NOW)
        for number in range(60):
            desk.subscribe(f"p{number}")
        later = DUE + timedelta(minutes=1)
        while desk.service.spread(later):
            pass
        claimed = desk.ledger.claim(later, 1, ["hook"], lambda _: True)
        assert [one.channel for one in claimed] == ["hook"]
        assert desk.ledger.claim(later, 100, ["hook"], lambda _: True) == []

    def test_what_can_no_longer_be_sent_is_expired(self, desk: Desk) -> None:
        desk.publish(event())
        desk.subscribe()
        while desk.service.spread(DUE):
            pass
        desk.ledger.sweep(TALKS)
        assert (desk.states(), desk.claim(TALKS)) == (Counter(expired=1), [])


class TestEdits:
    """What was not sent follows the source; what was sent is put right by a notice."""

    def test_a_moved_event_reminds_at_its_new_time_alone(self, desk: Desk) -> None:
        desk.publish(event())
        one = desk.subscribe()
        desk.publish(event(start=TALKS + DAY), at=NOW + HOUR)
        assert desk.send(NOW + HOUR) == [("change", one.id)]
        assert desk.send(DUE) == []
        assert desk.send(DUE + DAY) == [("reminder", one.id)]

    def test_a_notice_goes_to_each_and_knows_what_they_know(self, desk: Desk) -> None:
        desk.publish(event())
        ours = sorted(desk.subscribe(place).id for place in "ab")
        desk.publish(event(status="cancelled"), at=NOW + HOUR)
        while desk.service.spread(NOW + HOUR):
            pass
        claimed = desk.claim(NOW + HOUR)
        assert sorted(one.subscription.id for one in claimed) == ours
        assert [event.status for one in claimed for event in one.claimed.known] == ["confirmed", "confirmed"]

    @pytest.mark.parametrize(
        "hidden", [{"visibility": "private"}, {"visibility": "unlisted"}, {"embargo": TALKS + DAY}], ids=str
    )
    def test_what_is_not_public_is_planned_for_nobody(self, desk: Desk, hidden: dict[str, Any]) -> None:
        desk.publish(event("open"), event("secret", **hidden))
        desk.subscribe()
        uids = {one.uid for one in desk.ledger.deliveries(kind="reminder")}
        assert uids == {"uid-open"}

    def test_what_is_public_by_the_time_it_falls_due_is_told(self, desk: Desk) -> None:
        desk.publish(event(embargo=DUE))
        one = desk.subscribe()
        assert desk.send(DUE) == [("reminder", one.id)]

    def test_an_edit_of_an_embargoed_event_tells_nobody(self, desk: Desk) -> None:
        desk.publish(event(embargo=TALKS))
        desk.subscribe()
        desk.publish(event(start=TALKS + DAY, embargo=TALKS), at=NOW + HOUR)
        assert desk.send(NOW + HOUR) == []

    def test_an_edit_of_a_hidden_date_of_a_series_tells_nobody(self, desk: Desk) -> None:
        series = event(rrule="FREQ=DAILY;COUNT=5")
        at = series.start + DAY
        moved = replace(
            series, id="talks", rrule=None, start=at + HOUR, end=at + 2 * HOUR, recurrence_id=at, embargo=TALKS
        )
        desk.publish(series)
        desk.subscribe()
        desk.publish(replace(series, overrides=(moved,)), at=NOW + HOUR)
        assert desk.send(NOW + HOUR) == []
        desk.publish(replace(series, overrides=(replace(moved, start=at + 2 * HOUR),)), at=NOW + 2 * HOUR)
        assert desk.send(NOW + 2 * HOUR) == []

    def test_a_feed_that_is_gone_or_private_takes_its_audience_with_it(self, desk: Desk) -> None:
        expo = Feed(id="expo", name=text("Expo"))
        desk.publish(event(), feeds=(expo,))
        desk.subscribe(audience=replace(ALL, feed="expo"))
        desk.publish(event(), feeds=(replace(expo, visibility="private"),), at=NOW + HOUR)
        assert [str(one.state) for one in desk.ledger.deliveries(kind="reminder")] == ["superseded"]
        assert desk.send(DUE) == []

    def test_audiences_are_no_channels_of_the_source(self, desk: Desk) -> None:
        desk.publish(event())
        desk.subscribe()
        current = desk.ledger.current()
        assert (desk.ledger.channels(), current and current.catalog.channels) == ([], ())

    def test_the_audit_counts_copies_and_finds_nothing_missing(self, desk: Desk) -> None:
        desk.publish(event(), event("later", TALKS + 2 * DAY))
        for place in "abc":
            desk.subscribe(place)
        desk.send(NOW)
        desk.send(DUE)
        found = desk.ledger.audit(DUE + HOUR)
        assert (found.findings, found.outcomes["sent"]) == ((), 1 + 3)  # the audience's own, and its copies


class TestOwners:
    """Pausing, resuming, ending; and endpoints that are gone."""

    def test_a_paused_one_is_told_nothing_now_or_later(self, desk: Desk) -> None:
        desk.publish(event(), event("later", TALKS + DAY))
        one = desk.subscribe()
        desk.service.pause(one.id, NOW)
        assert desk.send(DUE + timedelta(minutes=1)) == []
        desk.service.resume(one.id, DUE + timedelta(minutes=2))
        desk.ledger.plan((), DUE + timedelta(minutes=2))
        assert desk.send(DUE + timedelta(minutes=3)) == []
        assert desk.send(DUE + DAY) == [("reminder", one.id)]

    def test_pausing_and_ending_withdraw_what_waits(self, desk: Desk) -> None:
        desk.publish(event())
        paused, ended, kept = (desk.subscribe(place) for place in "abc")
        while desk.service.spread(DUE):
            pass
        desk.service.pause(paused.id, DUE)
        desk.service.remove(ended.id, DUE)
        assert [one.subscription.id for one in desk.claim(DUE)] == [kept.id]
        assert desk.states() == Counter(superseded=2, sending=1)
        with pytest.raises(NotFound):
            desk.seen(ended)

    def test_one_that_is_ended_before_its_challenge_is_sent_gets_none(self, desk: Desk) -> None:
        one, _ = desk.service.create(wish(), NOW)
        desk.service.remove(one.id, NOW)
        assert desk.send(NOW) == []

    def test_410_ends_it_and_only_it(self, desk: Desk) -> None:
        desk.publish(event(), event("later", TALKS + HOUR / 2))
        gone, other = desk.subscribe("a"), desk.subscribe("b")
        assert len(desk.send(DUE, {gone.id: Result.BROKEN}, error="answered 410")) == 2
        assert (desk.seen(gone).state, desk.seen(gone).reason) == (Standing.GONE, "answered 410")
        assert desk.send(DUE + HOUR / 2) == [("reminder", other.id)]

    def test_nothing_but_failures_for_five_days_end_it(self, desk: Desk) -> None:
        desk.publish(event(rrule="FREQ=DAILY;COUNT=30"))
        one = desk.subscribe()
        found = []
        for day in range(7):
            desk.ledger.plan((), DUE + day * DAY)
            desk.send(DUE + day * DAY, {one.id: Result.RETRY}, status=500)
            found.append(str(desk.seen(one).state))
        assert found == ["active"] * 5 + ["gone"] * 2

    def test_a_success_in_between_begins_anew(self, desk: Desk) -> None:
        desk.publish(event())
        one = desk.subscribe()
        while desk.service.spread(DUE):
            pass
        desk.settle(desk.claim(DUE), DUE, {one.id: Result.RETRY})
        failing = desk.seen(one).failing_since
        desk.settle(desk.claim(DUE + timedelta(minutes=1)), DUE + timedelta(minutes=1))
        seen = desk.seen(one)
        assert (failing, seen.failing_since, seen.sent_at) == (DUE, None, DUE + timedelta(minutes=1))

    def test_its_owner_may_take_up_again_what_was_gone(self, desk: Desk) -> None:
        desk.publish(event(), event("later", TALKS + DAY))
        one = desk.subscribe()
        desk.send(DUE, {one.id: Result.BROKEN}, error="answered 410")
        desk.service.resume(one.id, DUE + HOUR)
        desk.ledger.plan((), DUE + HOUR)
        assert desk.send(DUE + DAY) == [("reminder", one.id)]


class TestQuotas:
    """Strangers get only so much."""

    def test_one_url_has_only_so_many(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quotas, "MOST_PER_URL", 2)
        for _ in range(2):
            desk.service.create(wish("a"), NOW)
        with pytest.raises(TooMany):
            desk.service.create(wish("a"), NOW)
        desk.service.create(wish("b"), NOW)

    def test_one_host_is_asked_for_proof_only_so_often(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quotas, "MOST_UNVERIFIED_PER_HOST", 2)
        for place in "ab":
            desk.service.create(wish(place, host="victim.example.org"), NOW)
        with pytest.raises(TooMany):
            desk.service.create(wish("c", host="victim.example.org"), NOW)
        desk.service.create(wish("c"), NOW)

    def test_there_are_only_so_many_in_all(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quotas, "MOST", 1)
        desk.service.create(wish("a"), NOW)
        with pytest.raises(TooMany):
            desk.service.create(wish("b"), NOW)

    def test_there_are_only_so_many_different_filters(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each is planned by itself; more of one that is there already cost nothing."""
        monkeypatch.setattr(audiences, "MOST", 1)
        desk.publish(event())
        desk.subscribe("a")
        with pytest.raises(TooMany):
            desk.service.create(wish("b", audience=replace(ALL, categories=("expo",))), NOW)
        desk.service.create(wish("c"), NOW)

    def test_what_matters_no_more_is_dropped(self, desk: Desk) -> None:
        desk.publish(event())
        gone = desk.subscribe("a")
        desk.send(DUE, {gone.id: Result.BROKEN}, error="answered 410")
        fresh, _ = desk.service.create(wish("b", audience=replace(ALL, categories=("expo",))), DUE)
        desk.service.prune(DUE + timedelta(hours=23))
        assert [desk.seen(one).id for one in (gone, fresh)] == [gone.id, fresh.id]
        desk.service.prune(DUE + timedelta(days=31))
        assert desk.service.counts() == {}
        assert desk.states().total() == 0
        with desk.ledger.database.read() as connection:
            assert connection.execute(sql("SELECT * FROM audience")).all() == []
