"""`calfeed build`: the same feeds as files, carried on from build to build."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed import remembered
from calfeed.errors import UsageError
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.export import HEADERS, MANIFEST, Exported, build_site, write_files
from calfeed.feeds.snapshot import Snapshot
from calfeed.remembered import REVISIONS

NOW = datetime(2024, 5, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEAD = '[calendar]\nid = "c"\nname = "Calendar"\ntimezone = "Europe/Paris"\n'
STAFF = '[[feeds]]\nid = "staff"\nname = "Staff"\nvisibility = "private"\n'
TALK = '[[events]]\nid = "talk"\nsummary = "Talk"\nstart = 2024-05-17T10:00:00\n'
DAY = '[[events]]\nid = "day"\nsummary = "Day"\nstart = 2024-05-18\n'
SHUT = '[[events]]\nid = "shut"\nsummary = "Hush"\nstart = 2024-05-19\nvisibility = "private"\n'
SOON = '[[events]]\nid = "soon"\nsummary = "Surprise"\nstart = 2024-05-20\nembargo = 2024-05-10T10:00:00Z\n'


def catalog(toml: str) -> Catalog:
    return load([("events.toml", HEAD + toml)])


def site(toml: str, out: Path, hours: int = 0) -> Exported:
    return build_site(catalog(toml), out, base_url="https://example.org", now=NOW + hours * HOUR)


def files(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def read(out: Path, path: str) -> str:
    return (out / path).read_bytes().replace(b"\r\n ", b"").decode()


def test_a_site_holds_every_feed_in_every_format_and_each_event(tmp_path: Path) -> None:
    done = site(TALK + DAY, tmp_path)
    expected = {
        *(f"feeds/all.{suffix}" for suffix in ("ics", "json", "jcal", "atom", "jscal")),
        "feeds/all/download.ics",
        *(f"events/{name}.{suffix}" for name in ("talk", "day") for suffix in ("ics", "json")),
        HEADERS,
        REVISIONS,
    }
    assert set(done.written) == expected
    assert files(tmp_path) == expected | {MANIFEST}
    assert (done.removed, done.unchanged) == ((), 0)


def test_a_second_build_touches_nothing(tmp_path: Path) -> None:
    site(TALK + DAY, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    done = site(TALK + DAY, tmp_path, 5)
    assert (done.written, done.removed, done.unchanged) == ((), (), 12)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_revisions_go_on_from_build_to_build(tmp_path: Path) -> None:
    """A move raises SEQUENCE of that event alone; a removed event stands as cancelled; Atom tells of it all."""
    site(TALK + DAY, tmp_path)
    done = site(TALK.replace("10:00", "11:00"), tmp_path, 1)
    assert done.removed == ()
    feed = read(tmp_path, "feeds/all.ics")
    assert [line for line in feed.splitlines() if line.startswith(("SEQUENCE", "LAST-MOD", "CREATED", "STATUS"))] == [
        "CREATED:20240510T080000Z",
        "LAST-MODIFIED:20240510T090000Z",
        "SEQUENCE:1",
        "STATUS:CONFIRMED",
        "CREATED:20240510T080000Z",
        "LAST-MODIFIED:20240510T090000Z",
        "SEQUENCE:1",
        "STATUS:CANCELLED",
    ]
    terms = [line for line in read(tmp_path, "feeds/all.atom").splitlines() if line.startswith("<category")]
    assert sorted(terms) == [f'<category term="{term}"/>' for term in ("added", "added", "moved", "removed")]


def test_what_a_tombstone_leaves_behind_is_removed(tmp_path: Path) -> None:
    site(TALK + DAY, tmp_path)
    site(TALK, tmp_path, 1)
    done = site(TALK, tmp_path, 24 * 31)
    assert done.removed == ("events/day.ics", "events/day.json")
    assert "events/day.ics" not in files(tmp_path)
    assert remembered.read(tmp_path).revisions.keys() == {event.uid for event in catalog(TALK + DAY).events}


def test_nothing_private_is_written_anywhere(tmp_path: Path) -> None:
    """Not in the revisions either: the folder is public."""
    site(STAFF + TALK + 'parent = "shut"\n' + SHUT + SOON, tmp_path)
    private = [catalog(STAFF + SHUT + SOON).by_id[name].uid for name in ("shut", "soon")]
    for path in files(tmp_path):
        text = read(tmp_path, path)
        assert not [word for word in ("Hush", "Surprise", *private) if word in text], path
    assert not {path for path in files(tmp_path) if "staff" in path or "shut" in path or "soon" in path}


def test_an_embargo_that_has_ended_lets_its_event_in(tmp_path: Path) -> None:
    site(TALK + SOON, tmp_path)
    site(TALK + SOON, tmp_path, 2)
    assert "SUMMARY:Surprise\r\n" in read(tmp_path, "feeds/all.ics")
    assert "CREATED:20240510T100000Z" in read(tmp_path, "events/soon.ics")


def test_what_becomes_private_vanishes_and_is_not_called_cancelled(tmp_path: Path) -> None:
    site(TALK + DAY, tmp_path)
    done = site(TALK + DAY + 'visibility = "private"\n', tmp_path, 1)
    assert done.removed == ("events/day.ics", "events/day.json")
    assert not [path for path in files(tmp_path) if "Day" in read(tmp_path, path)]


def test_what_was_private_for_a_while_goes_on_counting(tmp_path: Path) -> None:
    """SEQUENCE and LAST-MODIFIED never go back, and nothing in the folder says why they stand where they do."""
    site(TALK + DAY, tmp_path)
    site(TALK + DAY + 'visibility = "private"\n', tmp_path, 1)
    uid = catalog(DAY).by_id["day"].uid
    assert not [path for path in files(tmp_path) if uid in read(tmp_path, path)]
    site(TALK + DAY + 'visibility = "private"\n', tmp_path, 2)
    site(TALK + DAY, tmp_path, 3)
    lines = read(tmp_path, "events/day.ics").splitlines()
    assert [line for line in lines if line.startswith(("CREATED", "LAST-MOD", "SEQUENCE"))] == [
        "CREATED:20240510T080000Z",
        "LAST-MODIFIED:20240510T110000Z",
        "SEQUENCE:1",
    ]
    assert remembered.read(tmp_path).hidden == {}


def test_pages_stand_beside_the_feeds_and_go_when_they_are_gone(tmp_path: Path) -> None:
    seen: list[Snapshot] = []

    def pages(snapshot: Snapshot) -> dict[str, bytes]:
        seen.append(snapshot)
        return {"index.html": b"<p>", "events/talk/index.html": b"<p>"}

    build_site(catalog(TALK), tmp_path, base_url=None, now=NOW, pages=pages)
    assert [event.id for event in seen[0].events()] == ["talk"]
    assert (tmp_path / "events/talk/index.html").read_bytes() == b"<p>"
    (tmp_path / "own.txt").write_text("not ours")
    done = site(TALK, tmp_path)
    assert done.removed == ("events/talk/index.html", "index.html")
    assert not (tmp_path / "events/talk").exists()
    assert (tmp_path / "own.txt").read_text() == "not ours"


def test_a_page_may_not_take_a_feeds_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"take the place of feeds/all\.ics"):
        build_site(catalog(TALK), tmp_path, base_url=None, now=NOW, pages=lambda _: {"feeds/all.ics": b""})


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/x", "a/../../x", "a//b", "", ".", "a/.", "a\\..\\b", "a/\0", "a\nb", "\u202e", "x" * 256, MANIFEST],
)
def test_no_path_leads_out_of_the_folder(path: str, tmp_path: Path) -> None:
    """Nothing is written when one of the files has such a path."""
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="not a path within the folder"):
        write_files({"ok.txt": b"ok", path: b"evil"}, out)
    assert not out.exists()


def test_no_symlink_is_followed(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    for folder in (out, elsewhere):
        folder.mkdir()
    (out / "feeds").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="was not followed"):
        write_files({"feeds/all.ics": b"x"}, out)
    (out / "feeds").unlink()
    (elsewhere / "kept").write_text("kept")
    (out / "page.html").symlink_to(elsewhere / "kept")
    write_files({"page.html": b"x"}, out)
    assert (elsewhere / "kept").read_text() == "kept"
    assert (out / "page.html").read_bytes() == b"x"
    assert not (out / "page.html").is_symlink()


def test_a_manifest_cannot_make_it_remove_what_is_not_ours(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_files({"a.txt": b"a"}, out)
    (tmp_path / "precious").write_text("precious")
    (out / MANIFEST).write_text(json.dumps({"files": ["../precious", "a.txt"]}))
    with pytest.raises(UsageError, match="not a path within the folder"):
        write_files({"a.txt": b"a"}, out)
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("name", [REVISIONS, MANIFEST])
@pytest.mark.parametrize("content", ["", "[]", '{"revisions": [{}], "changes": []}', "\udc80"])
def test_a_damaged_memory_is_told_and_not_built_upon(name: str, content: str, tmp_path: Path) -> None:
    """Going on without it would begin every SEQUENCE anew."""
    site(TALK, tmp_path)
    (tmp_path / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=f"{name}: cannot be read"):
        site(TALK, tmp_path, 1)


def test_a_build_that_is_broken_off_leaves_no_orphan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build knows the files that the broken one had written."""
    write_files({"a.txt": b"a"}, tmp_path)
    replaced = Path.replace

    def broken(self: Path, target: Path) -> Path:
        if Path(target).name == "z.txt":
            raise KeyboardInterrupt
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        write_files({"b.txt": b"b", "z.txt": b"z"}, tmp_path)
    monkeypatch.undo()
    assert write_files({"a.txt": b"a"}, tmp_path).removed == ("b.txt",)
    assert files(tmp_path) == {"a.txt", MANIFEST}


