"""Granian around the application: the one door to the server, used by `up`, `serve` and the Procfile alike."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from calfeed import logs
from calfeed.settings import Settings

log = logging.getLogger(__name__)

BLOCKING_THREADS = 4
"""Python threads a worker answers with; more only queue behind the interpreter's lock."""

HEADER_TIMEOUT_MS = 10_000
"""How long a client may take over its request line and headers (slow ones must not hold connections)."""

STOP_SECONDS = 8
"""How long a worker may take to finish what it has begun; the whole process is to end within ten."""


def serve(host: str, port: int, workers: int, on_stop: Callable[[], Any] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; HUP replaces the workers one by one.

    ``on_stop`` is called as soon as the signal comes: what else this process does stops beside the workers.
    Workers are spawned, not forked: this process may run threads (the reminders of `calfeed up`).
    """
    from granian import Granian  # 60 ms that only a server pays
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "calfeed",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        backlog=2048,
        log_dictconfig=_LOGGING,
        log_level=LogLevels.warning,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.on_startup(lambda: _on_signal(on_stop))
    server.serve(target_loader=load_application, wrap_loader=False)


def _on_signal(on_stop: Callable[[], Any] | None) -> None:
    """Granian waits for one worker after the other; here all have the same `STOP_SECONDS`."""

    def begin() -> None:
        timer = threading.Timer(STOP_SECONDS, _kill_workers)
        timer.daemon = True
        timer.start()
        if on_stop is not None:
            on_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _before(signal.getsignal(number), begin))


def _before(handler: Any, begin: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    """The handler, with ``begin`` called first."""

    def handle(number: int, frame: FrameType | None) -> None:
        begin()
        handler(number, frame)

    return handle


def _kill_workers() -> None:
    for worker in multiprocessing.active_children():
        log.warning("a worker did not stop in time and is killed", extra={"pid": worker.pid})
        worker.kill()


_LOGGING: dict[str, Any] = {
    "loggers": {
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": True},
    },
    "formatters": {},
    "handlers": {},
}


def load_application() -> Callable[..., Any]:
    """The WSGI callable of one worker, with its own Publisher watching the source."""
    from calfeed.ledger import Ledger  # sqlalchemy: in the worker, not in the process that starts it
    from calfeed.publish import Publisher
    from calfeed.web.app import create_app
    from calfeed.web.clients import Polls
    from calfeed.web.fast import FastFeeds

    _end_with_parent()
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log)
    ledger = Ledger(settings.database_url)
    publisher = Publisher(settings.events, ledger, base_url=settings.base_url)
    publisher.reload()
    gc.freeze()  # a long list stays: the search for garbage would stop every request for 0.1 s to look at it again
    publisher.watch()
    app = create_app(publisher, ledger, settings)
    polls: Polls = app.extensions["calfeed"].polls
    polls.watch()
    return FastFeeds(app.wsgi_app, publisher, polls)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on answering beside the parent's successor."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="calfeed-parent", daemon=True).start()
