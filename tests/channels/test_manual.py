"""The manual's page of channels says what the channels do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from calfeed.channels.apprise import SCHEMAS
from calfeed.channels.base import Answer, Outcome, Target
from calfeed.channels.registry import driver
from calfeed.events.model import ChannelKind
from calfeed.events.parse import load
from calfeed.reminders.message import Origin, challenge_message
from calfeed.reminders.message import test_message as trial_message

PAGE = files("calfeed").joinpath("help/channels.md").read_text("utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CALENDAR = '[calendar]\nid = "c"\nname = "C"\ntimezone = "UTC"\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_its_examples_are_one_valid_list() -> None:
    expo = '[[events]]\nid = "e"\nsummary = "E"\nstart = 2024-05-17\ncategories = ["expo"]\n'
    catalog = load([("events.toml", CALENDAR + expo + "".join(blocks("toml")))])
    assert [channel.id for channel in catalog.channels] == ["newsroom", "screens", "phones"]
    assert catalog.warnings == ()


def test_every_kind_stands_in_its_table_with_the_answers_that_break_it() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", PAGE.split("| header |")[0], re.MULTILINE))
    assert set(rows) == set(ChannelKind.__args__)  # type: ignore[attr-defined]  # a Literal
    for kind, told in rows.items():
        verdicts = {status: driver(kind).judge(Answer(status=status), datetime.now(UTC)) for status in range(400, 452)}
        broken = [str(status) for status, one in verdicts.items() if one.outcome is Outcome.BROKEN_CHANNEL]
        assert told.startswith(", ".join(broken) or "nothing")


def test_every_kind_stands_in_the_reference_of_the_event_list() -> None:
    reference = files("calfeed").joinpath("help/events-toml.md").read_text("utf-8")
    (row,) = re.findall(r"^\| `kind` \| (.+?) \|", reference, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == list(ChannelKind.__args__)  # type: ignore[attr-defined]  # a Literal


def test_every_schema_of_apprise_is_listed() -> None:
    listed = re.findall(r"`(\w+)`", PAGE.split("need nothing but the network:")[1])
    assert listed == sorted(SCHEMAS)


def test_its_receiver_accepts_what_we_send_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCREENS_SECRET", SECRET)
    space: dict[str, object] = {"__name__": "receiver"}
    exec("".join(blocks("python")), space)  # noqa: S102  # the manual's own example
    client = space["app"].test_client()  # type: ignore[attr-defined]  # a Flask application

    catalog = load([("events.toml", CALENDAR + blocks("toml")[1])])
    channel, origin, now = catalog.channels[0], Origin(calendar=catalog.calendar), datetime.now(UTC)
    target = Target(url="https://screens.example.org/calfeed", secret=SECRET)
    trial, challenge = (
        driver("webhook").request(message, target, webhook_id="msg_1", at=now)
        for message in (trial_message(channel, now, origin), challenge_message(channel, "c4a11e", now, origin))
    )

    answers = [client.post("/calfeed", data=one.body, headers=dict(one.headers)) for one in (trial, challenge)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "thank you"), (200, "c4a11e")]
    assert client.post("/calfeed", data=trial.body + b" ", headers=dict(trial.headers)).status_code == 401
    assert capsys.readouterr().out.startswith("test {")
