"""Two versions at work on one database: an older program goes on while that is upgraded, and with the new one beside.

The older programs are real ones, kept as archives in `older`; whatever the present schema is, each is the older.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calfeed.ledger import Ledger, State
from calfeed.ledger.schema import HEAD

pytestmark = pytest.mark.slow

OLDER = sorted((Path(__file__).parent / "older").glob("*.tar.xz"))
COUNT = 400
SOURCE = (Path(__file__).parent / "desk.toml").read_text(encoding="utf-8") + "changes = false\n"
EVENT = '\n[[events]]\nid = "event-{0}"\nsummary = "Event {0}"\nstart = {1}\nduration = "1h"\n'
PLAN = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
import calfeed
from calfeed.events.parse import load
from calfeed.ledger import Ledger
from calfeed.ledger.schema import HEAD

now = datetime.fromisoformat(sys.argv[2])
with Ledger(sys.argv[1]) as ledger:
    ledger.upgrade()
    ledger.publish(load([("events.toml", Path("events.toml").read_bytes())]), now)
    ledger.plan(["hook"], now)
print(HEAD, calfeed.__file__)
"""


@pytest.fixture(params=OLDER, ids=lambda path: path.name.partition(".")[0])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder from which that older program is imported."""
    folder = tmp_path / "older"
    with tarfile.open(request.param) as archive:
        archive.extractall(folder, filter="data")
    return folder


def write(folder: Path, start: datetime, *, moved: timedelta = timedelta(0)) -> None:
    """The events of the hour, and one that is too far ahead to be planned."""
    starts = [*[start] * COUNT, start + timedelta(days=60) + moved]
    events = (EVENT.format(number, one.isoformat()) for number, one in enumerate(starts))
    (folder / "events.toml").write_text(SOURCE + "".join(events))


def revisions(feed: str) -> dict[str, tuple[str, str]]:
    """(SEQUENCE, LAST-MODIFIED) of each event, by uid."""
    found = {}
    for piece in re.findall(r"BEGIN:VEVENT\r\n.*?END:VEVENT", feed, re.DOTALL):
        uid, sequence, modified = (
            re.search(rf"^{name}:(.*?)\r$", piece, re.MULTILINE) for name in ("UID", "SEQUENCE", "LAST-MODIFIED")
        )
        assert uid
        assert sequence
        assert modified
        found[uid[1]] = sequence[1], modified[1]
    return found


@dataclass
class Deploy:
    """What a deploy has: the programs, old and new, in one folder on one database."""

    program: Callable[..., Any]
    folder: Path
    env: dict[str, str]
    older: Path

    def old(self, command: str) -> Any:
        return self.program(command, **self.env, PYTHONPATH=str(self.older)).start()

    def new(self, command: str) -> Any:
        return self.program(command, **self.env).start()

    def planned_by_the_old(self, at: datetime) -> str:
        """The ledger as the older program makes it; the schema it stands at."""
        env = {**os.environ, **self.env, "PYTHONPATH": str(self.older)}
        run = [sys.executable, "-c", PLAN, self.env["CALFEED_DATABASE_URL"], at.isoformat()]
        said = subprocess.run(run, cwd=self.folder, env=env, capture_output=True, text=True, check=True, timeout=60)
        head, where = said.stdout.split()
        assert Path(where).is_relative_to(self.older)
        return head


@pytest.fixture
def deploy(program: Callable[..., Any], tmp_path: Path, older: Path, database_url: str, receiver: Any) -> Deploy:
    receiver.answer = lambda _: (time.sleep(1), (200, b"ok"))[1]
    return Deploy(program, tmp_path, {"CALFEED_DATABASE_URL": database_url, "HOOK_URL": receiver.url}, older)


def test_an_older_program_works_on_while_the_new_one_comes(
    deploy: Deploy, tmp_path: Path, database_url: str, receiver: Any, until: Callable[..., Any]
) -> None:
    """Upgraded in the middle of sending: nothing lost or sent twice, an edit is one revision for both versions."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now + timedelta(hours=1) - timedelta(seconds=10)
    write(tmp_path, start)
    head = deploy.planned_by_the_old(now - timedelta(hours=1))
    old_web, old_remind = deploy.old("serve").ready(), deploy.old("remind")
    until(lambda: len(receiver.taken) > 20, 60, lambda: old_remind.log)
    before = revisions(old_web.get("/feeds/all.ics").text)

    assert deploy.new("upgrade").process.wait(timeout=60) == 0
    new_web, new_remind = deploy.new("serve").ready(), deploy.new("remind")
    write(tmp_path, start, moved=timedelta(hours=1))
    seen = until(lambda: both(old_web, new_web, before), 60, lambda: new_web.log)
    edited = {uid: one for uid, one in seen.items() if one != before[uid]}
    assert [sequence for sequence, _ in edited.values()] == ["1"]

    until(lambda: len(receiver.taken) > COUNT * 2 // 3, 60, lambda: new_remind.log)
    assert [old_remind.stop(), old_web.stop()] == [0, 0]
    with Ledger(database_url) as ledger:
        until(lambda: ledger.stats(now).count(State.SENT) == COUNT, 120, lambda: new_remind.log)
        audit = ledger.audit(datetime.now(UTC))
    ids: dict[str, set[str]] = {}
    for taken in receiver.taken:
        ids.setdefault(taken.json["data"]["event"]["id"], set()).add(taken.headers["webhook-id"])
    lost, repeated = COUNT - len(ids), len(receiver.taken) - len(ids)
    print(f"schemas {head} and {HEAD} at work together: {COUNT} reminders, lost {lost}, repeated {repeated}")
    assert (lost, repeated, {len(found) for found in ids.values()}) == (0, 0, {1})
    assert (audit.findings, audit.outcomes) == ((), {"sent": COUNT})

    said = len(new_remind.log)
    again = deploy.old("remind")
    until(lambda: "which is newer than this program" in again.log[said:], 60, lambda: again.log[said:])
    assert "Traceback" not in again.log


def both(old: Any, new: Any, before: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]] | None:
    """The revisions that both serve, once they serve the same and others than before."""
    seen = [revisions(web.get("/feeds/all.ics").text) for web in (old, new)]
    return seen[0] if seen[0] == seen[1] != before else None
