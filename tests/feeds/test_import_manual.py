"""The page on importing says, property by property, what the import does."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from calfeed.feeds.lint.registry import COMPONENTS, PROPERTIES
from calfeed.feeds.read_ics import Imported, read_ics

PAGE = (files("calfeed.help") / "import.md").read_text(encoding="utf-8")
RICH = {"CONCEPT", "LINK", "REFID", "STRUCTURED-DATA", "STYLED-DESCRIPTION"}
"""Registered for any component (RFC 9073, 9253)."""

OF_CALENDAR = {
    "NAME": "NAME:Fair",
    "X-WR-CALNAME": "X-WR-CALNAME:Fair",
    "DESCRIPTION": "DESCRIPTION:Two days",
    "X-WR-CALDESC": "X-WR-CALDESC:Two days",
    "X-WR-TIMEZONE": "X-WR-TIMEZONE:Europe/Paris",
    "URL": "URL:https://example.org/",
    "COLOR": "COLOR:crimson",
    "X-APPLE-CALENDAR-COLOR": "X-APPLE-CALENDAR-COLOR:#DC143C",
    "REFRESH-INTERVAL": "REFRESH-INTERVAL;VALUE=DURATION:PT2H",
    "X-PUBLISHED-TTL": "X-PUBLISHED-TTL:PT2H",
    "CATEGORIES": "CATEGORIES:fair",
    "IMAGE": "IMAGE;VALUE=URI:https://example.org/x.png",
    "CALSCALE": "CALSCALE:GREGORIAN",
    "LAST-MODIFIED": "LAST-MODIFIED:20240501T000000Z",
    "METHOD": "METHOD:PUBLISH",
    "PRODID": "PRODID:-//Example//EN",
    "SOURCE": "SOURCE;VALUE=URI:https://example.org/x.ics",
    "UID": "UID:c",
    "VERSION": "VERSION:2.0",
}
OF_EVENT = {
    "SUMMARY": "SUMMARY:Fair",
    "DESCRIPTION": "DESCRIPTION:Two days",
    "DTEND": "DTEND:20240603T120000Z",
    "DURATION": "DURATION:PT2H",
    "RRULE": "RRULE:FREQ=DAILY;COUNT=3",
    "RDATE": "RDATE:20240610T100000Z",
    "UID": "UID:e",
    "STATUS": "STATUS:TENTATIVE",
    "LOCATION": "LOCATION:Mill",
    "GEO": "GEO:48.5;2.5",
    "X-APPLE-STRUCTURED-LOCATION": "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Mill:geo:48.5,2.5",
    "CATEGORIES": "CATEGORIES:fair",
    "URL": "URL:https://example.org/",
    "IMAGE": "IMAGE;VALUE=URI:https://example.org/x.png",
    "ATTACH": "ATTACH:https://example.org/x.pdf",
    "CONFERENCE": "CONFERENCE;VALUE=URI:https://example.org/call",
    "X-GOOGLE-CONFERENCE": "X-GOOGLE-CONFERENCE:https://example.org/call",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL": "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://example.org/call",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK": "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK:https://example.org/call",
    "ORGANIZER": "ORGANIZER;CN=Desk:mailto:desk@example.org",
    "CONTACT": "CONTACT:Desk",
    "RELATED-TO": "RELATED-TO:other",
    "TRANSP": "TRANSP:TRANSPARENT",
    "X-MICROSOFT-CDO-BUSYSTATUS": "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
    "CLASS": "CLASS:PRIVATE",
    "PRIORITY": "PRIORITY:5",
    "ATTENDEE": "ATTENDEE:mailto:guest@example.org",
    "COLOR": "COLOR:crimson",
    "COMMENT": "COMMENT:x",
    "CONCEPT": "CONCEPT:https://example.org/x",
    "EXRULE": "EXRULE:FREQ=DAILY;COUNT=2",
    "LINK": "LINK;LINKREL=via;VALUE=URI:https://example.org/x",
    "REFID": "REFID:x",
    "REQUEST-STATUS": "REQUEST-STATUS:2.0;Success",
    "RESOURCES": "RESOURCES:beamer",
    "STRUCTURED-DATA": "STRUCTURED-DATA;VALUE=TEXT:{}",
    "STYLED-DESCRIPTION": "STYLED-DESCRIPTION;VALUE=TEXT:<p>x</p>",
    "CREATED": "CREATED:20240501T000000Z",
    "DTSTAMP": "DTSTAMP:20240501T000000Z",
    "LAST-MODIFIED": "LAST-MODIFIED:20240501T000000Z",
    "SEQUENCE": "SEQUENCE:3",
}
WITH_OTHERS = {"DTSTART", "EXDATE", "RECURRENCE-ID"}
"""Properties that mean something only together with others: a test of its own."""


def rows(heading: str) -> dict[str, str]:
    """By property or component: what the section says becomes of it."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^\| (`.+?`) \| (.+) \|$", section, re.MULTILINE)
    return {name: becomes for names, becomes in lines for name in re.findall(r"`([A-Z-]+)`", names)}


