"""Webhooks signed as Standard Webhooks say: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from datetime import UTC, datetime
from hashlib import sha256

from calfeed.channels.base import Answer, Fault, Request, Target, Verdict
from calfeed.channels.judging import judge_by_status
from calfeed.channels.wire import body
from calfeed.reminders.message import Message

_PREFIX = "whsec_"


class Webhook:
    """JSON for machines; a correction is an ``event.changed`` of its own."""

    def request(
        self,
        message: Message,
        target: Target,
        *,
        webhook_id: str,
        at: datetime,
        corrects: str | None = None,  # noqa: ARG002  # see the class
    ) -> Request:
        """The signed request; unsigned, but with id and time, where the channel has no secret."""
        content = json.dumps(body(message), ensure_ascii=False, separators=(",", ":")).encode()
        stamp = int(at.astimezone(UTC).timestamp())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(stamp),
        }
        if target.secret:
            headers["webhook-signature"] = sign(secrets(target.secret), webhook_id, stamp, content)
        return Request(
            method="POST", url=target.url, headers=headers, body=content, via="guarded" if target.guarded else "http"
        )

    def judge(self, answer: Answer | Fault, at: datetime) -> Verdict:
        """By status: 410 ends the channel, other 4xx but 408, 425 and 429 this message."""
        return judge_by_status(answer, at)


def secrets(value: str) -> list[bytes]:
    """The signing keys of a setting: ``whsec_`` and base64, several between spaces or commas while they are rotated.

    Raises ValueError, which does not repeat the secret.
    """
    keys = [_key(part) for part in re.split(r"[\s,]+", value) if part]
    if not keys:
        raise ValueError("the signing secret is empty")
    return keys


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the signing secret is not base64: expected whsec_ and base64") from None
    if not key:  # whoever knows that it is empty can sign
        raise ValueError("the signing secret holds no key")
    return key


def sign(keys: list[bytes], webhook_id: str, stamp: int, content: bytes) -> str:
    """The value of ``webhook-signature``: one ``v1`` signature a key, between spaces."""
    signed = b".".join((webhook_id.encode(), str(stamp).encode(), content))
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
