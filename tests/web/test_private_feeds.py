"""Secret links: a private feed for who has its token, nothing for anybody else, and no trace of the token."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from calfeed.errors import LedgerBusy

FORMATS = ("ics", "json", "jcal", "atom")


@pytest.fixture
def token(served: Any) -> str:
    """A token of the feed ``crew``."""
    return str(served.ledger.make_token("crew", served.clock())[1])


@pytest.mark.parametrize("suffix", FORMATS)
def test_it_opens_the_feed_in_every_format(served: Any, token: str, suffix: str) -> None:
    assert "Private rehearsal" in served.get(f"/private/{token}/crew.{suffix}")


def test_it_holds_what_is_private_unlisted_and_embargoed(served: Any, token: str) -> None:
    text = served.get(f"/private/{token}/crew.ics")
    for summary in ("Private rehearsal", "Unlisted briefing", "Embargoed surprise", "Talks"):
        assert f"SUMMARY:{summary}" in text


def test_no_cache_keeps_it_and_nothing_leads_away_from_it(served: Any, token: str) -> None:
    headers = served.client.get(f"/private/{token}/crew.ics").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert token not in str(headers)


def test_its_address_stands_nowhere_in_it(served: Any, token: str) -> None:
    """A file that is passed on must not pass the link on."""
    for suffix in FORMATS:
        assert token not in served.get(f"/private/{token}/crew.{suffix}")


def test_it_is_revalidated_filtered_and_downloaded_like_any_feed(served: Any, token: str) -> None:
    first = served.client.get(f"/private/{token}/crew.ics")
    again = served.client.get(f"/private/{token}/crew.ics", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "private, no-store")
    assert "Private rehearsal" not in served.get(f"/private/{token}/crew.ics?category=summit")
    download = served.client.get(f"/private/{token}/crew/download.ics")
    assert download.headers["Content-Disposition"] == 'attachment; filename="crew.ics"'


def test_a_wrong_a_revoked_and_a_strange_token_are_answered_alike(served: Any, token: str) -> None:
    id_, revoked = served.ledger.make_token("crew", served.clock())
    served.ledger.revoke(id_, served.clock())
    _, elsewhere = served.ledger.make_token("expo", served.clock())
    paths = [f"/private/{one}/crew.ics" for one in ("x", revoked, elsewhere, token[:-1], token + "x")]
    paths += [f"/private/{token}/{name}" for name in ("all.ics", "none.ics", "crew.exe", "crew", "crew/download.json")]
    found = {(r.status_code, r.headers["Cache-Control"]) for r in map(served.client.get, paths)}
    assert found == {(404, "no-cache")}
    texts = {served.client.get(path).text for path in paths[:8]}
    assert len(texts) == 1


def test_a_private_feed_is_served_nowhere_else(served: Any) -> None:
    for path in ("/feeds/crew.ics", "/feeds/crew/download.ics", "/feeds/crew.json", "/subscribe/crew"):
        assert served.client.get(path).status_code == 404


def test_the_token_of_a_feed_that_turned_public_still_opens_it(served: Any, token: str) -> None:
    """Any URL a client subscribed to once keeps working."""
    served.edit('id = "crew"\nname = "Crew"\nvisibility = "private"', 'id = "crew"\nname = "Crew"')
    assert served.client.get(f"/private/{token}/crew.ics").status_code == 200


def test_no_log_holds_a_token_whatever_goes_wrong(
    served: Any, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    served.get(f"/private/{token}/crew.ics")
    for fault in (LedgerBusy("away"), RuntimeError("a fault of ours")):

        def fail(*_: object, fault: Exception = fault) -> bool:
            raise fault

        monkeypatch.setattr(served.ledger, "check", fail)
        assert served.client.get(f"/private/{token}/crew.ics").status_code in {500, 503}
    assert "/private/<token>/<name>" in caplog.text
    assert token not in caplog.text


def test_a_use_that_cannot_be_noted_is_no_fault(served: Any, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that only reads still serves those who have links."""

    def locked() -> None:
        raise LedgerBusy("locked")

    monkeypatch.setattr(served.ledger.database, "write", locked)
    assert served.client.get(f"/private/{token}/crew.ics").status_code == 200


def test_the_last_use_is_noted(served: Any, token: str) -> None:
    served.get(f"/private/{token}/crew.ics")
    served.clock.now += timedelta(hours=2)
    served.get(f"/private/{token}/crew.ics")
    assert [one.used for one in served.ledger.tokens()] == [served.clock.now]
