"""Commands that stay: the web, the reminders, both; and the upgrade that goes before them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from calfeed.cli.common import events_option, settings, show_problems
from calfeed.errors import LedgerBusy, LedgerError, LedgerVersion, SourceError

if TYPE_CHECKING:
    from calfeed.scheduler import Reminders
    from calfeed.settings import Settings

host_option = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
port_option = click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (else PORT, else 8000).")


@click.command()
@host_option
@port_option
@events_option
@click.pass_context
def up(ctx: click.Context, host: str, port: int | None, events: str | None) -> None:
    """Run web and reminders together, with SQLite unless CALFEED_DATABASE_URL says otherwise.

    Example: calfeed up --port 8080
    """
    found = settings(ctx, events)
    _upgrade(found)
    _check_source(found)
    reminders = _reminders(found)
    reminders.start()
    stopping = threading.Thread(target=reminders.stop)  # not a daemon: the process ends after it
    try:
        _serve(found, host, port, "web and reminders", on_stop=lambda: _once(stopping))
    finally:
        _once(stopping)
        stopping.join()


@click.command()
@host_option
@port_option
@events_option
@click.pass_context
def serve(ctx: click.Context, host: str, port: int | None, events: str | None) -> None:
    """Run the web alone; WEB_CONCURRENCY sets the number of worker processes.

    Example: calfeed serve --host 0.0.0.0 --port 8080
    """
    found = settings(ctx, events)
    _upgrade_sqlite(found)
    _check_source(found)
    _serve(found, host, port, "web")


@click.command()
@events_option
@click.pass_context
def remind(ctx: click.Context, events: str | None) -> None:
    """Run the reminder process alone; any number may run on one database.

    Example: calfeed remind
    """
    found = settings(ctx, events)
    _upgrade_sqlite(found)
    _check_source(found)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    reminders = _reminders(found)
    reminders.start()
    click.echo("calfeed reminders are running", err=True)
    while not stop.wait(1):  # a signal that the kernel gives to another thread does not wake this one from its sleep
        pass
    reminders.stop()


@click.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Bring the database to this version; safe to run by several at once, and again.

    Example: calfeed upgrade
    """
    _upgrade(settings(ctx))
    click.echo("the database is at this version", err=True)


def _once(thread: threading.Thread) -> None:
    if thread.ident is None:
        thread.start()


def _serve(found: Settings, host: str, port: int | None, what: str, on_stop: Callable[[], None] | None = None) -> None:
    from calfeed.web.server import serve as run_server  # granian

    port = port or found.port
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"calfeed {what}: http://{shown}:{port}/", err=True)
    run_server(host, port, found.workers, on_stop)


def _upgrade(found: Settings) -> None:
    """Without its database nothing is started: nobody would know which SEQUENCE was published, or what was sent."""
    from calfeed.ledger import Ledger  # sqlalchemy

    with Ledger(found.database_url) as ledger:
        try:
            ledger.upgrade()
        except LedgerError as fault:
            advice = _advice(fault) if _is_file(found) else ""
            raise type(fault)(f"{fault}{advice}") from fault


def _advice(fault: LedgerError) -> str:
    """What to do about a file that is no database, or cannot be opened; the manual says it at length."""
    if isinstance(fault, LedgerVersion):
        return ""
    if isinstance(fault, LedgerBusy):
        return ": does its folder exist, with room, and may this user write there?"
    return ": put back a copy, or move the file aside to begin anew (what either means stands in the manual: Hosting)"


def _is_file(found: Settings) -> bool:
    return found.database_url.startswith("sqlite")


def _upgrade_sqlite(found: Settings) -> None:
    """A file of our own is brought up to date without asking; a shared server is upgraded by its release step."""
    if _is_file(found):
        _upgrade(found)


def _reminders(found: Settings) -> Reminders:
    from calfeed.scheduler import Reminders  # apscheduler, requests, sqlalchemy

    return Reminders(found, os.environ)


def _check_source(found: Settings) -> None:
    """A source that cannot be used stops a first start; once something was published, that goes on being served."""
    from calfeed.events.parse import load  # pydantic
    from calfeed.ledger import Ledger  # sqlalchemy
    from calfeed.publish import read_files

    try:
        load(read_files(found.events))
    except SourceError as fault:
        show_problems(fault.problems, err=True)
        with Ledger(found.database_url) as ledger:
            if ledger.current() is None:
                sys.exit(1)
        click.echo("going on with what was last published", err=True)
