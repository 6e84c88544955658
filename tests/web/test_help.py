"""The manual: its pages, its search."""

from __future__ import annotations

from calfeed.web.help import HelpPage, rendered, search

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
