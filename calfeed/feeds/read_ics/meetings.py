"""How to join from afar: CONFERENCE, and what Google and Microsoft write in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from calfeed.events.model import Conference, Text
from calfeed.feeds.lint.structure import Component
from calfeed.feeds.properties import one_line
from calfeed.feeds.read_ics.frame import Frame
from calfeed.feeds.read_ics.reading import parameter

_WEB = re.compile(r"https?://", re.IGNORECASE)
_FEATURES = frozenset({"audio", "chat", "feed", "moderator", "phone", "screen", "video"})
_MEETINGS = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK")


def conferences(component: Component, frame: Frame) -> Iterator[Conference]:
    """Every way to join that the event names."""
    for line in component.all("CONFERENCE"):
        label = one_line(parameter(line, "LABEL") or "")
        features = [each.lower() for each in (line.parameter("FEATURE") or "").split(",") if each]
        known = tuple(each for each in features if each in _FEATURES)
        if len(known) < len(features):
            frame.lost.add("CONFERENCE", "a feature that is not registered was left out", line.number)
        yield Conference(line.value, Text(((frame.language, label),)) if label else None, known)
    for line in component.all(*_MEETINGS):
        if _WEB.match(line.value) and line.value not in {each.value for each in component.all("CONFERENCE")}:
            yield Conference(line.value)


def conference_table(conference: Conference) -> dict[str, Any]:
    """A way to join as the event list writes it."""
    table: dict[str, Any] = {"uri": conference.uri}
    if conference.label:
        table["label"] = conference.label.get()
    if conference.features:
        table["features"] = list(conference.features)
    return table
