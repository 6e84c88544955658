"""A channel that would be sent more than it takes is warned of, at its place in the source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from calfeed.events.model import Catalog
from calfeed.reminders.load import overload

Read = Callable[[str], Catalog]
ALWAYS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)


def many(count: int, kind: str, more: str = "") -> str:
    """So many items that begin together."""
    events = "".join(
        f'[[events]]\nid = "e{number}"\nsummary = "E"\nstart = 2024-05-17T10:00:00\n' for number in range(count)
    )
    return events + f'[[channels]]\nid = "news"\nkind = "{kind}"\nurl = "env:NEWS_URL"\nbefore = ["1h"]\n{more}'


def test_400_reminders_at_once_are_seven_minutes_of_slack(catalog: Read) -> None:
    (problem,) = overload(catalog(many(400, "slack")), *ALWAYS)
    assert problem.message == (
        "400 messages from 2024-05-17 09:00 Asia/Shanghai (2024-05-17T01:00:00Z) on, more than slack takes at once: "
        "one is 7 min late"
    )
    assert (problem.path, problem.severity, problem.code) == ("channels.news", "warning", "overload")
    assert (problem.location.file, problem.location.line) == ("events.toml", 7 + 4 * 400)


@pytest.mark.parametrize(
    ("kind", "count", "warned"),
    [
        ("slack", 61, False),
        ("slack", 62, True),
        ("teams", 241, False),
        ("teams", 242, True),
        ("discord", 151, False),
        ("discord", 152, True),
        ("webhook", 400, False),
        ("apprise", 400, False),
    ],
)
def test_a_minute_of_queue_is_tolerated(catalog: Read, kind: str, count: int, warned: bool) -> None:
    assert bool(overload(catalog(many(count, kind)), *ALWAYS)) is warned


def test_reminders_and_digests_wait_in_one_queue(catalog: Read) -> None:
    assert overload(catalog(many(61, "slack")), *ALWAYS) == []
    assert len(overload(catalog(many(61, "slack", 'digest = "09:00"')), *ALWAYS)) == 1


def test_what_is_spread_out_is_no_queue(catalog: Read) -> None:
    toml = many(1, "slack").replace("T10:00:00", 'T10:00:00\nrrule = "FREQ=HOURLY;COUNT=500"')
    assert overload(catalog(toml), *ALWAYS) == []
