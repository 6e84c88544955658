"""The README and the tutorial: what they say is run here, against the installed program, in empty folders."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
import yaml

from calfeed.events.parse import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HELP = ROOT / "calfeed" / "help"
TUTORIAL = (HELP / "tutorial.md").read_text(encoding="utf-8")
CALENDAR = '[calendar]\nid = "c"\nname = "C"\ntimezone = "Europe/Paris"\n'
SCREEN = 50
"""Lines of a screen, long paragraphs wrapped at `WIDTH`."""
WIDTH = 160


def blocks(text: str) -> list[str]:
    """The indented and fenced blocks of a page, without their indentation."""
    indented = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in [*indented, *fenced]]


def script(text: str, *without: str) -> str:
    """The commands of a page as one script for bash; those that begin with any of ``without`` are left to others."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    commands = [line for line in lines if re.match(r"(calfeed|mkdir|export|pip|pipx|make|git) ", line)]
    return "\n".join(line for line in commands if not line.startswith(without))


class _Slack(BaseHTTPRequestHandler):
    taken: list[bytes]

    def do_POST(self) -> None:
        self.server.taken.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]  # set below
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def slack() -> Iterator[ThreadingHTTPServer]:
    """A local endpoint in the place of a workspace's incoming webhook."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slack) as server:
        server.taken = []  # type: ignore[attr-defined]  # what was posted
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def environment(folder: Path, slack: ThreadingHTTPServer) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "SLACK": f"http://127.0.0.1:{slack.server_port}/hook",
        "CALFEED_ALLOW_PRIVATE_WEBHOOKS": "127.0.0.0/8",
    }


def run(commands: str, folder: Path, slack: ThreadingHTTPServer) -> str:
    """What the commands print; a failing one fails the test. The secret address becomes the local endpoint's."""
    here = re.sub(r"(export NEWSROOM_SLACK_URL)=\S+", r"\1=$SLACK", commands)
    done = subprocess.run(
        ["bash", "-euc", here],
        cwd=folder,
        env=environment(folder, slack),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path, slack: ThreadingHTTPServer) -> None:
    said = run(script(README, "make ", "pip", "calfeed up"), tmp_path, slack)
    assert (tmp_path / "my-calendar" / "events.toml").exists()
    assert "0 errors, 0 warnings" in said
    assert len(re.findall(r"Opening talk +confirmed +opening$", said, re.MULTILINE)) == 1
    assert len(slack.taken) == 1  # type: ignore[attr-defined]  # one message: a dry run sends none
    assert re.search(r"6 planned: 0 sent, 0 failed, 6 not sent", said)
    assert not list(tmp_path.rglob("*.db"))


def test_the_commands_of_the_tutorial_do_what_it_says(tmp_path: Path, slack: ThreadingHTTPServer) -> None:
    """Its TOML is written between them, where it says so."""
    commands = script(TUTORIAL, "git ", "pip", "calfeed up", "calfeed doctor").splitlines()
    at = commands.index("calfeed init") + 1
    (event,) = [block for block in blocks(TUTORIAL) if "press-day" in block]
    written = [*commands[:at], f"cat >> events.toml <<'END'\n{event}END", *commands[at:]]
    inline = re.findall(r"`(calfeed [^`]+)`", TUTORIAL)
    said = run("\n".join([*written, *(one for one in inline if "rehearse" in one)]), tmp_path, slack)
    assert "0 errors, 0 warnings" in said
    assert re.search(r"Tue 2027-03-09 10:00–12:00 Europe/Paris +Press day +confirmed +press-day", said)
    assert len(slack.taken) == 1  # type: ignore[attr-defined]  # send-test alone
    assert re.search(r"2 planned: 0 sent, 0 failed, 2 not sent", said)


