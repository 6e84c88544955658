"""What every channel promises; each kind inherits the suite and adds its vendor's limits and answers.

The payloads stand in tests/golden/<kind>/; ``GOLDEN=write pytest tests/conformance/test_channels.py`` writes them anew.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from calfeed.channels.base import Answer, ChannelDriver, Fault, Outcome, Request, Target
from calfeed.channels.plain import units
from calfeed.channels.registry import Courier, driver
from calfeed.events import bounds
from calfeed.events.changes import diff
from calfeed.events.model import Catalog, ChannelKind, Conference, Place, Text
from calfeed.events.parse import load
from calfeed.events.revision import Revision
from calfeed.reminders.digest import due_digests
from calfeed.reminders.message import (
    Message,
    Origin,
    challenge_message,
    change_message,
    digest_message,
    reminder_message,
)
from calfeed.reminders.message import (
    test_message as trial_message,
)
from calfeed.reminders.plan import due_reminders

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2024, 5, 14, 8, tzinfo=UTC)
ALWAYS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
SECRET = "s3cr3t-token-of-the-hook"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

TOML = """
[calendar]
id = "visit"
name = { en = "Visit", ru = "Визит" }
timezone = "Asia/Shanghai"
url = "https://cal.example.org"

[[events]]
id = "opening"
summary = { en = "Opening & <talks>", ru = "Открытие" }
start = 2024-05-17T10:00:00
end = 2024-05-17T11:30:00
location = { name = "Hall *3*", address = "1 Example Street" }
conference = [{ uri = "https://cal.example.org/meet_a_b" }]
status = "tentative"

[[events]]
id = "forum"
summary = "Forum"
start = 2024-05-17
end = 2024-05-18
tba = "date"

