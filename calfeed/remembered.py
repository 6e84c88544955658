"""What a static site carries from build to build, in its ``revisions.json``: there is no database beside it.

The file is public like the rest. Of an event that nobody may know of any more a count remains, under a hash of its UID:
should it come back, its SEQUENCE goes on (RFC 5545 §3.8.7.4) and its LAST-MODIFIED is later than before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from calfeed.errors import UsageError
from calfeed.events.changes import Revised
from calfeed.events.record import from_record, published
from calfeed.events.revision import Change, ChangeKind, Revision

REVISIONS = "revisions.json"
MOST_CHANGES = 500
"""Changes remembered from build to build."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """How far a hidden event had come."""

    number: int
    sequence: int
    created: datetime
    modified: datetime

    def resumed(self, fresh: Revision) -> Revision:
        """The first revision since, as the next after those before."""
        return replace(
            fresh,
            number=self.number + 1,
            sequence=self.sequence + 1,
            created=self.created,
            modified=max(fresh.modified, self.modified + timedelta(seconds=1)),
        )


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier builds published; ``hidden`` by the hash of a UID."""

    revisions: Mapping[str, Revision]
    changes: tuple[Change, ...] = ()
    hidden: Mapping[str, Count] = field(default_factory=dict)

    def without(self, hidden: AbstractSet[str]) -> Remembered:
        """Not a word of events that nobody may know of any more: they are not removed, and stand nowhere as such."""
        shown = {uid: revision for uid, revision in self.revisions.items() if uid not in hidden}
        changes = tuple(change for change in self.changes if change.uid not in hidden)
        counts = {
            _hashed(uid): Count(old.number, old.sequence, old.created, old.modified)
            for uid, old in self.revisions.items()
            if uid in hidden
        }
        return Remembered(shown, changes, {**self.hidden, **counts})

    def resumed(self, revised: Revised) -> Revised:
        """The same with hidden events that came back, as they go on counting."""
        back = {
            uid: count.resumed(fresh)
            for uid, fresh in revised.revisions.items()
            if self.hidden and uid not in self.revisions and (count := self.hidden.get(_hashed(uid)))
        }
        changes = tuple(
            replace(one, number=back[one.uid].number, at=back[one.uid].modified) if one.uid in back else one
            for one in revised.changes
        )
        return replace(revised, revisions={**revised.revisions, **back}, changes=changes)

    def after(self, revised: Revised) -> Remembered:
        """What the next build is to know."""
        shown = set(map(_hashed, revised.remembered)) if self.hidden else set()
        hidden = {key: count for key, count in self.hidden.items() if key not in shown}
        return Remembered(revised.remembered, (*revised.changes, *self.changes)[:MOST_CHANGES], hidden)


def _hashed(uid: str) -> str:
    return sha256(f"calfeed:{uid}".encode()).hexdigest()


def read(out: Path) -> Remembered:
    """What the last build into the folder published; nothing for a new folder. Raises UsageError when it is damaged."""
    file = out / REVISIONS
    try:
        data = json.loads(file.read_bytes())
        revisions = {each["uid"]: _to_revision(each) for each in data["revisions"]}
        hidden = {key: Count(**_counted(each)) for key, each in data.get("hidden", {}).items()}
        return Remembered(revisions, tuple(map(_to_change, data["changes"])), hidden)
    except FileNotFoundError:
        return Remembered({})
    except (OSError, ValueError, KeyError, TypeError) as fault:
        hint = "restore it from the last build, or remove it to begin anew (every event then counts as new)"
        raise UsageError(f"{file}: cannot be read as revisions: {fault!r}; {hint}") from None


def octets(remembered: Remembered) -> bytes:
    """The content of the file."""
    data = {
        "version": 1,
        "revisions": [_revision(each) for _, each in sorted(remembered.revisions.items())],
        "changes": [_change(each) for each in remembered.changes],
    }
    if remembered.hidden:
        data["hidden"] = {key: _count(each) for key, each in sorted(remembered.hidden.items())}
    return json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"


def _count(one: Count | Revision) -> Json:
    return {
        "number": one.number,
        "sequence": one.sequence,
        "created": one.created.isoformat(),
        "modified": one.modified.isoformat(),
    }


def _counted(data: Json) -> Json:
    """What `_count` wrote, as arguments by name."""
    return {
        "number": data["number"],
        "sequence": data["sequence"],
        "created": datetime.fromisoformat(data["created"]),
        "modified": datetime.fromisoformat(data["modified"]),
    }


def _revision(revision: Revision) -> Json:
    return {
        "uid": revision.uid,
        **_count(revision),
        "removed": None if revision.removed is None else revision.removed.isoformat(),
        "digest": revision.digest,
        "event": published(revision.event),
    }


def _to_revision(data: Json) -> Revision:
    return Revision(
        uid=data["uid"],
        **_counted(data),
        removed=None if data["removed"] is None else datetime.fromisoformat(data["removed"]),
        digest=data["digest"],
        event=from_record(data["event"]),
    )


def _change(change: Change) -> Json:
    return {
        "kind": change.kind.value,
        "at": change.at.isoformat(),
        "uid": change.uid,
        "event_id": change.event_id,
        "number": change.number,
        "before": None if change.before is None else published(change.before),
        "after": None if change.after is None else published(change.after),
        "fields": list(change.fields),
    }


def _to_change(data: Json) -> Change:
    return Change(
        kind=ChangeKind(data["kind"]),
        at=datetime.fromisoformat(data["at"]),
        uid=data["uid"],
        event_id=data["event_id"],
        number=data["number"],
        before=None if data["before"] is None else from_record(data["before"]),
        after=None if data["after"] is None else from_record(data["after"]),
        fields=tuple(data["fields"]),
    )
