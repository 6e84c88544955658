"""Hostile requests by WSGI: whatever path, query, header, method or body comes, the answer is ours and below 500."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import pytest

from calfeed.web.bodies import GRACE, REMEMBERED, Bodies

TOKEN = "planted-operator-token"
RULE = re.compile(r"<[^>]+>")
NAMES = ["all", "all.ics", "x", "..", "%2e%2e%2f", "%00", "%ff%fe", "%0d%0aX: y", "<script>", "a" * 3000, "all.ics%00"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
READS = ["/", "/subscribe/all", "/embed/all", "/changes", "/events/visit", "/feeds/all.ics", "/feeds/all.json",
         "/feeds/all.atom", "/events/talks.ics", "/api/v1/events", "/api/v1/occurrences", "/api/v1/changes",
         "/api/v1/deliveries", "/status", "/subscribe/all/webhook"]  # fmt: skip
KEYS = ["category", "not", "lang", "q", "cancelled", "alarm", "expand", "rich", "view", "from", "to", "month", "tz",
        "feed", "limit", "offset", "state", "channel", "kind"]  # fmt: skip
VALUES = [
    *("", "a\0b", "\r\nX: y", "..", "../../etc/passwd", "Asia", "localtime", "9999-12-31", "0001-01-01", "2024-02-30"),
    *("-1", "0", "0" * 5000, "9" * 5000, "0000000000999999999", "1e9", "nan", "inf", "9999-12", "x" * 5000, "<script>"),
    *("{{7*7}}", "99999999d", "٣", "２０２４-05", "\u202e", "all,all", "'\"\\", "2024-05-14T24:00", "insiders", "crew"),
]
HEADERS: dict[str, list[str]] = {
    "HTTP_HOST": ["a" * 300, "..", "a..b", "xn--" + "a" * 70, "[::1", "x:abc", "a/<script>", "\xff", "a@b", ""],
    "HTTP_IF_NONE_MATCH": ["", "*", 'W/"', '"', '"a", W/"b"', "\xff", "x" * 20_000],
    "HTTP_IF_MODIFIED_SINCE": ["x", "Thu, 99 Foo 2024 99:99:99 GMT", "Thu, 01 Jan 99999 00:00:00 GMT",
                               "Mon, 01 Jan 0000 00:00:00 +9999", "Thu, 01 Jan 1970 00:00:00 -99999999"],
    "HTTP_ACCEPT_ENCODING": ["gzip;q=nan", "gzip;q=inf", "gzip;q=1e999", "gzip;q=", "*;q=0", "," * 5000, "\xff"],
    "HTTP_ACCEPT_LANGUAGE": ["*", "en;q=x", "zz-" + "a" * 500, ";;;;", "\xff"],
    "HTTP_ACCEPT": ["*/*;q=x", "application/json", ";", "\xff"],
    "HTTP_AUTHORIZATION": ["Bearer", "Bearer ", "Bearer \xff", "Basic eDp5", 'Digest username="', ""],
    "HTTP_COOKIE": ["calfeed_operator=%ff", "calfeed_operator=99999999999999999999.x.y", "=;=;=", "\xff", "a" * 9000],
    "HTTP_RANGE": ["bytes=0-", "bytes=-99999999999999999999", "x"],
    "HTTP_ORIGIN": ["null", "http://[", "https://evil.example"],
    "HTTP_USER_AGENT": ["", "\xff\xfe", "x" * 20_000],
    "HTTP_X_FORWARDED_FOR": ["", "<script>", "1.2.3.4, " * 500],
    "HTTP_X_FORWARDED_HOST": ["evil.example", "a b"],
    "HTTP_X_FORWARDED_PREFIX": ["/x", "//evil.example", "\xff"],
    "CONTENT_LENGTH": ["-1", "x", "9" * 30],
}  # fmt: skip
KINDS = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
         "application/json; charset=utf-16", ""]  # fmt: skip
BODIES = [b"", b"null", b"[]", b"{", b"\xff\xfe{\x00}", b"[" * 30_000, b'{"url":' + b"[" * 30_000, b'{"a":' * 5_000,
          b"1" * 60_000, b'"\\ud800"', b'{"url": 1' + b"0" * 5_000 + b"}", b"NaN", b"x" * 70_000, b"--x\r\n" * 500,
          b'{"url": "https://\\ud800/", "before": ["\\u0000"], "timezone": "Asia", "category": {}}']  # fmt: skip
WRITES = ["/api/v1/subscriptions", "/subscribe/all/webhook", "/status/sign-in", "/status/sign-out", "/status/retry",
          "/status/test", "/unsubscribe/a/b", "/confirm/a/b", "/api/v1/channels/x/test"]  # fmt: skip


def proves(answer: Any, why: object) -> None:
    assert answer.status < 500, (answer.status, why)
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", why
    assert [name for name, value in answer.headers.items() if re.search(r"[\r\n\0]", value)] == [], why


def test_any_path_and_method(shared: Any) -> None:
    """Every rule with every name, and every method, also those that nobody has heard of."""
    tried = 0
    for rule in sorted({one.rule for one in shared.app.url_map.iter_rules()}):
        for name in NAMES if "<" in rule else ["-"]:
            for method in METHODS if name in {"all", "-"} else ["GET", "POST"]:
                path = RULE.sub(lambda _, name=name: name, rule)
                proves(shared.ask(path, method), (method, path))
                tried += 1
    print(f"{tried} requests, lost 0, repeated 0")


@pytest.mark.parametrize("path", READS)
def test_any_query(shared: Any, path: str) -> None:
    """A value that cannot be used is 400, with the reason; nothing is worse than that."""
    operator = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"} if path in {"/api/v1/deliveries", "/status"} else {}
    queries = [f"{key}={quote(value)}" for key in KEYS for value in VALUES[KEYS.index(key) % 6 :: 6]]
    queries += ["%", "&&&&", "=" * 500, "%ff=%fe", "category=" * 100, "&".join(f"category=c{n}" for n in range(500))]
    for query in queries:
        proves(shared.ask(f"{path}?{query}", **operator), (path, query[:80]))
    print(f"{len(queries)} requests, lost 0, repeated 0")


@pytest.mark.parametrize("header", HEADERS)
def test_any_header(shared: Any, header: str) -> None:
    paths = ["/", "/feeds/all.ics", "/feeds/none.ics", "/feeds/all.ics?q=a", "/events/visit", "/api/v1/events",
             "/api/v1/deliveries", "/status", "/private/a/crew.ics", "/static/style.css"]  # fmt: skip
    for path in paths:
        for value in HEADERS[header]:
            proves(shared.ask(path, **{header: value}), (path, header, value[:80]))
    proves(shared.ask("/status/sign-in", "POST", b"token=x", **{header: HEADERS[header][0]}), header)
    print(f"{len(paths) * len(HEADERS[header])} requests, lost 0, repeated 0")


@pytest.mark.parametrize("path", WRITES)
def test_any_body(site: Any, path: str) -> None:
    """JSON that nests without end, forms that are none, encodings that lie: 4xx, with the reason."""
    for body in BODIES:
        for kind in KINDS:
            answer = site.ask(path, "POST", body, CONTENT_TYPE=kind, CONTENT_LENGTH=str(len(body)))
            proves(answer, (path, kind, body[:40]))
            assert answer.status >= 400
    print(f"{len(BODIES) * len(KINDS)} requests, lost 0, repeated 0")


@pytest.mark.parametrize("zone", ["Asia", "Nowhere/Here", "../etc", "x" * 300])
def test_a_form_with_a_zone_that_is_none_comes_back(shared: Any, zone: str) -> None:
    body = f"url=https%3A%2F%2F127.0.0.1%2F&timezone={quote(zone)}".encode()
    kind = "application/x-www-form-urlencoded"
    answer = shared.ask("/subscribe/all/webhook", "POST", body, CONTENT_TYPE=kind, CONTENT_LENGTH=str(len(body)))
    assert answer.status == 422


@pytest.mark.parametrize("number", ["0000000000999999999", "1" * 5000, "0" * 5000, "+1", "-1", "1001"])
def test_no_page_of_the_api_is_larger_than_its_bound(shared: Any, number: str) -> None:
    assert shared.ask(f"/api/v1/events?limit={number}").status == 400


def test_a_redirect_never_leads_elsewhere(shared: Any) -> None:
    """Slashes, dots and a Host that is a stranger's own: Location stays on the host that was asked."""
    for path in ["//evil.example/", "/feeds//evil.example", "/\\evil.example", "/status", "/events//visit", "/help//x"]:
        location = shared.ask(path, HTTP_HOST="calendar.example.org").headers.get("Location", "/")
        assert location.startswith(("/", "http://calendar.example.org/")), path
        assert not location.startswith("//"), path


