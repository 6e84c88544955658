"""The changes that readers may know of, and the Atom feed that tells them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from calfeed.feeds.select import Query
from calfeed.feeds.snapshot import Snapshot

NOW = datetime(2024, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ATOM = "{http://www.w3.org/2005/Atom}"
Publish = Callable[..., Snapshot]

TALK = '[[events]]\nid = "talk"\nsummary = "Talk <1> & more"\nstart = 2024-05-17T10:00:00\ncategories = ["expo"]\n'
BOARD = '[[events]]\nid = "board"\nsummary = "Board"\nstart = 2024-05-18\n'
STAFF = '[[feeds]]\nid = "staff"\nname = "Staff"\nvisibility = "private"\n'


def story(publish: Publish, *texts: str) -> Snapshot:
    """One publication an hour."""
    snapshot = None
    for hours, toml in enumerate(texts):
        snapshot = publish(STAFF + toml, now=NOW + hours * HOUR, after=snapshot)
    assert snapshot is not None
    return snapshot


def told(snapshot: Snapshot, feed: str = "all", query: Query | None = None) -> list[tuple[str, str, int]]:
    """(kind, event, hour), the newest first."""
    found = snapshot.history(feed, query or Query())
    return [(each.kind.value, each.event_id, int((each.at - NOW) / HOUR)) for each in found]


def test_the_newest_change_comes_first(publish: Publish) -> None:
    snapshot = story(
        publish, TALK, TALK + BOARD, TALK.replace("10:00", "11:00") + BOARD, TALK.replace("10:00", "11:00")
    )
    assert told(snapshot) == [
        ("removed", "board", 3),
        ("moved", "talk", 2),
        ("added", "board", 1),
        ("added", "talk", 0),
    ]
    assert told(snapshot, query=Query(categories=("expo",))) == [("moved", "talk", 2), ("added", "talk", 0)]


def test_what_is_private_now_has_no_public_past(publish: Publish) -> None:
    shut = BOARD + 'visibility = "private"\n'
    snapshot = story(publish, TALK + BOARD, TALK + BOARD.replace("18", "19"), TALK + shut)
    assert told(snapshot) == [("added", "talk", 0)]
    known = [(kind, hour) for kind, event, hour in told(snapshot, "staff") if event == "board"]
    assert known == [("moved", 2), ("moved", 1), ("added", 0)]


def test_what_becomes_public_was_added_then(publish: Publish) -> None:
    """Its private past, old title and old time are not told."""
    shut = BOARD + 'visibility = "private"\n'
    opened = BOARD.replace("Board", "Meeting").replace("18", "19")
    snapshot = story(publish, shut, shut.replace("18", "17"), opened)
    assert told(snapshot) == [("added", "board", 2)]
    found = snapshot.resource("/feeds/all.atom")
    assert found is not None
    assert b"Board" not in found.body
    assert b"Meeting: added: Sun 19 May 2024" in found.body


def test_an_embargoed_event_was_added_when_its_embargo_ended(publish: Publish) -> None:
    """However often it changed before; what changed after is told."""
    held = BOARD + "embargo = 2024-05-10T03:00:00Z\n"
    moved = held.replace("2024-05-18", "2024-05-19")
    again = held.replace("2024-05-18", "2024-05-20")
    assert told(story(publish, held, moved, moved)) == []
    assert told(story(publish, held, moved, moved, moved)) == [("added", "board", 3)]
    assert told(story(publish, held, moved, moved, moved, again)) == [("moved", "board", 4), ("added", "board", 3)]


def test_the_removal_of_a_private_event_is_not_told(publish: Publish) -> None:
    shut = BOARD + 'visibility = "private"\n'
    snapshot = story(publish, TALK + shut, TALK)
    assert told(snapshot) == [("added", "talk", 0)]
    assert told(snapshot, "staff")[0] == ("removed", "board", 1)


def test_what_was_private_when_it_was_removed_has_no_public_past_either(publish: Publish) -> None:
    """What was hidden after all does not come out again by being taken away."""
    shut = BOARD + 'visibility = "private"\n'
    snapshot = story(publish, TALK + BOARD, TALK + shut, TALK)
    assert told(snapshot) == [("added", "talk", 0)]
    assert told(snapshot, "staff")[0] == ("removed", "board", 2)


def test_what_was_removed_under_its_embargo_is_never_told(publish: Publish) -> None:
    """Nor once the embargo would have ended; what was removed after its end is."""
    held = BOARD + "embargo = 2024-05-10T02:00:00Z\n"
    assert told(story(publish, TALK + held, TALK, TALK, TALK)) == [("added", "talk", 0)]
    assert told(story(publish, held, held, held, "")) == [("removed", "board", 3), ("added", "board", 2)]


def test_the_atom_feed_is_what_rfc_4287_asks_for(publish: Publish) -> None:
    snapshot = story(publish, TALK, TALK.replace("10:00", "11:00"))
    found = snapshot.resource("/feeds/all.atom", Query(categories=("expo",)))
    assert found is not None
    root = ET.fromstring(found.body)  # noqa: S314 # our own octets
    texts = {child.tag.removeprefix(ATOM): child.text for child in root if child.text}
    links = {child.get("rel"): child.get("href") for child in root if child.tag == f"{ATOM}link"}
    uid = snapshot.catalog.events[0].uid
    assert root.tag == f"{ATOM}feed"
    assert texts["id"] == "tag:example.org,2024-01-01:c/feeds/all"
    assert (texts["title"], texts["updated"]) == ("Calendar", "2024-05-10T01:00:00Z")
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    assert links == {
        "self": "https://example.org/feeds/all.atom?category=expo",
        "alternate": "https://example.org/changes",
    }
    entries = [
        {child.tag.removeprefix(ATOM): child.text or child.get("href") or child.get("term") for child in entry}
        for entry in root.findall(f"{ATOM}entry")
    ]
    words = "moved from Fri 17 May 2024, 10:00 to 11:00 (Europe/Paris)"
    assert [entry["id"] for entry in entries] == [
        f"tag:example.org,2024-05-10:{uid}/2",
        f"tag:example.org,2024-05-10:{uid}/1",
    ]
    assert entries[0] == {
        "id": f"tag:example.org,2024-05-10:{uid}/2",
        "title": f"Talk <1> & more: {words}",
        "updated": "2024-05-10T01:00:00Z",
        "link": "https://example.org/events/talk",
        "category": "expo",
        "summary": words,
        "content": words,
    }


def test_a_feed_without_changes_is_a_feed(publish: Publish) -> None:
    found = publish("").resource("/feeds/all.atom")
    assert found is not None
    assert ET.fromstring(found.body).find(f"{ATOM}updated") is not None  # noqa: S314 # our own octets
