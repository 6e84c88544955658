"""Strangers subscribe by API and by form, confirm, pause and end it; hostile addresses get nowhere."""

from __future__ import annotations

import html
import logging
import re
import socket
from datetime import timedelta
from typing import Any

import pytest

from calfeed.channels.guard import GuardedTransport
from calfeed.ledger import Result, Settlement
from calfeed.ledger.allowances import Quota
from calfeed.ledger.subscriptions import Standing, Subscription, find
from calfeed.web.limits import Limiter
from calfeed.web.words import Words

API = "/api/v1/subscriptions"
URL = "https://hooks.example.org/secret-path"
PUBLIC = "93.184.215.14"
NAMES = {
    "hooks.example.org": [PUBLIC],
    "hooks.slack.com": [PUBLIC],
    "mixed.example.org": [PUBLIC, "10.0.0.1"],
    "loop.example.org": ["127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "localhost": ["127.0.0.1", "::1"],
}


def resolve(host: str, port: int, _scheme: str) -> list[Any]:
    """Names from the list, addresses as the system reads them, without a question to the network."""
    if host in NAMES:
        return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, 1, 6, "", (ip, port)) for ip in NAMES[host]]
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))


class Counter:
    """The site, and what strangers do at it."""

    def __init__(self, served: Any) -> None:
        self.served = served
        self.client = served.client
        self.extension = served.app.extensions["calfeed.self_service"]
        self.extension.check = GuardedTransport(resolve=resolve).check

    def ask(self, **keys: Any) -> Any:
        return self.client.post(API, json={"url": URL, **keys})

    def made(self, **keys: Any) -> dict[str, Any]:
        response = self.ask(**keys)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.get_json()
        return found

    def seen(self, id_: str) -> Subscription:
        with self.served.ledger.database.read() as connection:
            return find(connection, id_)

    def verify(self, id_: str) -> None:
        self.served.ledger.self_service.verify(id_, self.served.clock())

    def call(self, method: str, made: dict[str, Any], token: str | None = None, **keys: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or made['token']}"}
        return self.client.open(f"{API}/{made['id']}", method=method, headers=headers, **keys)


@pytest.fixture
def counter(served: Any) -> Counter:
    return Counter(served)


