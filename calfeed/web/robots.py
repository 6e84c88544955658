"""What search engines and feed readers look for: robots.txt (Google's calendar obeys it too) and sitemap.xml."""

from __future__ import annotations

from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response

from calfeed.events.model import ALL
from calfeed.web.rendering import CACHE
from calfeed.web.site import base_url, site

blueprint = Blueprint("robots", __name__)

MOST = 50_000
"""Addresses one sitemap may hold (sitemaps.org)."""


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Feeds stay allowed: Google Calendar does not fetch what robots.txt forbids."""
    lines = ["User-agent: *", "Allow: /", "Disallow: /status", "Disallow: /private/"]
    lines.append(f"Sitemap: {base_url(site().publisher.snapshot)}/sitemap.xml")
    return Response("\n".join(lines) + "\n", mimetype="text/plain", headers={"Cache-Control": CACHE})


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """The public pages, each event with its last modification."""
    snapshot = site().snapshot
    base = base_url(snapshot)
    entries = [
        f"<url><loc>{escape(f'{base}{path}')}</loc></url>" for path in ("/", "/changes", f"/subscribe/{ALL}", "/help")
    ]
    for event in snapshot.events()[: MOST - len(entries)]:
        address = escape(f"{base}/events/{quote(event.id, safe='')}")
        modified = snapshot.revisions[event.uid].modified
        entries.append(f"<url><loc>{address}</loc><lastmod>{modified:%Y-%m-%dT%H:%M:%SZ}</lastmod></url>")
    body = "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *entries,
            "</urlset>",
            "",
        ]
    )
    return Response(body, mimetype="application/xml", headers={"Cache-Control": CACHE})
