"""Which of the stylesheet's colours a category and a calendar take."""

from __future__ import annotations

from functools import cache

from calfeed.events.colors import CSS3
from calfeed.events.model import Catalog

HUES = 8
"""How many colours the stylesheet tells apart."""

_PALETTE = ("a61c2b", "0b5d8a", "2f6b2a", "7a4b00", "6a3d9a", "00665e", "a2286f", "51565e")
"""The stylesheet's ``--1`` … ``--8`` on paper."""


def hues(catalog: Catalog) -> dict[str, int]:
    """Category to colour number 1…8, in the order in which the source first names them."""
    seen = dict.fromkeys(category for event in catalog.events for category in event.categories)
    return {category: number % HUES + 1 for number, category in enumerate(seen)}


@cache
def accent(color: str | None) -> int:
    """The colour number nearest to a CSS3 colour name; 1 without one."""
    value = CSS3.get((color or "").lower())
    if value is None:
        return 1
    wanted = _direction(value.lstrip("#"))
    distances = [sum((a - b) ** 2 for a, b in zip(wanted, _direction(hue), strict=True)) for hue in _PALETTE]
    return distances.index(min(distances)) + 1


def _direction(value: str) -> tuple[float, ...]:
    """The hue without the brightness: how far red, green and blue are from their mean, as shares of the farthest."""
    parts = [int(value[at : at + 2], 16) for at in (0, 2, 4)]
    mean = sum(parts) / 3
    most = max(abs(part - mean) for part in parts)
    return tuple((part - mean) / max(most, 24.0) for part in parts)
