"""Where the web listens: a numeric address of this machine, and a port that nobody else answers on."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from calfeed.errors import CalfeedError, LedgerError, UsageError

Run = Callable[..., Result]
Served = list[tuple[str, int]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """Where the server was asked to listen, instead of a server."""
    monkeypatch.setattr("calfeed.cli.run.PORT_PATIENCE", 0)
    asked: Served = []
    monkeypatch.setattr("calfeed.web.server.serve", lambda address, port, *_: asked.append((address, port)))
    return asked


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is shared with whoever asks for SO_REUSEPORT, as the server does."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free(taken: int) -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    assert found != taken
    return found


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port_is_said_and_nothing_begins(run: Run, served: Served, taken: int, command: str) -> None:
    """Two servers on one port would each answer half of the requests, with calendars of their own."""
    expected = (
        f"port {taken} of 127.0.0.1 is taken, perhaps by another calfeed: "
        "end what listens there, or choose another port with --port or PORT"
    )
    with pytest.raises(CalfeedError, match=f"^{re.escape(expected)}$"):
        run(command, PORT=str(taken))
    assert served == []


def test_a_name_is_turned_into_the_address_that_the_server_wants(run: Run, served: Served, free: int) -> None:
    assert run("serve", "--host", "localhost", PORT=str(free)).exit_code == 0
    assert served in ([("127.0.0.1", free)], [("::1", free)])


@pytest.mark.parametrize("host", ["192.0.2.7", "no host", "a..b"])
def test_a_host_that_is_none_here_is_wrong_usage(run: Run, served: Served, free: int, host: str) -> None:
    hint = "127.0.0.1 serves this machine alone, 0.0.0.0 whoever reaches it"
    with pytest.raises(UsageError, match=f"^{re.escape(f'--host {host}: no address of this machine ({hint})')}$"):
        run("serve", "--host", host, PORT=str(free))
    assert served == []


def test_a_port_that_needs_other_rights_is_said(
    run: Run, served: Served, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CalfeedError, match=r"^port 80 may not be opened by this user: choose one from 1024 on with"):
        run("serve", PORT="80")
    assert served == []


def test_a_database_without_its_driver_is_told_before_any_worker_begins(run: Run, served: Served, free: int) -> None:
    with pytest.raises(LedgerError, match=r"^PostgreSQL needs its driver: pip install"):
        run("serve", PORT=str(free), CALFEED_DATABASE_URL="postgresql+nothing://u@127.0.0.1/n")
    assert served == []


def test_a_log_of_json_has_nothing_else_on_stderr(
    run: Run, served: Served, free: int, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="calfeed.cli")
    said = run("serve", PORT=str(free), CALFEED_LOG="json")
    assert (said.exit_code, said.stderr) == (0, "")
    assert caplog.messages == [f"calfeed web: http://127.0.0.1:{free}/"]
    caplog.clear()
    (folder / "events.toml").write_text("nonsense")
    said = run("serve", PORT=str(free), CALFEED_LOG="json")
    assert (said.exit_code, said.stderr) == (1, "")
    (message,) = caplog.messages
    assert message.startswith("events.toml:1:")