@contextmanager
def up(folder: Path, slack: ThreadingHTTPServer, port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    env = {**environment(folder, slack), "PORT": str(port)}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(["bash", "-c", "exec calfeed up"], cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield url
        process.terminate()
        assert process.wait(timeout=15) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_what_up_serves_follows_the_file_and_outlives_a_broken_edit(tmp_path: Path, slack: ThreadingHTTPServer) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slack) as free:
        port = free.server_port
    run("calfeed init", tmp_path, slack)
    source = tmp_path / "events.toml"
    with up(tmp_path, slack, port) as url:
        feed = f"{url}/feeds/all.ics"
        assert "Opening talk" in _once_there(feed, "Opening talk")
        assert requests.get(f"{url}/subscribe/all", timeout=10).status_code == 200
        source.write_text(source.read_text("utf-8").replace("Opening talk", "Keynote"), encoding="utf-8")
        assert "Opening talk" not in _once_there(feed, "Keynote")
        source.write_text(source.read_text("utf-8").replace('duration = "45m"', 'duration = "45min"'), encoding="utf-8")
        log = tmp_path / "log.txt"
        _wait(lambda: "events.toml:45:1" in log.read_text("utf-8"))
        assert "Keynote" in requests.get(feed, timeout=10).text


def _once_there(url: str, words: str) -> str:
    found: list[str] = []

    def asked() -> bool:
        try:
            found.append(requests.get(url, timeout=10).text)
        except requests.ConnectionError:
            return False
        return words in found[-1]

    _wait(asked)
    return found[-1]


def _wait(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("not within 30 s")


def test_make_has_the_targets_that_are_named() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    contributing = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    assert {
        line.split()[1] for line in script(README + contributing).splitlines() if line.startswith("make ")
    } < targets


def test_the_readme_is_a_screen_and_a_half() -> None:
    rows = sum(1 if line.startswith("|") else 1 + max(len(line) - 1, 0) // WIDTH for line in README.splitlines())
    assert rows <= SCREEN * 1.5


def test_pictures_and_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", README)
    assert [target for target in targets if not (ROOT / target).is_file()] == []
    pictures = {target: (ROOT / target).stat().st_size for target in targets if target.endswith(".png")}
    assert sorted(Path(target).stem for target in pictures) == ["agenda", "check", "slack"]
    assert max(pictures.values()) < 60_000


def test_its_table_names_every_room() -> None:
    rooms = {folder.name for folder in (ROOT / "calfeed").iterdir() if folder.is_dir() and folder.name[0] not in "._"}
    told = re.findall(r"^\| `calfeed/(\w+)/`", README, re.MULTILINE)
    assert (set(told), len(told)) == (rooms, len(rooms))


def toml_blocks() -> Iterator[tuple[str, str]]:
    """Of every page but two, whose blocks are one list together: tests/events and tests/channels read those."""
    for page in [page for page in sorted(HELP.glob("*.md")) if page.stem not in {"events-toml", "channels"}]:
        for number, block in enumerate(blocks(page.read_text("utf-8"))):
            if re.search(r"^\[\[?(calendar|feeds|events|channels)", block, re.MULTILINE):
                yield f"{page.stem}-{number}", block


@pytest.mark.parametrize("block", [block for _, block in toml_blocks()], ids=[name for name, _ in toml_blocks()])
def test_every_list_in_the_manual_is_read_without_a_word(block: str) -> None:
    """A block that is part of a list is read below a calendar."""
    assert load([("page.toml", block if "[calendar]" in block else CALENDAR + block)]).warnings == ()


@pytest.mark.parametrize("page", sorted(HELP.glob("*.md")), ids=lambda page: page.stem)
def test_the_yaml_of_the_manual_is_yaml(page: Path) -> None:
    for block in blocks(page.read_text("utf-8")):
        if re.match(r"(name|repos|on|jobs):", block):
            assert isinstance(yaml.safe_load(block), dict)


PROPOSAL = """
git init --quiet .
git add events.toml
git -c user.name=editor -c user.email=editor@example.org commit --quiet --message first
git update-ref refs/remotes/origin/main HEAD
export GITHUB_BASE_REF=main RUNNER_TEMP=.git
"""


def test_the_workflow_of_the_newsroom_page_says_in_words_what_a_proposal_changes(
    tmp_path: Path, slack: ThreadingHTTPServer
) -> None:
    pages = blocks((HELP / "newsroom.md").read_text("utf-8"))
    (workflow,) = [yaml.safe_load(block) for block in pages if block.startswith("name: calendar")]
    (step,) = [each["run"] for each in workflow["jobs"]["check"]["steps"] if "calfeed diff" in each.get("run", "")]
    words = tmp_path / "words.md"
    run("calfeed init" + PROPOSAL + step, tmp_path, slack)
    assert words.read_text("utf-8") == "### What changes\nNothing that readers would see.\n"
    run(PROPOSAL.splitlines()[-1] + "\nsed -i s/2027-05-2/2199-05-2/ events.toml\n" + step, tmp_path, slack)
    assert re.fullmatch(
        r"### What changes\n(- .+: .+; \d+ reminders (move with it|are new).*\n)+", words.read_text("utf-8")
    )


def hooks() -> dict[str, dict[str, str]]:
    return {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def test_the_hooks_of_the_newsroom_page_exist() -> None:
    (asked,) = [block for block in blocks((HELP / "newsroom.md").read_text("utf-8")) if block.startswith("repos:")]
    (repository,) = yaml.safe_load(asked)["repos"]
    assert {hook["id"] for hook in repository["hooks"]} <= set(hooks())


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("events.toml", True),
        ("calendar/events.toml", True),
        ("events/00-calendar.toml", False),  # a part of a source: the whole source has a hook of its own
        ("feed.ics", True),
        ("pyproject.toml", False),
        ("events.toml.orig", False),
    ],
)
def test_the_hook_takes_event_lists_and_feeds_and_nothing_else(path: str, *, checked: bool) -> None:
    """pre-commit matches ``files`` anywhere in the path, as ``re.search`` does."""
    assert bool(re.search(hooks()["calfeed-check"]["files"], path)) is checked


@pytest.mark.parametrize("hook", hooks().values(), ids=hooks())
def test_each_hook_passes_a_good_list_and_fails_a_bad_one(
    hook: dict[str, str], tmp_path: Path, slack: ThreadingHTTPServer
) -> None:
    arguments = "" if "pass_filenames" in hook else "events.toml"
    run(f"calfeed init && {hook['entry']} {arguments}", tmp_path, slack)
    run(f"sed -i s/duration/durations/ events.toml && ! {hook['entry']} {arguments}", tmp_path, slack)
