"""The Snapshot in use: read, publish in the ledger, build aside, swap one reference; on faults keep the old one."""

from __future__ import annotations

import logging
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from calfeed.errors import LedgerError, Location, Problem, SourceError
from calfeed.events import bounds
from calfeed.events.model import Catalog
from calfeed.events.parse import uncollected
from calfeed.events.reader import Reader
from calfeed.events.revision import Change
from calfeed.feeds.snapshot import Snapshot, build

if TYPE_CHECKING:
    from calfeed.ledger import Current, Published

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int, int], ...]

POLL_SECONDS = 0.25
REST_SECONDS = 0.1
"""How long a changed file must lie as it is before it is read."""
RETRY = timedelta(seconds=5)
"""After this a publication is tried again that the ledger could not take, or took for an old source."""
BEAT = timedelta(seconds=15)
MAX_FILE_BYTES = bounds.SOURCE_BYTES
_TOO_LARGE = f"larger than {MAX_FILE_BYTES // 1024 // 1024} MB"


class PublishingLedger(Protocol):
    """What a Publisher asks of the ledger."""

    def publish(self, catalog: Catalog, now: datetime) -> Published:
        """Make ``catalog`` the published state; one transaction."""

    def beat(self, now: datetime) -> None:
        """Show the other processes that this one is alive and holds its source."""

    def changed_since(self, version: int) -> bool:
        """Whether any process has published something new since."""

    def current(self) -> Current | None:
        """The published state; None before the first publication."""

    def changes(self) -> list[Change]:
        """What changed lately, newest first."""


