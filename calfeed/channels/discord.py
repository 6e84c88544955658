"""Discord webhooks: one embed a message, put right by an edit.

https://discord.com/developers/docs/resources/webhook#execute-webhook and
https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from calfeed.channels.base import Answer, Fault, Outcome, Request, Target, Verdict
from calfeed.channels.judging import clamp, judge_by_status
from calfeed.channels.layout import Fact, facts
from calfeed.channels.plain import BREAK, fit, one_line, units, unmentioned
from calfeed.reminders.message import Item, Message
from calfeed.reminders.words import Words, words

CONTENT, TITLE, DESCRIPTION, FOOTER, TOTAL = 2000, 256, 4096, 2048, 6000
_LINE, _FOOT = 500, 300
_UNKNOWN_MESSAGE = 10008  # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_MARKUP = str.maketrans({mark: "\\" + mark for mark in "\\*_~`|[]<"})
_AT_FIRST = ("#", ">", "-", "+")  # a heading, a quote or a list, but only where a line begins
_SNOWFLAKE = re.compile(r"\d{1,20}")


class Discord:
    """One embed a delivery. A correction edits the message it corrects."""

    def request(
        self,
        message: Message,
        target: Target,
        *,
        webhook_id: str,  # noqa: ARG002  # Discord knows no idempotency key
        at: datetime,  # noqa: ARG002  # nothing in it depends on the attempt
        corrects: str | None = None,
    ) -> Request:
        """A new message; an edit of ``corrects`` when there is one."""
        body = json.dumps(payload(message), ensure_ascii=False, separators=(",", ":")).encode()
        return Request(
            method="PATCH" if corrects else "POST",
            url=_address(target.url, corrects),
            headers={"Content-Type": "application/json"},
            body=body,
        )

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """By status; the wait and the id of the message from the JSON."""
        verdict = judge_by_status(answer, at, broken=frozenset({401, 404, 410}))
        if isinstance(answer, Fault):
            return verdict
        told = _json(answer.body)
        if verdict.outcome is Outcome.SENT:
            return Verdict(outcome=Outcome.SENT, reason=verdict.reason, provider_ref=_reference(answer, told))
        if told.get("code") == _UNKNOWN_MESSAGE:  # somebody deleted what was to be edited: the channel is well
            return Verdict(outcome=Outcome.REJECTED_MESSAGE, reason=f"{verdict.reason}: the message is gone")
        wait = _wait(told)
        if verdict.outcome is Outcome.RETRY and wait is not None:
            return Verdict(outcome=Outcome.RETRY, reason=verdict.reason, retry_after=wait)
        return verdict


def payload(message: Message) -> dict[str, Any]:
    """The message as Discord takes it, within its limits; nobody is ever mentioned."""
    say = words(message.language)
    name = fit(one_line(message.origin.calendar.name.get(message.language)), _FOOT)
    embed = {
        "title": _plain(_title(message), TITLE),
        "description": _description(message, say),
        "footer": {"text": name or "—"},
        "timestamp": message.timestamp.isoformat(),
    }
    if len(message.items) == 1 and message.items[0].url:
        embed["url"] = message.items[0].url
    return {
        "content": _plain(message.headline, 1000),
        "embeds": [embed],
        "allowed_mentions": {"parse": []},
    }


def _title(message: Message) -> str:
    return message.items[0].title if len(message.items) == 1 else message.headline


def _description(message: Message, say: Words) -> str:
    """The items while there is room, then how many more there are, the notes and the links."""
    ending = [*(_plain(note) for note in message.notes), _links(message, say)]
    room = TOTAL - TITLE - _FOOT - 1000 - units("\n".join(ending)) - 100
    room = min(room, DESCRIPTION - units("\n".join(ending)) - 100)
    lines: list[str] = []
    for index, item in enumerate(message.items):
        text = "\n".join(_item(item, say, titled=len(message.items) > 1))
        room -= units(text) + 1
        if room < 0:
            lines.append(say.more.format(len(message.items) - index))
            break
        lines.append(text)
    return "\n".join(line for line in [*lines, *ending] if line) or "—"


def _item(item: Item, say: Words, *, titled: bool) -> list[str]:
    title = [f"**{_link(item.url, _plain(item.title, 300))}**"] if titled else []
    return title + [_fact(fact) for fact in facts(item, say)]


def _fact(fact: Fact) -> str:
    if fact.stamp is not None:
        text = f"<t:{int(fact.stamp.timestamp())}:F>"
    else:
        text = f"<{_url(fact.text)}>" if fact.link else _plain(fact.text)
    text = f"~~{text}~~" if fact.struck else f"*{text}*" if fact.quiet else text
    return f"**{fact.label}:** {text}" if fact.label else text


def _links(message: Message, say: Words) -> str:
    origin = message.origin
    links = ((origin.feed_url, say.subscribe), (origin.unsubscribe_url, say.unsubscribe))
    return " · ".join(_link(url, text) for url, text in links if url)


def _link(url: str, text: str) -> str:
    if not url or units(url) > 500:
        return text
    return f"[{text}](<{_url(url)}>)"


def _url(url: str) -> str:
    return url.replace(">", "%3E").replace("<", "%3C").replace(" ", "%20")


def _plain(text: str, limit: int = _LINE) -> str:
    line = unmentioned(one_line(text))
    return fit(BREAK + line if line.startswith(_AT_FIRST) else line, limit, lambda part: part.translate(_MARKUP))


def _address(url: str, corrects: str | None) -> str:
    """The webhook's URL with ``wait=true``, which gives the id back; that of the message when one is corrected."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | {"wait": "true"}
    path = parts.path.rstrip("/")
    if corrects:
        if not _SNOWFLAKE.fullmatch(corrects):
            raise ValueError("the message to correct has no id of Discord's")
        path += f"/messages/{corrects}"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):  # whoever stands at that address may answer anything
        return {}
    return told if isinstance(told, dict) else {}


def _wait(told: dict[str, Any]) -> float | None:
    """In seconds with a fraction, more exact than the header."""
    wait = told.get("retry_after")
    return clamp(wait) if isinstance(wait, int | float) and not isinstance(wait, bool) else None


def _reference(answer: Answer, told: dict[str, Any]) -> str | None:
    """The id of the message; by hand where an answer longer than what is read cannot be parsed."""
    found = told.get("id")
    if isinstance(found, str) and _SNOWFLAKE.fullmatch(found):
        return found
    return None if told else _first_id(answer.body)


def _first_id(body: bytes) -> str | None:
    match = re.match(rb'\{(?:"type":\s*\d+,\s*)?"id":\s*"(\d{1,20})"', body)
    return match[1].decode() if match else None
