"""VEVENTs of one UID to one event with its overrides, and the ids and parents of all."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from calfeed.events.model import Moment
from calfeed.events.times import order
from calfeed.feeds.lint.content import Line
from calfeed.feeds.read_ics import texts
from calfeed.feeds.read_ics.alignment import align
from calfeed.feeds.read_ics.entry import Entry, day
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.times import same_form, written

_NOT_IN_ID = re.compile(r"[^a-z0-9]+")
_SLUG = 60
"""Characters of an id that is made of a title."""
_GENERATIONS = 100
_OWN = frozenset({"start", "end", "timezone", "rrule", "rdate", "exdate", "uid", "id", "visibility", "parent"})
"""Keys that an override has of its own or cannot have."""
_LISTS = frozenset({"categories", "conference", "attach", "sources"})
"""Keys of which an override can say that it has nothing of its event's."""


def joined(entries: Iterable[Entry], frame: Frame) -> list[Entry]:
    """Events with their overrides, in the order of the file."""
    masters: dict[str, Entry] = {}
    others: list[Entry] = []
    for entry in entries:
        if entry.recurrence_id is not None:
            others.append(entry)
        elif entry.uid and entry.uid in masters:
            masters[entry.uid] = _newer(masters[entry.uid], entry, frame, "UID")
        else:
            masters[entry.uid or f"\0{entry.component.number}"] = entry
    found = list(masters.values())
    for master in found:
        align(master, frame)
    for other in _latest(others, frame):
        event = masters.get(other.uid)
        if event is None or not {"rrule", "rdate"} & event.keys.keys():
            _alone(other, taken=event is not None, frame=frame)
            found.append(other)
            masters.setdefault(other.uid, other)
        else:
            event.overrides.append(other)
            moment = same_form(other.recurrence_id or other.start, event.start, frame.zones.own)
            other.changes = _changes(other, moment, event, frame)
    return found


def _latest(overrides: Iterable[Entry], frame: Frame) -> Iterable[Entry]:
    """The overrides, of those of one occurrence the one that was revised last."""
    found: dict[tuple[str, tuple[int, int]], Entry] = {}
    for entry in overrides:
        key = (entry.uid, order(entry.recurrence_id or entry.start))
        found[key] = _newer(found[key], entry, frame, "RECURRENCE-ID") if key in found else entry
    return found.values()


def _newer(first: Entry, second: Entry, frame: Frame, name: str) -> Entry:
    """Of two with one UID or RECURRENCE-ID the one that was revised last; the later one of equals."""
    frame.lost.add(name, f"of those with one {name} only the last revised was kept", second.line(name))
    return max(second, first, key=_revision)


def _revision(entry: Entry) -> tuple[int, str]:
    sequence = entry.component.text("SEQUENCE").strip()
    number = int(sequence) if re.fullmatch(r"\d{1,9}", sequence, re.ASCII) else 0
    return number, entry.component.text("LAST-MODIFIED") or entry.component.text("DTSTAMP")


def _alone(entry: Entry, *, taken: bool, frame: Frame) -> None:
    why = "an occurrence without its recurring event became an event"
    frame.lost.add("RECURRENCE-ID", why, entry.line("RECURRENCE-ID"))
    entry.recurrence_id = None
    if taken:
        entry.uid = ""


