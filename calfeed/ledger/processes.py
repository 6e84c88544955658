"""Who is alive: each process signs in with what it holds and when it was last seen."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from calfeed.ledger.ids import new_id
from calfeed.ledger.schema import process
from calfeed.ledger.sql import upsert

FORGET = timedelta(days=1)
"""A process that was not seen for so long is dropped from the list."""


def _place() -> str:
    """One boot of one machine, and one view of its processes (a container has its own); empty where that is unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """This process, as the others know it: ``role`` is web, remind or up; ``id`` is new with each start."""

    role: str
    id: str = field(default_factory=lambda: new_id(datetime.now(UTC)))
    host: str = field(default_factory=socket.gethostname)
    place: str = field(default_factory=_place)
    pid: int = field(default_factory=os.getpid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A process of this calendar and when it was last seen; ``ticked`` is the last turn of its scheduler."""

    id: str
    host: str
    pid: int
    role: str
    started: datetime
    seen: datetime
    ticked: datetime | None


def hold(connection: Connection, me: Process, digest: str, now: datetime) -> None:
    """Signs in, with the source that this process has read."""
    _sign(connection, me, now, {"seen": now, "holds": digest})


def beat(connection: Connection, me: Process, now: datetime, *, ticked: bool) -> None:
    """Shows that this process is alive and, when ``ticked``, that its scheduler turns."""
    _sign(connection, me, now, {"seen": now, "ticked": now} if ticked else {"seen": now})


def leave(connection: Connection, me: Process, now: datetime) -> None:
    """Signs out: holds no source any more."""
    connection.execute(update(process).where(process.c.id == me.id).values(seen=now, holds=None))


def sightings(connection: Connection) -> list[Sighting]:
    """Every process known, last seen first."""
    names = (process.c[name] for name in ("id", "host", "pid", "role", "started", "seen", "ticked"))
    rows = connection.execute(select(*names).order_by(process.c.seen.desc())).mappings()
    return [Sighting(**row) for row in rows]


def gone(connection: Connection, me: Process, ids: Collection[str]) -> list[str]:
    """Which of these processes ended here, on this machine, without a word: what they held need not wait."""
    if not me.place:
        return []
    query = select(process.c.id, process.c.pid).where(process.c.id.in_(ids), process.c.place == me.place)
    return [row.id for row in connection.execute(query) if not _runs(row.pid)]


def last_tick(connection: Connection) -> datetime | None:
    """When any reminder process last turned."""
    query = select(process.c.ticked).where(process.c.ticked.is_not(None)).order_by(process.c.ticked.desc()).limit(1)
    return connection.execute(query).scalar()


def forget(connection: Connection, me: Process) -> None:
    """Drops processes that ended long before this one was last seen, but for the one that ticked last.

    The measure is not the clock: after it jumped, or the machine slept, all that live here were last seen long ago.
    """
    seen: datetime | None = connection.execute(select(process.c.seen).where(process.c.id == me.id)).scalar()
    if seen is not None:
        last = select(process.c.id).where(process.c.ticked.is_not(None)).order_by(process.c.ticked.desc()).limit(1)
        connection.execute(delete(process).where(process.c.seen < seen - FORGET, process.c.id.not_in(last)))


def _sign(connection: Connection, me: Process, now: datetime, values: dict[str, Any]) -> None:
    changed = connection.execute(update(process).where(process.c.id == me.id).values(values)).rowcount
    if not changed:
        row = {**asdict(me), "started": now, **values}
        connection.execute(upsert(connection, process).values(row).on_conflict_do_nothing())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
