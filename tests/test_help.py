"""The manual says what the program does: every command, option, setting and link stands in it, and no other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest

from calfeed.cli import COMMANDS, calfeed

HELP = Path(str(files("calfeed"))) / "help"
PAGES = sorted(HELP.glob("*.md"))
CONTEXT = click.Context(calfeed, info_name="calfeed")


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = calfeed.get_command(CONTEXT, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", command.commands[sub]) for sub in command.commands)


def sections() -> dict[str, str]:
    """By command: what the page says under its heading."""
    text = (HELP / "commands.md").read_text(encoding="utf-8")
    found = re.findall(r"^##+ calfeed (.+?)\n(.*?)(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL)
    return {re.sub(r"[A-Z\[].*", "", heading).strip(): body for heading, body in found}


def test_the_page_of_commands_has_every_command_and_no_other() -> None:
    assert sorted(sections()) == sorted(name for name, _ in commands())


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_each_command_stands_there_with_its_options_and_no_others(name: str) -> None:
    command = dict(commands())[name]
    real = {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--") and option != "--events"
    }
    told = set(re.findall(r"^\| `(?:-\w, )?(--[a-z-]+)", sections()[name], re.MULTILINE))
    assert told == real


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in commands()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_the_page_of_settings_has_every_setting_and_no_other() -> None:
    source = (HELP.parent / "settings.py").read_text(encoding="utf-8")
    real = set(re.findall(r'"((?:CALFEED_|DATABASE_|WEB_)[A-Z_]+|PORT)"', source))
    told = re.findall(r"^\| `([A-Z_]+)` \|", (HELP / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert (set(told), len(told)) == (real, len(real))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_within_the_manual_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    missing = [
        target
        for target in targets
        if not (HELP / target).exists()
        and not (target.startswith("/help/") and (HELP / f"{target.removeprefix('/help/')}.md").exists())
    ]
    assert missing == []


def test_the_index_leads_to_every_page() -> None:
    index = (HELP / "index.md").read_text(encoding="utf-8")
    assert [page.stem for page in PAGES if page.stem != "index" and f"{page.stem}" not in index] == []


def test_the_page_of_the_house_draws_the_rooms_as_they_are() -> None:
    """Every folder and module of the package, and who may import whom as `lint-imports` holds it."""
    page = (HELP / "design.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^ {6}(\w.*)$", page, re.MULTILINE)
    names = {
        name.rstrip("/") for line in drawn for name in re.findall(r"\b[a-z_]+(?:\.py|/)", line.partition("   ")[0])
    }
    real = {path.name for path in HELP.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {"help"} | {name for name in real if not name.startswith("_")} == names
    contracts = tomllib.loads((HELP.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert " → ".join([*contracts[0]["layers"], "errors"]) in page


def test_the_manual_speaks_of_calfeed_only() -> None:
    """No path of somebody's machine, no address of a package registry."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"pypi\.org|npmjs\.(org|com)|/root/|/home/\w", text), page.name
