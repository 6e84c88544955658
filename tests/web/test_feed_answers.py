"""How a feed is answered: the promises of 'Every feed answer', the same for Flask and for the path before routing."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from calfeed.feeds.resource import Resource
from calfeed.web.feeds import accepts_gzip, answer

MODIFIED = datetime(2024, 5, 14, 9, 30, tzinfo=UTC)
FEED = Resource.of(b"BEGIN:VCALENDAR\r\n" * 80, "text/calendar; charset=utf-8", MODIFIED)


def test_the_whole_answer() -> None:
    status, headers, body = answer(FEED)
    assert (status, body) == (200, FEED.body)
    assert dict(headers) == {
        "ETag": FEED.etag,
        "Last-Modified": "Tue, 14 May 2024 09:30:00 GMT",
        "Cache-Control": "public, max-age=300, stale-while-revalidate=3600",
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "ETag, Last-Modified",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Length": str(len(FEED.body)),
    }


def test_a_private_feed_stays_out_of_caches_logs_and_indexes() -> None:
    headers = dict(answer(FEED, private=True)[1])
    assert (headers["Cache-Control"], headers["Referrer-Policy"], headers["X-Robots-Tag"]) == (
        "private, no-store",
        "no-referrer",
        "noindex",
    )


def test_gzip_is_another_representation_with_its_own_strong_tag() -> None:
    _, headers, body = answer(FEED, accept_encoding="gzip, deflate, br")
    sent = dict(headers)
    assert gzip.decompress(body) == FEED.body
    assert (sent["Content-Encoding"], sent["ETag"], sent["Content-Length"]) == ("gzip", FEED.gzip_etag, str(len(body)))
    assert FEED.gzip_etag != FEED.etag
    assert not FEED.gzip_etag.startswith("W/")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("gzip;q=0, *", False),
        ("br, *;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_gzip_only_for_who_asks(header: str | None, wanted: bool) -> None:
    """One report of Outlook breaking on gzip it had not asked for."""
    assert accepts_gzip(header) is wanted


@pytest.mark.parametrize(
    "held",
    [FEED.etag, FEED.gzip_etag, f"W/{FEED.etag}", f'"other", {FEED.etag}', "*"],
)
def test_who_holds_this_state_is_told_so(held: str) -> None:
    status, headers, body = answer(FEED, if_none_match=held)
    assert (status, body, dict(headers)["ETag"]) == (304, b"", FEED.etag)
    assert not {"Content-Type", "Content-Length", "Content-Encoding"} & dict(headers).keys()


def test_a_tag_beats_a_date() -> None:
    """RFC 9110 §13.2.2: If-Modified-Since is not looked at beside If-None-Match."""
    assert answer(FEED, if_none_match='"old"', if_modified_since="Tue, 14 May 2024 09:30:00 GMT")[0] == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Tue, 14 May 2024 09:30:00 GMT", 304),
        ("Wed, 15 May 2024 00:00:00 GMT", 304),
        ("Tue, 14 May 2024 09:29:59 GMT", 200),
        ("Tuesday, 14-May-24 09:30:00 GMT", 304),
        ("last week", 200),
        ("", 200),
    ],
)
def test_dates_are_compared_in_seconds(since: str, status: int) -> None:
    assert answer(FEED, if_modified_since=since)[0] == status


def test_head_says_what_get_would() -> None:
    (_, got, _), (status, asked, body) = answer(FEED), answer(FEED, "HEAD")
    assert (status, body, asked) == (200, b"", got)


def test_a_download_names_its_file() -> None:
    headers = dict(answer(FEED, disposition='attachment; filename="all.ics"')[1])
    assert headers["Content-Disposition"] == 'attachment; filename="all.ics"'
