"""The manual: its pages, its search."""

from __future__ import annotations

import re
from typing import Any

from calfeed.web.help import HelpPage, manual, rendered, search

PAGES = {
    "index": HelpPage("index", "calfeed", "# calfeed\n\nPublish an event list.\n"),
    "feeds": HelpPage(
        "feeds",
        "Feeds",
        "# Feeds\n\n## Alarms\n\nA feed with `alarm=30m` reminds.\n\n| key | does |\n|---|---|\n| q | finds |\n",
    ),
}


def test_headings_are_anchors_and_tables_are_tables() -> None:
    html = rendered(PAGES["feeds"].text)
    assert '<h2 id="alarms">Alarms</h2>' in html
    assert "<td>finds</td>" in html


def test_a_search_finds_every_word_and_shows_where() -> None:
    assert [(hit.page.name, hit.excerpt) for hit in search(PAGES, "ALARM feed")] == [
        ("feeds", "A feed with alarm=30m reminds.")
    ]
    assert search(PAGES, "alarm nothing") == []


def test_pages_with_the_words_in_their_title_come_first() -> None:
    pages = {"a": HelpPage("a", "Other", "# Other\n\nfeeds"), "feeds": PAGES["feeds"]}
    assert [hit.page.name for hit in search(pages, "feeds")] == ["feeds", "a"]


def test_a_slash_at_its_end_leads_to_the_help_too(site: Any) -> None:
    response = site.client.get("/help/")
    assert (response.status_code, response.headers["Location"]) == (308, "/help")


def test_the_help_is_there_before_any_event_list_was_good(make_site: Any) -> None:
    """That is when an operator needs it."""
    served = make_site("nonsense = [")
    assert "<h1>" in served.get("/help")
    assert served.client.get("/help/events-toml").status_code == 200
    assert served.client.get("/help?q=calendar").status_code == 200


def test_every_link_of_the_manual_leads_somewhere(site: Any) -> None:
    links = {link for page in manual().values() for link in re.findall(r'(?:href|src)="(/[^"#]*)', rendered(page.text))}
    assert [link for link in sorted(links) if site.client.get(link).status_code >= 400] == []


def test_a_page_that_is_not_there(site: Any) -> None:
    assert site.client.get("/help/nothing").status_code == 404


def test_an_unlisted_event_stays_out_of_search_engines(site: Any, parse: Any) -> None:
    def robots(path: str) -> list[str]:
        return [meta.attributes["content"] for meta in parse(site.get(path)).all("meta", name="robots")]

    assert (robots("/events/briefing"), robots("/?feed=insiders"), robots("/events/expo")) == (
        ["noindex"],
        ["noindex"],
        [],
    )


def test_a_language_the_interface_lacks_is_marked_where_it_stands(make_site: Any, parse: Any) -> None:
    served = make_site(
        '[calendar]\nid = "x"\nname = "X"\ntimezone = "UTC"\n'
        '[[events]]\nid = "e"\nstart = 2024-05-16\nsummary = { en = "Concert", fr = "Le concert" }\n'
    )
    page = parse(served.get("/?lang=fr"))
    assert page.elements[0].attributes["lang"] == "en"
    assert page.texts("span", lang="fr") == ["Le concert"]
