"""Resources already made: the plain feeds for good, filtered ones while they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock

from calfeed.feeds.resource import Resource
from calfeed.feeds.select import EVERYTHING, Query

MOST_VARIANTS = 256
"""Filtered resources kept, the ones last asked for."""
MOST_VARIANT_OCTETS = 64_000_000

Key = tuple[str, Query, bool]
"""Path, query, whether the reader has shown a token."""


class Shelf:
    """Readers of a plain feed take no lock. ``before`` lends resources of an older state that are still the same."""

    def __init__(self, before: Mapping[Key, Resource] | None = None) -> None:
        self._before = before or {}
        self._plain: dict[Key, Resource] = {}
        self._variants: OrderedDict[Key, Resource] = OrderedDict()
        self._octets = 0
        self._lock = Lock()

    @property
    def plain(self) -> Mapping[Key, Resource]:
        """The feeds without a query that were asked for."""
        return self._plain

    def get(self, key: Key, make: Callable[[], Resource | None]) -> Resource | None:
        """The resource of a key, made when it is not there; what does not exist is not remembered."""
        found = self._plain.get(key) or self._variant(key)
        if found is None:
            found = make()
            if found is not None:
                found = self._put(key, found)
        return found

    def _variant(self, key: Key) -> Resource | None:
        if key[1] == EVERYTHING:
            return None
        with self._lock:
            if key in self._variants:
                self._variants.move_to_end(key)
            return self._variants.get(key)

    def _put(self, key: Key, made: Resource) -> Resource:
        if key[1] == EVERYTHING:
            old = self._before.get(key)
            self._plain[key] = old if old == made else made
            return self._plain[key]
        with self._lock:
            old = self._variants.pop(key, None)
            self._variants[key] = made
            self._octets += len(made.body) - (len(old.body) if old else 0)
            while len(self._variants) > 1 and self._too_much():
                _, gone = self._variants.popitem(last=False)
                self._octets -= len(gone.body)
        return made

    def _too_much(self) -> bool:
        return len(self._variants) > MOST_VARIANTS or self._octets > MOST_VARIANT_OCTETS