def imported(head: str = "", lines: str = "") -> Imported:
    """A calendar with the lines in its head, and an event with the lines."""
    other = "BEGIN:VEVENT\nUID:other\nDTSTART:20240701T100000Z\nSUMMARY:Other\nEND:VEVENT\n"
    event = f"BEGIN:VEVENT\nDTSTART:20240603T100000Z\n{lines}\nEND:VEVENT\n"
    return read_ics(f"BEGIN:VCALENDAR\n{head}\n{event}{other}END:VCALENDAR\n".encode(), "x.ics")


def tables(found: Imported) -> tuple[dict[str, Any], dict[str, Any]]:
    """``[calendar]`` and the first of ``[[events]]``."""
    data = tomllib.loads(found.toml)
    return data["calendar"], data["events"][0]


def check(becomes: str, name: str, before: Imported, after: Imported, place: int) -> None:
    """Whether the import does with the property what the page says."""
    old, new = tables(before)[place], tables(after)[place]
    touched = {key for key in old | new if old.get(key) != new.get(key)}
    told = {problem.path for problem in after.lost} - {problem.path for problem in before.lost}
    if becomes.startswith("`"):
        assert becomes.split("`")[1] in touched
        assert told == set()
    elif becomes.startswith("left out, and told"):
        assert (touched, told) == (set(), {name})
    else:
        assert becomes.startswith("nothing")
        assert (touched, told) == (set(), set())


def registered(component: str) -> set[str]:
    return {name for name, rule in PROPERTIES.items() if component in rule.components}


def test_the_page_has_every_registered_property_and_what_the_tests_know() -> None:
    assert rows("The calendar").keys() == OF_CALENDAR.keys() >= registered("VCALENDAR")
    assert rows("An event").keys() == OF_EVENT.keys() | WITH_OTHERS >= registered("VEVENT") | RICH


@pytest.mark.parametrize("name", OF_CALENDAR)
def test_each_property_of_a_calendar_becomes_what_the_page_says(name: str) -> None:
    check(rows("The calendar")[name], name, imported(), imported(head=OF_CALENDAR[name]), 0)


@pytest.mark.parametrize("name", OF_EVENT)
def test_each_property_of_an_event_becomes_what_the_page_says(name: str) -> None:
    title = "" if name == "SUMMARY" else "SUMMARY:Workshop\n"  # without a title that is told, too
    check(rows("An event")[name], name, imported(lines=title), imported(lines=title + OF_EVENT[name]), 1)


def test_what_means_something_only_with_others() -> None:
    series = "SUMMARY:Workshop\nUID:e\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20240604T100000Z"
    moved = (
        "\nEND:VEVENT\nBEGIN:VEVENT\nUID:e\nRECURRENCE-ID:20240605T100000Z\nDTSTART:20240605T120000Z\nSUMMARY:Workshop"
    )
    _, event = tables(imported(lines=series + moved))
    said = {name: rows("An event")[name].split("`")[1] for name in WITH_OTHERS}
    assert said == {"DTSTART": "start", "EXDATE": "exdate", "RECURRENCE-ID": "events.overrides"}
    assert {"start", "exdate", "overrides"} <= event.keys()


def test_each_component_becomes_what_the_page_says() -> None:
    page = rows("Other components")
    observances, votes = {"STANDARD", "DAYLIGHT"}, {"VOTE", "VVOTER", "AVAILABLE"}  # parts of what the page names
    assert page.keys() == COMPONENTS.keys() - {"VCALENDAR", "VEVENT"} - observances - votes
    for name, becomes in page.items():
        nested = f"BEGIN:{name}\nEND:{name}"
        inside = "VEVENT" in COMPONENTS[name].parents
        found = imported(lines=f"SUMMARY:x\n{nested}") if inside else imported(head=nested, lines="SUMMARY:x")
        told = {problem.path for problem in found.lost}
        assert told == ({name} if becomes.startswith("left out, and told") else set()), name
