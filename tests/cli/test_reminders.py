"""`plan` and `rehearse` show the schedule; `send-test` explains what the endpoint answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import Result

Run = Callable[..., Result]
WEEK = ("--from", "2024-05-14T00:00:00Z", "--to", "2024-05-22T00:00:00Z")


class Endpoint(ThreadingHTTPServer):
    """Takes what is posted and answers with ``status``."""

    def __init__(self) -> None:
        self.status, self.answer = 200, b"ok"
        self.taken: list[tuple[dict[str, str], dict[str, object]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/T000/B000/secret-part"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(({key.lower(): value for key, value in self.headers.items()}, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_plan_lists_the_reminders_in_order(run: Run) -> None:
    dues = json.loads(run("plan", *WEEK, "--json").stdout)
    assert [(due["due"], due["event"], due["lead"], due["channel"]) for due in dues] == [
        ("2024-05-15T02:00:00Z", "talks", "P1D", "newsroom"),
        ("2024-05-16T01:00:00Z", "talks", "PT1H", "newsroom"),
        ("2024-05-16T01:00:00Z", "expo", "P1D", "newsroom"),
        ("2024-05-17T01:00:00Z", "expo", "PT0S", "newsroom"),
    ]
    assert len(run("plan", *WEEK).stdout.splitlines()) == 5


def test_plan_explains_one_reminder(run: Run) -> None:
    due = json.loads(run("plan", *WEEK, "--json").stdout)[0]
    lines = run("plan", *WEEK, "--explain", due["id"]).stdout.splitlines()
    assert lines[0].startswith("events.toml:12")
    assert lines[-1] == "It is sent at 2024-05-15 10:00 Asia/Shanghai (2024-05-15T02:00:00Z)."
    assert run("plan", *WEEK, "--explain", "nothing").exit_code == 2


def test_plan_explains_a_reminder_that_was_listed_for_another_time(run: Run) -> None:
    """An id needs no --from: it says itself what is meant."""
    due = json.loads(run("plan", *WEEK, "--json").stdout)[0]
    assert run("plan", "--explain", due["id"]).stdout == run("plan", *WEEK, "--explain", due["id"]).stdout


def test_plan_explains_all_reminders_of_an_event(run: Run) -> None:
    found = json.loads(run("plan", *WEEK, "--explain", "talks", "--json").stdout)
    assert [(one["event"], one["lead"], len(one["because"])) for one in found] == [
        ("talks", "P1D", 6),
        ("talks", "PT1H", 6),
    ]
    assert run("plan", *WEEK, "--explain", "talks").stdout.count("It is sent at") == 2


def test_rehearse_posts_each_reminder_once_to_a_real_endpoint(run: Run, endpoint: Endpoint) -> None:
    result = run("rehearse", *WEEK, "--speed", "10000000", "--to-url", endpoint.url)
    assert result.exit_code == 0, result.output
    told = [(body["type"], body["data"]["event"]["id"], body["data"]["lead"]) for _, body in endpoint.taken]  # type: ignore[index]  # JSON
    assert told == [
        ("event.reminder", "talks", "P1D"),
        ("event.reminder", "talks", "PT1H"),
        ("event.reminder", "expo", "P1D"),
        ("event.reminder", "expo", "PT0S"),
    ]
    assert len({headers["webhook-id"] for headers, _ in endpoint.taken}) == 4
    assert "secret-part" not in result.output


def test_rehearse_to_a_url_needs_no_channel_and_sends_no_reminder_twice(
    run: Run, folder: Path, endpoint: Endpoint
) -> None:
    text = (folder / "events.toml").read_text()
    channel = text[text.index("[[channels]]") :]
    for source in (text.replace(channel, ""), text + channel.replace("newsroom", "second")):
        endpoint.taken.clear()
        (folder / "events.toml").write_text(source)
        assert run("rehearse", *WEEK, "--speed", "10000000", "--to-url", endpoint.url).exit_code == 0
        assert len(endpoint.taken) == 4


def test_rehearse_without_an_address_sends_nothing(run: Run) -> None:
    result = run("rehearse", *WEEK, "--speed", "10000000", "--dry-run", "--json")
    steps = json.loads(result.stdout)
    assert (steps["planned"], steps["not sent"], steps["sent"]) == (4, 4, 0)


def test_a_rehearsal_that_meets_a_refusal_exits_1(run: Run, endpoint: Endpoint) -> None:
    endpoint.status = 410
    result = run("rehearse", *WEEK, "--speed", "10000000", "--to-url", endpoint.url)
    assert (result.exit_code, "4 failed" in result.stderr) == (1, True)


def test_send_test_explains_the_answer_and_never_shows_the_address(run: Run, endpoint: Endpoint) -> None:
    result = run("send-test", "newsroom", NEWSROOM_SLACK_URL=endpoint.url)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("newsroom (slack): HTTP 200, sent\n")
    assert "text" in endpoint.taken[0][1]
    endpoint.status, endpoint.answer = 404, b"no_service"
    refused = run("send-test", "newsroom", NEWSROOM_SLACK_URL=endpoint.url)
    assert (refused.exit_code, "broken channel" in refused.stdout) == (1, True)
    assert "secret-part" not in result.output + refused.output


def test_send_test_of_an_idle_or_unknown_channel(run: Run) -> None:
    idle = run("send-test", "newsroom")
    assert (idle.exit_code, idle.stderr) == (1, "channel newsroom is idle: env:NEWSROOM_SLACK_URL is not set\n")
    assert run("send-test", "nobody").exit_code == 2


def test_send_test_with_a_signing_secret_that_is_none_says_so(run: Run, folder: Path, endpoint: Endpoint) -> None:
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace('"slack"', '"webhook"') + 'secret = "env:HOOK_SECRET"\n')
    result = run("send-test", "newsroom", NEWSROOM_SLACK_URL=endpoint.url, HOOK_SECRET="whsec_***not base64***")
    assert (result.exit_code, endpoint.taken) == (1, [])
    assert result.stderr.startswith("channel newsroom: ")
    assert "not base64***" not in result.stderr


def test_what_is_to_be_signed_is_never_sent_unsigned(run: Run, folder: Path, endpoint: Endpoint) -> None:
    """While the secret is not set, the channel is idle, for a test and for a rehearsal too."""
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace('"slack"', '"webhook"') + 'secret = "env:HOOK_SECRET"\n')
    result = run("send-test", "newsroom", NEWSROOM_SLACK_URL=endpoint.url)
    assert (result.exit_code, result.stderr) == (1, "channel newsroom is idle: env:HOOK_SECRET is not set\n")
    played = run("rehearse", *WEEK, "--speed", "10000000", "--json", NEWSROOM_SLACK_URL=endpoint.url)
    assert (json.loads(played.stdout)["not sent"], endpoint.taken) == (4, [])
    signed = ("--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert run("rehearse", *WEEK, "--speed", "10000000", *signed, NEWSROOM_SLACK_URL=endpoint.url).exit_code == 0
    assert all("webhook-signature" in headers for headers, _ in endpoint.taken)


def test_a_secret_file_that_cannot_be_read_is_named_as_one(run: Run) -> None:
    """Somebody who did set something is not told that nothing is set."""
    idle = run("send-test", "newsroom", NEWSROOM_SLACK_URL_FILE="/nowhere")
    words = "the file that NEWSROOM_SLACK_URL_FILE names is missing, empty or not readable"
    assert (idle.exit_code, idle.stderr) == (1, f"channel newsroom is idle: {words}\n")


@pytest.mark.parametrize("address", ["…", "hooks.example.org/T0/B0/secret-part", "ftp://example.org/secret-part"])
def test_an_address_that_is_none_is_not_called_a_matter_of_time(run: Run, address: str) -> None:
    result = run("send-test", "newsroom", NEWSROOM_SLACK_URL=address)
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "newsroom (slack): no answer (refused), broken channel",
            "the address may not be used (it is no http:// or https:// URL)",
            "Nothing is taken until it is repaired: make a new address there and name it in the environment.",
        ],
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--to-url", "hook"), "Invalid value for '--to-url': expected an absolute http:// or https:// URL"),
        (("--secret", "env:NOWHERE"), "--secret: env:NOWHERE is not set"),
        (("--secret", "file:/nowhere"), "--secret: the file /nowhere is missing, empty or not readable"),
        (("--secret", "***"), "--secret: the signing secret is not base64: expected whsec_ and base64"),
        (("--to", "2024-05-01"), "--to lies before --from"),
    ],
)
def test_a_rehearsal_that_cannot_be_played_is_wrong_usage(run: Run, options: tuple[str, ...], said: str) -> None:
    result = run("rehearse", *WEEK, "--speed", "10000000", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f"Error: {said}\n")


def test_a_rehearsal_says_why_a_message_failed(run: Run, folder: Path, endpoint: Endpoint) -> None:
    endpoint.status = 410
    played = run("rehearse", *WEEK, "--speed", "10000000", "--to-url", endpoint.url)
    assert {line.rpartition("  ")[2] for line in played.stdout.splitlines()} == {"(answered 410)"}
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace('"slack"', '"webhook"') + 'secret = "env:HOOK_SECRET"\n')
    unsigned = run("rehearse", *WEEK, "--speed", "10000000", NEWSROOM_SLACK_URL=endpoint.url, HOOK_SECRET="***")
    assert unsigned.exit_code == 1
    assert {line.rpartition("  ")[2] for line in unsigned.stdout.splitlines()} == {
        "(the signing secret is not base64: expected whsec_ and base64)"
    }


@pytest.mark.parametrize("command", ["plan", "agenda"])
def test_a_span_that_ends_before_it_begins_is_wrong_usage(run: Run, command: str) -> None:
    result = run(command, "--from", "2024-05-16", "--to", "2024-05-14")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "Error: --to lies before --from")
    assert run(command, "--from", "2024-05-16", "--to", "2024-05-16").exit_code == 0


def test_send_test_answers_a_machine_in_json_when_nothing_could_be_sent(run: Run, folder: Path) -> None:
    idle = run("send-test", "newsroom", "--json")
    assert (idle.exit_code, json.loads(idle.stdout)) == (
        1,
        {
            "channel": "newsroom",
            "kind": "slack",
            "status": None,
            "outcome": "idle",
            "reason": "env:NEWSROOM_SLACK_URL is not set",
            "advice": "Set what is missing, or remove the channel: until then it is sent nothing.",
        },
    )
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace('"slack"', '"webhook"') + 'secret = "env:HOOK_SECRET"\n')
    broken = run("send-test", "newsroom", "--json", NEWSROOM_SLACK_URL="http://127.0.0.1:1/", HOOK_SECRET="***")
    assert (broken.exit_code, json.loads(broken.stdout)["outcome"]) == (1, "broken_channel")


def test_a_lead_of_nothing_is_the_same_day_for_days_alone(run: Run, folder: Path) -> None:
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace('before = ["1d", "1h"]', 'before = ["0m"]'))
    rows = run("plan", *WEEK).stdout.splitlines()[1:]
    assert [row.split("newsroom")[1].split("  ")[1] for row in rows] == ["0m", "same day"]
