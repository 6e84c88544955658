"""Slack incoming webhooks: Block Kit with a plain fallback.

Limits and formatting: https://docs.slack.dev/reference/block-kit/blocks and
https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from calfeed.channels.base import Answer, Fault, Outcome, Request, Target, Verdict
from calfeed.channels.judging import judge_by_status
from calfeed.channels.layout import Fact, facts
from calfeed.channels.plain import BREAK, fit, one_line, units, unmentioned
from calfeed.reminders.message import Item, Message
from calfeed.reminders.words import Words, words

HEADER, SECTION, BLOCKS, TOTAL = 150, 3000, 50, 13_200
_TEXT = 1000  # the fallback is what a notification shows
_BUDGET = TOTAL - _TEXT - HEADER - 2000  # what is left for items beside fallback, header and footer
_LINE = 600  # no single fact may crowd out the others
_ADDRESS = 800  # two of them stand in the footer beside a name: its text may have 2000

# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
_BROKEN = {
    "no_service": "the webhook was removed or disabled, or its URL is mistyped",
    "no_team": "the workspace is gone, or the URL is mistyped",
    "channel_not_found": "the channel was deleted",
    "invalid_token": "the URL is mistyped, or its webhook was revoked",
    "action_prohibited": "an administrator restricts posting",
    "no_active_hooks": "the app's webhooks are disabled",
    "team_disabled": "the workspace is disabled",
    "posting_to_general_channel_denied": "only some may post to the general channel",
    "channel_is_archived": "the channel is archived",
}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_PICTURE = re.compile(r":(?=[\w+'-]+:)")
_MARKS = str.maketrans({mark: BREAK + mark for mark in "*_~`"})


class Slack:
    """One message a delivery; a correction is a new message, since a webhook cannot edit."""

    def request(
        self,
        message: Message,
        target: Target,
        *,
        webhook_id: str,  # noqa: ARG002  # Slack knows no idempotency key
        at: datetime,  # noqa: ARG002  # nothing in it depends on the attempt
        corrects: str | None = None,  # noqa: ARG002  # see the class
    ) -> Request:
        """The payload as JSON."""
        body = json.dumps(payload(message), ensure_ascii=False, separators=(",", ":")).encode()
        return Request(
            method="POST", url=target.url, headers={"Content-Type": "application/json; charset=utf-8"}, body=body
        )

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """By Slack's word where it gives one, else by status."""
        verdict = judge_by_status(answer, at, broken=frozenset({401, 403, 404, 410}))
        if isinstance(answer, Fault) or verdict.outcome is Outcome.SENT:
            return verdict
        word = one_line(answer.body[:80].decode("utf-8", "replace"))
        if word in _BROKEN:
            reason = f"{verdict.reason}: {word}, {_BROKEN[word]}"
            return Verdict(outcome=Outcome.BROKEN_CHANNEL, reason=reason)
        return replace(verdict, reason=f"{verdict.reason}: {word}") if word.isidentifier() else verdict


def payload(message: Message) -> dict[str, Any]:
    """The message as Slack takes it, within its limits."""
    say = words(message.language)
    blocks = [_header(message.headline), *_sections(message, say), *_footer(message, say)]
    return {"text": _fallback(message), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Text that Slack shows as it is: no markup, no mention."""
    return text.translate(_ESCAPES)


def _plain(text: str, limit: int = _LINE) -> str:
    return fit(_as_words(text), limit, escape)


def _marked(text: str, limit: int = _LINE) -> str:
    """The same where ``*``, ``_``, ``~`` and backticks would format."""
    return fit(_as_words(text), limit, lambda part: escape(part).translate(_MARKS))


def _as_words(text: str) -> str:
    """One line that mentions nobody; a name between colons, as in ``1:100:1``, is an emoji to Slack."""
    return _PICTURE.sub(":" + BREAK, unmentioned(one_line(text)))


def _header(headline: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": _plain(headline, HEADER), "emoji": False}}


def _fallback(message: Message) -> str:
    first = message.items[0].when if len(message.items) == 1 else None
    return _plain(message.headline + (f" — {first.text}" if first else ""), _TEXT)


def _sections(message: Message, say: Words) -> list[dict[str, Any]]:
    """One section an item while there is room, then how many more there are."""
    sections: list[dict[str, Any]] = []
    room = _BUDGET
    for index, item in enumerate(message.items):
        text = _item(item, say, titled=len(message.items) > 1)
        room -= units(text)
        if room < 0 or len(sections) == BLOCKS - 4:
            sections.append(_section(say.more.format(len(message.items) - index)))
            break
        sections.append(_section(text))
    return sections


def _section(text: str) -> dict[str, Any]:
    # verbatim: no URL, channel or user name in a title becomes a link or a mention
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _item(item: Item, say: Words, *, titled: bool) -> str:
    lines = [f"*{_link(item.url, _marked(item.title, 300))}*"] if titled else []
    lines += [_fact(fact) for fact in facts(item, say)]
    if item.url and not titled:
        lines.append(_link(item.url, say.open))
    return _whole(lines) or "—"


def _whole(lines: list[str]) -> str:
    """The whole lines that a section holds: half a link or date would be none, and no long one hides those after it."""
    kept: list[str] = []
    for line in lines:
        if units("\n".join([*kept, line])) <= SECTION:
            kept.append(line)
    return "\n".join(kept)


def _fact(fact: Fact) -> str:
    if fact.stamp is not None:
        fallback = _plain(fact.text).replace("|", "/")
        text = f"<!date^{int(fact.stamp.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"
    elif fact.link:
        text = f"<{_address(fact.text)}>"
    else:
        text = _marked(fact.text)
    text = f"~{text}~" if fact.struck else f"_{text}_" if fact.quiet else text
    return f"*{fact.label}:* {text}" if fact.label else text


def _link(url: str, text: str) -> str:
    address = _address(url)
    return f"<{address}|{text}>" if url and units(address) <= _ADDRESS else text


def _address(url: str) -> str:
    return url.translate(_ESCAPES).replace("|", "%7C").replace("^", "%5E")


def _footer(message: Message, say: Words) -> list[dict[str, Any]]:
    notes = [_section("\n".join(_marked(note, 300) for note in message.notes))] if message.notes else []
    origin = message.origin
    name = _marked(origin.calendar.name.get(message.language), 300) or "—"
    links = [
        _link(url, text)
        for url, text in ((origin.feed_url, say.subscribe), (origin.unsubscribe_url, say.unsubscribe))
        if url
    ]
    context = {"type": "mrkdwn", "text": " · ".join([name, *links]), "verbatim": True}
    return [*notes, {"type": "context", "elements": [context]}]