def test_forwarded_headers_count_only_behind_a_proxy(make_site: Any) -> None:
    forged = {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_FOR": "9.9.9.9",
    }
    open_, behind = make_site(), make_site(trusted_proxies=1)
    plain, trusted = open_.ask("/", **forged), behind.ask("/", **forged)
    assert ("evil.example" in plain.text, "Strict-Transport-Security" in plain.headers) == (False, False)
    assert ("evil.example" in trusted.text, "Strict-Transport-Security" in trusted.headers) == (True, True)


def test_who_guesses_the_token_waits_whatever_address_of_a_network_is_used(site: Any) -> None:
    """A client has a whole /64 of IPv6 addresses; the right token is not heard either until the wait is over."""
    found = [site.ask("/api/v1/deliveries", HTTP_AUTHORIZATION=f"Bearer {n}", REMOTE_ADDR=f"2001:db8::{n}").status
             for n in range(1, 10)]  # fmt: skip
    assert found == [401] * 5 + [429] * 4
    assert site.ask("/api/v1/deliveries", HTTP_AUTHORIZATION="Bearer x", REMOTE_ADDR="2001:db8:1::1").status == 401
    site.now[0] += timedelta(minutes=6)
    right = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "REMOTE_ADDR": "2001:db8::99"}
    assert site.ask("/api/v1/deliveries", **right).status == 200


