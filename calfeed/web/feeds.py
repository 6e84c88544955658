"""How a Resource is answered over HTTP: conditional requests, HEAD, gzip and the headers of every feed. Pure.

``fast.py`` and Flask's routes both answer through `answer`, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from calfeed.feeds.resource import Resource

PUBLIC = "public, max-age=300, stale-while-revalidate=3600"
PRIVATE = "private, no-store"

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]


def answer(
    resource: Resource,
    method: str = "GET",
    if_none_match: str | None = None,
    if_modified_since: str | None = None,
    accept_encoding: str | None = None,
    *,
    private: bool = False,
    disposition: str | None = None,
) -> Answer:
    """``(status, headers, body)``. If-None-Match beats If-Modified-Since (RFC 9110 §13.2.2)."""
    zipped = accepts_gzip(accept_encoding)
    headers = _headers(resource, resource.gzip_etag if zipped else resource.etag, private=private)
    if _unchanged(resource, if_none_match, if_modified_since):
        return 304, headers, b""
    body = resource.gzip if zipped else resource.body
    headers += [("Content-Type", resource.media_type), ("Content-Length", str(len(body)))]
    if zipped:
        headers.append(("Content-Encoding", "gzip"))
    if disposition:
        headers.append(("Content-Disposition", disposition))
    return 200, headers, b"" if method == "HEAD" else body


def _headers(resource: Resource, etag: str, *, private: bool) -> Headers:
    return [
        ("ETag", etag),
        ("Last-Modified", http_date(resource.modified)),
        ("Cache-Control", PRIVATE if private else PUBLIC),
        ("Vary", "Accept-Encoding"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "ETag, Last-Modified"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("X-Content-Type-Options", "nosniff"),
        *([("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex")] if private else []),
    ]


def disposed(how: str, name: str) -> str | None:
    """Content-Disposition of an iCalendar file; the other formats have none."""
    return f'{how}; filename="{_plain(name)}"' if name.endswith(".ics") else None


def _plain(name: str) -> str:
    return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-_." else "-" for letter in name)


def http_date(moment: datetime) -> str:
    """``Thu, 16 May 2024 08:00:00 GMT``."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def accepts_gzip(header: str | None) -> bool:
    """Whether Accept-Encoding allows gzip; never without the header (one report of Outlook breaking on forced gzip)."""
    weights = dict(_weights(header or ""))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weights(header: str) -> Iterable[tuple[str, float]]:
    for part in header.lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            yield coding, float(quality)
        except ValueError:
            yield coding, 0.0


def _unchanged(resource: Resource, if_none_match: str | None, if_modified_since: str | None) -> bool:
    if if_none_match is not None:
        return resource.matches(if_none_match)
    since = _instant(if_modified_since)
    return since is not None and resource.modified.replace(microsecond=0) <= since


def _instant(header: str | None) -> datetime | None:
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
