"""The operator's pages: closed without a token, open to its bearer and who signs in, safe from other sites' forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.ledger import Result, Settlement, State
from calfeed.web.session import Brake, form_key, issue, same_secret, valid

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
TOKEN = "a-token-for-operators-only"
WITH_CHANNEL = """
[calendar]
id = "visit"
name = "The visit"
timezone = "Asia/Shanghai"

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00

[[channels]]
id = "newsroom"
kind = "webhook"
url = "env:CALFEED_TEST_NEWSROOM"
before = ["1d"]

[[channels]]
id = "spare"
kind = "slack"
url = "env:CALFEED_TEST_SPARE"
"""


def form(text: str) -> str:
    found = re.search(r'name="form" value="([^"]*)"', text)
    assert found
    return found[1]


def sign_in(served: Any, token: str = TOKEN, **headers: str) -> Any:
    page = served.client.get("/status/sign-in")
    return served.client.post("/status/sign-in", data={"form": form(page.text), "token": token}, headers=headers)


@pytest.fixture
def newsroom(make_site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("CALFEED_TEST_NEWSROOM", "http://127.0.0.1:9/nobody")
    return make_site(WITH_CHANNEL)


@pytest.fixture
def dead(newsroom: Any) -> str:
    """The id of a delivery that was tried in vain until its event was over."""
    ledger, clock = newsroom.ledger, newsroom.clock
    ledger.plan(["newsroom"], clock.now)
    clock.now = datetime(2024, 5, 15, 2, tzinfo=UTC)
    (claimed,) = ledger.claim(clock.now, 1, ["newsroom"], lambda _: True)
    settlement = Settlement(
        delivery=claimed.id,
        attempt=claimed.attempt,
        result=Result.REJECTED,
        started=clock.now,
        ended=clock.now,
        status=400,
        error="HTTP 400: invalid_payload",
        excerpt="invalid_payload",
    )
    ledger.settle([settlement], clock.now)
    return str(claimed.id)


@pytest.mark.parametrize("path", ["/status", "/status/sign-in", "/api/v1/deliveries", "/api/v1/channels"])
def test_without_a_token_nothing_is_there(make_site: Any, path: str) -> None:
    assert make_site(admin_token=None).client.get(path).status_code == 404


def test_who_is_not_signed_in_is_led_to_the_form(served: Any) -> None:
    response = served.client.get("/status")
    assert (response.status_code, response.headers["Location"]) == (303, "/status/sign-in")


def test_signing_in_gives_a_strict_cookie_for_these_pages_alone(served: Any) -> None:
    response = sign_in(served)
    cookie = response.headers["Set-Cookie"]
    assert response.status_code == 303
    assert re.sub("=[^;]+; Expires=[^;]+", "", cookie, count=1) == (
        "calfeed_operator; Max-Age=43200; HttpOnly; Path=/status; SameSite=Strict"
    )
    assert served.client.get("/status").status_code == 200


def test_over_https_the_cookie_is_secure(make_site: Any) -> None:
    served = make_site(trusted_proxies=1)
    assert "; Secure;" in sign_in(served, **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]


def test_a_bearer_needs_no_cookie(served: Any) -> None:
    response = served.client.get("/status", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_the_scheme_of_a_bearer_is_read_in_any_case(served: Any) -> None:
    """RFC 9110 §11.1."""
    headers = {"Authorization": f"bearer {TOKEN}"}
    assert served.client.get("/api/v1/channels", headers=headers).status_code == 200


def test_a_proxys_own_sign_in_does_not_stand_in_the_way_of_a_session(served: Any) -> None:
    """Browsers repeat the proxy's Basic credentials at each request."""
    sign_in(served)
    assert served.client.get("/status", headers={"Authorization": "Basic dTpw"}).status_code == 200


