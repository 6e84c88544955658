"""TAB completes commands, options, choices, files and the names of the event list, in the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

TYPED = {
    "calfeed che": {"check"},
    "calfeed deliveries l": {"list"},
    "calfeed agenda --f": {"--from", "--feed"},
    "calfeed check --format s": {"sarif"},
    "calfeed check old": {"old.toml"},
    "calfeed diff old.toml ne": {"new.toml"},
    "calfeed import fe": {"feed.ics"},
    "calfeed --events old": {"old.toml"},
    "calfeed feed ex": {"expo"},
    "calfeed agenda --category su": {"summit"},
    "calfeed send-test ne": {"newsroom"},
    "calfeed --events old.toml feed e": set(),  # that list has no such feed
    "calfeed --events broken.toml feed e": set(),
}
"""What is typed, and what may follow."""


@pytest.fixture
def files(folder: Path) -> Path:
    for name in ("old.toml", "new.toml", "feed.ics"):
        (folder / name).touch()
    (folder / "broken.toml").write_text("nonsense")
    return folder


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }


def ran(script: str, folder: Path, *shell: str) -> str:
    done = subprocess.run(
        [*shell, script], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bash_completes(files: Path) -> None:
    """As readline asks: the function is called with the words; where it leaves the files to bash, it says so."""
    script = [
        'eval "$(_CALFEED_COMPLETE=bash_source calfeed)"',
        'compopt() { COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")); }',
    ]
    for typed in TYPED:
        words = typed.split(" ")
        script += [
            f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMPREPLY=()",
            '_calfeed_completion calfeed; echo "${COMPREPLY[@]}"',
        ]
    said = ran("\n".join(script), files, "bash", "-c").splitlines()
    assert dict(zip(TYPED, [set(line.split()) for line in said], strict=True)) == TYPED


@pytest.mark.judges
def test_fish_completes(files: Path) -> None:
    asked = "\n".join(f"complete -C '{typed}'; echo =" for typed in TYPED)
    said = ran(f"_CALFEED_COMPLETE=fish_source calfeed | source\n{asked}", files, "fish", "--no-config", "-c")
    found = [{line.partition("\t")[0] for line in block.splitlines()} for block in said.split("=\n")[:-1]]
    assert dict(zip(TYPED, found, strict=True)) == TYPED


@pytest.mark.judges
def test_zsh_completes(files: Path) -> None:
    """In a terminal, with a real TAB; what zsh completes stands in the line when it is run."""
    single = {typed: found for typed, found in TYPED.items() if len(found) == 1}
    setup = [
        "PROMPT= RPROMPT=; unsetopt zle_bracketed_paste 2>/dev/null; setopt no_beep",
        "autoload -Uz compinit && compinit -u -D",
        'eval "$(_CALFEED_COMPLETE=zsh_source calfeed)"',
        "show() { print -r -- \"<$BUFFER>\"; BUFFER=; zle .accept-line }; zle -N show; bindkey '^X' show",
        "print RE''ADY",
    ]
    with Terminal(["zsh", "-f", "-i"], files) as zsh:
        zsh.type("\n".join(setup) + "\n")
        zsh.until("READY")
        said = [zsh.completed(typed) for typed in single]
    assert said == [f"{typed.rpartition(' ')[0]} {min(found)}" for typed, found in single.items()]


class Terminal:
    """A program that believes it is used by somebody."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._fd, other = pty.openpty()
        ends = {"stdin": other, "stdout": other, "stderr": other}
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], cwd=folder, env=environment(folder), **ends
        )
        os.close(other)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)  # the shell is hung up on
        self._process.wait(60)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def until(self, pattern: str) -> re.Match[str]:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([self._fd], [], [], 1)[0]:
                self._seen += os.read(self._fd, 65536).decode(errors="replace")
            found = re.search(pattern, self._seen)
            if found:
                self._seen = self._seen[found.end() :]
                return found
        raise AssertionError(f"no {pattern!r} within a minute in {self._seen!r}")

    def completed(self, typed: str) -> str:
        """The line after TAB."""
        self.type(f"{typed}\t\x18")
        return self.until("<(.*?)>")[1].rstrip()
