"""E-mail, Telegram, ntfy, Matrix and the rest through the Apprise library, which is an extra.

Apprise sends by itself and says no more than whether it worked. So it gets one service a call, a thread of its own with
our time-out, no redirects, and only schemas that talk to the network: others reach into this machine.
https://github.com/caronc/apprise/wiki
"""

from __future__ import annotations

import json
import logging
import threading
from datetime import datetime
from typing import Any

from calfeed.channels.base import Answer, Fault, Outcome, Request, Target, Verdict
from calfeed.channels.judging import judge_fault
from calfeed.channels.plain import clean, fit, one_line, unmentioned
from calfeed.channels.transport import TOTAL
from calfeed.reminders.message import Message

TITLE, BODY = 250, 4000
SCHEMAS = frozenset(
    {
        "apprise", "apprises", "azure", "bark", "barks", "brevo", "bsky", "bluesky", "dingtalk", "feishu", "flock",
        "gchat", "gotify", "gotifys", "groupme", "guilded", "hassio", "hassios", "ifttt", "irc", "ircs", "kakao",
        "kakaotalk", "lark", "line", "mailersend", "mailgun", "mailto", "mailtos", "mastodon", "mastodons", "matrix",
        "matrixs", "misskey", "misskeys", "mmost", "mmosts", "ncloud", "nclouds", "nctalk", "nctalks", "nostr", "ntfy",
        "ntfys", "o365", "opsgenie", "pagerduty", "pbul", "postmark", "pover", "prowl", "pushdeer", "pushdeers",
        "pushplus", "resend", "revolt", "ringc", "rocket", "rockets", "ryver", "schan", "sendgrid", "ses", "signal",
        "signals", "smtp2go", "sns", "sparkpost", "synology", "synologys", "tgram", "threema", "toot", "toots",
        "twilio", "twist", "viber", "webex", "wecombot", "whatsapp", "wxpusher", "wxteams", "zulip",
    }
)  # fmt: skip
"""Services that the network alone is needed for; Slack, Discord, Teams and webhooks have kinds of their own."""

MOST_HANGING = 8
"""Calls that were given up and still run; beyond these none is begun."""


class Apprise:
    """One notification a delivery; a correction is a new one."""

    def request(
        self,
        message: Message,
        target: Target,
        *,
        webhook_id: str,  # noqa: ARG002  # no service behind it is given one
        at: datetime,  # noqa: ARG002  # nothing in it depends on the attempt
        corrects: str | None = None,  # noqa: ARG002  # see the class
    ) -> Request:
        """Title and text; raises ValueError for a schema that is not allowed."""
        schema = target.url.partition("://")[0].lower()
        if schema not in SCHEMAS:
            raise ValueError("this Apprise schema is not one that calfeed allows: see /help/channels")
        title, _, text = message.text.partition("\n")
        title, text = unmentioned(one_line(title)), unmentioned(clean(text))
        body = {"title": fit(title, TITLE), "body": fit(text or title, BODY)}
        return Request(method="NOTIFY", url=target.url, headers={}, body=json.dumps(body).encode(), via="apprise")

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:  # noqa: ARG002  # it never names a time
        """Every failure is tried again: Apprise does not tell one from another."""
        if isinstance(answer, Fault):
            return judge_fault(answer)
        if answer.status == 200:
            return Verdict(outcome=Outcome.SENT, reason="Apprise reported success")
        return Verdict(outcome=Outcome.RETRY, reason="Apprise reported failure and no reason")


class AppriseTransport:
    """Runs Apprise; safe to share between threads."""

    def __init__(self, *, total: float = TOTAL, most_hanging: int = MOST_HANGING) -> None:
        self._total = total
        self._most = most_hanging
        self._lock = threading.Lock()
        self._given_up: list[threading.Thread] = []

    def send(self, request: Request) -> Answer | Fault:
        """200 for success, 500 for failure; a call that hangs is left to itself after the time-out."""
        try:
            import apprise  # late: it is an extra, and takes a second to import
        except ImportError:
            return Fault(kind="missing", detail="install calfeed[apprise]")
        if self._hanging() >= self._most:
            return Fault(kind="timeout", detail="earlier calls still hang")
        result: list[bool] = []
        worker = threading.Thread(target=_notify, args=(apprise, request, result), name="apprise", daemon=True)
        worker.start()
        worker.join(self._total)
        if worker.is_alive():
            with self._lock:
                self._given_up.append(worker)
            return Fault(kind="timeout")
        return Answer(status=200 if result == [True] else 500)

    def _hanging(self) -> int:
        with self._lock:
            self._given_up = [worker for worker in self._given_up if worker.is_alive()]
            return len(self._given_up)


def _notify(apprise: Any, request: Request, result: list[bool]) -> None:
    try:
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs URLs, which hold the tokens
        asset = apprise.AppriseAsset(plugin_paths=[])
        asset.http_redirects = False
        sender = apprise.Apprise(asset=asset)
        sender.add(apprise.Apprise.instantiate(request.url, asset=asset))
        told = json.loads(request.body)
        # by itself a service takes the text for what it likes best: e-mail and Telegram for HTML
        text = apprise.NotifyFormat.TEXT
        result.append(bool(sender.notify(title=told["title"], body=told["body"], body_format=text)))
    except Exception:  # noqa: BLE001  # plugins of many hands raise anything, with URLs in the text: failure is all there is
        result.append(False)