def utcnow() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def source_files(path: Path) -> list[Path]:
    """The file itself, or a folder's ``*.toml`` in name order; hidden ones are what editors and systems leave there."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))


def read_files(path: Path) -> list[tuple[str, bytes]]:
    """(name, content) of each file of a source; raises SourceError when there is none or one cannot be read."""
    files = source_files(path)
    if not files:
        raise SourceError([Problem(Location(str(path)), "the folder holds no *.toml file")])
    contents, problems = [], []
    for file in files:
        try:
            contents.append((str(file), _read(file)))
        except OSError as fault:
            hint = "`calfeed init` writes a starting one" if isinstance(fault, FileNotFoundError) else ""
            problems.append(Problem(Location(str(file)), f"cannot be read: {fault.strerror or fault}", hint=hint))
    if problems:
        raise SourceError(problems)
    return contents


def read_octets(file: Path) -> bytes:
    """All of a file, a pipe or a device, within the bound of a source; raises OSError."""
    with file.open("rb") as opened:
        return read_stream(opened)


def read_stream(stream: BinaryIO) -> bytes:
    """All that comes, within the bound of a source; raises OSError."""
    octets = stream.read(MAX_FILE_BYTES + 1)
    if len(octets) > MAX_FILE_BYTES:
        raise OSError(0, _TOO_LARGE)
    return octets


def _read(file: Path) -> bytes:
    mode = file.stat()
    if not stat.S_ISREG(mode.st_mode):
        raise OSError(0, "not a regular file")
    if mode.st_size > MAX_FILE_BYTES:
        raise OSError(0, _TOO_LARGE)
    return read_octets(file)


def signature(path: Path) -> Signature:
    """What changes when a file of the source does: names, sizes, times and inodes; empty when it cannot be seen."""
    try:
        return tuple(
            (str(file), s.st_mtime_ns, s.st_size, s.st_ino) for file in source_files(path) for s in [file.stat()]
        )
    except OSError:
        return ()


class Publisher:
    """Holds the Snapshot that all readers share; readers take the reference once and never lock.

    ``feeds=False`` (the reminder process) publishes and watches without building what nobody there would read.
    """

    def __init__(
        self,
        path: Path,
        ledger: PublishingLedger,
        *,
        base_url: str | None = None,
        feeds: bool = True,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.path = path
        self.base_url = base_url
        self.published: Published | None = None
        self.snapshot: Snapshot | None = None
        self.problems: tuple[Problem, ...] = ()
        self.ledger_fault: str = ""
        self.reloaded_at: datetime | None = None
        self._ledger = ledger
        self._feeds = feeds
        self._clock = clock
        self._reader = Reader()
        self._catalog: Catalog | None = None
        self._loaded: Signature | None = None
        self._candidate: Signature = ()
        self._version = -1
        self._retry_at: datetime | None = None
        self._reread_at: datetime | None = None
        self._beaten_at: datetime | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def reload(self) -> bool:
        """Read and publish the source now; False when it or the ledger has faults and the last good state stays."""
        with self._lock, uncollected():
            self._candidate = signature(self.path)
            if self._read_source(self._candidate):
                return self._publish()
            return self.snapshot is None and self._resume()

    def poll(self) -> bool:
        """One look at source, ledger and clock; True when a new snapshot came into use.

        A changed file is read only once it has rested for one poll: an editor that truncates and writes again
        must not make half a list look like cancelled events.
        """
        with self._lock:
            self._beat()
            seen = signature(self.path)
            if seen != self._loaded:
                if seen != self._candidate:
                    self._candidate = seen
                    return False
                return self._read_source(seen) and self._publish()
            if self._reread_at is not None and self._over(self._reread_at):
                with uncollected():
                    return self._read_source(seen) and self._publish()
            if self._catalog is None:
                return self.published is not None and self._changed_elsewhere(self._clock()) and self._resume()
            return self._due() and self._publish()

    def watch(self) -> threading.Thread:
        """A daemon thread that polls until `close`."""
        thread = threading.Thread(target=self._watch, name="calfeed-watch", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Ends the watching thread."""
        self._stop.set()

    @property
    def _resting(self) -> bool:
        """Whether a change was seen that is not read yet."""
        return bool(self._candidate) and self._candidate != self._loaded

    def _watch(self) -> None:
        while not self._stop.wait(REST_SECONDS if self._resting else POLL_SECONDS):
            try:
                self.poll()
            except Exception:  # the watch must outlive whatever one poll meets
                log.exception("the watch of the source failed; the last good state stays in use")

    def _beat(self) -> None:
        """Without it others would take this process for gone, and an older source than its own for a rollback."""
        now = self._clock()
        if self._beaten_at is None or abs(now - self._beaten_at) >= BEAT:
            self._beaten_at = now
            with suppress(LedgerError):  # the publication itself will say so
                self._ledger.beat(now)

    def _read_source(self, seen: Signature) -> bool:
        """What cannot be read now is tried again: permissions and descriptors come back without the file changing."""
        self._loaded, self._reread_at = seen, None
        try:
            files = read_files(self.path)
        except SourceError as fault:
            self._reread_at = self._clock() + RETRY
            return self._refused(fault)
        try:
            self._catalog = self._reader.load(files)
        except SourceError as fault:
            return self._refused(fault)
        self.problems = ()
        return True

    def _refused(self, fault: SourceError) -> bool:
        if self.problems != fault.problems:
            for problem in fault.problems:
                log.error("%s", problem)
            log.error("the source has faults; the last good state stays in use", extra={"faults": len(fault.problems)})
        self.problems = fault.problems
        return False

    def _over(self, at: datetime) -> bool:
        """Whether it is that late, or the clock was put back meanwhile."""
        return not timedelta() < at - self._clock() <= RETRY

    def _due(self) -> bool:
        now = self._clock()
        if self._retry_at is not None:
            return self._over(self._retry_at)
        if self.snapshot is not None and self.snapshot.expires is not None and now >= self.snapshot.expires:
            return True
        return self._changed_elsewhere(now)

    def _changed_elsewhere(self, now: datetime) -> bool:
        try:
            return self._ledger.changed_since(self._version)
        except LedgerError as fault:
            self._ledger_failed(fault, now)
            return False

    def _publish(self) -> bool:
        if self._catalog is None:
            return False
        now = self._clock()
        try:
            published = self._ledger.publish(self._catalog, now)
        except LedgerError as fault:
            self._ledger_failed(fault, now)
            return False
        self._use(published, now)
        self._retry_at = None if published.accepted else now + RETRY
        return True

    def _resume(self) -> bool:
        """After a restart with a broken source: what was last published goes on being served."""
        from calfeed.ledger import Published  # sqlalchemy: 250 ms that a command without a database need not pay

        now = self._clock()
        try:
            found, changes = self._ledger.current(), self._ledger.changes()
        except LedgerError as fault:
            self._ledger_failed(fault, now)
            return False
        if found is None:
            return False
        last = Published(
            catalog=found.catalog,
            revisions=found.revisions,
            changes=tuple(changes),
            version=found.version,
            at=found.at,
        )
        self._use(last, now)
        log.warning("serving what was last published", extra={"version": found.version})
        return True

    def _use(self, published: Published, now: datetime) -> None:
        if self._feeds:
            base_url = self.base_url or published.catalog.calendar.url
            made = build(
                published.catalog,
                published.revisions,
                published.changes,
                base_url=base_url,
                now=now,
                previous=self.snapshot,
                published_at=published.at,
            )
            made.warm()
            self.snapshot = made
        self._version, self.ledger_fault = published.version, ""
        self.published, self.reloaded_at = published, now
        log.info("published", extra={"events": len(published.catalog.events), "version": published.version})

    def _ledger_failed(self, fault: LedgerError, now: datetime) -> None:
        if str(fault) != self.ledger_fault:
            log.error("the ledger cannot be used; the last good state stays in use: %s", fault)
        self.ledger_fault = str(fault)
        self._retry_at = now + RETRY
