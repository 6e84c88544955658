"""The examples of the manual: checked, built as sites, and read back by a parser that others wrote."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest

from calfeed.events.model import Catalog
from calfeed.events.occurrences import all_occurrences
from calfeed.events.parse import load
from calfeed.export import build_site
from calfeed.feeds.lint import lint
from calfeed.feeds.snapshot import client_warnings

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.toml"))
PAGE = (HERE.parents[1] / "calfeed" / "help" / "examples.md").read_text(encoding="utf-8")
NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
YEAR = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


def read(file: Path) -> Catalog:
    return load([(file.name, file.read_bytes())])


def example(name: str) -> Catalog:
    return read(HERE / f"{name}.toml")


def starts(catalog: Catalog, event: str) -> list[str]:
    """In UTC: every occurrence of one event that takes place."""
    return [
        occurrence.start.astimezone(UTC).strftime("%m-%d %H:%M")
        for occurrence in all_occurrences(catalog.events, *YEAR)
        if occurrence.event.id == event
        and occurrence.event.status != "cancelled"
        and isinstance(occurrence.start, datetime)
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_checked_without_a_word(file: Path) -> None:
    catalog = read(file)
    assert (catalog.warnings, tuple(client_warnings(catalog, NOW))) == ((), ())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_feeds_are_built_and_read_back(file: Path, tmp_path: Path) -> None:
    """Every feed is clean for our linter, and `icalendar` finds each event of the list under its UID."""
    catalog = read(file)
    build_site(catalog, tmp_path, base_url=catalog.calendar.url, now=NOW)
    for feed in catalog.feeds:
        octets = (tmp_path / "feeds" / f"{feed.id}.ics").read_bytes()
        assert [str(problem) for problem in lint(octets, f"{feed.id}.ics")] == []
        calendar = icalendar.Calendar.from_ical(octets)
        wanted = [one for one in catalog.events if not feed.categories or set(one.categories) & set(feed.categories)]
        found = calendar.walk("VEVENT")
        assert {one.uid for one in wanted} <= {str(event["UID"]) for event in found}
        titles = {event.summary.get(catalog.calendar.language) for one in wanted for event in (one, *one.overrides)}
        assert {str(event["SUMMARY"]).split(" (")[0] for event in found} == titles  # "(time to be announced)"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_manual_quotes_it_whole(file: Path) -> None:
    quoted = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert file.read_text(encoding="utf-8") in quoted
    assert len(quoted) == len(FILES)


def test_a_track_has_its_talks_and_what_is_for_all() -> None:
    catalog = example("conference")
    tracks = {
        feed.id: [event.id for event in catalog.events if set(feed.categories) & set(event.categories)]
        for feed in catalog.feeds
        if feed.id != "all"
    }
    assert tracks == {"methods": ["opening", "counting"], "tools": ["opening", "notebooks", "workshop"]}


def test_the_course_keeps_its_hour_when_the_clocks_go_back() -> None:
    assert starts(example("course"), "drawing") == [
        "10-04 16:00",
        "10-18 16:00",
        "10-25 16:00",
        "11-01 16:00",  # 17:00 in winter time: moved an hour ahead
        "11-08 17:00",
        "11-22 17:00",
        "11-29 17:00",
        "12-06 17:00",
        "12-13 17:00",
    ]


def test_icalendar_sees_the_moved_lesson_where_the_museum_has_it(tmp_path: Path) -> None:
    build_site(example("course"), tmp_path, base_url=None, now=NOW)
    calendar = icalendar.Calendar.from_ical((tmp_path / "feeds" / "all.ics").read_bytes())
    moved = {
        event["RECURRENCE-ID"].dt: event["DTSTART"].dt
        for event in calendar.walk("VEVENT")
        if "RECURRENCE-ID" in event and str(event.get("STATUS")) != "CANCELLED"
    }
    zone = ZoneInfo("Europe/Berlin")
    assert moved == {datetime(2027, 11, 1, 18, tzinfo=zone): datetime(2027, 11, 1, 17, tzinfo=zone)}


def test_the_city_speaks_three_languages() -> None:
    (festival,) = [event for event in example("city").events if event.id == "festival"]
    assert [festival.summary.get(tag) for tag in ("de", "fr", "en", "ru")] == [
        "Stadtfest",
        "Fête de la ville",
        "Town festival",
        "Stadtfest",
    ]
    assert (festival.start, festival.end) == (date(2027, 8, 27), date(2027, 8, 30))
