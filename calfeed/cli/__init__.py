"""The command line: parse arguments, call, print. A command's module is imported only when it runs."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from calfeed import __version__
from calfeed.errors import CalfeedError, QueryError, SettingsError, UsageError

COMMANDS = {
    "init": ("calfeed.cli.source:init", "A commented starting events.toml."),
    "check": ("calfeed.cli.source:check", "Every problem of a source and of .ics files."),
    "schema": ("calfeed.cli.source:schema", "JSON Schema of the TOML, for editors."),
    "agenda": ("calfeed.cli.source:agenda", "The coming occurrences as a table."),
    "diff": ("calfeed.cli.compare:diff", "What changed between two sources or feeds."),
    "import": ("calfeed.cli.compare:import_", "iCalendar to TOML, UIDs kept."),
    "feed": ("calfeed.cli.output:feed", "One feed to stdout."),
    "build": ("calfeed.cli.output:build", "The static site, for any file host."),
    "up": ("calfeed.cli.run:up", "Web and reminders together on SQLite."),
    "serve": ("calfeed.cli.run:serve", "The web alone."),
    "remind": ("calfeed.cli.run:remind", "The reminder process alone."),
    "upgrade": ("calfeed.cli.run:upgrade", "Bring the database to this version."),
    "plan": ("calfeed.cli.reminders:plan", "The coming reminders; nothing is sent."),
    "rehearse": ("calfeed.cli.reminders:rehearse", "Play the schedule on a simulated clock."),
    "send-test": ("calfeed.cli.send_test:send_test", "One test message now, with the answer explained."),
    "deliveries": ("calfeed.cli.ledger:deliveries", "The ledger: list, show, retry, audit."),
    "doctor": ("calfeed.cli.doctor:doctor", "What is wrong with this installation, and how to mend it."),
    "token": ("calfeed.cli.ledger:token", "The secret links of private feeds."),
}


class LazyGroup(click.Group):
    """Knows the names and one-line helps of its commands, and imports one when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        command.short_help = COMMANDS[cmd_name][1]  # beside its name when a shell completes
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a reader of its output who has seen enough, as `head` has, is no fault."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _discard_output()
            ctx.exit(0)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of ``calfeed --help``, written without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="calfeed %(version)s")
@click.option(
    "--events",
    type=click.Path(),
    metavar="PATH",
    help="The event list or its folder (else CALFEED_EVENTS, else events.toml).",
)
@click.pass_context
def calfeed(ctx: click.Context, events: str | None) -> None:
    """Publish an event list as calendar feeds and remind people before each item.

    Example: calfeed init && calfeed check && calfeed up
    """
    ctx.obj = events


def main(args: Sequence[str] | None = None) -> None:
    """The console script. Exits 0 for success, 1 for problems found, 2 for wrong usage."""
    _prepare_output()
    try:
        calfeed.main(args=args, prog_name="calfeed", standalone_mode=True)
    except CalfeedError as fault:
        click.echo(str(fault), err=True)
        sys.exit(2 if isinstance(fault, SettingsError | UsageError | QueryError) else 1)
    except OSError as fault:  # a folder that is missing, not ours or full is no fault of the program
        if fault.filename is None and fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
            _leave_output(fault)
        if fault.filename is None:
            raise
        click.echo(f"{fault.filename}: error: {fault.strerror}", err=True)
        sys.exit(1)


def _prepare_output() -> None:
    """What goes into a file or a pipe is UTF-8, whatever the locale; on a terminal, what it cannot show is "?"."""
    if sys.stdout is None:  # closed by who started us
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # stays open as long as the process lives
    elif isinstance(sys.stdout, io.TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors=sys.stdout.errors)


def _leave_output(fault: OSError) -> None:
    """Ends a command whose output finds no room."""
    click.echo(f"the output cannot be written: {fault.strerror}", err=True)
    _discard_output()
    sys.exit(1)


def _discard_output() -> None:
    """The interpreter is not to try again what could not be written, as it ends."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
