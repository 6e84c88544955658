"""The links of the clients, whole: each is a vendor's unofficial form that breaks without a sound when it is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from calfeed.events.model import Event, Place, Text
from calfeed.feeds.select import Query
from calfeed.web.subscribe import EventLinks, SubscribeLinks, event_links, is_local, map_link, subscribe_links


def text(value: str) -> Text:
    return Text((("en", value),))


TALKS = Event(
    id="talks",
    uid="3a7f2f5c-7b1e-5b0e-9d26-1f0d4c1f8a11",
    summary=text("Talks & signing"),
    start=datetime(2024, 5, 16, 10, tzinfo=ZoneInfo("Asia/Shanghai")),
    end=datetime(2024, 5, 16, 11, 30, tzinfo=ZoneInfo("Asia/Shanghai")),
    timezone="Asia/Shanghai",
    location=Place(text("Beijing")),
)


def test_the_links_of_a_feed() -> None:
    links = subscribe_links("https://calendar.example.org", "all", "The visit", Query(categories=("expo",), lang="ru"))
    assert links == SubscribeLinks(
        url="https://calendar.example.org/feeds/all.ics?category=expo&lang=ru",
        webcal="webcal://calendar.example.org/feeds/all.ics?category=expo&lang=ru",
        google=(
            "https://calendar.google.com/calendar/u/0/r?cid="
            "webcal%3A%2F%2Fcalendar.example.org%2Ffeeds%2Fall.ics%3Fcategory%3Dexpo%26lang%3Dru"
        ),
        google_by_url="https://calendar.google.com/calendar/u/0/r/settings/addbyurl",
        outlook=(
            "https://outlook.live.com/calendar/0/addfromweb/?url="
            "https%3A%2F%2Fcalendar.example.org%2Ffeeds%2Fall.ics%3Fcategory%3Dexpo%26lang%3Dru&name=The%20visit"
        ),
        office=(
            "https://outlook.office.com/calendar/0/addfromweb/?url="
            "https%3A%2F%2Fcalendar.example.org%2Ffeeds%2Fall.ics%3Fcategory%3Dexpo%26lang%3Dru&name=The%20visit"
        ),
        download="https://calendar.example.org/feeds/all/download.ics?category=expo&lang=ru",
    )


def test_a_plain_feed_has_a_plain_address() -> None:
    """What one client shows another may share: no empty question mark, no default keys."""
    assert (
        subscribe_links("https://calendar.example.org/sub", "expo", "E").url
        == "https://calendar.example.org/sub/feeds/expo.ics"
    )


def test_the_links_of_a_timed_event() -> None:
    """UTC instants with Z, and the zone as Google's ``ctz``."""
    assert event_links(TALKS, "https://calendar.example.org") == EventLinks(
        google=(
            "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Talks%20%26%20signing"
            "&dates=20240516T020000Z%2F20240516T033000Z&details=https%3A%2F%2Fcalendar.example.org%2Fevents%2Ftalks"
            "&location=Beijing&ctz=Asia%2FShanghai"
        ),
        outlook=(
            "https://outlook.live.com/calendar/0/action/compose?rru=addevent&subject=Talks%20%26%20signing"
            "&startdt=2024-05-16T02%3A00%3A00Z&enddt=2024-05-16T03%3A30%3A00Z"
            "&body=https%3A%2F%2Fcalendar.example.org%2Fevents%2Ftalks&location=Beijing"
        ),
        office=(
            "https://outlook.office.com/calendar/0/action/compose?rru=addevent&subject=Talks%20%26%20signing"
            "&startdt=2024-05-16T02%3A00%3A00Z&enddt=2024-05-16T03%3A30%3A00Z"
            "&body=https%3A%2F%2Fcalendar.example.org%2Fevents%2Ftalks&location=Beijing"
        ),
        ics="https://calendar.example.org/events/talks.ics",
    )


def test_an_all_day_event_goes_by_days_with_an_exclusive_end_and_no_zone() -> None:
    days = replace(TALKS, start=date(2024, 5, 17), end=date(2024, 5, 22), location=None)
    links = event_links(days, "https://calendar.example.org")
    assert "&dates=20240517%2F20240522&" in links.google
    assert "ctz" not in links.google
    assert links.outlook.endswith(
        "&startdt=2024-05-17&enddt=2024-05-22&body=https%3A%2F%2Fcalendar.example.org%2Fevents%2Ftalks&allday=true"
    )


def test_an_event_without_an_end_ends_when_it_begins() -> None:
    assert (
        "dates=20240516T020000Z%2F20240516T020000Z" in event_links(replace(TALKS, end=None), "https://x.example").google
    )


def test_a_map_shows_the_point_or_searches_the_words() -> None:
    assert (
        map_link((45.77, 126.68), "Harbin")
        == "https://www.openstreetmap.org/?mlat=45.77&mlon=126.68#map=15/45.77/126.68"
    )
    assert map_link(None, "Harbin, China") == "https://www.openstreetmap.org/search?query=Harbin%2C%20China"


@pytest.mark.parametrize(
    ("base", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]/x", True),
        ("https://example.org", False),
    ],
)
def test_an_address_of_this_machine_alone_is_known(base: str, local: bool) -> None:
    """The page then says that Google and Outlook cannot read it."""
    assert is_local(base) is local
