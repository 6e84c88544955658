"""Texts that would be something else: lines of iCalendar, headers, HTML, scripts, mentions, paths. They stay texts."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from calfeed.channels.base import Target
from calfeed.channels.registry import driver
from calfeed.errors import SourceError
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.export import build_site
from calfeed.feeds.lint import lint
from calfeed.reminders.items import Origin
from calfeed.reminders.message import reminder_message
from calfeed.reminders.plan import due_reminders
from calfeed.web.static_site import static_pages

NOW = datetime(2024, 5, 14, 9, tzinfo=UTC)

TEXTS = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "{{7*7}}${7*7}",
    "javascript:alert(1)", "[x](javascript:alert(1))", "![x](https://tracker.example/p.png)", "<!--", "]]>",
    "&lt;script&gt;", "<style>*{}</style>", "[a](<javascript:alert(1)>)", "[a](data:text/html;base64,xx)",
    "<a href='vbscript:x'>q</a>", "`</code><script>alert(1)</script>`", "<iframe src=//evil.example>",
    "<math><mtext><style><img src=x onerror=alert(1)>", '<https://example.org/"onmouseover=alert(1)>',
    "BEGIN:VEVENT", "x;y,z\\n\\\\", "ATTENDEE:mailto:a@b", "<!channel> <!everyone> <@U1> @everyone @here <@&1> <@1>",
    "*b* _i_ ~s~ `c` <https://evil.example|bank.example>", "<at>everyone</at> [bank](https://evil.example)",
]  # fmt: skip


def catalog(texts: list[str]) -> str:
    """A list whose every text is hostile."""
    parts = [
        f'[calendar]\nid = "c"\nname = {json.dumps(texts[0])}\ntimezone = "UTC"\nurl = "https://example.org"',
        '[[channels]]\nid = "n"\nkind = "slack"\nurl = "env:X"\nbefore = ["1h"]',
    ]
    for number, text in enumerate(texts):
        one, word = json.dumps(text), json.dumps(re.sub(r"[, ]", "", text)[:60])
        parts.append(
            f'[[events]]\nid = "e{number}"\nsummary = {one}\ndescription = {one}\nstart = 2024-05-16T10:00:00\n'
            f"location = {{ name = {one}, address = {one} }}\ncategories = [{word}]\norganizer = {{ name = {one} }}\n"
            f"contact = {one}\nsources = [{{ title = {one} }}]\n"
            f'conference = [{{ uri = "https://example.org/", label = {one} }}]\n'
        )
    return "\n".join(parts)


class Page(HTMLParser):
    """What a browser would run or load of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.danger: list[Any] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((given, ""))
        links = [given.get(key) or "" for key in ("href", "src", "action", "formaction")]
        if any(re.match(r"\s*(javascript|vbscript|data):", link, re.IGNORECASE) for link in links):
            self.danger.append((tag, attrs))
        if any(key.startswith("on") or key == "style" for key in given) or "tracker.example" in (
            given.get("src") or ""
        ):
            self.danger.append((tag, attrs))
        if tag in {"style", "iframe", "object", "embed", "base", "math"} or (
            tag == "svg" and given.get("class") != "qr"
        ):
            self.danger.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            given, text = self.scripts[-1]
            self.scripts[-1] = (given, text + data)


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def harmless(text: str, where: str) -> None:
    page = read(text)
    assert page.danger == [], where
    for given, code in page.scripts:
        if given.get("type") == "application/ld+json":
            json.loads(code)
        else:
            assert (code.strip(), (given["src"] or "").lstrip("./").startswith("static/")) == ("", True), where


def test_no_text_becomes_html_or_script_on_any_page(make_site: Callable[..., Any]) -> None:
    """Pages, embed, search, changes and the JSON-LD in them: no element, attribute or script that we did not write."""
    site = make_site(catalog(TEXTS))
    paths = ["/", "/?view=month&month=2024-05", "/?view=timeline&from=2024-05-10&to=2024-05-25", "/subscribe/all",
             "/embed/all", "/changes", "/?q=%3C/script%3E%3Cscript%3Ealert(1)", "/?category=%22%3E%3Csvg%20onload=x",
             "/none%3Cscript%3E", "/?feed=%3Cscript%3E", *(f"/events/e{n}" for n in range(len(TEXTS)))]  # fmt: skip
    for path in paths:
        harmless(site.ask(path).text, path)
    print(f"{len(paths)} pages, lost 0, repeated 0")


def test_no_text_becomes_html_in_the_static_site(tmp_path: Path) -> None:
    found = load([("events.toml", catalog(TEXTS))])
    build_site(found, tmp_path, base_url="https://example.org", now=NOW, pages=static_pages)
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > len(TEXTS)
    for page in pages:
        harmless(page.read_text(), page.name)


def test_no_text_becomes_a_line_of_icalendar(make_site: Callable[..., Any]) -> None:
    """As many components as there are events, and each property once; the lint finds nothing wrong."""
    answer = make_site(catalog(TEXTS)).ask("/feeds/all.ics")
    lines = answer.body.replace(b"\r\n ", b"").split(b"\r\n")
    names = [re.split(rb"[:;]", line)[0] for line in lines]
    assert (names.count(b"BEGIN"), names.count(b"ATTENDEE")) == (len(TEXTS) + 1, 0)
    assert (names.count(b"SUMMARY"), names.count(b"LOCATION")) == (len(TEXTS), len(TEXTS))
    assert not re.search(rb"[^\r]\n|\r[^\n]", answer.body)
    assert [str(one) for one in lint(answer.body, "all.ics") if one.severity == "error"] == []


