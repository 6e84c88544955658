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
SCHEMES = ["light", "dark"]


def check(guest: Any, *, width: int) -> None:
    assert (guest.errors, guest.outside) == ([], [])
    assert guest.overflow() == []
    if width != 320:
        assert guest.violations() == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 380, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_public_pages(visitor: Any, name: str, width: int, scheme: str) -> None:
    guest = visitor(width, scheme)
    guest.open(PAGES[name])
    if width != 320:
        guest.screenshot(f"{name}-{width}-{scheme}")
    check(guest, width=width)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 380, 1280])
def test_the_operators_pages(visitor: Any, width: int, scheme: str) -> None:
    guest = visitor(width, scheme)
    guest.sign_in()
    guest.screenshot(f"status-{width}-{scheme}")
    check(guest, width=width)
    guest.page.get_by_role("link", name="reminder").first.click()
    guest.screenshot(f"delivery-{width}-{scheme}")
    check(guest, width=width)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 380, 1280])
def test_a_page_that_is_not_there(visitor: Any, width: int, scheme: str) -> None:
    """Chromium itself reports the 404 of the document on its console; nothing else may be there."""
    guest = visitor(width, scheme)
    guest.open("/no-such-page")
    guest.screenshot(f"fault-{width}-{scheme}")
    guest.errors = [error for error in guest.errors if "404 (NOT FOUND)" not in error]
    check(guest, width=width)


@pytest.mark.parametrize("width", [320, 1920])
@pytest.mark.parametrize("view", ["agenda", "month", "timeline"])
def test_the_narrowest_and_the_widest(visitor: Any, view: str, width: int) -> None:
    guest = visitor(width)
    guest.open(f"/?view={view}")
    guest.screenshot(f"{view}-{width}")
    assert guest.overflow() == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("view", ["agenda", "month", "timeline"])
def test_the_repositorys_own_calendar(visitor: Any, visit: Any, view: str, width: int, scheme: str) -> None:
    """Its week is past: it opens on its own dates."""
    guest = visitor(width, scheme, visit)
    guest.open("/" if view == "agenda" else f"/?view={view}")
    guest.screenshot(f"visit-{view}-{width}-{scheme}")
    check(guest, width=width)
    assert guest.page.locator("text=Russian-Chinese EXPO").first.is_visible()
