"""Microsoft Teams through a Workflows webhook: an Adaptive Card.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and
https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from calfeed.channels.base import Answer, Fault, Request, Target, Verdict
from calfeed.channels.judging import judge_by_status
from calfeed.channels.layout import Fact, facts
from calfeed.channels.plain import BREAK, fit, one_line, unmentioned
from calfeed.reminders.message import Item, Message
from calfeed.reminders.words import Words, words

LIMIT = 28 * 1024
"""Bytes of a whole message; https://learn.microsoft.com/microsoftteams/limits-specifications-teams"""

_ROOM = 20_000  # Teams counts what it makes of the card, not the card: refusals from 21 KB on were reported
_LINE, _HEADLINE = 500, 500
_COMMAND = re.compile(r"(?<=\{)(?=\{)|(?<=<)(?=at)", re.IGNORECASE)
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


class Teams:
    """One card a delivery; a correction is a new message. A 202 says that the flow took it, not that it is posted."""

    def request(
        self,
        message: Message,
        target: Target,
        *,
        webhook_id: str,  # noqa: ARG002  # Teams knows no idempotency key
        at: datetime,  # noqa: ARG002  # nothing in it depends on the attempt
        corrects: str | None = None,  # noqa: ARG002  # see the class
    ) -> Request:
        """The card in its envelope."""
        body = json.dumps(payload(message), ensure_ascii=False, separators=(",", ":")).encode()
        return Request(method="POST", url=target.url, headers={"Content-Type": "application/json"}, body=body)

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """By status: 401 and 404 end the channel (the flow is off, deleted or has another key)."""
        return judge_by_status(answer, at, broken=frozenset({401, 404, 410}))


def payload(message: Message) -> dict[str, Any]:
    """The message as Teams takes it, within its limit."""
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": _card(message)}
    return {"type": "message", "attachments": [card]}


def _card(message: Message) -> dict[str, Any]:
    say = words(message.language)
    heading = _rich([_run(message.headline, _HEADLINE, weight="Bolder", size="Medium")])
    name = message.origin.calendar.name.get(message.language)
    ending = [_rich([_run(note, italic=True)]) for note in message.notes] + [_rich([_run(name, isSubtle=True)])]
    return {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": say.language,
        "fallbackText": _text(message.headline),
        "body": [heading, *_items(message, say), *ending],
        "actions": _actions(message, say),
        "msteams": {"width": "Full"},
    }


def _items(message: Message, say: Words) -> list[dict[str, Any]]:
    """The items while there is room, then how many more there are."""
    blocks: list[dict[str, Any]] = []
    room = _ROOM
    for index, item in enumerate(message.items):
        block = _item(item, say, titled=len(message.items) > 1)
        room -= len(json.dumps(block, ensure_ascii=False).encode())
        if room < 0:
            return [*blocks, _rich([_run(say.more.format(len(message.items) - index), isSubtle=True)])]
        blocks += block
    return blocks


def _item(item: Item, say: Words, *, titled: bool) -> list[dict[str, Any]]:
    title = [_rich([_link(item, say)], spacing="Medium", separator=True)] if titled else []
    return title + [_fact(fact) for fact in facts(item, say)]


def _link(item: Item, say: Words) -> dict[str, Any]:
    run = _run(item.title, 300, weight="Bolder")
    if item.url:
        run["selectAction"] = {"type": "Action.OpenUrl", "title": say.open, "url": item.url}
    return run


def _fact(fact: Fact) -> dict[str, Any]:
    if fact.stamp is not None:
        # the only functions of Adaptive Cards; they work in a TextBlock alone, which holds no text of the publisher's
        at = f"{fact.stamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        text = f"**{fact.label}:** {{{{DATE({at},COMPACT)}}}} {{{{TIME({at})}}}}"
        return {"type": "TextBlock", "text": text, "wrap": True, "spacing": "Small"}
    label = [_run(f"{fact.label}: ", weight="Bolder")] if fact.label else []
    run = _run(fact.text, strikethrough=fact.struck, italic=fact.quiet)
    if fact.link:
        run["selectAction"] = {"type": "Action.OpenUrl", "title": fact.label, "url": fact.text}
    return _rich([*label, run], spacing="Small")


def _rich(runs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A RichTextBlock: unlike a TextBlock it reads no Markdown, so a title stays what it is."""
    return {"type": "RichTextBlock", "inlines": runs, **more}


def _run(text: str, limit: int = _LINE, **style: Any) -> dict[str, Any]:
    kept = {name: value for name, value in style.items() if value}
    return {"type": "TextRun", "text": _text(text, limit) or "—", **kept}


def _text(text: str, limit: int = _LINE) -> str:
    """The text without functions (``{{TIME(…)}}``) and without the ``<at>`` of a mention."""
    trailing = " " if text.endswith(" ") else ""
    plain = fit(unmentioned(one_line(text)), limit)
    return _COMMAND.sub(BREAK, plain) + trailing


def _actions(message: Message, say: Words) -> list[dict[str, Any]]:
    origin = message.origin
    page = message.items[0].url if len(message.items) == 1 else ""
    links = ((page, say.open), (origin.feed_url, say.subscribe), (origin.unsubscribe_url, say.unsubscribe))
    return [{"type": "Action.OpenUrl", "title": title, "url": url} for url, title in links if url]
