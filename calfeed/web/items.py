"""An occurrence as a reader sees it: its days and hours in their zone, ready for agenda, month and timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calfeed.events.model import Event, Occurrence, instant, last_touched
from calfeed.web.palette import HUES


@dataclass(frozen=True, slots=True)
class Item:
    """``first``…``last`` are the days it stands on for the reader, inclusive; ``begins``, ``ends`` its hours, if any.

    What runs past midnight but for less than a day stands on the day it begins; ``over`` is the last day it touches.
    """

    occurrence: Occurrence
    first: date
    last: date
    over: date
    begins: datetime | None
    ends: datetime | None
    hue: int

    @property
    def event(self) -> Event:
        """The event, with the occurrence's override applied."""
        return self.occurrence.event

    @property
    def days(self) -> int:
        """How many days it stands on."""
        return (self.last - self.first).days + 1

    @property
    def open_date(self) -> bool:
        """Whether it is on some day of its span rather than on all of them."""
        return self.event.tba == "date" and self.days > 1

    @property
    def kind(self) -> str:
        """Class names that give it its shape: ``tentative``, ``cancelled``, ``open``."""
        return " ".join(word for word in (_status(self.event), "open" if self.event.tba == "date" else "") if word)

    @property
    def order(self) -> tuple[date, bool, bool, int, time, str]:
        """Known dates before open ones, days before hours, long before short, then by clock."""
        clock = self.begins.time() if self.begins else time()
        return (
            self.first,
            self.open_date,
            self.begins is not None and self.days == 1,
            -self.days,
            clock,
            self.event.id,
        )


def _status(event: Event) -> str:
    return "" if event.status == "confirmed" else event.status


def item(occurrence: Occurrence, zone: ZoneInfo | None, colours: Mapping[str, int]) -> Item:
    """``zone`` is the reader's; None shows each event in its own."""
    event = occurrence.event
    hue = next((colours[category] for category in event.categories if category in colours), HUES)
    start, end = occurrence.start, occurrence.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        shown = zone or event.zone
        begins = start.astimezone(shown)
        ends = max(instant(start, shown), instant(end, shown)).astimezone(shown)
        over = last_touched(start, end, shown)
        last = begins.date() if ends - begins < timedelta(days=1) else over
        return Item(occurrence, begins.date(), last, over, begins, ends, hue)
    last = max(start, end - timedelta(days=1))
    return Item(occurrence, start, last, last, None, None, hue)


def items(occurrences: Iterable[Occurrence], zone: ZoneInfo | None, colours: Mapping[str, int]) -> list[Item]:
    """In reading order."""
    return sorted((item(one, zone, colours) for one in occurrences), key=lambda found: found.order)
