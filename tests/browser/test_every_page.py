"""Each page, width and scheme: no console error, no request to anyone else, no sideways scroll, nothing for axe."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

PAGES = {
    "agenda": "/",
    "agenda-russian": "/?lang=ru",
    "agenda-chinese": "/?lang=zh",
    "agenda-tokyo": "/?tz=Asia/Tokyo",
    "agenda-filtered": "/?category=music,talks&q=o",
    "agenda-empty": "/?q=nothing-of-that-name",
    "month": "/?view=month",
    "month-chinese": "/?view=month&lang=zh",
    "timeline": "/?view=timeline",
    "timeline-long": "/?view=timeline&from=2024-05-01&to=2024-05-31&lang=ru",
    "subscribe": "/subscribe/all",
    "subscribe-filtered": "/subscribe/all?category=music&lang=ru",
    "subscribe-webhook": "/subscribe/all/webhook",
    "event": "/events/festival",
    "event-timed": "/events/opening-concert?tz=Asia/Tokyo",
    "event-recurring": "/events/choir?lang=zh",
    "event-cancelled": "/events/regatta",
    "event-long": "/events/long",
    "changes": "/changes",
    "embed": "/embed/all?view=month",
    "help": "/help",
    "help-search": "/help?q=feed",
    "sign-in": "/status/sign-in",
}
LOOKS = [(width, scheme) for scheme in ("light", "dark") for width in (320, 380, 1280)]


def check(guest: Any, name: str) -> None:
    """The page as it is open now, in each look; kept as a picture but for the narrowest."""
    found = {}
    for width, scheme in LOOKS:
        guest.look(width, scheme)
        faults = guest.overflow()
        if width != 320:
            guest.screenshot(f"{name}-{width}-{scheme}")
            faults += guest.violations()
        if faults:
            found[width, scheme] = faults
    assert (found, guest.errors, guest.outside) == ({}, [], [])


@pytest.mark.parametrize("name", PAGES)
def test_public_pages(visitor: Any, name: str) -> None:
    guest = visitor()
    guest.open(PAGES[name])
    check(guest, name)


def test_the_operators_pages(visitor: Any) -> None:
    guest = visitor()
    guest.sign_in()
    check(guest, "status")
    guest.follow(guest.page.get_by_role("link", name="reminder").first)
    check(guest, "delivery")


def test_a_page_that_is_not_there(visitor: Any) -> None:
    """Chromium itself reports the 404 of the document on its console; nothing else may be there."""
    guest = visitor()
    guest.open("/no-such-page")
    guest.errors = [error for error in guest.errors if "404 (NOT FOUND)" not in error]
    check(guest, "fault")


@pytest.mark.parametrize("view", ["agenda", "month", "timeline"])
def test_the_widest_window(visitor: Any, view: str) -> None:
    guest = visitor(1920)
    guest.open(f"/?view={view}")
    guest.screenshot(f"{view}-1920")
    assert guest.overflow() == []


@pytest.mark.parametrize("view", ["agenda", "month", "timeline"])
def test_the_repositorys_own_calendar(visitor: Any, visit: Any, view: str) -> None:
    """Its week is past: it opens on its own dates."""
    guest = visitor(running=visit)
    guest.open("/" if view == "agenda" else f"/?view={view}")
    check(guest, f"visit-{view}")
    assert guest.page.locator("text=Russian-Chinese EXPO").first.is_visible()
