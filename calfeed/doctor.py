"""Looks at everything a running calfeed depends on, and says what is wrong and how to mend it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import requests

from calfeed.errors import LedgerBusy, LedgerError, LedgerVersion, SourceError
from calfeed.events.model import Catalog, Channel
from calfeed.events.parse import load
from calfeed.ledger import ChannelState, Ledger
from calfeed.publish import read_files
from calfeed.settings import Settings, secret
from calfeed.trial import why_idle

State = Literal["ok", "warning", "wrong", "not looked at"]

TIMEOUT = (5.0, 15.0)
QUIET = timedelta(seconds=30)
DRIFT = timedelta(seconds=5)
EXPIRY = timedelta(days=14)
SHORT = 16
GOOGLE = "Google-Calendar-Importer"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; ``mend`` says what to do, empty where nothing is to be done."""

    name: str
    state: State
    found: str
    mend: str = ""


def examine(settings: Settings, environ: Mapping[str, str], now: Callable[[], datetime]) -> Iterator[Finding]:
    """Source, database, reminder process, public address (clock, TLS, robots.txt, feed, gzip) and each channel.

    Of the operator's token, only that it is short.
    """
    catalog = yield from _source(settings)
    states = yield from _ledger(settings, now())
    base_url = settings.base_url or (catalog.calendar.url if catalog else None)
    if settings.admin_token and len(settings.admin_token) < SHORT:
        found = f"it has less than {SHORT} characters"
        yield Finding("operator's token", "warning", found, "make a long one: openssl rand -base64 24")
    yield from _public(base_url, now)
    for channel in catalog.channels if catalog else ():
        yield _channel(channel, states.get(channel.id), environ)


def _source(settings: Settings) -> Generator[Finding, None, Catalog | None]:
    try:
        catalog = load(read_files(settings.events))
    except SourceError as fault:
        first, *others = fault.problems
        found = f"{first}; {len(others)} more" if others else str(first)
        yield Finding("source", "wrong", found, "calfeed check")
        return None
    found = f"{settings.events}: {len(catalog.events)} events, {len(catalog.feeds)} feeds"
    if catalog.warnings:
        yield Finding("source", "warning", f"{found}; {len(catalog.warnings)} warnings", "calfeed check")
    else:
        yield Finding("source", "ok", found)
    return catalog


def _ledger(settings: Settings, now: datetime) -> Generator[Finding, None, dict[str, ChannelState]]:
    try:
        with Ledger(settings.database_url) as ledger:
            states = {state.id: state for state in ledger.channels()}
            tick, dead = ledger.last_tick(), len(ledger.deliveries(state="dead"))
    except LedgerError as fault:
        yield Finding("database", "wrong", str(fault), _database_mend(fault))
        return {}
    if dead:
        yield Finding("database", "warning", f"{dead} deliveries are dead", "calfeed deliveries list --state dead")
    else:
        yield Finding("database", "ok", "it answers and is of this version")
    yield _reminders(tick, now)
    return states


def _database_mend(fault: LedgerError) -> str:
    right = "is CALFEED_DATABASE_URL the right one"
    if isinstance(fault, LedgerVersion):
        return f"calfeed upgrade; {right}?"
    if isinstance(fault, LedgerBusy):
        return f"{right}, and may this user write there?"
    return f"{right}? If so and it is damaged, put back a copy (what that means stands in the manual: Hosting)"


def _reminders(tick: datetime | None, now: datetime) -> Finding:
    mend = "calfeed remind (or calfeed up) must run; nothing is sent without it"
    if tick is None:
        return Finding("reminders", "wrong", "no reminder process was ever seen", mend)
    if now - tick > QUIET:
        return Finding("reminders", "wrong", f"the reminder process was last seen {_ago(now - tick)} ago", mend)
    return Finding("reminders", "ok", f"last seen {_ago(now - tick)} ago")


def _public(base_url: str | None, now: Callable[[], datetime]) -> Iterator[Finding]:
    if not base_url:
        yield Finding("public address", "not looked at", "none is set", "set CALFEED_BASE_URL or calendar.url")
        return
    feed = f"{base_url}/feeds/all.ics"
    try:
        answer = requests.get(feed, timeout=TIMEOUT, headers={"Accept-Encoding": "gzip"}, allow_redirects=False)
        robots = requests.get(_robots_url(base_url), timeout=TIMEOUT)
    except requests.RequestException as fault:
        mend = "does the name resolve, does the web process run, does the proxy lead to it?"
        yield Finding("public address", "wrong", f"{base_url} does not answer: {type(fault).__name__}", mend)
        return
    yield _feed(feed, answer)
    yield _clock(answer, now())
    yield _gzip(answer)
    yield _robots(feed, robots)
    yield _tls(base_url, now())


