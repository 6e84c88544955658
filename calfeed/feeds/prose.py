"""What is said of an event, in words, whatever the format: its title, its description, its place, its address."""

from __future__ import annotations

from calfeed.events.model import Conference, Event, Place, Source
from calfeed.feeds.markdown import plain
from calfeed.feeds.phrases import Phrases, phrases
from calfeed.feeds.properties import one_line
from calfeed.feeds.text import uri


def title(event: Event, language: str, *, marked: bool = False) -> str:
    """The summary, saying what is still to be announced and, ``marked``, that the event is cancelled."""
    tag, text = event.summary.pick(language)
    text = one_line(text)
    if event.tba:
        text = getattr(phrases(tag), f"tba_{event.tba}_title").format(text)
    return phrases(tag).cancelled_title.format(text) if marked and event.status == "cancelled" else text


def description(event: Event, language: str) -> str:
    """Plain text: what is to be announced, the description, how to join, where the publisher has it from."""
    told = "" if event.description is None else plain(event.description.get(language))
    if not (event.tba or event.conference or event.sources):
        return told
    words = phrases(event.summary.pick(language)[0])
    parts = [announcement(event, words)] if event.tba else []
    parts.append(told)
    if event.conference:
        parts.append("\n".join(_join(each, language, words) for each in event.conference))
    if event.sources:
        parts.append("\n".join(_source(each, language, words) for each in event.sources))
    return "\n\n".join(filter(None, parts))


def announcement(event: Event, words: Phrases) -> str:
    """That the time, or the date within its window, is to be announced."""
    if event.tba == "time":
        return words.tba_time
    return words.tba_date.format(words.days(event.start, event.last_day))


def _join(conference: Conference, language: str, words: Phrases) -> str:
    label = f" ({one_line(conference.label.get(language))})" if conference.label else ""
    return f"{words.join}{label}: {uri(conference.uri)}"


def _source(source: Source, language: str, words: Phrases) -> str:
    day = f", {words.day(source.published)}" if source.published else ""
    url = f" {uri(source.url)}" if source.url else ""
    return f"{words.source}: {one_line(source.title.get(language))}{day}{url}"


def place_text(place: Place, language: str) -> str:
    """Name and address on lines of their own: Apple shows its map only where LOCATION has this form."""
    name = one_line(place.name.get(language))
    return f"{name}\n{one_line(place.address.get(language))}" if place.address else name


def degrees(angle: float) -> str:
    """Six decimals (0.1 m), without trailing zeros or exponent (RFC 5545 §3.8.1.6)."""
    text = f"{angle:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def page_url(event: Event, base_url: str | None) -> str | None:
    """Where readers find the event: its own URL, else its page here; a private event has no page."""
    if event.url:
        return uri(event.url)
    return f"{base_url}/events/{event.id}" if base_url and event.visibility != "private" else None
