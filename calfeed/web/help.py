"""``/help``: the manual from ``calfeed/help/*.md``, searched, each page under its file's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from calfeed.errors import NotFound
from calfeed.feeds import markdown
from calfeed.feeds.select import fold_case
from calfeed.web.rendering import show
from calfeed.web.site import NotReady, negotiated, page, site
from calfeed.web.words import INTERFACE, Words

blueprint = Blueprint("help", __name__)

_PICTURES = {"png": "image/png", "svg": "image/svg+xml"}

FIRST = "index"
"""The page behind ``/help`` itself, first in the list."""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page of the manual; ``title`` is its first heading."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A page that has all the words, and the lines around the first of them."""

    page: HelpPage
    excerpt: str


@blueprint.get("/help/")
def slashed() -> BaseResponse:
    """Where a static site has its manual, and where people look."""
    return redirect(url_for("help.index"), 308)


@blueprint.get("/help")
def index() -> Response:
    """The first page, or what a search finds."""
    words = request.args.get("q", "").strip()[:200]
    if words:
        return _page(None, words=words, hits=search(manual(), words), html="")
    return _shown(FIRST if FIRST in manual() else next(iter(manual()), FIRST))


@blueprint.get("/help/<name>")
def named(name: str) -> Response:
    """One page of the manual."""
    return _shown(name)


@blueprint.get("/help/pictures/<name>")
def picture(name: str) -> Response:
    """A picture of the manual."""
    found = files("calfeed").joinpath("help", "pictures", name)
    kind = _PICTURES.get(name.rpartition(".")[2])
    if kind is None or "/" in name or not found.is_file():
        raise NotFound(f"the help has no picture {name!r}")
    return Response(found.read_bytes(), content_type=kind, headers={"Cache-Control": "public, max-age=86400"})


def _shown(name: str) -> Response:
    found = manual().get(name)
    if found is None:
        raise NotFound(f"the help has no page {name!r}")
    return _page(found, words="", hits=[], html=rendered(found.text, request.script_root))


def _page(current: HelpPage | None, **values: Any) -> Response:
    """In the calendar's dress; bare while no event list was good yet, for that is when an operator needs it."""
    values |= {"pages": manual(), "current": current, "still": site().still}
    try:
        here = page()
    except NotReady:
        words = Words(negotiated(INTERFACE, INTERFACE[0]))
        return make_response(render_template("help.html", layout="bare.html", t=words, **values))
    return show("help.html", here, layout="layout.html", **values)


@cache
def manual() -> Mapping[str, HelpPage]:
    """Every page by its name, the first one first."""
    texts = {
        entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8")
        for entry in files("calfeed").joinpath("help").iterdir()
        if entry.name.endswith(".md")
    }
    names = sorted(texts, key=lambda name: (name != FIRST, name))
    return {name: HelpPage(name, _title(name, texts[name]), texts[name]) for name in names}


def rendered(text: str, root: str = "") -> Markup:
    """A page of the manual as HTML. It is part of the program, so tables and anchors need no sanitising."""
    from markdown_it import MarkdownIt  # 40 ms that only readers of the help pay

    html: str = MarkdownIt("commonmark").enable("table").render(text).replace('href="/', f'href="{root}/')
    html = re.sub(r'href="([\w-]+)\.md(?=["#])', rf'href="{root}/help/\1', html)  # as git hosts show the same pages
    html = re.sub(r' style="text-align:(left|center|right)"', r' class="\1"', html)  # no inline styles
    html = html.replace('src="pictures/', f'src="{root}/help/pictures/')
    return Markup(re.sub(r"<h([23])>(.*?)</h\1>", _anchored, html))  # noqa: S704  # our own files


def _anchored(heading: re.Match[str]) -> str:
    level, inner = heading.groups()
    anchor = re.sub(r"[^\w]+", "-", re.sub(r"<[^>]*>", "", inner).lower()).strip("-")
    return f'<h{level} id="{anchor}">{inner}</h{level}>'


def _title(name: str, text: str) -> str:
    heading = re.search(r"^# +(.+)$", text, re.MULTILINE)
    return heading.group(1).replace("`", "").strip() if heading else name


def search(pages: Mapping[str, HelpPage], words: str) -> list[Hit]:
    """Pages with all the words, those with them in the title first."""
    wanted = fold_case(words).split()
    found = [one for one in pages.values() if all(word in fold_case(one.text) for word in wanted)]
    found.sort(key=lambda one: not all(word in fold_case(one.title) for word in wanted))
    return [Hit(one, _excerpt(one.text, wanted[0])) for one in found]


def _excerpt(text: str, word: str) -> str:
    prose = markdown.plain(re.sub(r"^#.*$", "", text, flags=re.MULTILINE))
    paragraphs = [" ".join(part.split()) for part in prose.split("\n\n")]
    best = next((part for part in paragraphs if word in fold_case(part)), "")
    at = max(fold_case(best).find(word) - 80, 0)
    return ("…" if at else "") + best[at : at + 240].strip() + ("…" if len(best) > at + 240 else "")