[[channels]]
id = "news"
kind = "webhook"
url = "env:NEWS_URL"
timezone = "Europe/Moscow"
digest = "08:00"
"""

HOSTILE = {
    "long": "x" * 4000,
    "ampersands": "&" * 4000,
    "angles": "<" * 4000,
    "astral": "😀" * 4000,
    "families": "👨‍👩‍👧‍👦" * 600,
    "accents": "e\u0301" * 2000,
    "right to left": "שלום עולם " * 400,
    "overrides": "a\u202ebc\u2066de\u2069f" * 400,
    "controls": "".join(map(chr, range(32))) * 125 + "\x7f\x80\x9f",
    "marks": "*_~`|>#-[](){}\\" * 270,
    "chinese": "会谈" * 2000,
    "spaces": " " * 4000,
}

MENTIONS = [
    "<!everyone>", "<!channel>", "<!here|x>", "<@U012AB3CD>", "<#C012AB3CD>", "<!subteam^S01>", "@everyone", "@here",
    "@channel", "<@123456789012345678>", "<@&123456789012345678>", "<at>Somebody</at>", "[x](https://evil.example)",
    "<https://evil.example|x>", "{{TIME(2024-05-17T02:00:00Z)}}", "{{{TIME(2024-05-17T02:00:00Z)}}}", "<AT>Some</AT>",
    "<t:1:F>", "<!date^1^{time}|x>", ":tada:", "1:100:1",
]  # fmt: skip


def catalog() -> Catalog:
    return load([("events.toml", TOML)])


def origin(read: Catalog) -> Origin:
    created = datetime(2024, 5, 10, tzinfo=UTC)
    revisions = {
        event.uid: Revision(
            uid=event.uid, number=1, sequence=0, created=created, modified=created, digest="0", event=event
        )
        for event in read.events
    }
    return Origin(calendar=read.calendar, revisions=revisions)


def titled(title: str, count: int = 2) -> Catalog:
    """The list with this title on ``count`` events of one day."""
    read = catalog()
    first = replace(read.events[0], summary=Text((("en", title),)))
    events = tuple(replace(first, id=f"e{number}", uid=f"u{number}") for number in range(count))
    return Catalog(calendar=read.calendar, events=events, feeds=read.feeds, channels=read.channels)


def messages() -> dict[str, Message]:
    """One message of each type, and those with something special to say."""
    read = catalog()
    channel, where = read.channels[0], origin(read)
    every = due_reminders(read, *ALWAYS)
    reminder = next(due for due in every if due.event.id == "opening" and str(due.lead) == "1h")
    window = next(due for due in every if due.event.id == "forum")
    moved = load([("events.toml", TOML.replace("T10", "T14").replace("T11", "T15"))])
    gone = load([("events.toml", TOML.replace('status = "tentative"', 'status = "cancelled"'))])
    return {
        "reminder": reminder_message(reminder, reminder.due, where),
        "late": reminder_message(reminder, reminder.due + timedelta(minutes=45), where),
        "tba": reminder_message(window, window.due, where),
        "moved": change_message(diff(read, moved, NOW)[0], channel, NOW, where),
        "cancelled": change_message(diff(read, gone, NOW)[0], channel, NOW, where),
        "digest": digest_message(digest := due_digests(read, *ALWAYS)[0], digest.due, where),
        "test": trial_message(channel, NOW, where),
        "challenge": challenge_message(
            channel, "c4a11e", NOW, replace(where, unsubscribe_url="https://cal.example.org/u")
        ),
    }


PIECES = [
    "x", "&", "<", ">", '"', "\\", "😀", "👨\u200d👩\u200d👧", "e\u0301", "שלום ", "会谈", "*", "_", "~", "`", "|", "[",
    "{{", "@everyone ", "<!channel>", " ", "-", "#", "🇩🇪", "ก็", "\u200b", ":a:", "<at",
]  # fmt: skip
lengths = st.sampled_from([1, 3, 50, 2000])


def words_of(limit: int) -> st.SearchStrategy[Text]:
    """Texts in one language of any characters, up to as long as an event list may have them."""
    pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
    return st.builds(lambda piece, times: Text((("en", (piece * times)[:limit]),)), pieces, lengths)


addresses = st.builds(
    lambda piece, times: ("https://e.example/" + piece * times)[: bounds.URL],
    st.sampled_from(["a", "&", "_", "%20", "*", "(", ")", "|", "'", "?a=b&"]),
    lengths,
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Catalog, Origin]:
    """An event list whose one day is as full, and whose texts are as long, as the schema lets them be."""
    read, title = catalog(), words_of(bounds.TITLE)
    place = Place(name=draw(title), address=draw(st.none() | words_of(bounds.PROSE)))
    meeting = (Conference(uri=draw(addresses)),)
    event = replace(
        read.events[0],
        summary=draw(title),
        location=draw(st.sampled_from([None, place])),
        url=draw(st.none() | addresses),
        conference=draw(st.sampled_from([(), meeting])),
    )
    count = draw(st.sampled_from([1, 2, 7, 60]))
    events = tuple(replace(event, id=f"e{number}" * 20, uid=f"u{number}") for number in range(count))
    language = draw(st.sampled_from(["en", "ru", "zh"]))
    calendar = replace(read.calendar, name=draw(title), url=draw(st.none() | addresses), language=language)
    full = Catalog(calendar=calendar, events=events, channels=read.channels)
    return full, replace(origin(full), unsubscribe_url=draw(st.just("") | addresses))


class Promises:
    """Inherited by each kind of channel."""

    kind: ChannelKind
    url = f"https://hooks.example.com/services/{SECRET}"
    broken: tuple[Answer, ...] = ()
    rejected: tuple[Answer, ...] = ()

    @property
    def driver(self) -> ChannelDriver:
        return driver(self.kind)

    @property
    def target(self) -> Target:
        return Target(url=self.url, secret=SIGNING)

    def request(self, message: Message, *, corrects: str | None = None) -> Request:
        return self.driver.request(message, self.target, webhook_id="msg_1", at=NOW, corrects=corrects)

    def check(self, payload: Any) -> None:
        """The vendor's limits."""
        raise NotImplementedError

    @pytest.mark.parametrize("name", list(messages()))
    def test_its_payload_is_the_one_that_was_looked_at(self, name: str) -> None:
        payload = json.loads(self.request(messages()[name]).body)
        file = GOLDEN / self.kind / f"{name}.json"
        if os.environ.get("GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(payload, ensure_ascii=False, indent=2) + "\n", "utf-8")
        assert payload == json.loads(file.read_text("utf-8"))

    @pytest.mark.parametrize("name", list(messages()))
    def test_its_payload_is_within_the_vendors_limits(self, name: str) -> None:
        self.check(json.loads(self.request(messages()[name]).body))

    @pytest.mark.parametrize("name", list(HOSTILE))
    def test_no_title_breaks_the_vendors_limits(self, name: str) -> None:
        read = titled(HOSTILE[name], 60)
        due, digest = due_reminders(read, *ALWAYS)[0], due_digests(read, *ALWAYS)[0]
        for message in (reminder_message(due, due.due, origin(read)), digest_message(digest, digest.due, origin(read))):
            self.check(json.loads(self.request(message).body.decode()))

    def test_no_place_note_or_name_breaks_the_vendors_limits(self) -> None:
        read = catalog()
        place = replace(read.events[0].location, name=Text((("en", "&<*😀" * 1000),)))  # type: ignore[type-var]  # it has one
        calendar = replace(
            read.calendar, name=Text((("en", "&<*😀" * 1000),)), url="https://cal.example.org/" + "a" * 1800
        )
        meeting = Conference(uri="https://meet.example.org/" + "_" * 970)
        event = replace(read.events[0], location=place, conference=(meeting,))
        read = Catalog(calendar=calendar, events=(event, replace(event, id="b", uid="b")), channels=read.channels)
        digest = due_digests(read, *ALWAYS)[0]
        for home in (calendar.url, "https://cal.example.org/" + "a" * 900):
            where = replace(origin(read), base_url=home)
            for due in due_reminders(read, *ALWAYS):
                self.check(json.loads(self.request(reminder_message(due, due.due, where)).body))
            self.check(json.loads(self.request(digest_message(digest, digest.due, where)).body))

    def test_whatever_an_event_list_may_hold_is_within_the_vendors_limits(self) -> None:
        @settings(max_examples=60)
        @given(lists())
        def holds(case: tuple[Catalog, Origin]) -> None:
            read, where = case
            due, digest = due_reminders(read, *ALWAYS)[0], due_digests(read, *ALWAYS)[0]
            late = timedelta(minutes=9)
            gone = replace(read, events=(replace(read.events[0], status="cancelled"),))
            first = replace(read, events=read.events[:1])
            for message in (
                reminder_message(due, due.due + late, where),
                digest_message(digest, digest.due + late, where),
                change_message(diff(first, gone, NOW)[0], read.channels[0], NOW, where),
            ):
                self.check(json.loads(self.request(message).body.decode()))

        holds()

    @pytest.mark.parametrize("mention", MENTIONS)
    def test_a_title_mentions_nobody_and_formats_nothing(self, mention: str) -> None:
        read = titled(f"Meet {mention} now")
        for message in (
            reminder_message(due := due_reminders(read, *ALWAYS)[0], due.due, origin(read)),
            digest_message(digest := due_digests(read, *ALWAYS)[0], digest.due, origin(read)),
        ):
            self.check_harmless(self.request(message), mention)

    def check_harmless(self, request: Request, mention: str) -> None:
        """By default: what would be a command does not stand in the payload as it was written."""
        assert mention not in json.dumps(json.loads(request.body), ensure_ascii=False)

    def test_a_retry_says_the_same(self) -> None:
        message = messages()["reminder"]
        later = self.driver.request(message, self.target, webhook_id="msg_1", at=NOW + timedelta(minutes=5))
        assert (later.body, later.url, later.method) == (
            self.request(message).body,
            self.request(message).url,
            self.request(message).method,
        )

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_2xx_is_sent(self, status: int) -> None:
        assert self.driver.judge(Answer(status=status), NOW).outcome is Outcome.SENT

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, 301, 302, 307, 308, 100])
    def test_what_passes_is_tried_again(self, status: int) -> None:
        assert self.driver.judge(Answer(status=status), NOW).outcome is Outcome.RETRY

    @pytest.mark.parametrize("kind", ["timeout", "connect", "dns", "tls", "protocol", "missing"])
    def test_a_fault_is_tried_again_and_says_why(self, kind: Any) -> None:
        verdict = self.driver.judge(Fault(kind=kind), NOW)
        assert (verdict.outcome, bool(verdict.reason), verdict.retry_after) == (Outcome.RETRY, True, None)

    def test_an_address_that_may_not_be_used_ends_the_channel(self) -> None:
        assert self.driver.judge(Fault(kind="refused"), NOW).outcome is Outcome.BROKEN_CHANNEL

    def test_permanent_answers_end_the_channel(self) -> None:
        assert [self.driver.judge(one, NOW).outcome for one in self.broken] == [Outcome.BROKEN_CHANNEL] * len(
            self.broken
        )

    def test_answers_to_a_wrong_message_end_only_that_message(self) -> None:
        outcomes = [self.driver.judge(one, NOW).outcome for one in self.rejected]
        assert outcomes == [Outcome.REJECTED_MESSAGE] * len(self.rejected)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120.0),
            ("0", 0.0),
            ("1.5", 1.5),
            ("Tue, 14 May 2024 08:02:00 GMT", 120.0),
            ("Tue, 14 May 2024 07:00:00 GMT", 0.0),
            ("Tue, 14 May 2024 10:02:00 +0200", 120.0),
            ("Tue, 14 May 2024 08:02:00 -0000", 120.0),
            ("-5", 0.0),
            ("99999999", 86400.0),
            ("1e400", 86400.0),
            ("nan", None),
            ("soon", None),
            ("", None),
        ],
    )
    @pytest.mark.parametrize("status", [429, 503])
    def test_retry_after_is_obeyed_within_a_day(self, status: int, value: str, seconds: float | None) -> None:
        answer = Answer(status=status, headers={"retry-after": value})
        assert self.driver.judge(answer, NOW).retry_after == seconds

    def test_no_secret_shows_in_any_repr_or_reason(self) -> None:
        request = self.request(messages()["reminder"])
        answers = [Answer(status=status, body=self.url.encode()) for status in (200, 302, 400, 404, 410, 429, 500)]
        shown = [
            repr(request),
            repr(self.target),
            str(request),
            *(repr(self.driver.judge(one, NOW)) for one in answers),
        ]
        assert [text for text in shown if SECRET in text or SIGNING in text] == []

    def test_no_secret_shows_in_any_log_or_fault(self, caplog: pytest.LogCaptureFixture, endpoint: Endpoint) -> None:
        caplog.set_level(logging.DEBUG)
        request = self.request(messages()["reminder"])
        refused = replace(request, url=f"http://127.0.0.1:9/{SECRET}")
        reached = replace(request, url=f"{endpoint.url}/{SECRET}")
        faults = [Courier().send(replace(one, via="http")) for one in (refused, reached)]
        assert isinstance(faults[0], Fault)
        assert isinstance(faults[1], Answer)
        assert SECRET not in caplog.text + repr(faults)

    def test_it_arrives_at_a_real_endpoint(self, endpoint: Endpoint) -> None:
        """Over HTTP as it is: method, path and body."""
        request = self.request(messages()["reminder"])
        answer = Courier().send(replace(request, url=endpoint.url + "/hook", via="http"))
        assert self.driver.judge(answer, NOW).outcome is Outcome.SENT
        assert endpoint.received == [(request.method, "/hook", request.body)]


class Endpoint:
    """A receiver on this machine that takes everything."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.received.append((self.command, self.path, body))
                endpoint.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_PATCH = do_NOTIFY = _take  # noqa: N815  # names of http.server

            def log_message(self, *args: object) -> None:
                """Nothing to the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def texts(value: Any) -> Iterator[str]:
    """Every string of a payload."""
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def said(status: int, body: str = "") -> Answer:
    return Answer(status=status, body=body.encode())


class TestSlack(Promises):
    """https://docs.slack.dev/reference/block-kit/blocks"""

    kind = "slack"
    broken = (
        said(404, "no_service"),
        said(404, "no_team"),
        said(404, "channel_not_found"),
        said(403, "invalid_token"),
        said(403, "action_prohibited"),
        said(403, "no_active_hooks"),
        said(403, "team_disabled"),
        said(403, "posting_to_general_channel_denied"),
        said(410, "channel_is_archived"),
        said(400, "invalid_token"),
        said(404),
    )
    rejected = (
        said(400, "invalid_payload"),
        said(400, "invalid_blocks"),
        said(400, "no_text"),
        said(400, "too_many_attachments"),
        said(413),
    )

    def check(self, payload: Any) -> None:
        limits = {"header": 150, "section": 3000}
        assert 1 <= len(payload["blocks"]) <= 50
        for block in payload["blocks"]:
            if block["type"] == "context":
                assert 1 <= len(block["elements"]) <= 10
                assert all(1 <= units(one["text"]) <= 2000 for one in block["elements"])
            else:
                assert 1 <= units(block["text"]["text"]) <= limits[block["type"]]
        assert payload["text"]
        assert sum(units(text) for text in texts(payload)) <= 13_200

    def check_harmless(self, request: Request, mention: str) -> None:
        """Every ``<`` is ours, of a date or a link; every ``&`` begins an escape; no name follows ``@``."""
        for text in texts(json.loads(request.body)):
            for opened in text.split("<")[1:]:
                assert opened.startswith(("!date^1715", "https://cal.example.org/"))
            assert all(after.startswith(("amp;", "lt;", "gt;")) for after in text.split("&")[1:])
            assert "@everyone" not in text
            assert "@here" not in text
            assert "@channel" not in text
            assert not re.search(r":[a-z0-9_+-]+:", text)  # no word becomes a picture

    def test_the_reason_names_slacks_word(self) -> None:
        verdict = self.driver.judge(said(404, "no_service"), NOW)
        assert verdict.reason == "answered 404: no_service, the webhook was removed or disabled, or its URL is mistyped"
        assert self.driver.judge(said(400, "invalid_blocks"), NOW).reason == "answered 400: invalid_blocks"
        assert self.driver.judge(said(404, "<html>not a word"), NOW).reason == "answered 404"

    @pytest.mark.parametrize(
        "address", ["https://cal.example.org/" + "&" * 900, "https://cal.example.org/" + "a" * 950]
    )
    def test_the_footer_holds_a_long_name_and_long_links(self, address: str) -> None:
        """Escaping makes five characters of one; what does not fit in full is no link."""
        read = catalog()
        calendar = replace(read.calendar, name=Text((("en", "x" * 500),)))
        where = replace(origin(read), calendar=calendar, base_url=address, unsubscribe_url=address)
        self.check(json.loads(self.request(trial_message(read.channels[0], NOW, where)).body))

    def test_a_line_that_is_too_long_hides_none_after_it(self) -> None:
        meeting = Conference(uri="https://meet.example.org/" + "&" * 700)
        event = replace(catalog().events[0], conference=(meeting,))
        read = replace(catalog(), events=(event,))
        due = due_reminders(read, *ALWAYS)[0]
        section = json.loads(self.request(reminder_message(due, due.due, origin(read))).body)["blocks"][1]
        assert section["text"]["text"].splitlines()[-2:] == [
            "_Tentative: it may still change._",
            "<https://cal.example.org/events/opening|Open>",
        ]

    def test_each_reader_sees_their_own_time_except_of_what_has_no_hour(self) -> None:
        assert b"<!date^1715911200^{date_short_pretty} {time}|" in self.request(messages()["reminder"]).body
        assert b"<!date" not in self.request(messages()["tba"]).body
        assert b"<!date" not in self.request(messages()["cancelled"]).body


class TestTeams(Promises):
    """https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook"""

    kind = "teams"
    broken = (said(401), said(404), said(410))
    rejected = (said(400), said(413), said(403))

    def check(self, payload: Any) -> None:
        assert len(json.dumps(payload, ensure_ascii=False).encode()) <= 28 * 1024
        (attachment,) = payload["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        card = attachment["content"]
        assert (card["type"], payload["type"]) == ("AdaptiveCard", "message")
        for block in card["body"]:
            assert block["type"] in {"TextBlock", "RichTextBlock"}
            assert all(run["text"] for run in block.get("inlines", []))

    def check_harmless(self, request: Request, mention: str) -> None:
        """What a publisher wrote stands in RichTextBlocks alone, which read no Markdown; no function, no mention."""
        card = json.loads(request.body)["attachments"][0]["content"]
        for block in card["body"]:
            if block["type"] == "TextBlock":
                assert "Meet" not in block["text"]
        runs = [run["text"] for block in card["body"] for run in block.get("inlines", [])]
        assert not any("{{" in text or "<at" in text.lower() for text in [*runs, card["fallbackText"]])
        assert "entities" not in card.get("msteams", {})


class TestDiscord(Promises):
    """https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""

    kind = "discord"
    url = f"https://discord.com/api/webhooks/123/{SECRET}?thread_id=42"
    broken = (said(401), said(404, '{"message": "Unknown Webhook", "code": 10015}'), said(410))
    rejected = (said(400, '{"code": 50006}'), said(404, '{"message": "Unknown Message", "code": 10008}'), said(413))

    def check(self, payload: Any) -> None:
        (embed,) = payload["embeds"]
        assert 1 <= units(payload["content"]) <= 2000
        assert 1 <= units(embed["title"]) <= 256
        assert 1 <= units(embed["description"]) <= 4096
        assert 1 <= units(embed["footer"]["text"]) <= 2048
        assert sum(units(embed[name]) for name in ("title", "description")) + units(embed["footer"]["text"]) <= 6000
        assert payload["allowed_mentions"] == {"parse": []}

    def check_harmless(self, request: Request, mention: str) -> None:
        """Nobody may be mentioned, and each character that could format is escaped."""
        payload = json.loads(request.body)
        self.check(payload)
        written = [payload["content"], payload["embeds"][0]["title"], payload["embeds"][0]["description"]]
        for text in written:
            bare = re.sub(r"\\.", "", text)  # what is escaped is only shown
            assert all(opened.startswith(("t:1715", "https://cal.example.org/")) for opened in bare.split("<")[1:])
            assert "](https://evil" not in bare
            assert "@everyone" not in bare
            assert "@here" not in bare

    def test_a_correction_edits_the_message_it_corrects(self) -> None:
        first, second = self.request(messages()["reminder"]), self.request(messages()["moved"], corrects="987654321")
        assert (first.method, first.url) == ("POST", f"{self.url}&wait=true")
        assert (second.method, second.url) == (
            "PATCH",
            f"https://discord.com/api/webhooks/123/{SECRET}/messages/987654321?thread_id=42&wait=true",
        )

    def test_a_reference_that_is_no_id_is_refused_without_repeating_a_secret(self) -> None:
        with pytest.raises(ValueError, match="no id of Discord") as error:
            self.request(messages()["moved"], corrects="../../evil")
        assert SECRET not in str(error.value)

    def test_the_answer_gives_the_id_to_correct_it_by(self) -> None:
        whole = '{"type": 0, "content": "x", "id": "1240000000000000001", "channel_id": "1"}'
        long = '{"id": "1240000000000000002", "type": 0, "content": "' + "x" * 5000
        for body, expected in {whole: "1240000000000000001", long[:4096]: "1240000000000000002", "ok": None}.items():
            assert self.driver.judge(said(200, body), NOW).provider_ref == expected

    def test_the_wait_in_json_is_more_exact_than_the_header(self) -> None:
        answer = Answer(status=429, headers={"retry-after": "1"}, body=b'{"retry_after": 0.65, "global": false}')
        assert self.driver.judge(answer, NOW).retry_after == 0.65

    def test_no_wait_is_longer_than_a_day(self) -> None:
        """Not even one that no float can hold."""
        answer = Answer(status=429, body=b'{"retry_after": 1' + b"0" * 400 + b"}")
        assert self.driver.judge(answer, NOW).retry_after == 86400

    @pytest.mark.parametrize(
        "body",
        [
            '{"retry_after": "soon"}',
            '{"retry_after": NaN}',
            '{"retry_after": true}',
            '{"retry_after": null}',
            "[]",
            "<html>",
            "[" * 4096,
            "\xff",
        ],
    )
    def test_garbage_in_the_answer_leaves_the_header(self, body: str) -> None:
        answer = Answer(status=429, headers={"retry-after": "7"}, body=body.encode())
        assert self.driver.judge(answer, NOW).retry_after == 7


class TestWebhook(Promises):
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

    kind = "webhook"
    broken = (said(410),)
    rejected = tuple(said(status) for status in (400, 401, 403, 404, 405, 413, 415, 422, 451))

    def check(self, payload: Any) -> None:
        assert set(payload) == {"type", "timestamp", "data"}
        assert payload["timestamp"].endswith("Z")

    def check_harmless(self, request: Request, mention: str) -> None:
        """A machine reads the title as it was written."""
        assert f"Meet {mention} now" in set(texts(json.loads(request.body)))

    def test_a_reminder_has_the_data_of_the_contract(self) -> None:
        payload = json.loads(self.request(messages()["late"]).body)
        data = payload["data"]
        assert (payload["type"], payload["timestamp"]) == ("event.reminder", "2024-05-17T01:00:00Z")
        assert list(data) == ["event", "occurrence", "lead", "due", "late_by", "calendar", "feed_url"]
        assert data["occurrence"] == {
            "start": "2024-05-17T10:00:00+08:00",
            "end": "2024-05-17T11:30:00+08:00",
            "all_day": False,
            "tba": None,
            "recurrence_id": None,
        }
        assert (data["lead"], data["due"], data["late_by"]) == ("PT1H", "2024-05-17T01:00:00Z", "PT45M")
        assert data["calendar"] == {"id": "visit", "name": "Visit", "url": "https://cal.example.org"}
        assert data["feed_url"] == "https://cal.example.org/feeds/all.ics"
        assert data["event"]["id"] == "opening"

    def test_a_challenge_carries_its_word_and_the_way_out(self) -> None:
        payload = json.loads(self.request(messages()["challenge"]).body)
        assert payload["type"] == "subscription.challenge"
        assert payload["data"]["challenge"] == "c4a11e"
        assert payload["data"]["unsubscribe_url"] == "https://cal.example.org/u"

    def test_a_notice_of_a_series_names_the_dates_that_differ(self) -> None:
        toml = TOML.replace('status = "tentative"', 'rrule = "FREQ=WEEKLY;COUNT=3"')
        moved = "[[events.overrides]]\nrecurrence_id = 2024-05-24T10:00:00\nstart = 2024-05-25T12:00:00\n"
        forum = '[[events]]\nid = "forum"'
        old, new = (load([("events.toml", text)]) for text in (toml, toml.replace(forum, moved + forum)))
        message = change_message(diff(old, new, NOW)[0], new.channels[0], NOW, origin(new))
        change = json.loads(self.request(message).body)["data"]["change"]
        times = {"all_day": False, "tba": None, "status": "confirmed"}
        assert change["occurrences"] == [
            {
                "recurrence_id": "2024-05-24T10:00:00+08:00",
                "before": {"start": "2024-05-24T10:00:00+08:00", "end": "2024-05-24T11:30:00+08:00", **times},
                "after": {"start": "2024-05-25T12:00:00+08:00", "end": "2024-05-25T13:30:00+08:00", **times},
            }
        ]

    def test_an_independent_receiver_accepts_the_signature(self) -> None:
        request = self.driver.request(messages()["reminder"], self.target, webhook_id="msg_1", at=datetime.now(UTC))
        told = Receiver(SIGNING).verify(request.body, dict(request.headers))
        assert told == json.loads(request.body)
        with pytest.raises(WebhookVerificationError):
            Receiver(SIGNING).verify(request.body + b" ", dict(request.headers))

    def test_the_specifications_vector_is_reproduced(self) -> None:
        from calfeed.channels.webhook import secrets, sign

        signature = sign(secrets(SIGNING), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize("separator", [" ", ",", ", ", "\n"])
    def test_while_a_secret_is_rotated_both_receivers_accept(self, separator: str) -> None:
        fresh = "whsec_" + base64.b64encode(b"another secret of 24 byt").decode()
        target = Target(url=self.url, secret=f"{SIGNING}{separator}{fresh}")
        request = self.driver.request(messages()["reminder"], target, webhook_id="msg_1", at=datetime.now(UTC))
        assert len(request.headers["webhook-signature"].split(" ")) == 2
        for secret in (SIGNING, fresh):
            assert Receiver(secret).verify(request.body, dict(request.headers))

    def test_each_attempt_is_signed_at_its_own_time_under_the_same_id(self) -> None:
        message = messages()["reminder"]
        first, second = (
            self.driver.request(message, self.target, webhook_id="msg_1", at=NOW + timedelta(minutes=minutes))
            for minutes in (0, 5)
        )
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_1"
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]

    def test_the_time_of_signing_is_utc_whatever_zone_it_is_given_in(self) -> None:
        local = NOW.astimezone(catalog().calendar.zone)
        message = messages()["reminder"]
        assert self.driver.request(message, self.target, webhook_id="msg_1", at=local) == self.request(message)

    def test_without_a_secret_it_is_unsigned_but_named_and_timed(self) -> None:
        request = self.driver.request(messages()["reminder"], Target(url=self.url), webhook_id="msg_1", at=NOW)
        assert dict(request.headers) == {
            "Content-Type": "application/json; charset=utf-8",
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(NOW.timestamp())),
        }

    @pytest.mark.parametrize("secret", ["whsec_%%%", "s3cr3t-token-of-the-hook!", " , ", "whsec_", f"{SIGNING},whsec_"])
    def test_a_secret_that_cannot_be_used_is_refused_without_repeating_it(self, secret: str) -> None:
        with pytest.raises(ValueError, match="signing secret") as error:
            self.driver.request(messages()["test"], Target(url=self.url, secret=secret), webhook_id="m", at=NOW)
        assert secret not in str(error.value)
        assert error.value.__cause__ is None

    def test_the_signature_is_of_id_time_and_body(self) -> None:
        request = self.request(messages()["reminder"])
        signed = b"msg_1." + request.headers["webhook-timestamp"].encode() + b"." + request.body
        key = base64.b64decode(SIGNING.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        assert request.headers["webhook-signature"] == expected

    def test_a_strangers_url_takes_the_guarded_way(self) -> None:
        target = Target(url="https://user@127.0.0.1/", guarded=True)
        request = self.driver.request(messages()["challenge"], target, webhook_id="msg_1", at=NOW)
        fault = Courier().send(request)
        assert isinstance(fault, Fault)
        assert (request.via, fault.kind) == ("guarded", "refused")


class TestApprise(Promises):
    """https://github.com/caronc/apprise/wiki"""

    kind = "apprise"
    url = f"ntfys://user:{SECRET}@ntfy.example.com/topic"

    def check(self, payload: Any) -> None:
        assert set(payload) == {"title", "body"}
        assert 1 <= units(payload["title"]) <= 250
        assert 1 <= units(payload["body"]) <= 4000

    def check_harmless(self, request: Request, mention: str) -> None:
        """It is sent as plain text; mentions of everybody are broken all the same."""
        assert not any("@everyone" in text or "@here" in text for text in texts(json.loads(request.body)))

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, 301, 302, 307, 308, 100, 400, 404, 410])
    def test_what_passes_is_tried_again(self, status: int) -> None:
        assert self.driver.judge(Answer(status=status), NOW).outcome is Outcome.RETRY

    @pytest.mark.parametrize("status", [200])
    def test_2xx_is_sent(self, status: int) -> None:
        assert self.driver.judge(Answer(status=status), NOW).outcome is Outcome.SENT

    @pytest.mark.parametrize("status", [429])
    @pytest.mark.parametrize("value", ["120"])
    def test_retry_after_is_obeyed_within_a_day(self, status: int, value: str) -> None:  # type: ignore[override]  # it knows none
        """Apprise names no time to wait."""
        assert self.driver.judge(Answer(status=status, headers={"retry-after": value}), NOW).retry_after is None

    @pytest.mark.parametrize(
        "url", ["dbus://", "syslog://", "json://127.0.0.1", "file:///etc/passwd", "ntfy", "", "MACOSX://"]
    )
    def test_a_schema_that_is_not_on_the_list_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ValueError, match="schema is not one") as error:
            self.driver.request(messages()["test"], Target(url=url + SECRET), webhook_id="m", at=NOW)
        assert SECRET not in str(error.value)


def test_every_kind_of_channel_keeps_the_promises() -> None:
    kinds = {one.kind for one in Promises.__subclasses__()}
    assert kinds == set(ChannelKind.__args__)  # type: ignore[attr-defined]  # a Literal
