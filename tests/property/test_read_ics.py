"""A feed of ours comes back from an import as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from calfeed.events.changes import revise
from calfeed.events.model import Catalog, Duration, Event
from calfeed.events.occurrences import check_rule
from calfeed.events.parse import load
from calfeed.feeds.lint import lint
from calfeed.feeds.read_ics import read_ics
from calfeed.feeds.resource import Resource
from calfeed.feeds.snapshot import build

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
BASE = "https://calendar.example.org"


def feed(catalog: Catalog) -> Resource:
    revisions = revise(catalog, {}, NOW, timedelta(days=30)).revisions
    resource = build(catalog, revisions, (), base_url=BASE, now=NOW).resource("/feeds/all.ics")
    assert resource is not None
    return resource


def said(feed: Resource) -> tuple[list[str], set[str]]:
    """What a feed says of its calendar, and of each event, whatever their order, and without revisions and languages.

    A date of its own is related to its event, which may have no date left: that is nothing to be related to.
    """
    text = feed.body.decode().replace("\r\n ", "")
    for event in re.findall(r"\r\nRELATED-TO:([^\r]*)", text):
        text = text if f"\r\nUID:{event}\r\n" in text else text.replace(f"\r\nRELATED-TO:{event}\r\n", "\r\n")
    head, *parts = re.split(r"(?=BEGIN:V)|END:VCALENDAR", _UNSAID.sub("", text))
    return head.splitlines(), set(parts)


_UNSAID = re.compile(r"(?<=\r\n)(?:CREATED|LAST-MODIFIED|DTSTAMP|SEQUENCE):.*\r\n|;LANGUAGE=[A-Za-z-]+(?=[^\r\n]*:)")


def public(event: Event) -> Event:
    """The same event, shown to everybody."""
    shown = {"visibility": "public", "embargo": None, "parent": None}
    return replace(event, overrides=tuple(replace(each, **shown) for each in event.overrides), **shown)


def can_be_written(event: Event) -> bool:
    """Whether its rule leaves a date beside those that are published as events of their own."""
    try:
        check_rule(replace(event, rdate=(), overrides=()))
    except ValueError:
        return event.rrule is None
    return True


calendars = st.fixed_dictionaries(
    {},
    optional={
        "language": st.sampled_from(["ru", "zh", "pt-BR"]),
        "url": st.just("https://calendar.example.org"),
        "color": st.sampled_from(["crimson", "darkslategrey"]),
        "refresh": st.sampled_from([Duration(days=1), Duration(seconds=5400)]),
    },
)


@settings(max_examples=60, phases=set(Phase) - {Phase.shrink})  # to shrink a catalog takes minutes
@given(st.from_type(Catalog), calendars)
def test_importing_a_feed_of_ours_gives_the_same_feed(catalog: Catalog, calendar: dict[str, object]):
    catalog = replace(catalog, calendar=replace(catalog.calendar, **calendar))
    once = feed(replace(catalog, events=tuple(filter(can_be_written, map(public, catalog.events)))))
    assume(not once.dropped)

    imported = read_ics(once.body, "all.ics")

    assert said(feed(load([("events.toml", imported.toml)]))) == said(once)
    assert {problem.path for problem in imported.lost} <= {"RELATED-TO"}
    assert [str(problem) for problem in lint(once.body, "all.ics") if problem.severity == "error"] == []
