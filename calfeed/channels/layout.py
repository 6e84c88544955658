"""What all dressed messages are made of: facts with their labels, in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from calfeed.channels.plain import one_line
from calfeed.reminders.message import Item
from calfeed.reminders.words import Words


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of an item.

    ``stamp`` is the UTC instant to show on the reader's own clock beside ``text``; a ``link`` is a URL.
    """

    label: str
    text: str
    stamp: datetime | None = None
    struck: bool = False
    quiet: bool = False
    link: bool = False


def facts(item: Item, say: Words) -> list[Fact]:
    """The facts of an item: what was, when, where, and what else is to be known."""
    found = []
    if item.was:
        found.append(Fact(say.was, item.was.text, struck=True))
    if item.when:
        found.append(Fact(say.becomes if item.was else say.when, item.when.text, struck=item.cancelled))
        if item.when.elsewhere:
            found.append(Fact("", item.when.elsewhere, struck=item.cancelled))
        if item.when.start is not None and not item.cancelled:
            found.append(Fact(say.yours, item.when.text, stamp=item.when.start))
    if one_line(item.where):
        found.append(Fact(say.where, item.where))
    if item.join and not item.cancelled:
        found.append(Fact(say.join, item.join, link=item.join.startswith(("https://", "http://"))))
    return [*found, *(Fact("", note, quiet=True) for note in item.notes)]
