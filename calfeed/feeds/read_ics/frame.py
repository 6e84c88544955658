"""What the events of one VCALENDAR share."""

from __future__ import annotations

from dataclasses import dataclass

from calfeed.feeds.read_ics.lost import Lost
from calfeed.feeds.read_ics.times import Zones


@dataclass(slots=True)
class Frame:
    """What the events of one VCALENDAR share."""

    zones: Zones
    language: str
    base_url: str | None
    lost: Lost

    @property
    def is_ours(self) -> bool:
        """Whether calfeed wrote the file."""
        return self.zones.ours
