"""The gate: vendors' rates are kept, and a dead host gets few probes and no more threads than its share."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from calfeed.deliver.gate import FIRST_WINDOW, PAUSE, TRIP, WIDEST, End, Gate, Route
from calfeed.events.model import ChannelKind


def route(kind: ChannelKind = "webhook", host: str = "a.example.org", path: str = "1") -> Route:
    return Route(kind, host, f"https://{host}/{path}")


def admitted(gate: Gate, to: Route, now: float, asked: int = 100) -> int:
    """How many of ``asked`` messages a claim lets through; they are then under way."""
    with gate.claiming(lambda _: to, now) as admit:
        count = sum(admit("channel") for _ in range(asked))
    for _ in range(count):
        gate.started(to)
    return count


def end(gate: Gate, to: Route, how: Sequence[End], now: float) -> None:
    for one in how:
        gate.ended(to, one, now)


@pytest.mark.parametrize(
    ("kind", "at_once", "in_ten_seconds"), [("slack", 1, 11), ("teams", 4, 44), ("discord", 5, 30)]
)
def test_the_rate_of_a_vendor_is_kept(kind: ChannelKind, at_once: int, in_ten_seconds: int) -> None:
    gate, to = Gate(), route(kind)
    total = admitted(gate, to, 0.0)
    assert total == at_once
    end(gate, to, ["answered"] * total, 0.0)
    for tenth in range(1, 101):
        count = admitted(gate, to, tenth / 10)
        end(gate, to, ["answered"] * count, tenth / 10)
        total += count
    assert total == in_ten_seconds


def test_two_channels_with_one_url_share_its_rate() -> None:
    gate, to = Gate(), route("slack")
    with gate.claiming({"one": to, "two": to}.__getitem__, 0.0) as admit:
        assert [admit("one"), admit("two"), admit("one")] == [True, False, False]


def test_what_a_claim_asked_for_and_did_not_get_counts_for_nothing() -> None:
    gate, to = Gate(), route("slack")
    with gate.claiming(lambda _: to, 0.0) as admit:
        assert admit("channel")
    with gate.claiming(lambda _: to, 0.0) as admit:
        assert admit("channel"), "another process took the row"


def test_a_host_begins_with_a_share_of_the_threads_and_earns_more() -> None:
    gate, to = Gate(), route()
    assert admitted(gate, to, 0.0) == FIRST_WINDOW
    assert admitted(gate, route(path="2"), 0.0) == 0, "another URL of the same host"
    assert admitted(gate, route(host="b.example.org"), 0.0) == FIRST_WINDOW
    end(gate, to, ["answered"] * FIRST_WINDOW, 0.0)
    assert admitted(gate, to, 0.0) == 2 * FIRST_WINDOW
    end(gate, to, ["answered"] * 2 * FIRST_WINDOW, 0.0)
    assert admitted(gate, to, 0.0) == WIDEST


def test_a_dead_host_is_probed_by_one_request_at_a_time_ever_more_rarely() -> None:
    gate, to = Gate(), route()
    count = admitted(gate, to, 0.0, TRIP)
    end(gate, to, ["failed"] * count, 0.0)
    probes = []
    for second in range(1, 200):
        if admitted(gate, to, float(second)):
            probes.append(second)
            end(gate, to, ["failed"], float(second))
    assert probes == [5, 15, 35, 75, 135, 195]


def test_a_host_that_answers_a_probe_is_alive() -> None:
    gate, to = Gate(), route()
    end(gate, to, ["failed"] * admitted(gate, to, 0.0, TRIP), 0.0)
    assert admitted(gate, to, PAUSE) == 1
    assert admitted(gate, to, PAUSE) == 0
    end(gate, to, ["answered"], PAUSE)
    assert admitted(gate, to, PAUSE) > 1


def test_what_was_not_sent_says_nothing_of_the_host() -> None:
    gate, to = Gate(), route()
    for _ in range(3):
        end(gate, to, ["unsent"] * admitted(gate, to, 0.0), 0.0)
    assert admitted(gate, to, 0.0) == FIRST_WINDOW


def test_a_receiver_that_asks_to_be_left_alone_is() -> None:
    gate, to = Gate(), route()
    admitted(gate, to, 0.0, 1)
    gate.ended(to, "answered", 0.0, wait=30.0)
    assert (admitted(gate, to, 29.9), admitted(gate, route(path="2"), 29.9, 1)) == (0, 1)
    assert admitted(gate, to, 30.0, 3) == 3


def test_the_url_shows_in_no_repr() -> None:
    assert "secret" not in repr(route(path="secret"))
