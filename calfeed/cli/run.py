"""Commands that stay: the web, the reminders, both; and the upgrade that goes before them."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli.common import events_option, settings, show_problems
from calfeed.errors import CalfeedError, LedgerBusy, LedgerError, LedgerVersion, SourceError, UsageError

if TYPE_CHECKING:
    from calfeed.scheduler import Reminders
    from calfeed.settings import Settings

log = logging.getLogger(__name__)

PORT_PATIENCE = 2.0
"""Seconds."""

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
    port = port or found.port
    address = _free_address(host, port)
    _upgrade(found)
    _check_source(found)
    reminders = _reminders(found)
    reminders.start()
    stopping = threading.Thread(target=reminders.stop)  # not a daemon: the process ends after it
    try:
        _serve(found, address, port, "web and reminders", on_stop=lambda: _once(stopping))
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
    port = port or found.port
    address = _free_address(host, port)
    _upgrade_sqlite(found)
    _check_source(found)
    _serve(found, address, port, "web")


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
    _say(found, "calfeed reminders are running")
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


def _serve(found: Settings, address: str, port: int, what: str, on_stop: Callable[[], None] | None = None) -> None:
    from calfeed.web.server import serve as run_server  # granian

    shown = f"[{address}]" if ":" in address else address
    _say(found, f"calfeed {what}: http://{shown}:{port}/")
    run_server(address, port, found.workers, on_stop)


def _free_address(host: str, port: int) -> str:
    """The numeric address of ``host``, where nobody listens yet: the server asks for SO_REUSEPORT, and would share it.

    A worker whose parent was killed a moment ago may still hold it, so a taken one is waited for.
    Raises UsageError for a host that is none here, CalfeedError for a port that cannot be had.
    """
    until = time.monotonic() + PORT_PATIENCE
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        while not _is_free(family, address, last=time.monotonic() >= until):
            time.sleep(0.1)
    except (OSError, UnicodeError) as fault:
        raise _unusable(host, port, fault) from None
    return str(address[0])


def _is_free(family: int, address: tuple[Any, ...], *, last: bool) -> bool:
    """Raises OSError when it cannot be had; a taken one counts so on the last try alone."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            probe.bind(address)
        except OSError as fault:
            if last or fault.errno != errno.EADDRINUSE:
                raise
            return False
        return True


def _unusable(host: str, port: int, fault: OSError | UnicodeError) -> CalfeedError:
    """Why nobody can be served there, and what to do."""
    if isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE:
        advice = "end what listens there, or choose another port with --port or PORT"
        return CalfeedError(f"port {port} of {host} is taken, perhaps by another calfeed: {advice}")
    if isinstance(fault, PermissionError):
        return CalfeedError(f"port {port} may not be opened by this user: choose one from 1024 on with --port or PORT")
    hint = "127.0.0.1 serves this machine alone, 0.0.0.0 whoever reaches it"
    return UsageError(f"--host {host}: no address of this machine ({hint})")


def _upgrade(found: Settings) -> None:
    """Without its database nothing is started: nobody would know which SEQUENCE was published, or what was sent."""
    from calfeed.ledger import Ledger  # sqlalchemy

    with Ledger(found.database_url) as ledger:
        try:
            ledger.upgrade()
        except LedgerError as fault:
            advice = _advice(fault, found.database_url) if _is_file(found) else ""
            raise type(fault)(f"{fault}{advice}") from fault


def _advice(fault: LedgerError, url: str) -> str:
    """What to do about a file that is no database, or cannot be opened; the manual says it at length."""
    if isinstance(fault, LedgerVersion):
        return ""
    if isinstance(fault, LedgerBusy):
        file = Path(url.partition(":///")[2].partition("?")[0]).resolve()
        return f": does {file.parent} exist, with room, and may this user write there, {file.name} included?"
    return ": put back a copy, or move the file aside to begin anew (what either means stands in the manual: Hosting)"


def _is_file(found: Settings) -> bool:
    return found.database_url.startswith("sqlite")


def _upgrade_sqlite(found: Settings) -> None:
    """A file of our own is brought up to date without asking; a shared server is upgraded by its release step."""
    if _is_file(found):
        _upgrade(found)
        return
    from calfeed.ledger import Ledger  # sqlalchemy

    Ledger(found.database_url).close()  # connects to nothing; a driver that is missing is told here, not by each worker


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
        _show(found, fault)
        with Ledger(found.database_url) as ledger:
            if ledger.current() is None:
                sys.exit(1)
        _say(found, "going on with what was last published")


def _say(found: Settings, words: str) -> None:
    """A line on stderr; a record where the log is JSON, since who reads it reads nothing else."""
    if found.log == "json":
        log.info(words)
    else:
        click.echo(words, err=True)


def _show(found: Settings, fault: SourceError) -> None:
    if found.log == "json":
        for problem in fault.problems:
            log.error("%s", problem)
    else:
        show_problems(fault.problems, err=True)
