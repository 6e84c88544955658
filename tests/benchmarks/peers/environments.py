"""The peers' own environments, made by the command itself from locked lists; nothing of them is calfeed's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
VENV = HERE / ".venv"
MODULES = HERE / "node_modules"
PYTHON = VENV / "bin" / "python"


def make() -> None:
    """Whatever is missing: a virtual environment, node modules, nginx and wrk."""
    if not (VENV / ".ready").exists() or (VENV / ".ready").stat().st_mtime < LOCK.stat().st_mtime:
        _run(sys.executable, "-m", "venv", VENV)
        _run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", LOCK)
        (VENV / ".ready").touch()
    if not MODULES.exists():
        _run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", HERE)
    missing = [package for package, program in (("nginx-light", "nginx"), ("wrk", "wrk")) if not shutil.which(program)]
    if missing:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing)


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)


@lru_cache
def python_package(name: str) -> str:
    """``name version``."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    found = subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    return f"{name} {found}"


@lru_cache
def node_package(name: str) -> str:
    """``name version``."""
    return f"{name} {json.loads((MODULES / name / 'package.json').read_text())['version']}"


@lru_cache
def nginx() -> str:
    """``nginx version``."""
    told = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr
    return told.strip().rpartition(": ")[2].replace("/", " ")
