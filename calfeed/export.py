"""Snapshot → a folder of files for any host: every feed in every format, each event, pages made elsewhere.

Static sites have no database: ``revisions.json`` in the folder carries what was published from one build to the next.
Private and embargoed events are nowhere in the folder, not even there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from calfeed import remembered
from calfeed.errors import UsageError
from calfeed.events.changes import revise
from calfeed.events.model import Catalog, Feed
from calfeed.feeds.formats import FORMATS
from calfeed.feeds.select import EVERYTHING, select
from calfeed.feeds.snapshot import Snapshot, build
from calfeed.remembered import REVISIONS

MANIFEST = ".calfeed.json"
HEADERS = "_headers"
_MOST_RULES = 90
"""Cloudflare Pages reads a hundred rules of ``_headers``."""

Json = dict[str, Any]
Pages = Callable[[Snapshot], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Exported:
    """What a build did, by path within the folder."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


def build_site(
    catalog: Catalog, out: Path, *, base_url: str | None, now: datetime, pages: Pages | None = None
) -> Exported:
    """The whole static site at ``now``; only files that differ are touched.

    ``pages`` makes what is to stand beside the feeds, by path. Raises UsageError for a folder that cannot be used.
    """
    shown = open_part(catalog, now)
    before = remembered.read(out).without(catalog.by_uid.keys() - shown.by_uid.keys())
    revised = before.resumed(revise(shown, before.revisions, now, shown.calendar.tombstone.as_timedelta()))
    after = before.after(revised)
    snapshot = build(shown, revised.revisions, after.changes, base_url=base_url, now=now)
    files = dict(site_files(snapshot))
    files[REVISIONS] = remembered.octets(after)
    for path, body in (pages(snapshot) if pages else {}).items():
        if path in files:
            raise UsageError(f"a page may not take the place of {path}")
        files[path] = body
    return write_files(files, out)


def open_part(catalog: Catalog, now: datetime) -> Catalog:
    """What anybody may know of a catalog at ``now``: no private or embargoed event, no private feed, no channel."""
    anybody = Feed(id="", name=catalog.calendar.name, visibility="unlisted")
    events = tuple(select(catalog.events, anybody, EVERYTHING, now))
    feeds = tuple(feed for feed in catalog.feeds if feed.visibility != "private")
    return replace(catalog, events=events, feeds=feeds, channels=())


def site_files(snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
    """Feeds, events and the headers they are to be served with, by path."""
    for feed in snapshot.catalog.feeds:
        for suffix in FORMATS:
            yield from _file(snapshot, f"feeds/{feed.id}.{suffix}")
        yield from _file(snapshot, f"feeds/{feed.id}/download.ics")
    for event in snapshot.standing.values():
        for suffix in ("ics", "json"):
            yield from _file(snapshot, f"events/{event.id}.{suffix}")
    yield HEADERS, _headers(snapshot).encode()


def _file(snapshot: Snapshot, path: str) -> Iterator[tuple[str, bytes]]:
    found = snapshot.resource(f"/{path}")
    if found is not None:
        yield path, found.body


def _headers(snapshot: Snapshot) -> str:
    """Netlify, Cloudflare Pages and others read this; where two rules give a header, its values are joined."""
    feeds = [feed.id for feed in snapshot.catalog.feeds]
    if len(feeds) * len(FORMATS) > _MOST_RULES:
        feeds = ["*"]
    typed = {f"/feeds/{feed}.{suffix}": media for feed in feeds for suffix, media in FORMATS.items()}
    typed |= {f"/events/*.{suffix}": FORMATS[suffix] for suffix in ("ics", "json")}
    open_to_all = ["Access-Control-Allow-Origin: *", "X-Content-Type-Options: nosniff"]
    rules = {"/feeds/*": [*open_to_all, "Cache-Control: public, max-age=300, stale-while-revalidate=3600"]}
    rules |= {path: [f"Content-Type: {media}"] for path, media in typed.items()}
    return "".join(f"{path}\n" + "".join(f"  {line}\n" for line in lines) for path, lines in rules.items())


def write_files(files: Mapping[str, bytes], out: Path) -> Exported:
    """Makes the folder hold these files; those of an earlier build that are gone are removed, others are let be.

    Each file is replaced whole. Raises UsageError before anything is written when a path would leave the folder.
    """
    targets = {path: _target(out, path) for path in files}
    before = _manifest(out)
    out.mkdir(parents=True, exist_ok=True)
    _replace(out / MANIFEST, _listed(before | files.keys()))  # a build that is broken off leaves no orphan
    written = tuple(sorted(path for path, body in files.items() if _replace(targets[path], body)))
    removed = tuple(sorted(path for path in before - files.keys() if _remove(out, path)))
    _replace(out / MANIFEST, _listed(files))
    return Exported(written, removed, len(files) - len(written))


def _target(out: Path, path: str) -> Path:
    """Where a file goes; raises UsageError for a path that names something outside the folder."""
    parts = path.split("/")
    odd = any(not part.isprintable() or "\\" in part or len(part.encode()) > 255 for part in parts)
    if odd or not path or {"", ".", ".."} & set(parts) or PurePosixPath(path).is_absolute() or path == MANIFEST:
        raise UsageError(f"not a path within the folder: {path!r}")
    target = out
    for part in parts[:-1]:
        target /= part
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise UsageError(f"{target} is not a folder of ours; it was not followed")
    return target / parts[-1]


def _manifest(out: Path) -> set[str]:
    try:
        files = json.loads((out / MANIFEST).read_bytes())["files"]
        return {path for path in files if isinstance(path, str)}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise UsageError(f"{out / MANIFEST}: cannot be read: {fault!r}; remove it to go on") from None


def _listed(files: Iterable[str]) -> bytes:
    return json.dumps({"files": sorted(files)}, ensure_ascii=False, indent=1).encode() + b"\n"


def _replace(target: Path, body: bytes) -> bool:
    """Whether the file had to be written."""
    if target.is_file() and not target.is_symlink() and target.read_bytes() == body:
        return False
    if target.is_dir() and not target.is_symlink():
        raise UsageError(f"{target} is a folder; a file is to stand there")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".calfeed-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def _remove(out: Path, path: str) -> bool:
    """Removes a file of an earlier build, and the folders that it leaves empty."""
    target = _target(out, path)
    if not target.is_file() and not target.is_symlink():
        return False
    target.unlink()
    for folder in list(target.parents)[: path.count("/")]:
        if any(folder.iterdir()):
            break
        folder.rmdir()
    return True