def _changes(override: Entry, moment: Moment, master: Entry, frame: Frame) -> dict[str, Any]:
    """What an occurrence says other than its event."""
    keys: dict[str, Any] = {"recurrence_id": written(moment, master.zone)}
    if "RANGE" in {each.name for each in override.component.lines["RECURRENCE-ID"][0].parameters}:
        why = "a change of this and all following occurrences became one of this alone"
        frame.lost.add("RECURRENCE-ID", why, override.line("RECURRENCE-ID"))
    if isinstance(override.start, datetime) and override.zone != master.zone:
        keys["timezone"] = override.zone
    if override.start != moment or type(override.start) is not type(moment):
        keys["start"] = written(override.start, override.zone)
    if _length(override.start, override.end) != _length(master.start, master.end):
        if "end" in override.keys:
            keys["end"] = override.keys["end"]
        elif not isinstance(override.start, datetime):
            keys["end"] = override.start
        elif isinstance(master.start, datetime):
            frame.lost.add("DTEND", "an occurrence without an end ends as its event does", override.component.number)
    keys |= {key: value for key, value in override.keys.items() if key not in _OWN and master.keys.get(key) != value}
    if "status" in master.keys and "status" not in override.keys:
        keys["status"] = "confirmed"
    kept = master.keys.keys() - override.keys.keys() - _OWN - {"status", "tba"}
    keys |= {key: [] for key in sorted(kept & _LISTS)}
    if kept := kept - _LISTS:
        why = f"what an occurrence leaves out is that of its event: {', '.join(sorted(kept))}"
        frame.lost.add("RECURRENCE-ID", why, override.line("RECURRENCE-ID"))
    return keys


def _length(start: Moment, end: Moment | None) -> tuple[int, int] | None:
    if end is None:
        return None if isinstance(start, datetime) else (1, 0)
    (days, seconds), (first_days, first_seconds) = order(end), order(start)
    return days - first_days, seconds - first_seconds


def name_all(entries: Iterable[Entry], frame: Frame) -> None:
    """An id for each event: that of its page in a feed of ours, else one made of its title."""
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for entry in entries:
        page = _page_id(entry, frame)
        if page and page.casefold() not in taken:
            entry.id = page
            del entry.keys["url"]  # the id says it
        else:
            entry.id = _free(_slug(_title(entry.keys["summary"])) or f"event-{day(entry.start)}", taken, numbers)
        taken.add(entry.id.casefold())


def _page_id(entry: Entry, frame: Frame) -> str | None:
    """In a feed of ours the address of an event's page ends in its id."""
    url = str(entry.keys.get("url", ""))
    name = url.removeprefix(f"{frame.base_url}/events/") if frame.base_url else url
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name)
    return name if frame.is_ours and plain else None


def _title(summary: str | Mapping[str, str]) -> str:
    return summary if isinstance(summary, str) else next(iter(summary.values()))


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = _NOT_IN_ID.sub("-", plain).strip("-")
    return name[:_SLUG].rstrip("-")


def _free(name: str, taken: set[str], numbers: Counter[str]) -> str:
    """The name, with the next free number where it is taken."""
    found = name
    while found.casefold() in taken:
        numbers[name] += 1
        found = f"{name}-{numbers[name] + 1}"
    return found


def relate(entries: Iterable[Entry], frame: Frame) -> None:
    """``parent`` of each event that names one of the file; a circle is cut."""
    found = list(entries)
    by_uid = {entry.uid: entry for entry in found if entry.uid}
    parents: dict[str, str] = {}
    for entry in found:
        line = _parent_line(entry)
        uid = texts.uid(line.value) if line else ""
        if line is None or not uid:
            continue
        if uid not in by_uid or (entry.uid and _leads_to(uid, entry.uid, parents)):
            frame.lost.add("RELATED-TO", "a relation to what is not an event of the file was left out", line.number)
            continue
        if entry.uid:
            parents[entry.uid] = uid
        entry.keys["parent"] = by_uid[uid].id


def _parent_line(entry: Entry) -> Line | None:
    related = entry.component.lines.get("RELATED-TO", [])
    return next((line for line in related if (line.parameter("RELTYPE") or "PARENT").upper() == "PARENT"), None)


def _leads_to(start: str, goal: str, parents: Mapping[str, str]) -> bool:
    """Whether the parents of ``start`` come to ``goal``, or go on for longer than any family does."""
    at: str | None = start
    for _ in range(_GENERATIONS):
        if at is None or at == goal:
            return at is not None
        at = parents.get(at)
    return True