def test_a_clock_put_back_keeps_nobody_out(site: Any) -> None:
    for _ in range(6):
        site.ask("/api/v1/deliveries", HTTP_AUTHORIZATION="Bearer x")
    site.now[0] -= timedelta(days=400)
    again = site.ask("/api/v1/deliveries", HTTP_AUTHORIZATION="Bearer x")
    assert int(again.headers["Retry-After"]) <= 300


def test_a_session_is_the_servers_own(site: Any) -> None:
    """Signing in replaces the cookie a stranger planted; a forged one opens nothing; none works on the API."""
    form = re.search(r'name="form" value="([^"]+)"', site.ask("/status/sign-in").text)
    assert form
    body = f"form={form[1]}&token={TOKEN}".encode()
    kind = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body))}
    planted = {"HTTP_COOKIE": "calfeed_operator=9999999999.planted.0"}
    assert site.ask("/status", **planted).status == 303
    cookie = site.ask("/status/sign-in", "POST", body, **kind, **planted).headers["Set-Cookie"]
    assert "planted" not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/status"} <= set(cookie.split("; "))
    mine = {"HTTP_COOKIE": cookie.partition(";")[0]}
    assert (site.ask("/status", **mine).status, site.ask("/api/v1/deliveries", **mine).status) == (200, 401)
    foreign = {**mine, "HTTP_SEC_FETCH_SITE": "cross-site"}
    for path in ("/status/retry", "/status/test", "/status/sign-out"):
        assert (site.ask(path, "POST", b"", **mine).status, site.ask(path, "POST", b"", **foreign).status) == (400, 400)


