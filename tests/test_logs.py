"""Log lines are one line a record, whatever they say, and carry what stands in ``extra``."""

from __future__ import annotations

import json
import logging

import pytest

from calfeed.logs import JsonFormatter, TextFormatter


@pytest.fixture
def record() -> logging.LogRecord:
    made = logging.makeLogRecord(
        {
            "name": "calfeed.deliver",
            "levelname": "INFO",
            "msg": "sent %s",
            "args": ("one\ntwo",),
            "created": 1715734800.5,
        }
    )
    made.channel = "news room"
    made.late = 3
    return made


def test_text_is_one_line(record: logging.LogRecord) -> None:
    assert TextFormatter().format(record) == (
        '2024-05-15T01:00:00Z info calfeed.deliver: sent one\\ntwo channel="news room" late=3'
    )


def test_json_is_one_object(record: logging.LogRecord) -> None:
    assert json.loads(JsonFormatter().format(record)) == {
        "time": "2024-05-15T01:00:00Z",
        "level": "info",
        "logger": "calfeed.deliver",
        "message": "sent one\ntwo",
        "channel": "news room",
        "late": 3,
    }
