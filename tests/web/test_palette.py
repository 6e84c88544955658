"""Colours: of categories by their order, of the calendar by its name."""

from __future__ import annotations

from datetime import date

import pytest

from calfeed.events.model import Calendar, Catalog, Event, Text
from calfeed.web.palette import accent, hues


@pytest.mark.parametrize(
    ("color", "number"),
    [
        (None, 1),
        ("crimson", 1),
        ("SkyBlue", 2),
        ("green", 3),
        ("gold", 4),
        ("navy", 5),
        ("teal", 6),
        ("hotpink", 7),
        ("gray", 8),
    ],
)
def test_the_calendar_takes_the_nearest_colour_of_the_stylesheet(color: str | None, number: int) -> None:
    assert accent(color) == number


def test_categories_take_colours_in_the_order_of_the_source() -> None:
    name = Text((("en", "x"),))
    day = date(2024, 5, 16)
    events = [
        Event(id=one, uid=one, summary=name, start=day, end=None, timezone="UTC", categories=(one, "common"))
        for one in "abcdefgh"
    ]
    catalog = Catalog(calendar=Calendar(id="x", name=name, timezone="UTC"), events=tuple(events))
    assert hues(catalog) == {"a": 1, "common": 2, "b": 3, "c": 4, "d": 5, "e": 6, "f": 7, "g": 8, "h": 1}
