"""What people do: filter, switch language and zone, copy, print; and the operator's sign-in and retry."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def query(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_the_month_needs_no_script(visitor: Any, visit: Any) -> None:
    """The EXPO of 17–21 May is one bar from Friday to Sunday and one on Monday and Tuesday, over just these days."""
    page = visitor(running=visit, java_script_enabled=False).open("/?view=month")
    bars = page.get_by_role("link", name="Russian-Chinese EXPO · 17–21 May", exact=False)
    first, second = (bars.nth(index).bounding_box() for index in range(2))

    def edges(day: int) -> tuple[float, float]:
        cell = page.locator(f'li:has(> a time[datetime="2024-05-{day}"])').bounding_box()
        return cell["x"], cell["x"] + cell["width"]

    assert abs(first["x"] - edges(17)[0]) < 8
    assert abs(first["x"] + first["width"] - edges(19)[1]) < 8
    assert abs(second["x"] - edges(20)[0]) < 8
    assert abs(second["x"] + second["width"] - edges(21)[1]) < 8


def test_categories_are_toggled(visitor: Any) -> None:
    guest = visitor()
    page = guest.open("/")
    chips = page.get_by_label("Filter")
    guest.follow(chips.get_by_role("link", name="Talks"))
    guest.follow(chips.get_by_role("link", name="Walks"))
    assert query(page) == {"category": ["talks,walks"]}
    expect(page.locator("h4", has_text="Opening concert")).to_have_count(0)
    expect(page.locator("h4", has_text="Night sail")).to_have_count(1)
    expect(chips.get_by_role("link", name="Walks")).to_have_attribute("aria-current", "true")
    guest.follow(chips.get_by_role("link", name="Talks"))
    assert query(page) == {"category": ["walks"]}
    guest.follow(chips.get_by_role("link", name="All", exact=True))
    assert query(page) == {}


def test_a_search_keeps_the_filter_and_the_view(visitor: Any) -> None:
    guest = visitor()
    page = guest.open("/?view=timeline&category=talks")
    page.get_by_role("searchbox").fill("shanghai")
    with page.expect_event("load"):
        page.get_by_role("searchbox").press("Enter")
    assert query(page) == {"view": ["timeline"], "category": ["talks"], "q": ["shanghai"]}
    expect(page.get_by_role("link", name="Guest lecture")).to_have_count(1)
    guest.follow(page.get_by_role("link", name="Subscribe").first)
    assert query(page) == {"category": ["talks"], "q": ["shanghai"]}
    expect(page.locator("input[aria-label=Address]")).to_have_value(
        f"{urlsplit(page.url)._replace(path='/feeds/all.ics').geturl()}"
    )


def test_the_language_is_switched(visitor: Any) -> None:
    guest = visitor()
    page = guest.open("/?view=month")
    guest.follow(page.get_by_role("link", name="Русский"))
    assert query(page) == {"view": ["month"], "lang": ["ru"]}
    expect(page.get_by_role("heading", level=1)).to_have_text("Фестиваль в гавани 2024")
    guest.follow(page.get_by_role("link", name="中文"))
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.get_by_role("link", name="时间轴")).to_be_visible()


def test_the_zone_is_chosen_without_script(visitor: Any) -> None:
    guest = visitor(java_script_enabled=False)
    page = guest.open("/")
    page.locator("summary").click()
    page.get_by_label("Show times in").select_option("Asia/Tokyo")
    guest.follow(page.get_by_role("button", name="Show"))
    assert query(page) == {"tz": ["Asia/Tokyo"]}
    concert = page.locator("article", has_text="Opening concert")
    expect(concert).to_contain_text("01:00–03:30")
    expect(concert).to_contain_text("Fri 17 May, 19:00–21:30 in Moscow (UTC+3)")


def test_the_readers_own_zone_is_one_click_away(visitor: Any) -> None:
    page = visitor(timezone_id="America/New_York").open("/")
    page.locator("summary").click()
    page.get_by_role("button", name="Use my time zone (New York)").click()
    page.wait_for_url("**/?tz=America*")
    expect(page.locator("summary")).to_contain_text("Eastern Time, UTC−4")
    expect(page.locator("article", has_text="Opening concert")).to_contain_text("12:00–14:30")


def test_the_address_is_copied(visitor: Any) -> None:
    guest = visitor(permissions=["clipboard-read", "clipboard-write"])
    page = guest.open("/subscribe/music")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == f"{guest.base}/feeds/music.ics"


def test_without_script_the_address_is_there_to_be_marked(visitor: Any) -> None:
    page = visitor(java_script_enabled=False).open("/subscribe/music")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator("input[aria-label=Address]")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(visitor: Any) -> None:
    page = visitor().open("/")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the events")
    expect(link).to_be_focused()
    assert link.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_the_arrows_lead_through_time_and_back_to_today(visitor: Any) -> None:
    guest = visitor()
    page = guest.open("/?view=month")
    guest.follow(page.get_by_role("link", name="Next month"))
    assert query(page)["month"] == ["2024-06"]
    guest.follow(page.get_by_role("navigation", name="Period").get_by_role("link", name="Today"))
    assert query(page) == {"view": ["month"]}
    expect(page.locator("a[aria-current=date]")).to_contain_text("17")


def test_print_leaves_out_what_paper_cannot_use(visitor: Any) -> None:
    guest = visitor()
    page = guest.open("/")
    page.emulate_media(media="print")
    guest.screenshot("agenda-print")
    expect(page.get_by_role("navigation", name="View")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_hidden()
    expect(page.get_by_role("heading", name="Opening concert")).to_be_visible()


def test_a_frame_elsewhere_shows_the_embed_and_nothing_else(visitor: Any, festival: Any, elsewhere: str) -> None:
    page = visitor().page
    heading = page.frame_locator("iframe").get_by_role("heading", level=1)
    page.goto(f"{elsewhere}/?{festival.url}/embed/music")
    expect(heading).to_have_text("Music")
    page.goto(f"{elsewhere}/?{festival.url}/")
    expect(heading).to_have_count(0)


def test_the_operator_signs_in_and_sends_a_delivery_again(visitor: Any, festival: Any) -> None:
    guest = visitor()
    page = guest.open("/status/sign-in")
    page.get_by_label("Token").fill("wrong")
    guest.follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    guest.sign_in()
    expect(page.get_by_role("heading", level=1)).to_have_text("Status")
    (cookie,) = page.context.cookies()
    assert (cookie["sameSite"], cookie["httpOnly"], cookie["path"]) == ("Strict", True, "/status")
    row = page.locator("tr", has_text="the receiver does not know")
    guest.follow(row.get_by_role("button", name="Retry"))
    expect(page.get_by_role("status")).to_have_text("The delivery is sent again.")
    assert festival.ledger.deliveries(state="rejected") == []
    guest.follow(page.get_by_role("button", name="Sign out"))
    assert page.url.endswith("/status/sign-in")
    assert page.context.cookies() == []


def test_a_channel_without_an_address_cannot_be_tested(visitor: Any) -> None:
    guest = visitor()
    guest.sign_in()
    row = guest.page.locator("tr", has_text="spare")
    expect(row).to_contain_text("env:CALFEED_TEST_UNSET is not set")
    expect(row.get_by_role("button")).to_be_disabled()
