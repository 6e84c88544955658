"""What the page says of an item: when, where, and what is not yet certain."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from calfeed.events.model import Event
from calfeed.web.dates import city, offset
from calfeed.web.items import Item
from calfeed.web.site import Page


def when(page: Page, item: Item) -> str:
    """``14:00–15:30``, ``16–17 May``, ``all day``, ``Time to be announced``."""
    if item.event.tba:
        return page.words(f"tba_{item.event.tba}")
    if item.begins and item.ends:
        return page.dates.clocks(item.begins, item.ends)
    return page.words("all_day") if item.days == 1 else page.dates.span(item.first, item.last)


def span(page: Page, item: Item) -> str:
    """Its days; for an open date the days it may fall on, said so."""
    days = page.dates.span(item.first, item.last)
    return page.words("tba_one_of", span=days) if item.open_date else days


def zone_note(page: Page, item: Item) -> str:
    """What the hours need beside them: the event's own time, or the zone they are in, where the page's is another."""
    if not item.begins or not item.ends:
        return ""
    own = item.begins.astimezone(ZoneInfo(item.event.timezone))
    place = f"{city(item.event.timezone)} ({offset(own)})"
    if page.zone is None:
        return "" if item.event.timezone == page.catalog.calendar.timezone else place
    if own.utcoffset() == item.begins.utcoffset():
        return ""
    clock = page.dates.clocks(own, item.ends.astimezone(own.tzinfo))
    day = "" if own.date() == item.begins.date() else f"{page.dates.short(own.date())}, "
    return page.words("local_time", time=day + clock, zone=place)


def place(page: Page, event: Event) -> str:
    """``Harbin, Convention Centre``: the place's name; empty without one."""
    return page.text(event.location.name) if event.location else ""


def label(page: Page, item: Item) -> str:
    """One line for a bar's tooltip and for who cannot see where the bar lies."""
    status = "" if item.event.status == "confirmed" else page.words(item.event.status)
    hours = when(page, item) if item.begins or item.event.tba else ""
    return " · ".join(part for part in (page.dates.span(item.first, item.last), hours, status) if part)