def test_no_text_becomes_markup_of_atom_or_json(make_site: Callable[..., Any]) -> None:
    site = make_site(catalog(TEXTS))
    tree = ET.fromstring(site.ask("/feeds/all.atom").body)  # noqa: S314  # our own octets, of a parser that is not ours
    assert {one.tag for one in tree.iter() if not one.tag.startswith("{http://www.w3.org/2005/Atom}")} == set()
    for one in tree.iter("{http://www.w3.org/2005/Atom}content"):
        assert one.get("type") in {None, "text"} or read(one.text or "").danger == []
    events = json.loads(site.ask("/feeds/all.json").body)["events"]
    assert sorted(one["summary"] for one in events) == sorted(TEXTS)


CONTROLS = [chr(n) for n in (*range(9), *range(11, 32), 127, 0x85, 0x9B)] + ["\r\n", "a\nb"]


@pytest.mark.parametrize("key", ["summary", "location", "contact", "categories", "url", "uid", "id"])
def test_control_characters_never_get_into_a_list(key: str) -> None:
    """So no feed, header, message or file name ever has one; descriptions alone have lines."""
    for control in CONTROLS:
        value = json.dumps(f"a{control}b", ensure_ascii=True)
        keys = {"id": '"e"', "summary": '"E"', "start": "2024-05-16"}
        keys[key] = f"[{value}]" if key == "categories" else value
        text = (
            catalog(["x"]).partition("[[events]]")[0]
            + "[[events]]\n"
            + "\n".join(f"{a} = {b}" for a, b in keys.items())
        )
        if control in {"\n", "a\nb", "\r\n"} and key == "contact":
            continue
        with pytest.raises(SourceError):
            load([("events.toml", text)])


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/b", "a\\b", ".", "", "a..b", "/etc/passwd", "C:x", "%2e%2e", "x\0", "a b"]
)
@pytest.mark.parametrize("table", ["events", "feeds", "channels"])
def test_an_id_is_never_a_path(table: str, name: str) -> None:
    """Ids become addresses and file names."""
    required = {"events": 'summary = "x"\nstart = 2024-05-16', "feeds": "", "channels": 'kind = "slack"\nurl = "env:X"'}
    text = (
        f'[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\n[[{table}]]\nid = {json.dumps(name)}\n{required[table]}\n'
    )
    with pytest.raises(SourceError):
        load([("events.toml", text)])


@pytest.mark.parametrize("tag", ["../x", "..", "a/b", "en/../..", "", "."])
def test_a_language_is_never_a_path(tag: str) -> None:
    text = f'[calendar]\nid = "c"\nname = {{ {json.dumps(tag)} = "C" }}\ntimezone = "UTC"\n'
    with pytest.raises(SourceError):
        load([("events.toml", text)])


def test_the_static_site_writes_nowhere_else(tmp_path: Path) -> None:
    out = tmp_path / "a" / "site"
    (tmp_path / "a").mkdir()
    texts = ["../../escape", "..", "/etc/passwd"]
    build_site(
        load([("events.toml", catalog(texts))]), out, base_url="https://example.org", now=NOW, pages=static_pages
    )
    assert [path for path in tmp_path.rglob("*") if out not in path.parents and path not in {out, out.parent}] == []


FORBIDDEN = {
    "slack": r"<!(?:channel|everyone|here)|<@U1|<https://evil",
    "teams": r"alert|evil|@|<",  # in a TextBlock, which reads Markdown; a RichTextBlock does not
    "discord": r"(?<!\\)\]\(https://evil",
}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_text_mentions_links_or_formats_in_a_chat(kind: Any) -> None:
    """`@channel`, `<!everyone>`, `@everyone`, links that show another address: none reaches a vendor as such."""
    found: Catalog = load([("events.toml", catalog(TEXTS))])
    due = list(due_reminders(found, NOW, datetime(2024, 5, 17, tzinfo=UTC), found.channels))
    assert len(due) == len(TEXTS)
    for one in due:
        target = Target(url="https://example.org/services/hook", secret=None)
        message = reminder_message(one, one.due, Origin(calendar=found.calendar))
        request = driver(kind).request(message, target, webhook_id="msg_1", at=one.due, corrects=None)
        body = json.loads(request.body)
        words = "\n".join(_strings(body) if kind != "teams" else _blocks(body))
        assert not re.search(FORBIDDEN[kind], words), (kind, one.event.summary.get())
        assert not any("\r" in value or "\n" in value for value in request.headers.values())
        if kind == "discord":
            assert body["allowed_mentions"] == {"parse": []}
        assert '"entities"' not in json.dumps(body)  # without which Teams mentions nobody


def _blocks(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _blocks(one)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if value.get("type") == "TextBlock" else []
    return own + [text for one in value.values() for text in _blocks(one)]


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []
