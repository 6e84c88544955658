"""Commands that read a source: results on stdout, the rest on stderr, 0 for success, 1 for problems, 2 for usage."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from calfeed.cli import COMMANDS, main

Run = Callable[..., Result]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Example: calfeed " in result.stdout or "Commands:" in result.stdout


def test_check_of_a_good_source_says_nothing_and_exits_0(run: Run) -> None:
    result = run("check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "0 errors, 0 warnings\n")


def test_check_tells_every_problem_with_its_place(run: Run, folder: Path) -> None:
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(
        text.replace("2024-05-21", "2024-05-01").replace('kind = "slack"', 'kind = "slak"')
    )
    result = run("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(": ")[:3] for line in lines] == [
        ["events.toml:23:1", "error", "events[1].end"],
        ["events.toml:28:1", "error", "channels[0].kind"],
    ]


def test_check_as_json_and_for_github(run: Run, folder: Path) -> None:
    text = (folder / "events.toml").read_text()
    (folder / "events.toml").write_text(text.replace("2024-05-21", "2024-05-01"))
    found = json.loads(run("check", "--json").stdout)
    assert json.dumps(found).count("2024-05-01 is before start 2024-05-17") == 1
    assert run("check", "--format", "github").stdout.startswith("::error file=events.toml,line=23")


def test_check_takes_what_a_pipe_brings(run: Run, folder: Path) -> None:
    """Either kind, told apart by how it begins."""
    feed = run("feed", "all").stdout_bytes
    listed = (folder / "events.toml").read_bytes()
    assert [run("check", "-", stdin=one).exit_code for one in (feed, listed)] == [0, 0]
    assert run("check", "-", stdin=feed.replace(b"VERSION:2.0", b"VERSION:1.0")).stdout.startswith("-:1: error: ")
    assert run("check", "-", stdin=b"colour = 1").stdout.startswith("-:1:1: error: ")


def test_check_of_a_source_that_is_not_there(run: Run, folder: Path) -> None:
    result = run("check", "nowhere.toml")
    assert result.exit_code == 1
    assert result.stdout.startswith("nowhere.toml: error: cannot be read: No such file or directory")


def test_an_unknown_command_or_option_exits_2(run: Run) -> None:
    assert [run("chekc").exit_code, run("check", "--nonsense").exit_code] == [2, 2]


def test_init_writes_a_source_that_check_accepts_and_never_writes_over_one(run: Run, folder: Path) -> None:
    again = run("init")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    (folder / "events.toml").unlink()
    assert run("init").exit_code == 0
    assert run("check").exit_code == 0
    assert run("init", "-").stdout == (folder / "events.toml").read_text()


def test_schema_is_json_schema(run: Run) -> None:
    schema = json.loads(run("schema").stdout)
    assert {"calendar", "events", "feeds", "channels"} <= set(schema["properties"])


def test_agenda_shows_what_lies_between(run: Run) -> None:
    result = run("agenda", "--from", "2024-05-16", "--to", "2024-05-17")
    assert result.stdout.splitlines() == [
        "WHEN                                      WHAT   STATUS     ID",
        "Thu 2024-05-16 10:00–11:30 Asia/Shanghai  Talks  confirmed  talks",
        "Fri 2024-05-17 – Tue 2024-05-21           EXPO   confirmed  expo",
    ]


def test_agenda_shows_an_end_that_clocks_show_before_the_start(run: Run, folder: Path) -> None:
    """It takes 40 minutes, in which the clocks go back."""
    night = """
        [calendar]
        id = "x"
        name = "X"
        timezone = "America/New_York"

        [[events]]
        id = "night"
        summary = "Night"
        start = 2024-11-03T01:30:00-04:00
        end = 2024-11-03T01:10:00-05:00
    """
    (folder / "night.toml").write_text(night, encoding="utf-8")
    shown = run("agenda", "--events", "night.toml", "--from", "2024-11-01", "--to", "2024-11-05").stdout
    assert "Sun 2024-11-03 01:30–01:10 America/New_York" in shown


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["--rich=1"], ["--rich"]),
        (["--rich", "1"], ["--rich"]),
        (["--rich=0"], []),
        (["--expand=1", "expo"], ["--expand", "expo"]),
    ],
)
def test_the_switches_of_feed_may_be_written_as_query_keys(run: Run, written: list[str], meant: list[str]) -> None:
    """The query keys are options: what stands in an address as ``rich=1`` may stand here so."""
    result = run("feed", *written)
    assert (result.exit_code, result.stdout_bytes) == (0, run("feed", *meant).stdout_bytes)


def test_agenda_takes_feed_category_and_language(run: Run) -> None:
    span = ("--from", "2024-05-01", "--to", "2024-05-31", "--json")
    assert [one["id"] for one in json.loads(run("agenda", *span, "--feed", "expo").stdout)] == ["expo"]
    talks = json.loads(run("agenda", *span, "--category", "summit", "--lang", "zh").stdout)
    assert [(one["summary"], one["start"]) for one in talks] == [("会谈", "2024-05-16T10:00:00+08:00")]
    assert run("agenda", "--feed", "nothing").exit_code == 2


def test_a_broken_source_gives_problems_and_exit_1_in_every_command_that_reads_it(run: Run, folder: Path) -> None:
    (folder / "events.toml").write_text("nonsense")
    for command in (("agenda",), ("plan",), ("feed",), ("send-test", "newsroom")):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("events.toml:1:")


def test_what_cannot_be_written_is_told_in_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is missing, or where nothing can be made, is no traceback."""
    for command in (["init", "nowhere/events.toml"], ["build", "--out", "/proc/nowhere"]):
        with pytest.raises(SystemExit) as left:
            main(command)
        (line,) = capsys.readouterr().err.splitlines()
        assert left.value.code == 1
        assert line == f"{command[-1]}: error: No such file or directory"


def test_a_site_is_not_built_under_an_address_that_is_none(run: Run, folder: Path) -> None:
    """Every link of it would lead nowhere."""
    result = run("build", "--out", "site", "--base-url", "calendar.example.org")
    said = "Error: Invalid value for '--base-url': expected an absolute http:// or https:// URL"
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, said)
    assert not (folder / "site").exists()


def test_a_query_that_cannot_be_used_is_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["feed", "--alarm", "5"])
    (line,) = capsys.readouterr().err.splitlines()
    assert left.value.code == 2
    assert line == "alarm: expected a duration such as '30m', '2h', '1d' or '1h30m', got '5'"


def test_output_that_finds_no_room_is_told_in_a_line(folder: Path) -> None:
    for command in (["agenda", "--from", "2024-05-01", "--to", "2024-05-31"], ["feed"], ["schema"], ["--help"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "calfeed", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert (done.returncode, done.stderr) == (1, "the output cannot be written: No space left on device\n")


def test_a_reader_who_has_seen_enough_is_no_fault(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    for command in (["schema"], ["feed"]):
        done = subprocess.run(
            [sys.executable, "-m", "calfeed", *command], stdout=write, stderr=subprocess.PIPE, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    os.close(write)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "koi8-r"])
def test_what_goes_into_a_file_is_utf_8_whatever_the_locale(
    folder: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """The event list that `init` or `import` write must be one that calfeed reads."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    with pytest.raises(SystemExit) as left:
        main(["init", "-"])
    sys.stdout.flush()
    assert left.value.code == 0
    assert "Открытие" in written.getvalue().decode("utf-8")


def test_a_closed_output_is_no_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as left:
        main(["feed"])
    sys.stdout.close()
    assert left.value.code == 0