def test_who_shows_no_token_guesses_nothing_and_waits_for_nothing(served: Any) -> None:
    """A monitor without a token, or a browser's preflight, does not lock the operator out."""
    for headers in [{}, {"Authorization": "Basic dTpw"}] * 5:
        assert served.client.get("/api/v1/channels", headers=headers).status_code == 401
    assert served.client.get("/api/v1/channels", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", "ä" * 30])
def test_a_wrong_token_is_refused(served: Any, given: str) -> None:
    assert sign_in(served, given).status_code == 401
    headers = {"Authorization": f"Bearer {given.encode().decode('latin-1')}"}
    assert served.client.get("/api/v1/deliveries", headers=headers).status_code == 401


def test_guessing_is_slowed_down_for_the_one_who_guesses(served: Any) -> None:
    for _ in range(5):
        assert sign_in(served, "wrong").status_code == 401
    refused = sign_in(served)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    served.clock.now += timedelta(seconds=3)
    assert sign_in(served).status_code == 303


def test_a_session_ends_after_half_a_day(served: Any) -> None:
    sign_in(served)
    served.clock.now += timedelta(hours=12, seconds=1)
    assert served.client.get("/status").status_code == 303


def test_signing_out_ends_it(served: Any) -> None:
    sign_in(served)
    page = served.client.get("/status").text
    assert served.client.post("/status/sign-out", data={"form": form(page)}).status_code == 303
    assert served.client.get("/status").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://attacker.example"}],
)
def test_another_sites_form_does_nothing(newsroom: Any, dead: str, headers: dict[str, str]) -> None:
    sign_in(newsroom)
    key = form(newsroom.client.get("/status").text)
    answer = newsroom.client.post("/status/retry", data={"form": key, "id": dead}, headers=headers)
    assert (answer.status_code, newsroom.ledger.delivery(dead)[0].state) == (400, State.REJECTED)


@pytest.mark.parametrize("key", ["", "x" * 64])
def test_a_form_without_the_sessions_key_does_nothing(newsroom: Any, dead: str, key: str) -> None:
    sign_in(newsroom)
    answer = newsroom.client.post("/status/retry", data={"form": key, "id": dead})
    assert (answer.status_code, newsroom.ledger.delivery(dead)[0].state) == (400, State.REJECTED)


def test_an_old_sign_in_form_is_refused(served: Any) -> None:
    old = form(served.client.get("/status/sign-in").text)
    served.clock.now += timedelta(hours=2)
    assert served.client.post("/status/sign-in", data={"form": old, "token": TOKEN}).status_code == 400


def test_a_failed_delivery_says_why_and_is_sent_again(newsroom: Any, dead: str, parse: Any) -> None:
    sign_in(newsroom)
    page = newsroom.client.get("/status?state=rejected").text
    assert "HTTP 400: invalid_payload" in page
    detail = newsroom.client.get(f"/status/deliveries/{dead}").text
    shown = parse(detail)
    assert "invalid_payload" in shown.texts("td")
    assert "Talks" in shown.texts("dd")
    answer = newsroom.client.post("/status/retry", data={"form": form(detail), "id": dead})
    assert answer.headers["Location"] == "/status?done=retried#deliveries"
    assert newsroom.ledger.delivery(dead)[0].state == State.PENDING
    assert "Retry</button>" not in newsroom.client.get(f"/status/deliveries/{dead}").text


def test_an_unknown_delivery_is_not_found(served: Any) -> None:
    sign_in(served)
    assert served.client.get("/status/deliveries/none").status_code == 404


def test_the_page_shows_what_is_to_come_and_who_is_idle(newsroom: Any, parse: Any) -> None:
    sign_in(newsroom)
    page = parse(newsroom.client.get("/status").text)
    rows = [" ".join(row.text.split()) for row in page.all("tr")]
    assert any(row.startswith("newsroom") and row.endswith("Send test to newsroom") for row in rows)
    assert any("Talks" in row and "1d" in row for row in rows)
    assert any(row.startswith("spare") and "env:CALFEED_TEST_SPARE is not set" in row for row in rows)


def test_a_test_message_tells_what_came_back(newsroom: Any) -> None:
    sign_in(newsroom)
    key = form(newsroom.client.get("/status").text)
    page = newsroom.client.post("/status/test", data={"form": key, "channel": "newsroom"})
    assert page.status_code == 200
    assert "newsroom: no answer" in page.text
    idle = newsroom.client.post("/status/test", data={"form": key, "channel": "spare"})
    assert "spare is idle: env:CALFEED_TEST_SPARE is not set" in idle.text
    assert newsroom.client.post("/status/test", data={"form": key, "channel": "none"}).status_code == 404


def test_a_broken_source_is_shown_with_file_and_line(served: Any) -> None:
    assert not served.edit("start = 2024-05-17\n", "start = 'tomorrow'\n")
    sign_in(served)
    page = served.client.get("/status").text
    assert "events.toml:" in page
    assert "The last good state stays in use" in page


