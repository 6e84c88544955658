"""Commands about what is remembered: secret links, and deliveries with what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from calfeed.cli.ledger import STATES
from calfeed.errors import NotFound
from calfeed.events.parse import load
from calfeed.ledger import Ledger, Settlement, State
from calfeed.ledger import Result as Outcome
from calfeed.publish import read_files

Run = Callable[..., Result]
NOW = datetime(2024, 5, 14, tzinfo=UTC)

CREW = """
[[feeds]]
id = "crew"
name = "Crew"
visibility = "private"
"""


@pytest.fixture
def private(folder: Path) -> None:
    path = folder / "events.toml"
    path.write_text(path.read_text() + CREW)


@pytest.fixture
def sent(folder: Path) -> str:
    """A ledger with one delivery that was sent and one that is dead; the id of the latter."""
    with Ledger("sqlite:///calfeed.db") as ledger:
        ledger.upgrade()
        ledger.publish(load(read_files(folder / "events.toml")), NOW)
        ledger.plan(["newsroom"], NOW)
        later = NOW + timedelta(days=30)
        first, second = ledger.claim(NOW + timedelta(days=2, hours=1), 2, ["newsroom"], lambda _: True)
        how = {"attempt": 1, "started": later, "ended": later}
        ledger.settle(
            [
                Settlement(delivery=first.id, result=Outcome.SENT, status=200, **how),
                Settlement(delivery=second.id, result=Outcome.RETRY, status=503, error="answered 503", **how),
            ],
            later,
        )
        ledger.sweep(later)
    return second.id


@pytest.mark.usefixtures("private")
class TestToken:
    """`calfeed token`"""

    def test_a_link_is_made_listed_and_revoked(self, run: Run) -> None:
        made = json.loads(
            run("token", "make", "crew", "--json", CALFEED_BASE_URL="https://calendar.example.org").stdout
        )
        assert made.keys() == {"id", "token", "url"}
        assert made["url"] == f"https://calendar.example.org/private/{made['token']}/crew.ics"
        listed = json.loads(run("token", "list", "--json").stdout)
        assert [(one["id"], one["feed"], one["used"], one["revoked"]) for one in listed] == [
            (made["id"], "crew", None, None)
        ]
        assert run("token", "revoke", made["id"]).exit_code == 0
        assert json.loads(run("token", "list", "--json").stdout)[0]["revoked"] is not None

    def test_the_token_is_shown_once_and_stored_nowhere(self, run: Run, folder: Path) -> None:
        made = json.loads(run("token", "make", "crew", "--json").stdout)
        assert len(made["token"]) >= 160 / 6  # letters of 6 bits
        assert made["token"] not in run("token", "list").stdout + run("token", "list", "--json").stdout
        kept = b"".join(path.read_bytes() for path in folder.glob("calfeed.db*"))
        assert made["token"].encode() not in kept

    def test_only_the_link_goes_to_stdout(self, run: Run) -> None:
        result = run("token", "make", "crew")
        assert result.stdout.count("\n") == 1
        assert result.stdout.startswith("http://127.0.0.1:8000/private/")

    def test_a_feed_that_needs_no_token_or_is_not_there_is_wrong_usage(self, run: Run) -> None:
        for feed, words in (("expo", "needs no token"), ("none", "private ones are: crew")):
            result = run("token", "make", feed)
            assert (result.exit_code, words in result.stderr) == (2, True)

    def test_an_unknown_id_is_an_error(self, run: Run) -> None:
        with pytest.raises(NotFound):
            run("token", "revoke", "nope")


class TestDeliveries:
    """`calfeed deliveries`"""

    def test_list_narrows_by_state(self, run: Run, sent: str) -> None:
        every = json.loads(run("deliveries", "list", "--json").stdout)
        dead = json.loads(run("deliveries", "list", "--state", "dead", "--json").stdout)
        assert [one["id"] for one in dead] == [sent]
        assert {one["state"] for one in every} >= {"sent", "dead"}
        talks = json.loads(run("deliveries", "list", "--event", "talks", "--json").stdout)
        assert {one["event"] for one in every} > {one["event"] for one in talks} == {"talks"}
        assert sent in run("deliveries", "list").stdout

    def test_show_tells_every_attempt(self, run: Run, sent: str) -> None:
        shown = json.loads(run("deliveries", "show", f"msg_{sent}", "--json").stdout)
        assert (shown["id"], shown["state"], shown["last_error"]) == (sent, "dead", "answered 503")
        assert [(one["number"], one["outcome"], one["status"]) for one in shown["attempts"]] == [(1, "retry", 503)]
        assert "answered 503" in run("deliveries", "show", sent).stdout

    def test_retry_takes_what_is_dead_and_says_what_it_leaves(self, run: Run, sent: str) -> None:
        result = run("deliveries", "retry", sent, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (0, {"retried": [sent], "left": []})
        again = run("deliveries", "retry", sent, "--json")
        assert (again.exit_code, json.loads(again.stdout)) == (1, {"retried": [], "left": [sent]})

    def test_audit_of_a_whole_ledger_is_clean(self, run: Run, sent: str) -> None:
        result = run("deliveries", "audit", "--json")
        found = json.loads(result.stdout)
        assert (result.exit_code, found["clean"], found["findings"]) == (0, True, [])
        assert run("deliveries", "audit").stderr == "4 deliveries, 0 findings\n"
        assert (found["outcomes"]["sent"], found["outcomes"]["dead"]) == (1, 1)

    def test_audit_finds_what_has_no_outcome(self, run: Run, sent: str) -> None:
        at = datetime(2024, 6, 20, tzinfo=UTC)
        with Ledger("sqlite:///calfeed.db") as ledger:
            ledger.retry([sent], at)
            assert len(ledger.claim(at, 1, ["newsroom"], lambda _: True)) == 1
        result = run("deliveries", "audit")
        assert (result.exit_code, result.stderr) == (1, "4 deliveries, 1 finding\n")
        assert sent in result.stdout


def test_the_states_that_may_be_asked_for_are_those_there_are() -> None:
    """Written twice, so that help costs no database library."""
    assert list(STATES) == [state.value for state in State]
