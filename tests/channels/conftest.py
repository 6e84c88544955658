"""Local receivers, and requests to them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from calfeed.channels.base import Request

TLS = Path(__file__).with_name(
    "tls.pem"
)  # key and certificate of nobody: only for hooks.example.org, only trusted here

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Handler = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """A server of raw bytes: every connection is handed to ``handler``."""

    port: int
    received: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Where it listens; the path looks like a vendor's secret."""
        return f"http://127.0.0.1:{self.port}/hook/s3cr3t-token"


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty once the client has closed."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            return b""
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """``receiver(answer)`` starts a server that gives each request this answer; ``handler`` takes whole connections."""
    servers: list[socket.socket] = []

    def start(answer: bytes = OK, *, handler: Handler | None = None, tls: bool = False) -> Receiver:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        made = Receiver(server.getsockname()[1])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS)

        def serve(connection: socket.socket) -> None:
            with connection:
                try:
                    connection = context.wrap_socket(connection, server_side=True) if tls else connection
                    if handler is not None:
                        handler(connection)
                        return
                    while request := read_request(connection):
                        made.received.append(request)
                        connection.sendall(answer)
                except OSError:
                    return  # the client hung up, as some tests mean it to
                finally:
                    connection.close()

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                made.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return made

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture
def post() -> Callable[[str], Request]:
    """``post(url)`` is a small request to it."""
    return lambda url: Request(method="POST", url=url, headers={"Content-Type": "application/json"}, body=b"{}")
