"""The Publisher: an edit is taken once it rests; a broken edit or ledger never replaces the last good state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.errors import LedgerBusy, SourceError
from calfeed.ledger import Ledger
from calfeed.publish import Publisher, read_files

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)

SOURCE = """
[calendar]
id = "visit"
name = "Visit"
timezone = "Asia/Shanghai"

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00

[[events]]
id = "expo"
summary = "EXPO"
start = 2024-05-17
end = 2024-05-21
"""


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "events.toml"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as made:
        made.upgrade()
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(source: Path, ledger: Ledger, clock: Clock) -> Publisher:
    made = Publisher(source, ledger, clock=clock)
    assert made.reload()
    return made


def feed(publisher: Publisher) -> bytes:
    assert publisher.snapshot is not None
    found = publisher.snapshot.resource("/feeds/all.ics")
    assert found is not None
    return found.body


def vevents(body: bytes) -> dict[bytes, bytes]:
    pieces = body.split(b"BEGIN:VEVENT\r\n")[1:]
    return {next(line for line in piece.split(b"\r\n") if line.startswith(b"UID:")): piece for piece in pieces}


def edit(source: Path, change: Callable[[str], str]) -> None:
    source.write_text(change(source.read_text()))


def test_an_edit_is_served_once_the_file_has_rested_and_changes_that_event_alone(
    publisher: Publisher, source: Path, clock: Clock
) -> None:
    before = vevents(feed(publisher))
    clock.now += timedelta(minutes=1)
    edit(source, lambda text: text.replace("T10:00", "T11:00"))
    assert [publisher.poll(), publisher.poll(), publisher.poll()] == [False, True, False]
    after = vevents(feed(publisher))
    changed = {uid for uid in before if before[uid] != after[uid]}
    assert len(changed) == 1
    assert b"SEQUENCE:0" in before[min(changed)]
    assert b"SEQUENCE:1" in after[min(changed)]


def test_a_file_that_is_still_being_written_is_not_read(publisher: Publisher, source: Path) -> None:
    """Truncated between two events it is valid TOML, and would look like a cancelled EXPO."""
    before = feed(publisher)
    half = SOURCE[: SOURCE.index('[[events]]\nid = "expo"')]
    source.write_text(half)
    assert publisher.poll() is False
    source.write_text(SOURCE)
    assert publisher.poll() is False
    publisher.poll()
    assert feed(publisher) == before


def test_a_broken_edit_keeps_the_last_good_state_and_says_so(
    publisher: Publisher, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = feed(publisher)
    edit(source, lambda text: text.replace("2024-05-21", "2024-05-01"))
    publisher.poll()
    publisher.poll()
    assert feed(publisher) == before
    assert [problem.path for problem in publisher.problems] == ["events[1].end"]
    assert f"{source}:16:" in caplog.text
    edit(source, lambda text: text.replace("2024-05-01", "2024-05-22"))
    publisher.poll()
    assert publisher.poll()
    assert publisher.problems == ()


def test_a_source_that_vanishes_keeps_the_last_good_state(publisher: Publisher, source: Path) -> None:
    before = feed(publisher)
    source.unlink()
    publisher.poll()
    publisher.poll()
    assert feed(publisher) == before
    assert "cannot be read: No such file or directory" in publisher.problems[0].message
    source.write_text(SOURCE)
    publisher.poll()
    publisher.poll()
    assert publisher.problems == ()


def test_restarts_give_the_same_bytes(publisher: Publisher, source: Path, ledger: Ledger, clock: Clock) -> None:
    clock.now += timedelta(days=2)
    again = Publisher(source, ledger, clock=clock)
    assert again.reload()
    assert feed(again) == feed(publisher)


def test_a_restart_with_a_broken_source_serves_what_was_last_published(
    publisher: Publisher, source: Path, ledger: Ledger, clock: Clock
) -> None:
    source.write_text("nonsense")
    again = Publisher(source, ledger, clock=clock)
    assert again.reload()
    assert again.problems
    assert feed(again) == feed(publisher)


def test_a_restart_with_a_broken_source_still_knows_where_channels_lead(
    tmp_path: Path, ledger: Ledger, clock: Clock
) -> None:
    """A literal address is a secret that no database holds; a reference to the environment is none."""
    path = tmp_path / "channels.toml"
    kept, literal = "env:SLACK_URL", "https://hooks.example.org/T0/B0/secret"
    channel = '[[channels]]\nid = "{}"\nkind = "slack"\nurl = "{}"\n'
    path.write_text(SOURCE + channel.format("kept", kept) + channel.format("literal", literal))
    Publisher(path, ledger, clock=clock, feeds=False).reload()
    path.write_text("nonsense")
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as restarted:
        again = Publisher(path, restarted, clock=clock, feeds=False)
        assert again.reload()
        assert again.published is not None
        assert [channel.url for channel in again.published.catalog.channels] == [kept, ""]


def test_a_first_start_with_a_broken_source_serves_nothing(source: Path, ledger: Ledger) -> None:
    source.write_text("nonsense")
    publisher = Publisher(source, ledger)
    assert not publisher.reload()
    assert publisher.snapshot is None


class Faulty:
    """A ledger that is busy until it is mended."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.busy = False

    def __getattr__(self, name: str) -> object:
        if self.busy:
            raise LedgerBusy("the database is locked")
        return getattr(self.ledger, name)


