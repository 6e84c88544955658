"""What search engines are told of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from calfeed.feeds.jsonld import event_jsonld, script
from calfeed.feeds.snapshot import Snapshot

Publish = Callable[..., Snapshot]

EVENT = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17T10:00:00\nduration = "1h"\n'
DAY = '[[events]]\nid = "day"\nsummary = "Day"\nstart = 2024-05-17\nend = 2024-05-18\n'
PLACE = 'location = { name = "Hall", address = "Main street 1", geo = [45.5, 126.25], url = "https://e.org/hall" }\n'
STREAM = 'conference = [{ uri = "https://meet.example.org/1" }]\n'


def data(publish: Publish, toml: str, **more: Any) -> dict[str, Any]:
    event = publish(toml).catalog.events[0]
    return event_jsonld(event, base_url="https://example.org", language="en", **more)


def test_an_event_of_days_ends_on_its_last_day(publish: Publish) -> None:
    """schema.org's endDate is inclusive; what is not known is left out."""
    found = data(publish, DAY)
    uid = found.pop("identifier")
    assert found == {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": f"urn:uuid:{uid}",
        "name": "Day",
        "inLanguage": "en",
        "startDate": "2024-05-17",
        "endDate": "2024-05-18",
        "eventStatus": "https://schema.org/EventScheduled",
        "url": "https://example.org/events/day",
    }


@pytest.mark.parametrize(
    ("more", "mode"),
    [(PLACE, "Offline"), (STREAM, "Online"), (PLACE + STREAM, "Mixed")],
)
def test_how_to_attend(more: str, mode: str, publish: Publish) -> None:
    place = {
        "@type": "Place",
        "name": "Hall",
        "address": "Main street 1",
        "geo": {"@type": "GeoCoordinates", "latitude": 45.5, "longitude": 126.25},
        "url": "https://e.org/hall",
    }
    stream = {"@type": "VirtualLocation", "url": "https://meet.example.org/1"}
    locations = {"Offline": place, "Online": stream, "Mixed": [place, stream]}
    found = data(publish, EVENT + more)
    assert found["eventAttendanceMode"] == f"https://schema.org/{mode}EventAttendanceMode"
    assert found["location"] == locations[mode]


@pytest.mark.parametrize(
    ("status", "before", "said"),
    [
        ("confirmed", None, ("https://schema.org/EventScheduled", None)),
        ("confirmed", date(2024, 5, 16), ("https://schema.org/EventRescheduled", "2024-05-16")),
        ("tentative", None, ("https://schema.org/EventScheduled", None)),
        ("cancelled", date(2024, 5, 16), ("https://schema.org/EventCancelled", None)),
    ],
)
def test_whether_it_happens(status: str, before: date | None, said: tuple[str, str | None], publish: Publish) -> None:
    found = data(publish, EVENT + f'status = "{status}"\n', previous_start=before)
    assert (found["eventStatus"], found.get("previousStartDate")) == said


def test_nothing_in_it_ends_the_script_element(publish: Publish) -> None:
    found = data(publish, EVENT.replace('"Talk"', '"</script><b>&amp;"'))
    text = script(found)
    assert not set(text) & set("<>&")
    assert json.loads(text) == found


@pytest.mark.parametrize("uid", ["x" * 36, "visit-2024@example.org", "123e4567-e89b-12d3-a456-42661417400g"])
def test_only_a_uuid_becomes_a_uuid_urn(uid: str, publish: Publish) -> None:
    """RFC 4122 §3: what has its length alone is no such name."""
    found = data(publish, DAY + f'uid = "{uid}"\n')
    assert ("@id" in found, found["identifier"]) == (False, uid)
