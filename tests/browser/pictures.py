"""Makes two pictures of the manual again: ``python tests/browser/pictures.py``. Needs Chromium.

``slack.png`` is a rendering of the payload that the Slack channel writes, not a screenshot of Slack;
``check.png`` is what `calfeed check` prints of a list with four slips.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from calfeed.channels.slack import payload
from calfeed.events.changes import diff
from calfeed.events.model import Catalog
from calfeed.events.parse import load
from calfeed.reminders.message import Message, Origin, change_message, reminder_message
from calfeed.reminders.plan import due_reminders

PICTURES = Path(__file__).parents[2] / "calfeed" / "help" / "pictures"
CHROMIUM = "/usr/bin/chromium"
URL = "https://calendar.example.org"
SLACK = """
[calendar]
id = "conference"
name = "The conference"
timezone = "Europe/Paris"

[[events]]
id = "opening"
summary = "Opening talk"
start = 2027-05-20T09:30:00
duration = "45m"
location = "Congress Hall, room 1"

[[channels]]
id = "newsroom"
kind = "slack"
url = "env:NEWSROOM_SLACK_URL"
before = ["1h"]
"""
SLIPS = (
    ('"Europe/Paris"', '"Europe/Pari"'),
    ('categories = ["talk"]', 'categorys = ["talk"]'),
    ("end = 2027-05-21 ", "end = 2027-05-12 "),
    ('duration = "45m" ', 'duration = "45min" '),
)
STYLE = """
body{margin:0;font:15px/1.45 "Noto Sans",sans-serif;width:WIDTHpx;background:#fff;color:#1d1c1d}
article{padding:14px 18px;border-bottom:1px solid #ddd}h2{font-size:17px;margin:0 0 4px}p{margin:0}
small{color:#616061;font-size:12.5px}a{color:#1264a3;text-decoration:none}
pre{margin:0;padding:16px 18px;background:#1b1d22;color:#e6e6e6;font:14px/1.55 "Noto Sans Mono",monospace;
white-space:pre-wrap;overflow-wrap:anywhere}
pre b{color:#ff7b72;font-weight:400}pre i{color:#8b949e;font-style:normal}
"""


def slack_html() -> str:
    """A reminder and the notice that the item moved, block by block."""
    before = load([("events.toml", SLACK)])
    after = load([("events.toml", SLACK.replace("T09:30", "T11:00"))])
    return "".join(f"<article>{_blocks(payload(one))}</article>" for one in (_reminder(before), _moved(before, after)))


def _reminder(catalog: Catalog) -> Message:
    first = datetime(2027, 5, 19, tzinfo=UTC), datetime(2027, 5, 21, tzinfo=UTC)
    (due,) = due_reminders(catalog, *first)
    return reminder_message(due, due.due, Origin(calendar=catalog.calendar, base_url=URL))


def _moved(before: Catalog, after: Catalog) -> Message:
    at = datetime(2027, 5, 20, 6, 45, tzinfo=UTC)
    (change,) = diff(before, after, at)
    return change_message(change, after.channels[0], at, Origin(calendar=after.calendar, base_url=URL))


def _blocks(message: dict[str, Any]) -> str:
    return "".join(_block(block) for block in message["blocks"])


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "context":
        return f"<small>{' '.join(_mrkdwn(each['text']) for each in block['elements'])}</small>"
    text = _mrkdwn(block["text"]["text"])
    return f"<h2>{text}</h2>" if block["type"] == "header" else f"<p>{text}</p>"


def _mrkdwn(text: str) -> str:
    """The part of Slack's markup that our messages use, as HTML."""
    html = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", text)
    html = re.sub(r"<(https?:[^|>]+)\|?([^>]*)>", lambda link: f'<a href="{link[1]}">{link[2] or link[1]}</a>', html)
    for mark, tag in (("*", "b"), ("_", "i"), ("~", "s")):
        html = re.sub(rf"(?<!\w)\{mark}([^{mark}\n]+)\{mark}(?!\w)", rf"<{tag}>\1</{tag}>", html)
    return html.replace("\n", "<br>")


def check_html() -> str:
    """A terminal with `calfeed check` of the starting list after four slips of the pen."""
    text = (files("calfeed.events") / "starter.toml").read_text("utf-8")
    for right, wrong in SLIPS:
        assert right in text, right
        text = text.replace(right, wrong, 1)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "events.toml").write_text(text, encoding="utf-8")
        program = Path(sys.executable).with_name("calfeed")
        done = subprocess.run([program, "check"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    told = escape(done.stdout + done.stderr, quote=False).replace(" error: ", " <b>error</b>: ")
    return f"<pre><i>$</i> calfeed check\n{told}</pre>"


def main() -> None:
    """Both pictures, as files of the manual."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, html, width in (("slack", slack_html(), 560), ("check", check_html(), 700)):
            page = browser.new_page(viewport={"width": width, "height": 100})
            page.set_content(f"<style>{STYLE.replace('WIDTH', str(width))}</style>{html}")
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
