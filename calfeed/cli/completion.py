"""What TAB offers beyond commands, options and files: the names that the event list has, where it is good."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from calfeed.events.model import Catalog


def feeds(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of feeds, with their names."""
    return _offered(incomplete, ((feed.id, feed.name.get()) for one in _catalog(ctx) for feed in one.feeds))


def private_feeds(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Those that a secret link can be made to."""
    found = (feed for one in _catalog(ctx) for feed in one.feeds if feed.visibility == "private")
    return _offered(incomplete, ((feed.id, feed.name.get()) for feed in found))


def channels(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of channels, with their kinds."""
    return _offered(incomplete, ((each.id, each.kind) for one in _catalog(ctx) for each in one.channels))


def categories(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Every category that some event has."""
    found = {name for one in _catalog(ctx) for event in one.events for name in event.categories}
    return _offered(incomplete, ((name, "") for name in sorted(found)))


def _offered(incomplete: str, names: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(name, help=told or None) for name, told in names if name.startswith(incomplete)]


def _catalog(ctx: click.Context) -> Iterable[Catalog]:
    """The event list; nothing where it cannot be used, since a shell that completes has no place for errors."""
    from calfeed.errors import CalfeedError
    from calfeed.events.parse import load  # pydantic: only when something of the list is completed
    from calfeed.publish import read_files
    from calfeed.settings import Settings

    chosen = ctx.params.get("events") or ctx.find_root().params.get("events")
    try:
        return [load(read_files(Path(chosen) if chosen else Settings.from_env(os.environ).events))]
    except CalfeedError:
        return []
