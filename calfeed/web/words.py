"""The words of the interface: one JSON file a language in ``i18n/``, plurals by CLDR's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from babel import Locale, UnknownLocaleError

INTERFACE = ("en", "ru", "zh")
"""Languages the interface itself is written in; the first is the fallback."""

_REGIONS = {"en": "en_GB", "zh": "zh_Hans_CN"}
"""Which form of a bare language dates take: an international page is no place for 5/6/24."""


@cache
def locale(tag: str) -> Locale:
    """Babel's locale for a BCP 47 tag; the fallback's when it knows none."""
    try:
        return Locale.parse(_REGIONS.get(tag.lower(), tag.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(_REGIONS[INTERFACE[0]])


def interface_language(tag: str) -> str:
    """The language of the interface for readers of ``tag``: ``zh`` for ``zh-Hant``, the fallback for one it lacks."""
    primary = tag.lower().split("-")[0]
    return primary if primary in INTERFACE else INTERFACE[0]


@cache
def _table(language: str) -> Mapping[str, str | Mapping[str, str]]:
    text = files("calfeed.web").joinpath("i18n", f"{language}.json").read_text(encoding="utf-8")
    table: Mapping[str, str | Mapping[str, str]] = json.loads(text)
    return table


class Words:
    """``words("day_of", day=1, days=5)``; ``words("events_count", count=3)`` picks the plural."""

    def __init__(self, language: str) -> None:
        self.language = interface_language(language)
        self._table = _table(self.language)

    def __call__(self, key: str, **values: object) -> str:
        """Raises KeyError for a key that no language file has."""
        found = self._table[key]
        if not isinstance(found, str):
            count = values["count"]
            form = locale(self.language).plural_form(count) if isinstance(count, int) else "other"
            found = found.get(form) or found["other"]
        return found.format(**values) if values else found
