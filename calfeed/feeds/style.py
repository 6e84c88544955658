"""How VEVENTs are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from calfeed.events.model import Duration
from calfeed.feeds.properties import Tongues
from calfeed.feeds.series import MOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How VEVENTs are written; with an event and its revision it decides every byte.

    ``native`` is the calendar's own language; ``mark`` shows what is cancelled as free and says so in its title;
    ``utc`` are the zones whose events are written in UTC. Of events written one by one, ``horizon`` is the instant up
    to which endless ones go, ``most`` the number of occurrences of one event.
    """

    language: str = "en"
    native: str = "en"
    base_url: str | None = None
    all_day_at: time = time(9)
    mark: bool = False
    alarm: Duration | None = None
    expand: bool = False
    rich: bool = False
    utc: frozenset[str] = frozenset()
    horizon: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    most: int = MOST

    @property
    def tongues(self) -> Tongues:
        """The reader's language, and the calendar's own."""
        return self.language, self.native
