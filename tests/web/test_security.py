"""Every answer, errors included, carries its headers; no page asks anything of anyone else or keeps a cookie."""

from __future__ import annotations

import re
from typing import Any

import pytest

PAGES = ["/", "/?view=month", "/?view=timeline", "/subscribe/all", "/events/visit", "/changes", "/embed/all", "/help",
         "/status/sign-in"]  # fmt: skip
ANSWERS = [
    *PAGES, "/nothing", "/?view=x", "/api/v1/nothing", "/api/v1/events", "/feeds/none.ics", "/static/style.css",
    "/static/none", "/robots.txt", "/sitemap.xml", "/healthz", "/readyz", "/metrics", "/favicon.ico", "/status",
]  # fmt: skip


@pytest.mark.parametrize("path", ANSWERS)
def test_each_answer_has_its_headers(site: Any, path: str) -> None:
    headers = site.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Referrer-Policy" in headers
    assert "Permissions-Policy" in headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'")
    assert ("frame-ancestors *" in policy) is path.startswith("/embed/")
    assert ("X-Frame-Options" in headers) is not path.startswith("/embed/")


def test_a_fault_of_ours_has_them_too_and_tells_nothing(served: Any) -> None:
    served.app.view_functions["pages.index"] = lambda: 1 / 0
    response = served.client.get("/")
    assert response.status_code == 500
    assert "division" not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_style_or_script_or_loads_from_elsewhere(site: Any, parse: Any, path: str) -> None:
    page = parse(site.client.get(path).text)
    assert [one for one in page.elements if "style" in one.attributes] == []
    assert page.all("style") == []
    loads = [one.attributes.get("src") for one in page.elements if one.tag in {"script", "img", "iframe", "source"}]
    loads += [one.attributes["href"] for one in page.all("link") if one.attributes["rel"] in {"stylesheet", "icon"}]
    assert [load for load in loads if load and not load.startswith("/static/")] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_gets_no_cookie(site: Any, path: str) -> None:
    assert "Set-Cookie" not in site.client.get(path).headers


def test_https_is_remembered_only_where_it_is_used(make_site: Any) -> None:
    served = make_site(trusted_proxies=1)
    plain, secure = served.client.get("/"), served.client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert ("Strict-Transport-Security" in plain.headers, "Strict-Transport-Security" in secure.headers) == (
        False,
        True,
    )


def test_links_follow_the_setting_before_the_source_before_the_request(make_site: Any) -> None:
    source = '[calendar]\nid = "x"\nname = "X"\ntimezone = "UTC"\n'
    assert "http://localhost/feeds/all/download.ics" in make_site(source).get("/")
    with_url = source + 'url = "https://one.example"\n'
    assert "https://one.example/feeds/all/download.ics" in make_site(with_url).get("/")
    served = make_site(with_url, base_url="https://two.example/calendar")
    assert "https://two.example/calendar/feeds/all/download.ics" in served.get("/")
    assert 'href="https://two.example/calendar/"' in served.get("/", Host="attacker.example")


@pytest.mark.parametrize("path", ["/", "/?view=month", "/?view=timeline", "/subscribe/all", "/events/visit"])
def test_a_page_weighs_less_than_60_kb_compressed(site: Any, path: str) -> None:
    ask = {"Accept-Encoding": "gzip"}
    page = site.client.get(path, headers=ask)
    assert page.headers["Content-Encoding"] == "gzip"
    parts = re.findall(r'"(/static/[^"]+)"', site.get(path))
    weights = [len(site.client.get(part.replace("&amp;", "&"), headers=ask).data) for part in set(parts)]
    assert len(page.data) + sum(weights) < 60_000


def test_static_files_are_kept_under_their_hash(site: Any) -> None:
    address = re.search(r'"(/static/style\.css\?v=[^"]+)"', site.get("/"))
    assert address
    assert site.client.get(address[1]).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_head_of_a_static_file_has_the_length_of_the_file(site: Any) -> None:
    """RFC 9110 §9.3.2."""
    whole, head = site.client.get("/favicon.ico"), site.client.head("/favicon.ico")
    assert (head.headers["Content-Length"], head.data) == (str(len(whole.data)), b"")


@pytest.mark.parametrize(
    "path", ["/feeds/all.ics", "/feeds/all/download.ics", "/events/visit.ics", "/private/t/crew.ics", "/api/v1/events"]
)
def test_a_page_elsewhere_may_read_with_validators(site: Any, path: str) -> None:
    """Of If-None-Match a browser asks first: without this answer its page gets nothing."""
    ask = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    headers = site.client.options(path, headers={"Origin": "https://elsewhere.example", **ask}).headers
    assert {name: value for name, value in headers.items() if name.startswith("Access-Control-Allow-")} == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "*",
    }


@pytest.mark.parametrize("path", ["/api/v1/subscriptions", "/api/v1/subscriptions/x", "/api/v1/deliveries", "/status"])
def test_a_page_elsewhere_may_neither_write_nor_ask_as_the_operator(site: Any, path: str) -> None:
    """CORS is for reads that anybody may make."""
    ask = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    response = site.client.options(path, headers={"Origin": "https://elsewhere.example", **ask})
    assert "Access-Control-Allow-Headers" not in response.headers


def test_robots_may_read_feeds_and_not_the_operators_pages(site: Any) -> None:
    """Google Calendar does not fetch a feed that robots.txt forbids."""
    assert site.get("/robots.txt").splitlines() == [
        "User-agent: *",
        "Allow: /",
        "Disallow: /status",
        "Disallow: /private/",
        "Sitemap: https://calendar.example.org/sitemap.xml",
    ]


def test_the_sitemap_lists_public_events_with_their_last_change(site: Any) -> None:
    text = site.get("/sitemap.xml")
    assert "<loc>https://calendar.example.org/events/expo</loc><lastmod>2024-05-14T09:00:00Z</lastmod>" in text


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/api/v1/nothing", "application/problem+json"), ("/feeds/none.ics", "text/plain"), ("/none", "text/html")],
)
def test_an_error_speaks_the_readers_language(site: Any, path: str, kind: str) -> None:
    response = site.client.get(path)
    assert (response.status_code, response.mimetype) == (404, kind)


def test_a_wrong_method_is_named(site: Any) -> None:
    response = site.client.post("/")
    assert (response.status_code, "GET" in response.headers["Allow"]) == (405, True)
