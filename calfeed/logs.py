"""Structured logs on stderr: one line a record, as text or JSON; whatever stands in ``extra`` comes along."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(style: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Sends every record of the process to stderr in ``style``; libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("calfeed").setLevel(level)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """``{"time": …Z, "level": …, "logger": …, "message": …, …extra}``."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object on one line."""
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """``2024-05-15T01:00:00Z info calfeed.deliver: sent channel=newsroom``; line breaks inside a value are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, then the traceback if there is one."""
        extra = "".join(f" {key}={_word(value)}" for key, value in _extra(record).items())
        line = f"{_time(record)} {record.levelname.lower()} {record.name}: {_one_line(record.getMessage())}{extra}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _word(value: object) -> str:
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _one_line(text: str) -> str:
    """Paths and answers hold what strangers wrote: a line stays a line, and no terminal is steered."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
