"""The changes of a feed as Atom (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from urllib.parse import quote, urlsplit

from calfeed.events.model import Calendar, Event, Feed
from calfeed.events.revision import Change
from calfeed.events.wording import describe
from calfeed.feeds.json_feed import stamp
from calfeed.feeds.properties import one_line
from calfeed.feeds.prose import description, page_url, place_text
from calfeed.feeds.text import clean

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
MOST = 100
"""Entries in one feed, the newest."""

_ILLEGAL = re.compile("[\ufffe\uffff]")
_EPOCH = date(2024, 1, 1)
"""Since when these tag URIs are given out (RFC 4151); feeds keep it for ever."""


def atom(
    calendar: Calendar,
    feed: Feed,
    changes: Iterable[Change],
    *,
    base_url: str | None,
    source: str | None,
    language: str,
    empty: datetime,
) -> bytes:
    """The newest changes; ``source`` is the feed's own address, ``empty`` the age of a feed without entries."""
    shown = list(changes)[:MOST]
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_quoted(language)}>',
        _element("id", tag(base_url, _EPOCH, f"{calendar.id}/feeds/{feed.id}")),
        _element("title", one_line(feed.name.get(language))),
        _element("updated", stamp(max((change.at for change in shown), default=empty))),
        f"<author>{_element('name', _author(calendar, language))}</author>",
        _element("generator", "calfeed"),
        *([f'<link rel="self" type="application/atom+xml" href={_quoted(source)}/>'] if source else []),
        *([f'<link rel="alternate" type="text/html" href={_quoted(f"{base_url}/changes")}/>'] if base_url else []),
        *(line for change in shown for line in _entry(change, base_url, language)),
        "</feed>",
    ]
    return "\n".join((*lines, "")).encode()


def tag(base_url: str | None, since: date, name: str) -> str:
    """A tag URI (RFC 4151) of the host that publishes."""
    host = (urlsplit(base_url).hostname if base_url else None) or "calfeed.invalid"
    return f"tag:{host},{since.isoformat()}:{quote(name, safe='/:@-._~')}"


def _author(calendar: Calendar, language: str) -> str:
    return one_line((calendar.organizer.name if calendar.organizer else calendar.name).get(language))


def _entry(change: Change, base_url: str | None, language: str) -> Iterator[str]:
    event = change.after or change.before
    if event is None:
        return
    said = describe(change, language)
    url = page_url(event, base_url)
    yield "<entry>"
    yield _element("id", tag(base_url, change.at.date(), f"{change.uid}/{change.number}"))
    yield _element("title", f"{one_line(event.summary.get(language))}: {said}")
    yield _element("updated", stamp(change.at))
    if url:
        yield f'<link rel="alternate" href={_quoted(url)}/>'
    yield f'<category term="{change.kind.value}"/>'
    yield from (f"<category term={_quoted(category)}/>" for category in event.categories)
    yield _element("summary", said)
    yield f'<content type="text">{_text(_content(event, said, language))}</content>'
    yield "</entry>"


def _content(event: Event, said: str, language: str) -> str:
    place = place_text(event.location, language) if event.location else ""
    return "\n\n".join(filter(None, (said, place, description(event, language))))


def _element(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>"


def _text(text: str) -> str:
    from xml.sax.saxutils import escape  # with it come urllib, http and ssl: 50 ms that only Atom needs

    return escape(_ILLEGAL.sub("", clean(text)))


def _quoted(text: str) -> str:
    from xml.sax.saxutils import quoteattr  # as above

    return quoteattr(_ILLEGAL.sub("", clean(text)))
