"""What every template may call, and how a page becomes a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from babel import Locale, UnknownLocaleError
from flask import Flask, Response, g, make_response, render_template, request, url_for
from markupsafe import Markup

from calfeed.events.model import ALL
from calfeed.feeds import markdown
from calfeed.feeds.text import mailto
from calfeed.web import wording
from calfeed.web.page_query import PageQuery, with_query
from calfeed.web.site import Page, base_url

CACHE = "public, max-age=60"
"""Of every public page: a minute old is fresh enough, and spares the server a crowd."""


def register(app: Flask) -> None:
    """Names and filters of the templates."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {"query": _query, "plain": markdown.plain, "markdown": _html, "mailto": mailto}
    app.jinja_env.globals |= {
        "icon": icon,
        "language_name": language_name,
        "url_lang": url_lang,
        "when": wording.when,
        "span": wording.span,
        "place": wording.place,
        "label": wording.label,
        "zone_note": wording.zone_note,
    }
    app.context_processor(_names)


def _names() -> dict[str, Any]:
    page = g.get("page")
    return {"page": page, "t": page.words, "dates": page.dates, "url": url} if page else {}


def show(template: str, here: Page, **values: Any) -> Response:
    """A rendered page that caches may keep; its language depends on the browser's unless the address names one."""
    response = make_response(render_template(template, base=base_url(here.snapshot), **values))
    response.headers["Cache-Control"] = CACHE
    response.vary.add("Accept-Language")
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response


def url(query: PageQuery) -> str:
    """The calendar under another query, in the place of this one: the page, or an embed, whose path names the feed."""
    if request.path.startswith("/embed/"):
        return with_query(request.script_root + request.path, query.change(feed=ALL).pairs())
    return with_query(f"{request.script_root}/", query.pairs())


def url_lang(tag: str) -> str:
    """This page in another language."""
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    return with_query(request.script_root + request.path, [*pairs, ("lang", tag)])


def language_name(tag: str) -> str:
    """A language's own name for itself, without its region: ``中文``."""
    try:
        found = Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return tag
    name = found.get_display_name(found) or tag
    return name[:1].upper() + name[1:]


def icon() -> Markup:
    """The calendar's mark, beside words that name it."""
    return Markup('<img src="{}" alt="" width="24" height="24">').format(url_for("static", name="favicon.svg"))


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    return with_query("", pairs)


def _html(text: str) -> Markup:
    return Markup(markdown.html(text))  # noqa: S704  # sanitised by nh3 in feeds/markdown.py
