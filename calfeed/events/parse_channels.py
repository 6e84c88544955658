"""One table of ``[[channels]]`` to one Channel. No message here repeats a URL or a secret."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

from calfeed.errors import Location
from calfeed.events import schema, times, values
from calfeed.events.model import Channel, ChannelKind
from calfeed.events.parse_events import leads
from calfeed.events.report import Fault, Scope

_ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_REFERENCES = "write env:NAME or file:PATH"


def channel(table: schema.ChannelTable, scope: Scope, place: Location) -> Channel:
    """The channel; faulty keys are left out and reported."""
    _check_reference("url", table.url, scope, table.kind)
    if table.secret is not None:
        _check_secret(table.secret, scope, table.kind)
    given: dict[str, Any] = {
        "before": None if table.before is None else scope.take(("before",), leads, table.before),
        "quiet": None if table.quiet is None else scope.take(("quiet",), times.quiet, table.quiet),
    }
    if table.timezone is not None:
        scope.take(("timezone",), times.zone, table.timezone)
    return Channel(
        id=table.id,
        kind=table.kind,
        url=table.url,
        secret=table.secret,
        categories=tuple(dict.fromkeys(table.categories or ())),
        exclude=tuple(dict.fromkeys(table.exclude or ())),
        language=None if table.language is None else values.language(table.language),
        timezone=table.timezone,
        changes=table.changes,
        digest=None if table.digest is None else times.clock(table.digest),
        source=place,
        **{key: value for key, value in given.items() if value is not None},
    )


def _check_reference(key: str, value: str, scope: Scope, kind: ChannelKind) -> None:
    if not _is_reference(value, key, scope) and scope.take((key,), _is_url, value, kind):
        scope.warn((key,), "a literal URL is a secret that everyone reads who reads this file", _REFERENCES)


def _check_secret(value: str, scope: Scope, kind: ChannelKind) -> None:
    if kind != "webhook":
        scope.error(("secret",), f"only webhooks are signed, this channel is {kind}", "leave the key out")
    elif not _is_reference(value, "secret", scope) and scope.take(("secret",), _is_key, value):
        scope.warn(("secret",), "a literal secret can be read by everyone who reads this file", _REFERENCES)


def _is_reference(value: str, key: str, scope: Scope) -> bool:
    if value.startswith("env:") and not _ENV.fullmatch(value):
        scope.error((key,), "env: wants the name of an environment variable", "such as env:NEWSROOM_SLACK_URL")
    if value == "file:":
        scope.error((key,), "file: wants a path", "such as file:/run/secrets/slack")
    return value.startswith(("env:", "file:"))


def _is_url(value: str, kind: ChannelKind) -> bool:
    try:
        parts = urlsplit(value)
        good = bool(parts.scheme and parts.netloc) and (parts.port or 1) > 0 and not re.search(r"\s", value)
    except ValueError:  # a port or an IPv6 address that is none
        good = False
    if not good or (kind != "apprise" and parts.scheme not in {"http", "https"}):
        wanted = "an Apprise URL" if kind == "apprise" else "an http or https URL"
        raise Fault(f"expected env:NAME, file:PATH or {wanted}")
    return True


def _is_key(value: str) -> bool:
    """A Standard Webhooks key: whsec_ and 24 to 64 bytes in base64."""
    try:
        size = len(b64decode(value.removeprefix("whsec_"), validate=True))
    except ValueError:
        size = 0
    if not value.startswith("whsec_") or not 24 <= size <= 64:
        raise Fault("expected env:NAME, file:PATH or a secret: whsec_ and 24 to 64 bytes in base64")
    return True
