"""An event list in the making."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calfeed.events import references
from calfeed.feeds.read_ics import toml
from calfeed.feeds.read_ics.entry import Entry

_ORDER = (
    "id", "uid", "summary", "description", "start", "end", "timezone", "tba", "status", "location", "categories", "url",
    "image", "conference", "organizer", "contact", "attach", "sources", "parent", "transparency", "visibility",
    "priority", "rrule", "rdate", "exdate",
)  # fmt: skip
_DEFAULTS = {"status": "confirmed", "transparency": "transparent"}


@dataclass(slots=True)
class Draft:
    """The calendar's table and its events, which may still be changed."""

    calendar: dict[str, Any]
    entries: list[Entry]
    line: int

    def toml(self) -> str:
        """The event list as TOML."""
        namespace = references.namespace(self.calendar["id"])
        tables = [toml.table("[calendar]", self.calendar)]
        for entry in self.entries:
            keys = {"id": entry.id, **entry.keys}
            if entry.uid and entry.uid != references.eternal_uid(namespace, entry.id):
                keys["uid"] = entry.uid
            tables.append(toml.table("[[events]]", _tidy(keys)))
            tables += [toml.table("[[events.overrides]]", each.changes) for each in entry.overrides]
        return "\n".join(tables)

    def detach(self, entry: Entry, override: Entry) -> None:
        """Make an event of its own of an override."""
        entry.overrides.remove(override)
        override.recurrence_id, override.uid = None, ""
        override.id = f"{entry.id}-{len(self.entries) + 1}"
        self.entries.append(override)


def _tidy(keys: dict[str, Any]) -> dict[str, Any]:
    """Keys in the order of the manual, defaults left out."""
    return {key: keys[key] for key in _ORDER if key in keys and keys[key] != _DEFAULTS.get(key)}
