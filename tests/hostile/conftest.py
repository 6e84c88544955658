"""A site that strangers attack, and the command line that is given what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from calfeed.cli import main
from calfeed.ledger import Ledger
from calfeed.publish import Publisher
from calfeed.settings import Settings
from calfeed.web.app import create_app
from calfeed.web.fast import FastFeeds

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)
TOKEN = "planted-operator-token"

SOURCE = """
[calendar]
id = "visit"
name = { en = "The visit", ru = "Визит" }
timezone = "Asia/Shanghai"

[[feeds]]
id = "expo"
name = "EXPO"
categories = ["expo"]

[[feeds]]
id = "crew"
name = "Crew"
visibility = "private"

[[events]]
id = "visit"
summary = "State visit"
start = 2024-05-16
end = 2024-05-17
categories = ["summit"]

[[events]]
id = "talks"
summary = "Talks"
start = 2024-05-16T10:00:00
rrule = "FREQ=DAILY;COUNT=3"
parent = "visit"
"""


@dataclass
class Answer:
    """What a request got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """The application as the server calls it: feeds, bodies and Flask, by WSGI alone, so that nothing is tidied up."""

    publisher: Publisher
    ledger: Ledger
    wsgi: Any
    app: Any
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **environ: Any) -> Answer:
        """The answer to a request; ``path`` as the client wrote it, further keys as WSGI names them."""
        plain, _, query = path.partition("?")
        made = create_environ(method=method, data=body)
        made |= {"PATH_INFO": _decoded(plain), "QUERY_STRING": query, "REQUEST_METHOD": method, **environ}
        found, status, headers = run_wsgi_app(self.wsgi, made)
        return Answer(int(status[:3]), dict(headers), b"".join(found))


def _decoded(path: str) -> str:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(path).decode("latin-1")


def build(folder: Path, source: str, settings: dict[str, Any]) -> Site:
    """A site over that source, with its files in ``folder``."""
    (folder / "events.toml").write_text(source, encoding="utf-8")
    ledger = Ledger(f"sqlite:///{folder / 'calfeed.db'}")
    ledger.upgrade()
    now = [NOW]
    chosen = Settings(events=folder / "events.toml", **{"admin_token": TOKEN, **settings})
    publisher = Publisher(chosen.events, ledger, clock=lambda: now[0])
    assert publisher.reload(), publisher.problems
    app = create_app(publisher, ledger, chosen, clock=lambda: now[0])
    fast = FastFeeds(app.wsgi_app, publisher, app.extensions["calfeed"].polls)
    return Site(publisher, ledger, fast, app, now)


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(source: str = SOURCE, **settings: Any) -> Site:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(build(folder, source, settings))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site for attacks that leave it as it was."""
    made = build(tmp_path_factory.mktemp("hostile"), SOURCE, {})
    yield made
    made.ledger.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """``calfeed check`` of a file with that content: exit status and lines, as the shell sees them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("calfeed.logs.configure", lambda *_: None)

    def run(content: str | bytes, name: str = "events.toml") -> tuple[int, list[str]]:
        octets = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        Path(name).write_bytes(octets)
        with pytest.raises(SystemExit) as ended:
            main(["check", name])
        told = capfd.readouterr()
        assert "Traceback" not in told.err
        return int(str(ended.value.code)), told.out.split("\n")[:-1]

    return run
