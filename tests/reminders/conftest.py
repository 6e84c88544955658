"""Event lists as TOML, and plans as lines of text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.reminders.digest import due_digests
from calfeed.reminders.plan import DueReminder, due_reminders

CALENDAR = """
[calendar]
id = "visit"
name = { en = "Visit", ru = "Визит", zh = "访问" }
timezone = "Asia/Shanghai"
url = "https://cal.example.org"
"""


@pytest.fixture
def catalog() -> Callable[..., Catalog]:
    """``catalog(toml)`` is the list with these events and channels, in the calendar above unless it brings its own."""

    def read(toml: str) -> Catalog:
        return load([("events.toml", toml if "[calendar]" in toml else CALENDAR + toml)])

    return read


@pytest.fixture
def plan(catalog: Callable[..., Catalog]) -> Callable[..., list[str]]:
    """``plan(toml, since, until)`` is what falls due, as lines ``2024-05-16 01:00Z id lead channel``."""

    def due(toml: str, since: str = "2024-01-01", until: str = "2025-01-01") -> list[str]:
        found = due_reminders(catalog(toml), utc(since), utc(until))
        return [line(one) for one in found]

    return due


@pytest.fixture
def digests(catalog: Callable[..., Catalog]) -> Callable[..., list[str]]:
    """The same for digests: ``2024-05-16 00:00Z 2024-05-16 channel: id, id``."""

    def due(toml: str, since: str = "2024-01-01", until: str = "2025-01-01") -> list[str]:
        found = due_digests(catalog(toml), utc(since), utc(until))
        return [
            f"{one.due:%Y-%m-%d %H:%MZ} {one.day} {one.channel.id}: {', '.join(item.event.id for item in one.items)}"
            for one in found
        ]

    return due


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "T00:00:00+00:00" if "T" not in text else text + "+00:00")


def line(due: DueReminder) -> str:
    which = f" {due.occurrence.key}" if due.occurrence.key else ""
    return f"{due.due:%Y-%m-%d %H:%MZ} {due.event.id}{which} {due.lead} {due.channel.id}"