def test_the_page_works_before_any_source_was_good(make_site: Any) -> None:
    served = make_site("nonsense = [")
    sign_in(served)
    page = served.client.get("/status")
    assert page.status_code == 200
    assert "Nothing is served until they are mended." in page.text
    assert served.client.get("/").status_code == 503


def test_who_polls_is_counted_by_family(served: Any, parse: Any) -> None:
    """An edit has reached who polled since: a poll leaves every client with the present version."""
    for agent in ("Google-Calendar-Importer", "Mozilla/5.0 (X11) Thunderbird/153.0"):
        served.client.get("/feeds/all.ics", headers={"User-Agent": agent})
    served.edit('summary = "Talks"', 'summary = "More talks"')
    served.clock.now += timedelta(minutes=5)
    served.client.get("/feeds/all.ics", headers={"User-Agent": "Google-Calendar-Importer"})
    sign_in(served)
    page = served.client.get("/status").text
    assert "1 of 2 clients" in page
    rows = [" ".join(row.text.split()) for row in parse(page).all("tr")]
    assert any(row.startswith("Thunderbird") and "an older version" in row for row in rows)
    assert any(row.startswith("Google Calendar") and "the present version" in row for row in rows)


def test_programs_read_and_retry_with_the_bearer(newsroom: Any, dead: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    listed = newsroom.client.get("/api/v1/deliveries?state=rejected", headers=headers).json["deliveries"]
    assert [(one["id"], one["channel"], one["event"], one["last_error"]) for one in listed] == [
        (dead, "newsroom", "talks", "HTTP 400: invalid_payload")
    ]
    assert newsroom.client.get("/api/v1/deliveries?event=signing", headers=headers).json["deliveries"] == []
    one = newsroom.client.get(f"/api/v1/deliveries/{dead}", headers=headers).json
    assert [(attempt["status"], attempt["excerpt"]) for attempt in one["attempts"]] == [(400, "invalid_payload")]
    assert newsroom.client.post(f"/api/v1/deliveries/{dead}/retry", headers=headers).json == {"retried": [dead]}
    channels = newsroom.client.get("/api/v1/channels", headers=headers).json["channels"]
    assert [(channel["id"], channel["state"]) for channel in channels] == [("newsroom", "ok"), ("spare", "idle")]


def test_a_session_cookie_does_not_open_the_api(newsroom: Any, dead: str) -> None:
    sign_in(newsroom)
    assert newsroom.client.post(f"/api/v1/deliveries/{dead}/retry").status_code == 401


def test_no_secret_and_no_address_is_shown(newsroom: Any) -> None:
    sign_in(newsroom)
    pages = newsroom.client.get("/status").text
    pages += newsroom.client.get("/api/v1/channels", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert "127.0.0.1:9" not in pages
    assert TOKEN not in pages


def test_a_signed_value_is_for_one_purpose_one_token_and_a_while() -> None:
    value = issue(TOKEN, "session", NOW, timedelta(hours=1), "nonce")
    assert valid(value, TOKEN, "session", NOW)
    assert not valid(value, TOKEN, "sign-in", NOW)
    assert not valid(value, TOKEN + "2", "session", NOW)
    assert not valid(value, TOKEN, "session", NOW + timedelta(hours=1))
    assert not valid("9" * 12 + value[10:], TOKEN, "session", NOW)
    assert not valid("", TOKEN, "session", NOW)
    assert form_key(value, TOKEN) != form_key(value + "x", TOKEN)


def test_secrets_are_equal_only_whole() -> None:
    assert (same_secret("abc", "abc"), same_secret("ab", "abc"), same_secret("", "abc")) == (True, False, False)


def test_the_brake_doubles_forgives_and_forgets() -> None:
    brake = Brake(free=2, remembered=2)
    waits = []
    for _ in range(5):
        brake.failed("one", NOW)
        waits.append(brake.wait("one", NOW).total_seconds())
    assert waits == [0, 2, 4, 8, 16]
    assert brake.wait("two", NOW) == timedelta()
    brake.failed("one", NOW + timedelta(hours=2))
    assert brake.wait("one", NOW + timedelta(hours=2)) == timedelta()
    for address in ("two", "three", "four"):
        brake.failed(address, NOW)
    assert brake.wait("one", NOW) == timedelta()
