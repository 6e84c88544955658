"""The calendar's page: complete without JavaScript; what is seen is what is subscribed to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

NOW_AFTER = datetime(2024, 7, 1, tzinfo=UTC)


def titles(document: Any) -> list[str]:
    return document.texts("h4")  # type: ignore[no-any-return]  # the fixture's Document


def test_the_agenda_opens_on_today_and_names_the_next_day(site: Any, parse: Any) -> None:
    page = parse(site.get("/"))
    assert page.texts("h1") == ["The visit"]
    assert titles(page) == ["State visit", "Talks", "Signing", "EXPO", "Concert"]
    (note,) = page.texts("p", class_="note")
    assert note.replace("Thu, ", "Thu ") == "The next events begin on Thu 16 May."  # CLDR 45 has the comma, 47 has not


def test_today_is_marked_in_words(served: Any, parse: Any) -> None:
    served.clock.now = datetime(2024, 5, 16, 1, tzinfo=UTC)
    page = parse(served.get("/"))
    assert page.texts("span", class_="now") == ["Today"]
    assert page.texts("p", class_="note") == []


def test_when_nothing_lies_ahead_it_opens_on_its_own_dates(served: Any, parse: Any) -> None:
    served.clock.now = NOW_AFTER
    page = parse(served.get("/"))
    assert titles(page)[:2] == ["State visit", "Talks"]
    assert page.texts("p", class_="note") == ["Nothing lies ahead; these are the calendar’s own dates."]


@pytest.mark.parametrize("view", ["month", "timeline"])
def test_the_other_views_open_there_too(served: Any, parse: Any, view: str) -> None:
    served.clock.now = NOW_AFTER
    page = parse(served.get(f"/?view={view}"))
    label = page.texts("span", class_="span")
    assert label == [{"month": "May 2024", "timeline": "16–20 May 2024"}[view]] or label == ["16–21 May 2024"]
    assert any("EXPO" in text for text in page.texts("li"))


def test_the_month_shows_the_expo_as_one_bar_a_week(site: Any, parse: Any) -> None:
    """17–21 May: Friday to Sunday, then Monday and Tuesday; by classes alone, for no style attribute is allowed."""
    page = parse(site.get("/?view=month&month=2024-05"))
    bars = [item for item in page.all("li") if "class" in item.attributes and item.text.strip(" ‹").startswith("EXPO ")]
    cells = [bar.attributes["class"] for bar in bars]
    assert cells == ["c5 s3 l2", "c1 s2 l1"]


def test_the_timeline_shows_days_across(site: Any, parse: Any) -> None:
    page = parse(site.get("/?view=timeline&from=2024-05-16&to=2024-05-21"))
    assert [bar.attributes["class"].split()[-2:] for bar in page.all("span", class_="bar")][:4] == [
        ["c1", "s2"],
        ["c1", "s1"],
        ["c1", "s2"],
        ["c2", "s5"],
    ]


def test_uncertainty_is_told_in_words_and_shape(site: Any, parse: Any) -> None:
    page = parse(site.get("/"))
    kinds = [item.attributes["class"].split()[2:] for item in page.all("article")]
    assert kinds == [[], [], ["tentative", "open"], [], ["cancelled"]]
    assert page.texts("span", class_="tba") == ["Date to be announced"]
    assert page.texts("span", class_="maybe") == ["Tentative"]
    assert page.texts("span", class_="off") == ["Cancelled"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("category=expo", ["EXPO"]),
        ("category=expo,culture", ["EXPO", "Concert"]),
        ("not=summit", ["EXPO", "Concert"]),
        ("q=harbin", ["EXPO"]),
        ("feed=expo", ["EXPO"]),
        ("cancelled=drop&category=culture", []),
        ("from=2024-05-18&to=2024-05-18", ["EXPO", "Concert"]),
        ("to=2024-05-16", ["State visit", "Talks", "Signing"]),
        ("category=nothing", []),
    ],
)
def test_filters_and_dates(site: Any, parse: Any, query: str, found: list[str]) -> None:
    assert titles(parse(site.get(f"/?{query}"))) == found


def test_what_is_seen_is_what_is_subscribed_to(site: Any, parse: Any) -> None:
    page = parse(site.get("/?category=expo&q=harbin&view=month&lang=ru&tz=Asia/Tokyo"))
    (subscribe,) = [link.attributes["href"] for link in page.all("a", class_="main")]
    assert subscribe == "/subscribe/all?category=expo&lang=ru&q=harbin"
    links = [link.attributes["href"] for link in parse(site.get(subscribe)).all("a", class_="btn")]
    address = "calendar.example.org/feeds/all.ics?category=expo&lang=ru&q=harbin"
    assert links[0] == f"webcal://{address}"
    assert f"https://{address.replace('.ics', '/download.ics')}" in links
    assert site.get(f"/feeds/all.ics?{subscribe.partition('?')[2]}").count("BEGIN:VEVENT") == 1


def test_categories_are_toggles_that_say_which_is_on(site: Any, parse: Any) -> None:
    page = parse(site.get("/?category=expo"))
    chosen = [link for link in page.all("a", class_="chip") if link.attributes.get("aria-current") == "true"]
    assert [(link.text, link.attributes["href"]) for link in chosen] == [("EXPO", "/")]
    other = next(link for link in page.all("a", class_="chip") if link.text == "Summit")
    assert other.attributes["href"] == "/?category=expo,summit"


def test_the_readers_language_is_the_browsers_or_the_addresss(site: Any, parse: Any) -> None:
    russian = parse(site.get("/", Accept_Language="ru,en;q=0.5"))
    assert russian.elements[0].attributes["lang"] == "ru"
    assert titles(russian)[0] == "Государственный визит"
    chosen = parse(site.get("/?lang=zh", Accept_Language="ru"))
    assert chosen.elements[0].attributes["lang"] == "zh"
    assert [span.attributes.get("lang") for span in chosen.all("span", lang="en")][:1] == ["en"]


def test_a_language_of_the_browser_is_what_is_subscribed_to(site: Any, parse: Any) -> None:
    page = parse(site.get("/", Accept_Language="ru"))
    assert "lang%3Dru" not in page.all("a", class_="main")[0].attributes["href"]
    download = next(link.attributes["href"] for link in page.all("a", class_="btn") if link.text == "Скачать .ics")
    assert download == "https://calendar.example.org/feeds/all/download.ics?lang=ru"


def test_the_readers_zone_shows_both_times(site: Any, parse: Any) -> None:
    page = parse(site.get("/?tz=Europe/Moscow"))
    whens = page.texts("p", class_="when")
    assert whens[1] == "05:00–06:30 10:00–11:30 in Shanghai (UTC+8)"
    assert page.texts("summary") == ["Times in Moscow Time, UTC+3"]


def test_the_events_own_zone_is_the_usual_one(site: Any, parse: Any) -> None:
    page = parse(site.get("/"))
    assert page.texts("p", class_="when")[1] == "10:00–11:30"
    assert page.texts("summary") == ["Times in China Time, UTC+8"]


@pytest.mark.parametrize("query", ["view=week", "from=soon", "tz=Nowhere", "month=May", "alarm=x", "lang=!"])
def test_a_bad_value_is_answered_with_the_reason(site: Any, query: str) -> None:
    response = site.client.get(f"/?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.text


def test_unknown_keys_are_ignored(site: Any) -> None:
    assert site.client.get("/?utm_source=x&fbclid=y").status_code == 200


def test_an_empty_calendar_has_a_page(make_site: Any) -> None:
    served = make_site('[calendar]\nid = "empty"\nname = "Empty"\ntimezone = "UTC"\n')
    for view in ("agenda", "month", "timeline"):
        assert served.client.get(f"/?view={view}").status_code == 200
    assert "No events have been published yet." in served.get("/")


def test_a_page_that_has_not_changed_is_not_sent_again(site: Any) -> None:
    first = site.client.get("/")
    again = site.client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.headers["ETag"][:3], again.status_code, again.data) == ('W/"', 304, b"")


def test_an_embed_shows_its_feed_and_leads_out_in_new_windows(site: Any, parse: Any) -> None:
    page = parse(site.get("/embed/expo?view=month"))
    assert page.texts("h1") == ["EXPO"]
    tabs = [link.attributes["href"] for link in page.all("a") if link.text in {"Agenda", "Timeline"}]
    assert tabs == ["/embed/expo", "/embed/expo?view=timeline"]
    outside = [link.attributes for link in page.all("a", target="_blank")]
    assert [link["rel"] for link in outside] == ["noopener"] * len(outside)


def test_the_subscribe_page_offers_a_frame_of_what_it_shows(site: Any, parse: Any) -> None:
    (snippet,) = parse(site.get("/subscribe/expo?category=expo")).texts("textarea")
    assert snippet == (
        '<iframe src="https://calendar.example.org/embed/expo?category=expo" title="EXPO" '
        'width="100%" height="640" loading="lazy"></iframe>'
    )


def test_the_changes_page_tells_what_moved(served: Any, parse: Any) -> None:
    served.clock.now = datetime(2024, 5, 14, 10, tzinfo=UTC)
    assert served.edit("start = 2024-05-16T10:00:00", "start = 2024-05-16T15:00:00") is False
    served.publisher.path.write_text(
        served.path.read_text().replace("end = 2024-05-16T11:30:00", "end = 2024-05-16T16:30:00")
    )
    assert served.publisher.reload()
    page = parse(served.get("/changes"))
    (moved,) = [item for item in page.texts("article") if "Talks" in item][:1]
    assert "10:00" in moved
    assert "15:00" in moved
    assert "Talks" in parse(served.get("/events/talks")).texts("h1")
