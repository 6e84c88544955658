"""Runs commands in this process, in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calfeed.cli import calfeed
from calfeed.errors import CalfeedError

SOURCE = """
[calendar]
id = "visit"
name = "Visit"
timezone = "Asia/Shanghai"

[[feeds]]
id = "expo"
name = "EXPO"
categories = ["expo"]

[[events]]
id = "talks"
summary = { en = "Talks", zh = "会谈" }
start = 2024-05-16T10:00:00
duration = "90m"
categories = ["summit"]

[[events]]
id = "expo"
summary = "EXPO"
start = 2024-05-17
end = 2024-05-21
categories = ["expo"]

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:NEWSROOM_SLACK_URL"
before = ["1d", "1h"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.toml").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("calfeed.logs.configure", lambda *_: None)

    def invoke(*args: str, stdin: bytes | None = None, **env: str) -> Result:
        result = CliRunner().invoke(calfeed, args, input=stdin, env={**os.environ, **env}, catch_exceptions=True)
        if isinstance(result.exception, CalfeedError):
            raise result.exception
        return result

    return invoke