def test_a_busy_ledger_keeps_the_last_good_state_and_is_tried_again(source: Path, ledger: Ledger, clock: Clock) -> None:
    faulty = Faulty(ledger)
    publisher = Publisher(source, faulty, clock=clock)  # type: ignore[arg-type]  # it stands for a Ledger
    assert publisher.reload()
    before = feed(publisher)
    faulty.busy = True
    edit(source, lambda text: text.replace("Talks", "Long talks"))
    publisher.poll()
    assert publisher.poll() is False
    assert (feed(publisher), publisher.ledger_fault) == (before, "the database is locked")
    faulty.busy = False
    assert publisher.poll() is False
    clock.now += timedelta(seconds=6)
    assert publisher.poll()
    assert (feed(publisher) != before, publisher.ledger_fault) == (True, "")


def test_what_another_process_published_is_taken_over(
    publisher: Publisher, source: Path, tmp_path: Path, clock: Clock
) -> None:
    newer = tmp_path / "newer.toml"
    newer.write_text(SOURCE.replace("Talks", "Long talks"))
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as other:
        assert Publisher(newer, other, clock=clock).reload()
        assert publisher.poll()
        assert b"Long talks" in feed(publisher)


def test_an_embargoed_event_appears_at_its_instant_without_an_edit(
    tmp_path: Path, ledger: Ledger, clock: Clock
) -> None:
    path = tmp_path / "later.toml"
    path.write_text(SOURCE + "embargo = 2024-05-02T00:00:00Z\n")
    publisher = Publisher(path, ledger, clock=clock)
    publisher.reload()
    assert b"EXPO" not in feed(publisher)
    clock.now = datetime(2024, 5, 2, tzinfo=UTC)
    assert publisher.poll()
    assert b"EXPO" in feed(publisher)


def test_a_folder_is_read_in_name_order(tmp_path: Path) -> None:
    """But for what is hidden, as locks of editors and shadows of macOS are."""
    for name in ("b.toml", "a.toml", "c.txt", ".#a.toml", "._b.toml"):
        (tmp_path / name).write_text(name)
    assert [(Path(name).name, content) for name, content in read_files(tmp_path)] == [
        ("a.toml", b"a.toml"),
        ("b.toml", b"b.toml"),
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "cannot be read: No such file or directory (`calfeed init` writes a starting one)"),
        (lambda path: path.mkdir(), "the folder holds no *.toml file"),
    ],
)
def test_a_source_that_is_not_there_is_a_located_problem(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "events.toml"
    make(path)
    with pytest.raises(SourceError) as caught:
        read_files(path)
    assert str(caught.value) == f"{path}: error: {says}"