def _robots_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}/robots.txt"


def _feed(url: str, answer: requests.Response) -> Finding:
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code != 200:
        mend = "clients follow no redirect reliably: the address people subscribe to must answer itself"
        return Finding("feed", "wrong", f"{url} answers {answer.status_code}", mend)
    if not kind.startswith("text/calendar"):
        return Finding("feed", "wrong", f"{url} is sent as {kind or 'nothing'}", "let the proxy pass Content-Type on")
    if "ETag" not in answer.headers:
        return Finding(
            "feed", "warning", f"{url} comes without ETag", "let the proxy pass it on: polls cost little then"
        )
    return Finding("feed", "ok", f"{url}, {len(answer.content)} octets")


def _clock(answer: requests.Response, now: datetime) -> Finding:
    try:
        drift = abs(now - parsedate_to_datetime(answer.headers.get("Date", "")))
    except (TypeError, ValueError):
        return Finding("clock", "not looked at", "the public address tells no time")
    if drift > DRIFT:
        found = f"this machine and the public address are {drift.total_seconds():.0f} s apart"
        return Finding("clock", "wrong", found, "run an NTP client on both: reminders go by the clock")
    return Finding("clock", "ok", "agrees with the public address")


def _gzip(answer: requests.Response) -> Finding:
    if answer.headers.get("Content-Encoding") == "gzip":
        return Finding("gzip", "ok", "feeds are compressed for who asks")
    return Finding("gzip", "warning", "the feed comes uncompressed", "let the proxy pass Accept-Encoding on")


def _robots(feed: str, robots: requests.Response) -> Finding:
    rules = RobotFileParser()
    rules.parse(robots.text.splitlines() if robots.status_code == 200 else [])
    if rules.can_fetch(GOOGLE, feed):
        return Finding("robots.txt", "ok", "Google may fetch the feeds")
    return Finding("robots.txt", "wrong", "it keeps Google's calendar out", "allow /feeds/ in robots.txt")


def _tls(base_url: str, now: datetime) -> Finding:
    parts = urlsplit(base_url)
    if parts.scheme != "https":
        return Finding("TLS", "warning", "the public address is plain http", "Outlook and Apple want https")
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=TIMEOUT[0]) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            ends = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
    except OSError as fault:  # a proxy of the environment may be the only way to it
        return Finding("TLS", "not looked at", f"no connection of its own to {host}: {type(fault).__name__}")
    left = datetime.fromtimestamp(ends, UTC) - now
    if left < EXPIRY:
        return Finding("TLS", "warning", f"the certificate ends in {_ago(left)}", "renew it")
    return Finding("TLS", "ok", f"the certificate is good for {_ago(left)}")


def _channel(channel: Channel, state: ChannelState | None, environ: Mapping[str, str]) -> Finding:
    name = f"channel {channel.id}"
    url = secret(channel.url, environ)
    if not url:
        return Finding(name, "not looked at", f"idle: {why_idle(channel, environ)}", "set it, or remove the channel")
    if channel.secret and not secret(channel.secret, environ):
        return Finding(name, "wrong", f"idle: {why_idle(channel, environ)}", "set the signing secret")
    if state is not None and state.broken_since is not None:
        found = f"broken since {state.broken_since:%Y-%m-%d %H:%M}Z: {state.reason}"
        return Finding(name, "wrong", found, f"give it another address; then calfeed send-test {channel.id}")
    if channel.kind == "apprise":
        return Finding(name, "not looked at", "reached by Apprise", f"calfeed send-test {channel.id}")
    return _reached(name, url)


def _reached(name: str, url: str) -> Finding:
    """Connects, and sends nothing: the address itself is a secret and stands in no word of the answer."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return Finding(name, "wrong", "its address is no http:// or https:// URL", "set it to the whole address")
        port = parts.port or (80 if parts.scheme == "http" else 443)
        with socket.create_connection((parts.hostname, port), timeout=TIMEOUT[0]):
            return Finding(name, "ok", "its host takes connections")
    except (OSError, ValueError) as fault:
        found = f"its host cannot be reached: {type(fault).__name__}"
        return Finding(name, "wrong", found, "is the address right, does this machine reach the internet?")


def _ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if abs(seconds) >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