class TestAsking:
    """``POST /api/v1/subscriptions``"""

    def test_it_is_made_unverified_and_its_secrets_are_shown_once(self, counter: Counter) -> None:
        response = counter.ask(
            feed="expo", category="expo", before=["2h", "1d"], language="ru", timezone="Europe/Moscow"
        )
        made = response.get_json()
        assert (response.status_code, response.headers["Location"]) == (201, f"{API}/{made['id']}")
        assert (made.keys(), made["state"]) == ({"id", "token", "secret", "state"}, "unverified")
        assert made["secret"].startswith("whsec_")
        shown = counter.call("GET", made)
        assert shown.get_json() == {
            "id": made["id"],
            "state": "unverified",
            "kind": "webhook",
            "host": "hooks.example.org",
            "feed": "expo",
            "category": ["expo"],
            "before": ["1d", "2h"],
            "language": "ru",
            "timezone": "Europe/Moscow",
            "created": "2024-05-14T09:00:00Z",
            "since": None,
            "sent_at": None,
            "failing_since": None,
            "reason": None,
        }
        assert not any(secret in shown.text for secret in (made["token"], made["secret"], "secret-path"))

    def test_a_url_alone_is_enough(self, counter: Counter) -> None:
        made = counter.made()
        shown = counter.call("GET", made).get_json()
        assert (shown["feed"], shown["category"], shown["before"]) == ("all", [], ["1d", "1h"])

    def test_a_slack_webhook_is_known_by_its_host_and_has_no_signing_secret(self, counter: Counter) -> None:
        made = counter.made(url="https://hooks.slack.com/services/T0/B0/x")
        assert (made["secret"], counter.seen(made["id"]).kind) == (None, "slack")

    def test_another_slack_address_is_refused(self, counter: Counter) -> None:
        response = counter.ask(url="https://hooks.slack.com/triggers/T0/x")
        assert (response.status_code, response.get_json()["errors"][0]["field"]) == (422, "url")

    def test_every_fault_is_told_at_once_and_none_repeats_the_url(self, counter: Counter) -> None:
        wrong = {
            "url": "",
            "before": ["1x", "40d"],
            "language": "?",
            "timezone": "No/Where",
            "feed": 1,
            "color": "red",
        }
        response = counter.ask(**wrong)
        fields = [one["field"] for one in response.get_json()["errors"]]
        assert response.status_code == 422
        assert fields == ["url", "feed", "before.0", "before.1", "language", "timezone", "color"]
        refused = counter.ask(url="https://loop.example.org/secret-path")
        assert "loop" not in refused.text
        assert "secret-path" not in refused.text

    @pytest.mark.parametrize(
        ("keys", "field"),
        [
            ({"feed": "none"}, "feed"),
            ({"feed": "crew"}, "feed"),
            ({"category": "nope"}, "category"),
            ({"category": ["backstage"]}, "category"),
            ({"category": "secret"}, "category"),
            ({"before": []}, "before"),
            ({"before": "90s"}, "before.0"),
            ({"before": ["1m", "2m", "3m", "4m", "5m", "6m"]}, "before"),
        ],
        ids=str,
    )
    def test_what_is_not_there_for_the_public_cannot_be_asked_for(
        self, counter: Counter, keys: dict[str, Any], field: str
    ) -> None:
        """What only private or embargoed events have looks as if it were not there."""
        response = counter.ask(**keys)
        assert (response.status_code, [one["field"] for one in response.get_json()["errors"]]) == (422, [field])

    def test_a_body_that_is_no_json_object_is_told_so(self, counter: Counter) -> None:
        found = [
            counter.client.post(API, data="{", content_type="application/json"),
            counter.client.post(API, data="url=x", content_type="application/x-www-form-urlencoded"),
            counter.client.post(API, json=["x"]),
        ]
        assert [response.status_code for response in found] == [400, 415, 422]
        assert {response.mimetype for response in found} == {"application/problem+json"}

    def test_no_cache_keeps_an_answer_and_no_other_page_may_read_it(self, counter: Counter) -> None:
        headers = counter.ask().headers
        assert headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers

    def test_the_secrets_stand_in_no_log(self, counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        made = counter.made()
        counter.call("GET", made)
        assert not any(secret in caplog.text for secret in (made["token"], made["secret"], "secret-path"))


HOSTILE = """
http://hooks.example.org/ https://hooks.example.org:444/ https://user:pass@hooks.example.org/
https://hooks.example.org@127.0.0.1/ https://127.0.0.1@hooks.example.org/ https://hooks.example.org\\@127.0.0.1/
https://localhost/ https://localhost./ https://loop.example.org/ https://mixed.example.org/
https://metadata.example.org/latest/meta-data/ https://no-such-host.invalid/ https://0.0.0.0/ https://10.0.0.1/
https://100.64.0.1/ https://127.0.0.1/ https://127.1.2.3/ https://169.254.169.254/latest/ https://172.16.0.1/
https://192.168.0.1/ https://198.18.0.1/ https://168.63.129.16/ https://224.0.0.1/ https://255.255.255.255/
https://2130706433/ https://0x7f000001/ https://0177.0.0.1/ https://127.1/ https://[::]/ https://[::1]/
https://[::ffff:127.0.0.1]/ https://[::ffff:10.0.0.1]/ https://[64:ff9b::7f00:1]/ https://[fec0::1]/
https://[fe80::1%25eth0]/ https://[fd00:ec2::254]/ https://[2002:7f00:1::]/ https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/
https://①②⑦.⓪.⓪.①/ https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/ ftp://hooks.example.org/ file:///etc/passwd gopher://127.0.0.1:6379/_FLUSHALL
javascript:alert(1) //hooks.example.org/ hooks.example.org https:///path
""".split()  # noqa: SIM905  # quotes around each would hide them


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_and_nothing_is_connected_to(
    counter: Counter, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All alike, so that nobody learns from the answer what lies behind it."""
    made: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, to: made.append(to))
    response = counter.ask(url=url)
    assert (response.status_code, made) == (422, [])
    assert response.get_json()["errors"] == [
        {
            "field": "url",
            "message": "must be https on port 443 or 8443, lead to a public address, and hold no credentials",
        }
    ]


class TestOwning:
    """``GET``, ``PATCH``, ``DELETE /api/v1/subscriptions/<id>``"""

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_only_its_token_opens_it(self, counter: Counter, method: str) -> None:
        made, other = counter.made(), counter.made()
        body = {"json": {"paused": True}} if method == "PATCH" else {}
        wrong = [
            counter.client.open(f"{API}/{made['id']}", method=method, **body),
            counter.call(method, made, token=other["token"], **body),
            counter.call(method, made, token="x", **body),
        ]
        assert [response.status_code for response in wrong] == [401] * 3
        assert all(response.headers["WWW-Authenticate"].startswith("Bearer") for response in wrong)
        missing = counter.call(method, {**made, "id": "sub_none"}, **body)
        assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")

    def test_it_is_paused_and_resumed(self, counter: Counter) -> None:
        made = counter.made()
        counter.verify(made["id"])
        states = [counter.call("PATCH", made, json={"paused": on}).get_json()["state"] for on in (True, True, False)]
        assert states == ["paused", "paused", "active"]

    def test_what_never_proved_itself_cannot_be_resumed(self, counter: Counter) -> None:
        """Else pausing and resuming would take the place of the proof."""
        made = counter.made()
        found = [counter.call("PATCH", made, json={"paused": on}).status_code for on in (True, False)]
        assert (found, counter.seen(made["id"]).state) == ([409, 409], Standing.UNVERIFIED)

    def test_it_is_ended(self, counter: Counter) -> None:
        made = counter.made()
        assert [counter.call("DELETE", made).status_code, counter.call("GET", made).status_code] == [204, 404]

    def test_its_owner_is_told_that_it_fails_but_not_how(self, counter: Counter) -> None:
        """Neither how a connection failed nor what came back: that would be eyes for who cannot look himself."""
        made = counter.made()
        ledger, now = counter.served.ledger, counter.served.clock()
        (copy,) = ledger.self_service.claim(now, 1, lambda _: 0.0)
        error = "the TLS handshake failed"
        ledger.settle(
            [Settlement(delivery=copy.claimed.id, attempt=1, result=Result.RETRY, ended=now, error=error)], now
        )
        shown = counter.call("GET", made)
        assert (shown.get_json()["reason"], "TLS" in shown.text) == (
            "the challenge was not answered with its value",
            False,
        )


class TestLimits:
    """How often one address may write."""

    def test_each_answer_says_how_much_is_left(self, counter: Counter) -> None:
        counter.extension.asking = Limiter(Quota("subscriptions", 2, timedelta(hours=1)))
        found = [counter.ask().headers["RateLimit"] for _ in range(2)]
        assert found == ['"subscriptions";r=1;t=1800', '"subscriptions";r=0;t=3600']
        assert counter.ask().headers["RateLimit-Policy"] == '"subscriptions";q=2;w=3600'

    def test_too_many_are_told_when_to_come_back(self, counter: Counter) -> None:
        counter.extension.asking = Limiter(Quota("subscriptions", 1, timedelta(hours=1)))
        counter.ask()
        response = counter.ask()
        assert (response.status_code, response.mimetype) == (429, "application/problem+json")
        assert response.headers["Retry-After"] == "3600"
        counter.served.clock.now += timedelta(hours=1)
        assert counter.ask().status_code == 201

    def test_processes_count_together(self, counter: Counter) -> None:
        """As two workers would: each with a memory of its own."""
        found = []
        for _ in range(3):
            counter.extension.asking = Limiter(Quota("subscriptions", 2, timedelta(hours=1)))
            response = counter.ask()
            found.append((response.status_code, response.headers["RateLimit"]))
        assert found == [
            (201, '"subscriptions";r=1;t=1800'),
            (201, '"subscriptions";r=0;t=3600'),
            (429, '"subscriptions";r=0;t=3600'),
        ]

    def test_who_has_nothing_left_costs_the_database_nothing(
        self, counter: Counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counter.extension.asking = Limiter(Quota("subscriptions", 1, timedelta(hours=1)))
        counter.ask()
        monkeypatch.setattr(counter.served.ledger.self_service, "take", None)
        assert counter.ask().status_code == 429

    def test_what_cannot_be_counts_as_a_write(self, counter: Counter) -> None:
        counter.extension.writing = Limiter(Quota("writes", 1, timedelta(hours=1)))
        assert [counter.ask(url="nonsense").status_code for _ in range(2)] == [422, 429]

    def test_whose_typing_errors_are_refused_may_still_subscribe(self, counter: Counter) -> None:
        """Forty URLs that cannot be take none of an hour's twenty subscriptions away."""
        refused = [counter.ask(url=f"https://10.0.0.{last}/").status_code for last in range(40)]
        refused += [counter.ask(before=["soon"]).status_code for _ in range(20)]
        assert (set(refused), counter.ask().headers["RateLimit"]) == ({422}, '"subscriptions";r=19;t=180')

    def test_a_name_that_has_to_be_looked_up_counts_as_a_subscription(self, counter: Counter) -> None:
        """A resolver may take seconds, and others wait for it."""
        counter.extension.asking = Limiter(Quota("subscriptions", 1, timedelta(hours=1)))
        assert [counter.ask(url="http://example.com/").status_code for _ in range(2)] == [422, 429]

    def test_addresses_do_not_share(self, counter: Counter) -> None:
        counter.extension.asking = Limiter(Quota("subscriptions", 1, timedelta(hours=1)))
        found = [
            counter.client.post(API, json={"url": URL}, environ_base={"REMOTE_ADDR": address}).status_code
            for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")
        ]
        assert found == [201, 201, 429]

    def test_a_quota_of_the_calendar_is_429_too(self, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("calfeed.ledger.quotas.MOST", 0)
        response = counter.ask()
        assert (response.status_code, response.headers["Retry-After"]) == (429, "86400")

    def test_reading_is_not_limited(self, counter: Counter) -> None:
        counter.extension.asking = counter.extension.writing = Limiter(Quota("all", 2, timedelta(hours=1)))
        made = counter.made()
        assert {counter.call("GET", made).status_code for _ in range(5)} == {200}


class TestPages:
    """Forms that work without script, cookie or account."""

    @pytest.mark.parametrize("path", ["/subscribe/expo", "/subscribe/expo/webhook"])
    def test_the_form_takes_the_filter_of_its_page_over(self, counter: Counter, path: str) -> None:
        form = counter.served.get(f"{path}?category=expo,art&lang=ru")
        assert 'name="category" type="text" value="art, expo"' in form
        assert '<form class="hook" method="post" action="/subscribe/expo/webhook?lang=ru">' in form
        assert '<option value="ru" selected>' in form

    def test_the_form_makes_a_subscription_and_shows_its_secrets_once(self, counter: Counter) -> None:
        fields = {"url": URL, "before": "2h", "category": "", "language": "ru", "timezone": "Europe/Moscow"}
        response = counter.client.post("/subscribe/expo/webhook", data=fields)
        values = re.findall(r'<input readonly value="([^"]+)"', response.text)
        one = counter.seen(values[0])
        assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
        assert (one.audience.feed, one.language, one.timezone) == ("expo", "ru", "Europe/Moscow")
        assert values == [one.id, values[1], one.secret]
        assert counter.served.ledger.self_service.owned(one.id, values[1]) == one
        assert "Set-Cookie" not in response.headers

    def test_faults_stand_beside_the_form_which_keeps_what_was_written(self, counter: Counter) -> None:
        fields = {"url": "https://10.0.0.1/<b>", "before": "soon", "category": "expo, nope"}
        response = counter.client.post("/subscribe/all/webhook", data=fields)
        assert response.status_code == 422
        assert 'value="soon"' in response.text
        assert "https://10.0.0.1/&lt;b&gt;" in response.text
        assert 'role="alert"' in response.text

    @pytest.mark.parametrize("language", ["en", "ru", "zh"])
    def test_faults_are_told_in_the_reader_s_language(self, counter: Counter, language: str) -> None:
        fields = {"url": "http://", "before": "soon", "category": "nope", "language": "???", "timezone": "Nowhere"}
        told = set()
        for given in (fields, {"url": "https://10.0.0.1/", "category": "nope"}):
            response = counter.client.post(f"/subscribe/all/webhook?lang={language}", data=given)
            told |= set(re.findall(r'<li><a href="#(\w+)">[^<]+</a>: ([^<]+)</li>', response.text))
        expected = {key: Words(language)(f"hook_fault_{key}") for key in fields}
        assert {key: html.unescape(text) for key, text in told} == expected

    @pytest.mark.parametrize("language", ["en", "ru", "zh"])
    @pytest.mark.parametrize("path", ["/subscribe/all/webhook", "/unsubscribe", "/confirm"])
    def test_every_page_speaks_every_language(self, counter: Counter, language: str, path: str) -> None:
        one = counter.seen(counter.made()["id"])
        if path in {"/unsubscribe", "/confirm"}:
            purpose: Any = path[1:]
            path = f"{path}/{one.id}/{one.proof(purpose)}"
        assert f'<html lang="{language}"' in counter.served.get(f"{path}?lang={language}")

    def test_a_private_feed_has_no_form(self, counter: Counter) -> None:
        for method in ("GET", "POST"):
            assert counter.client.open("/subscribe/crew/webhook", method=method, data={"url": URL}).status_code == 404

    def test_unsubscribing_asks_first_and_ends_it(self, counter: Counter) -> None:
        one = counter.seen(counter.made()["id"])
        path = f"/unsubscribe/{one.id}/{one.proof('unsubscribe')}"
        page = counter.served.get(path)
        assert ('<form method="post">' in page, "hooks.example.org" in page, "secret-path" in page) == (
            True,
            True,
            False,
        )
        assert counter.seen(one.id) == one
        assert counter.client.post(path).status_code == 200
        assert counter.client.get(path).status_code == 404

    def test_confirming_asks_first_and_proves_it(self, counter: Counter) -> None:
        one = counter.seen(counter.made(url="https://hooks.slack.com/services/T0/B0/x")["id"])
        path = f"/confirm/{one.id}/{one.proof('confirm')}"
        counter.served.get(path)
        assert counter.seen(one.id).state is Standing.UNVERIFIED
        assert counter.client.post(path).status_code == 200
        assert counter.seen(one.id).state is Standing.ACTIVE
        assert '<form method="post">' not in counter.served.get(path)

    @pytest.mark.parametrize("page", ["confirm", "unsubscribe"])
    def test_a_link_for_something_else_opens_nothing(self, counter: Counter, page: str) -> None:
        one = counter.seen(counter.made()["id"])
        for purpose in ("challenge", "confirm" if page == "unsubscribe" else "unsubscribe"):
            proof = one.proof(purpose)  # type: ignore[arg-type]  # one of its purposes
            for method in ("GET", "POST"):
                assert counter.client.open(f"/{page}/{one.id}/{proof}", method=method).status_code == 404
        assert counter.seen(one.id) == one

    def test_links_are_told_to_nobody_else(self, counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        one = counter.seen(counter.made()["id"])
        proof = one.proof("unsubscribe")
        headers = counter.client.get(f"/unsubscribe/{one.id}/{proof}").headers
        assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert proof not in caplog.text


class TestWatching:
    """What the operator sees of strangers: how many, never where."""

    def test_who_waits_for_a_challenge_needs_a_reminder_process(self, counter: Counter) -> None:
        def check() -> str:
            return str(counter.client.get("/readyz").get_json()["checks"]["reminders"]["status"])

        before = check()
        counter.made()
        assert (before, check()) == ("ok", "degraded")

    def test_metrics_count_them_by_state(self, counter: Counter) -> None:
        counter.made()
        counter.verify(counter.made()["id"])
        lines = counter.served.get("/metrics").splitlines()
        assert [line for line in lines if line.startswith("calfeed_subscriptions{")] == [
            'calfeed_subscriptions{state="unverified"} 1.0',
            'calfeed_subscriptions{state="active"} 1.0',
            'calfeed_subscriptions{state="paused"} 0.0',
            'calfeed_subscriptions{state="gone"} 0.0',
        ]

    def test_the_operators_list_of_deliveries_names_no_address(self, counter: Counter) -> None:
        counter.made()
        headers = {"Authorization": f"Bearer {counter.served.token}"}
        text = counter.client.get("/api/v1/deliveries", headers=headers).text
        assert ('"challenge"' in text, "hooks.example.org" in text) == (True, False)
