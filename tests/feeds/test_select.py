"""The keys of a URL, and who may see which event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.errors import QueryError
from calfeed.events.model import Duration
from calfeed.feeds.select import EVERYTHING, MAX_LENGTH, Query, visible
from calfeed.feeds.snapshot import Snapshot, build

NOW = datetime(2024, 5, 10, tzinfo=UTC)

EVENTS = """
[[feeds]]
id = "open"
name = "Open"
[[feeds]]
id = "link"
name = "Who has the link"
visibility = "unlisted"
[[feeds]]
id = "staff"
name = "Staff"
visibility = "private"
[[feeds]]
id = "talks"
name = "Talks"
categories = ["talk", "panel"]
exclude = ["internal"]

[[events]]
id = "keynote"
summary = { en = "Keynote in Harbin", ru = "Доклад в Харбине" }
start = 2024-05-17
categories = ["talk"]
[[events]]
id = "panel"
summary = "Panel"
description = "With the *Straße* committee"
start = 2024-05-18
categories = ["Panel", "internal"]
[[events]]
id = "party"
summary = "Party"
start = 2024-05-18
location = "Harbin"
visibility = "unlisted"
[[events]]
id = "board"
summary = "Board"
start = 2024-05-19
visibility = "private"
[[events]]
id = "surprise"
summary = "Surprise"
start = 2024-05-20
embargo = 2024-05-12T00:00:00Z
"""


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("category=&q=&lang=&cancelled=&alarm=&expand=&rich=&not=%20", EVERYTHING),
        ("q=%20&lang=+&alarm=%C2%A0&expand=%E2%80%83", EVERYTHING),
        ("utm_source=mail&fbclid=1", EVERYTHING),
        ("category=talk&category=a,b,,a", Query(categories=("a", "b", "talk"))),
        ("not=internal&lang=zh-Hans&q=two++words", Query(exclude=("internal",), lang="zh-hans", q="two words")),
        (
            "cancelled=MARK&alarm=1h30m&expand=true&rich=0",
            Query(cancelled="mark", alarm=Duration(0, 5400), expand=True),
        ),
        ("alarm=0m&lang=ru&lang=RU", Query(alarm=Duration(), lang="ru")),
    ],
)
def test_a_query_is_read_and_written_in_one_form(text: str, query: Query) -> None:
    """Unknown keys and empty values ask for nothing; the canonical form reads back as the same query."""
    assert read(text) == query
    assert read(query.canonical()) == query


def test_the_canonical_form_names_only_what_is_asked() -> None:
    asked = read("rich=1&q=a b&category=б,a&cancelled=keep&alarm=60m")
    assert EVERYTHING.canonical() == ""
    assert asked.canonical() == "category=a,%D0%B1&q=a+b&alarm=1h&rich=1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cancelled=maybe", "cancelled: expected keep, mark or drop, got 'maybe'"),
        ("expand=2", "expand: expected 1 or 0, got '2'"),
        ("rich=yes", "rich: expected 1 or 0, got 'yes'"),
        ("lang=en_GB", "lang: expected a language tag such as 'en', 'ru' or 'zh-Hans', got 'en_GB'"),
        ("lang=../x", "lang: expected a language tag such as 'en', 'ru' or 'zh-Hans', got '../x'"),
        ("alarm=soon", "alarm: expected a duration such as '30m', '2h', '1d' or '1h30m', got 'soon'"),
        ("alarm=-5m", "alarm: expected a duration such as '30m', '2h', '1d' or '1h30m', got '-5m'"),
        ("alarm=400d", "alarm: at most 366d, got '400d'"),
        ("lang=ru&lang=zh", "lang: given more than once, with different values"),
        ("q=a%00b", "q: no control characters"),
        (f"q={'x' * (MAX_LENGTH + 1)}", "q: at most 200 characters"),
        (f"category={','.join(map(str, range(51)))}", "category: at most 50 categories"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(QueryError) as refused:
        read(text)
    assert str(refused.value) == reason
    assert refused.value.key == reason.partition(":")[0]


@pytest.mark.parametrize(
    ("feed", "query", "ids"),
    [
        ("all", "", ["keynote", "panel"]),
        ("open", "", ["keynote", "panel"]),
        ("link", "", ["keynote", "panel", "party"]),
        ("staff", "", ["keynote", "panel", "party", "board", "surprise"]),
        ("talks", "", ["keynote"]),
        ("all", "category=panel", ["panel"]),
        ("all", "category=TALK,panel&not=Internal", ["keynote"]),
        ("talks", "category=panel", []),
        ("all", "category=nobody-knows", []),
        ("all", "q=harbin", ["keynote"]),
        ("all", "q=ХАРБИНЕ", ["keynote"]),
        ("all", "q=strasse+panel", ["panel"]),
        ("all", "q=strasse+keynote", []),
        ("link", "q=harbin", ["keynote", "party"]),
        ("all", "q=internal", ["panel"]),
    ],
)
def test_a_feed_holds_what_its_readers_may_see_and_asked_for(
    feed: str, query: str, ids: list[str], publish: Callable[[str], Snapshot]
) -> None:
    """Categories compare without case; every word of ``q`` is somewhere in the texts of the event, in any language."""
    assert [event.id for event in publish(EVENTS).events(feed, read(query))] == ids


def test_an_embargoed_event_is_private_until_its_instant(publish: Callable[[str], Snapshot]) -> None:
    event = publish(EVENTS).catalog.by_id["surprise"]
    ends = datetime(2024, 5, 12, tzinfo=UTC)
    seen = [visible(event, "public", at) for at in (NOW, ends - timedelta(seconds=1), ends)]
    assert seen == [False, False, True]
    assert visible(event, "private", NOW)


SERIES = """
[[events]]
id = "course"
summary = "Course"
start = 2024-05-13T10:00:00
duration = "1h"
rrule = "FREQ=WEEKLY;COUNT=3"
[[events.overrides]]
recurrence_id = 2024-05-20T10:00:00
summary = "Secret guest"
"""


def test_an_occurrence_that_readers_may_not_know_of_is_left_out(publish: Callable[..., Snapshot]) -> None:
    """Neither it nor what it replaces is shown, and searching for its words finds nothing."""
    snapshot = publish(SERIES)
    event = snapshot.catalog.events[0]
    hidden = replace(event, overrides=tuple(replace(each, visibility="private") for each in event.overrides))
    catalog = replace(snapshot.catalog, events=(hidden,))
    snapshot = build(catalog, snapshot.revisions, (), base_url=None, now=NOW)
    since, until = NOW, NOW + timedelta(days=60)
    days = [each.start.day for each in snapshot.occurrences(since, until)]
    assert days == [13, 27]
    assert snapshot.events("all", Query(q="secret")) == []
    found = snapshot.resource("/feeds/all.ics")
    assert found is not None
    assert b"Secret" not in found.body
    assert b"EXDATE;TZID=Europe/Paris:20240520T100000\r\n" in found.body


def read(text: str) -> Query:
    from urllib.parse import parse_qsl

    return Query.parse(parse_qsl(text, keep_blank_values=True))