def test_files_can_be_read_by_the_host(tmp_path: Path) -> None:
    site(TALK, tmp_path)
    assert {(tmp_path / path).stat().st_mode & 0o777 for path in files(tmp_path)} == {0o644}


def test_headers_name_each_feeds_media_type(tmp_path: Path) -> None:
    """Explicit paths, for hosts that know no wildcard within a name; one rule a header, for those that join them."""
    site(TALK + '[[feeds]]\nid = "expo"\nname = "Expo"\ncategories = ["expo"]\n', tmp_path)
    rules = read(tmp_path, HEADERS)
    assert "/feeds/expo.ics\n  Content-Type: text/calendar; charset=utf-8\n" in rules
    assert "/feeds/all.jscal\n  Content-Type: application/jscalendar+json;type=group\n" in rules
    assert "/feeds/*\n  Access-Control-Allow-Origin: *\n  X-Content-Type-Options: nosniff\n" in rules


def test_many_feeds_do_not_outgrow_what_hosts_read(tmp_path: Path) -> None:
    base = catalog(TALK)
    feeds = tuple(replace(base.feeds[0], id=f"f{number}") for number in range(30))
    build_site(replace(base, feeds=feeds), tmp_path, base_url=None, now=NOW)
    rules = [line for line in read(tmp_path, HEADERS).splitlines() if not line.startswith(" ")]
    assert len(rules) < 100
    assert "/feeds/*.ics" in rules
