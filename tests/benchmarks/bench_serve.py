"""Feeds over HTTP: `calfeed serve`, one worker, against nginx serving the same bytes as files.

Each server has one core, `wrk` the other; 64 connections on loopback. nginx is measured as Debian sets it up and with
its cache of open files. The ratio is of CPU a request: it says what one core can do, and a busy machine shakes it less
than requests a second, which stand beside it.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from email.message import Message
from pathlib import Path
from statistics import median

from tests.benchmarks import sources
from tests.benchmarks.measure import CALFEED, ROUNDS, Row, free_port
from tests.benchmarks.peers import environments
from tests.benchmarks.peers.environments import python_package

SECONDS = 1
SLOW_SECONDS = 5
"""For a peer that would hardly answer in one."""

CONNECTIONS = 64
SIZES = {"10 KB": 20, "200 KB": 407}
"""Events that make a feed of about that size."""

NGINX = """
daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; gzip_static on; gzip_vary on;
  {cache} types {{ text/calendar ics; }} charset utf-8; charset_types text/calendar;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{
    listen 127.0.0.1:{port} backlog=2048; root {folder}/www;
    add_header Cache-Control "public, max-age=300, stale-while-revalidate=3600";
    add_header Access-Control-Allow-Origin *; add_header Access-Control-Expose-Headers "ETag, Last-Modified";
    add_header Cross-Origin-Resource-Policy cross-origin; add_header X-Content-Type-Options nosniff;
    add_header Content-Disposition 'inline; filename="all.ics"';
  }}
}}
"""


def pinned(core: int, *command: str | Path) -> list[str]:
    """The command on one core, where there are several."""
    several = (os.cpu_count() or 1) > 1 and shutil.which("taskset")
    return [*(("taskset", "-c", str(core)) if several else ()), *map(str, command)]


@contextmanager
def running(command: list[str], url: str, folder: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from its first answer on."""
    process = subprocess.Popen(  # in a group of its own, so that its workers end with it
        command, cwd=folder, env={**os.environ, **env}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(url)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def answer(url: str, **headers: str) -> tuple[bytes, Message]:
    """Body and headers, undecoded."""
    asked = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(asked, timeout=10) as found:
        return found.read(), found.headers


def cpu_seconds(group: int) -> float:
    """CPU seconds that the processes of a group have had."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def shoot(
    process: subprocess.Popen[bytes], url: str, headers: dict[str, str], seconds: int = SECONDS
) -> tuple[float, float]:
    """(requests a second, microseconds of the server's CPU a request)."""
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    before = cpu_seconds(process.pid)
    told = subprocess.run(
        pinned(1, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", *given, url),
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    used = cpu_seconds(process.pid) - before
    count, rate = re.search(r"(\d+) requests in", told), re.search(r"Requests/sec:\s*([\d.]+)", told)
    assert count is not None, told
    assert rate is not None, told
    assert "Non-2xx" not in told or "If-None-Match" in headers, told
    return float(rate[1]), used * 1e6 / int(count[1])


Server = tuple[subprocess.Popen[bytes], str]


def rows() -> list[Row]:
    """Six cases: two sizes, plain, gzip, 304; and two servers that make their feed for each request."""
    return [*(row for name, count in SIZES.items() for row in _size(name, count)), _radicale(), _open_web_calendar()]


def _radicale() -> Row:
    """The same events in a collection that Radicale gives out as a whole."""
    with tempfile.TemporaryDirectory() as text, ExitStack() as servers:
        folder, port = Path(text), free_port()
        ours = servers.enter_context(calfeed(folder, sources.write(folder, SIZES["10 KB"])))
        base, user = f"http://127.0.0.1:{port}", {"Authorization": "Basic YmVuY2g6YmVuY2g="}  # bench:bench
        options = ("--auth-type", "none", "--storage-filesystem-folder", folder / "store", "--logging-level", "error")
        command = pinned(0, environments.PYTHON, "-m", "radicale", "--server-hosts", f"127.0.0.1:{port}", *options)
        server = servers.enter_context(running(command, f"{base}/.web/", folder))
        theirs = f"{base}/bench/calendar/"
        kind = {"Content-Type": "text/calendar", **user}
        put = urllib.request.Request(theirs, answer(ours[1])[0], kind, method="PUT")
        with urllib.request.urlopen(put, timeout=30):
            pass
        return _one(ours, (server, theirs), user, python_package("radicale"))


def _open_web_calendar() -> Row:
    """The same feed, fetched from calfeed once and merged for each request; behind gunicorn, as its manual says."""
    with tempfile.TemporaryDirectory() as text, ExitStack() as servers:
        folder, port = Path(text), free_port()
        ours = servers.enter_context(calfeed(folder, sources.write(folder, SIZES["10 KB"])))
        url = f"http://127.0.0.1:{port}/calendar.ics?url={ours[1]}"
        options = ("--workers", "1", "--threads", "4", "--bind", f"127.0.0.1:{port}")
        command = pinned(0, environments.PYTHON, "-m", "gunicorn", *options, "open_web_calendar.app:app")
        server = servers.enter_context(running(command, url, folder))
        return _one(ours, (server, url), {}, python_package("open-web-calendar"))


def _one(ours: Server, theirs: Server, headers: dict[str, str], peer: str) -> Row:
    shots = [(shoot(*ours, {}), shoot(*theirs, headers, SLOW_SECONDS)) for _ in range(ROUNDS)]
    rates = [median(each[place][0] for each in shots) for place in (0, 1)]
    cost = [median(each[place][1] for each in shots) for place in (0, 1)]
    shown = [f"{rate:,.0f}/s, {each:,.1f} µs" for rate, each in zip(rates, cost, strict=True)]
    return Row("serve 10 KB, plain", shown[0], peer, shown[1], cost[1] / cost[0], "30")


def _size(name: str, count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as text, ExitStack() as servers:
        folder = Path(text)
        ours = servers.enter_context(calfeed(folder, sources.write(folder, count)))
        body, _ = answer(ours[1])
        as_it_is = servers.enter_context(nginx(folder / "one", body, ""))
        cached = servers.enter_context(nginx(folder / "two", body, "open_file_cache max=100 inactive=60s;"))
        assert body == answer(as_it_is[1])[0]
        return _cases(f"{name} ({len(body):,} B)", ours, as_it_is, cached)


@contextmanager
def calfeed(folder: Path, source: Path) -> Iterator[Server]:
    """`calfeed serve` with one worker, on the first core."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/feeds/all.ics"
    command = pinned(0, CALFEED, "--events", source, "serve", "--port", str(port))
    with running(command, url, folder, WEB_CONCURRENCY="1") as process:
        yield process, url


@contextmanager
def nginx(folder: Path, body: bytes, cache: str) -> Iterator[Server]:
    """nginx with one worker, on the first core, serving the body and its gzip as files."""
    port = free_port()
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "all.ics").write_bytes(body)
    (folder / "www" / "all.ics.gz").write_bytes(gzip.compress(body, 6, mtime=0))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, cache=cache))
    for each in (folder.parent, folder):
        each.chmod(0o755)  # its worker is another user
    url = f"http://127.0.0.1:{port}/all.ics"
    with running(pinned(0, "nginx", "-p", folder, "-c", folder / "nginx.conf"), url, folder) as process:
        yield process, url


def _cases(size: str, *servers: Server) -> list[Row]:
    return [row for case in ("plain", "gzip", "304") for row in _case(f"{size}, {case}", case, servers)]


def _case(name: str, case: str, servers: Sequence[Server]) -> Iterator[Row]:
    asked = [
        {"plain": {}, "gzip": {"Accept-Encoding": "gzip"}, "304": {"If-None-Match": answer(url)[1]["ETag"]}}[case]
        for _, url in servers
    ]
    shots: list[list[tuple[float, float]]] = [[] for _ in servers]
    for _ in range(ROUNDS):
        for kept, (process, url), headers in zip(shots, servers, asked, strict=True):
            kept.append(shoot(process, url, headers))
    rates = [median(rate for rate, _ in kept) for kept in shots]
    cost = [median(cost for _, cost in kept) for kept in shots]
    shown = [f"{rate:,.0f}/s, {each:.1f} µs" for rate, each in zip(rates, cost, strict=True)]
    yield Row(f"serve {name}", shown[0], environments.nginx(), shown[1], cost[1] / cost[0], "0.8")
    yield Row(f"serve {name}", shown[0], f"{environments.nginx()}, open_file_cache", shown[2], cost[2] / cost[0])


if __name__ == "__main__":
    for row in rows():
        print(*row.cells(), sep="  ", flush=True)
