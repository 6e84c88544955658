"""Buckets of tokens: as many as the quota at once, then one whenever one has come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calfeed.errors import TooMany
from calfeed.ledger.allowances import Quota
from calfeed.web import limits
from calfeed.web.limits import Limiter, network

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)


@pytest.fixture
def limiter() -> Limiter:
    """Six an hour: one comes back every ten minutes."""
    return Limiter(Quota("writes", 6, timedelta(hours=1)))


def taken(limiter: Limiter, minutes: float, address: str = "192.0.2.1") -> int | str:
    try:
        return limiter.take(address, NOW + timedelta(minutes=minutes)).remaining
    except TooMany as fault:
        return f"wait {fault.seconds}"


def test_the_quota_may_be_used_at_once_and_comes_back_evenly(limiter: Limiter) -> None:
    found = [taken(limiter, minutes) for minutes in (0, 0, 0, 0, 0, 0, 0, 9, 10, 10, 90)]
    assert found == [5, 4, 3, 2, 1, 0, "wait 600", "wait 60", 0, "wait 600", 5]


def test_a_clock_that_goes_back_gives_nothing(limiter: Limiter) -> None:
    for _ in range(6):
        taken(limiter, 60)
    assert taken(limiter, 0) == "wait 600"


def test_the_headers_name_policy_and_rest(limiter: Limiter) -> None:
    assert limiter.take("192.0.2.1", NOW).headers == {
        "RateLimit-Policy": '"writes";q=6;w=3600',
        "RateLimit": '"writes";r=5;t=600',
    }


def test_looking_counts_nothing(limiter: Limiter) -> None:
    assert [limiter.look("192.0.2.1", NOW).remaining for _ in range(9)] == [6] * 9


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("unix socket", "unix socket"),
    ],
)
def test_one_client_is_an_address_or_a_whole_network_of_ipv6(address: str, whose: str) -> None:
    assert network(address) == whose


def test_no_address_is_kept_in_clear(limiter: Limiter) -> None:
    taken(limiter, 0, "192.0.2.77")
    assert "192.0.2.77" not in repr(limiter)


def test_a_new_day_knows_nobody(limiter: Limiter) -> None:
    for _ in range(7):
        taken(limiter, 14 * 60)
    assert taken(limiter, 16 * 60) == 5


def test_only_so_many_addresses_are_remembered(limiter: Limiter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 2)
    found = [taken(limiter, 0, f"192.0.2.{n}") for n in (1, 2, 3, 1)]
    assert found == [5, 5, 5, 5]
