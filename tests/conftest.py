"""What every test can rely on: no socket leaves this machine, and no setting of the developer's leaks in."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but loopback or a Unix socket is an error, named at the place that made it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]  # an AF_INET address is a tuple
            if host not in {"127.0.0.1", "::1", "localhost"} and not host.startswith("127."):
                raise AssertionError(f"a test tried to connect to {address}")
        connect(self, address)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALFEED_") or name in {"DATABASE_URL", "PORT"}]:
        monkeypatch.delenv(name)
