"""Resources already made: the plain feeds for good, filtered ones while they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query

MOST_VARIANTS = 256
"""Filtered resources kept, the ones last asked for."""
MOST_VARIANT_OCTETS = 64_000_000

Key = tuple[str, Query, bool]
"""Path, query, whether the reader has shown a token."""


class Shelf:
    """``before`` lends resources of an older state that are still the same.

    Many threads read and fill it without a lock: each step is one operation on a dictionary, and the worst that a race
    does is that two make the same octets.
    """

    def __init__(self, before: Mapping[Key, Resource] | None = None) -> None:
        self._before = {} if before is None else before
        self._plain: dict[Key, Resource] = {}
        self._variants: dict[Key, Resource] = {}

    @property
    def plain(self) -> Mapping[Key, Resource]:
        """The feeds without a query that were asked for."""
        return self._plain

    def get(self, key: Key, make: Callable[[], Resource | None]) -> Resource | None:
        """The resource of a key, made when it is not there; what does not exist is not remembered."""
        found = self._plain.get(key) or self._variants.pop(key, None) or make()
        if found is None:
            return None
        if key[1] == EVERYTHING:
            return self._plain.setdefault(key, self._same(key, found))
        self._variants[key] = found  # last again
        self._forget()
        return found

    def _same(self, key: Key, made: Resource) -> Resource:
        """The resource of before when nothing changed: it is compressed already."""
        old = self._before.get(key)
        return old if old is not None and old == made else made

    def _forget(self) -> None:
        kept = list(self._variants.items())
        room = MOST_VARIANT_OCTETS
        for number, (key, resource) in enumerate(reversed(kept)):
            room -= len(resource.body)
            if number and (number >= MOST_VARIANTS or room < 0):
                self._variants.pop(key, None)