def test_reads_alone_are_open_to_other_sites(shared: Any) -> None:
    """CORS says `*`, without credentials, on what anybody may read; no preflight gets more."""
    for path in ("/feeds/all.ics", "/api/v1/events"):
        assert shared.ask(path).headers["Access-Control-Allow-Origin"] == "*"
    asked = {"HTTP_ORIGIN": "https://evil.example", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
    for path in ("/api/v1/deliveries/x/retry", "/api/v1/channels/x/test", "/status/retry", "/feeds/all.ics"):
        headers = shared.ask(path, "OPTIONS", **asked).headers
        assert "Access-Control-Allow-Credentials" not in headers
        assert "Access-Control-Allow-Methods" not in headers
        assert "Access-Control-Allow-Headers" not in headers


def wsgi(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [])
    return [environ["wsgi.input"].read()]


class Silent(io.BytesIO):
    """A body of which one octet comes, and the end of its connection ends the wait for more."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.gone.wait(30)
        return b"{"


class Senders:
    """Clients of `Bodies`, with a clock that is moved by hand; the silent ones each in a thread."""

    def __init__(self) -> None:
        self.now = 0.0
        self.bodies = Bodies(wsgi, limit=30, clock=lambda: self.now)
        self.threads: dict[str, Thread] = {}
        self.silence: list[Silent] = []
        self.said: dict[str, str] = {}

    def silent(self, name: str, address: str) -> None:
        """Sends headers alone; returns once it waits or is answered."""
        body = Silent()
        self.silence.append(body)
        waits = Event()

        def ask() -> None:
            self._post(name, address, body)
            body.gone.set()
            waits.set()

        body.read = lambda size=-1: (waits.set(), Silent.read(body, size))[1]  # type: ignore[method-assign]  # a probe
        self.threads[name] = Thread(target=ask)
        self.threads[name].start()
        assert waits.wait(30)

    def honest(self, name: str, address: str) -> str:
        self._post(name, address, io.BytesIO(b"{}"))
        return self.said[name]

    def answered(self, name: str) -> str:
        """What a silent one is told in the end."""
        self.threads[name].join(30)
        return self.said[name]

    def _post(self, name: str, address: str, body: io.BytesIO) -> None:
        environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "2", "wsgi.input": body, "REMOTE_ADDR": address}
        headers: dict[str, str] = {}
        status: list[str] = []
        made = self.bodies(environ, lambda said, given: (status.append(said[:3]), headers.update(given)))
        missing = int(headers.get("Content-Length", 0)) - len(b"".join(made)) if "Content-Length" in headers else 0
        self.said[name] = f"{status[0]}, cut off" if missing == 1 else status[0]


@pytest.fixture
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    for one in made.silence:
        one.gone.set()
    for thread in made.threads.values():
        thread.join(30)


def test_one_network_cannot_take_every_place_for_bodies(senders: Senders) -> None:
    for number in range(5):
        senders.silent(f"silent {number}", f"2001:db8::{number}")
    assert senders.said == {"silent 2": "503", "silent 3": "503", "silent 4": "503"}
    assert senders.honest("honest", "192.0.2.9") == "200"


def test_a_silent_body_makes_way_once_its_grace_is_over(senders: Senders) -> None:
    """The one that has waited longest; its connection ends with the answer. Before that nobody is pushed out."""
    for number in range(3):
        senders.silent(f"silent {number}", f"192.0.2.{number}")
        senders.now += 0.1
    assert senders.honest("too early", "198.51.100.1") == "503"
    senders.now += GRACE
    assert senders.honest("honest", "198.51.100.1") == "200"
    assert senders.answered("silent 0") == "408, cut off"
    assert senders.said == {"too early": "503", "honest": "200", "silent 0": "408, cut off"}


def test_who_was_let_go_has_one_place_and_no_grace(senders: Senders) -> None:
    """A crowd of networks that try again at once still keeps nobody out; after ten minutes it is forgiven."""
    for number in range(3):
        senders.silent(f"silent {number}", f"192.0.2.{number}")
    for number in range(3):
        senders.now += GRACE
        senders.silent(f"again {number}", f"192.0.2.{number}")
        assert senders.answered(f"silent {number}") == "408, cut off"
    assert [senders.honest(f"honest {n}", f"198.51.100.{n}") for n in range(20)] == ["200"] * 20
    assert senders.answered("again 0") == "408, cut off"
    senders.now += REMEMBERED
    senders.silent("forgiven", "192.0.2.0")
    senders.silent("forgiven, twice", "192.0.2.0")
    assert {"forgiven", "forgiven, twice"} & set(senders.said) == set()
    print("27 bodies, lost 0, repeated 0")


def test_a_body_has_its_time(senders: Senders) -> None:
    senders.bodies._limit = 0.01
    senders.silent("silent", "192.0.2.1")
    assert senders.answered("silent") == "408, cut off"


def test_half_a_body_is_none(senders: Senders) -> None:
    """A form cut off in the middle of an address is another address."""
    senders.silent("gone", "192.0.2.1")
    senders.silence[0].gone.set()
    assert senders.answered("gone") == "408, cut off"


def test_a_body_that_comes_is_handed_on_whole() -> None:
    """With a length or in chunks; what says that it is too large is left for the application to refuse unread."""
    bodies = Bodies(wsgi)

    def sent(**environ: str) -> bytes:
        made = {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(json.dumps({"a": 1}).encode()), **environ}
        return b"".join(bodies(made, lambda *_: None))

    assert sent(CONTENT_LENGTH="8") == b'{"a": 1}'
    assert sent(HTTP_TRANSFER_ENCODING="chunked") == b'{"a": 1}'
    assert sent(CONTENT_LENGTH="999999") == b'{"a": 1}'
