"""On a terminal whoever waits sees how far it is; a file or a pipe gets no bar."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WAITED_FOR = {
    "building": ("build", "--out", "site"),
    "importing": ("import", "feed.ics"),
    "rehearsing": ("rehearse", "--from", "2024-05-14", "--to", "2024-05-22", "--speed", "1e9", "--dry-run", "--json"),
}


@pytest.mark.parametrize("label", WAITED_FOR)
def test_a_bar_shows_how_far_it_is_on_a_terminal_alone(run: Run, folder: Path, label: str) -> None:
    (folder / "feed.ics").write_bytes(run("feed").stdout_bytes)
    command = WAITED_FOR[label]
    seen = subprocess.run(
        ["script", "--quiet", "--return", "--command", shlex.join(["calfeed", *command]), "/dev/null"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert label in seen
    assert "100%" in seen
    assert label not in run(*command).output
