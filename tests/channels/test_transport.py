"""The way out over HTTP: what comes back is a value, in time, and names no URL."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from calfeed import __version__
from calfeed.channels import transport
from calfeed.channels.base import Answer, Fault, Request
from calfeed.channels.transport import HttpTransport

Start = Callable[..., Any]
Post = Callable[[str], Request]


def test_a_request_arrives_as_it_was_made_and_the_answer_comes_back(receiver: Start, post: Post) -> None:
    server = receiver(b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater")

    answer = HttpTransport().send(post(server.url))

    assert answer == Answer(status=429, headers={"retry-after": "7", "content-length": "5"}, body=b"later")
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hook/s3cr3t-token HTTP/1.1"
    assert sorted(line.lower() for line in lines[1:]) == [
        "accept-encoding: identity",
        "accept: */*",
        "content-length: 2",
        "content-type: application/json",
        f"host: 127.0.0.1:{server.port}",
        f"user-agent: calfeed/{__version__}",
    ]
    assert body == b"{}"


def test_one_connection_carries_many_requests(receiver: Start, post: Post) -> None:
    server = receiver()
    way = HttpTransport()
    assert [way.send(post(server.url)).status for _ in range(5)] == [200] * 5  # type: ignore[union-attr]  # or the test fails
    assert (len(server.received), server.connections) == (5, 1)


def test_each_thread_has_a_connection_of_its_own(receiver: Start, post: Post) -> None:
    server = receiver()
    way = HttpTransport()
    threads = [threading.Thread(target=way.send, args=(post(server.url),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.received), server.connections) == (3, 3)


def test_a_connection_that_the_receiver_closed_is_made_anew(receiver: Start, post: Post) -> None:
    server = receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    way = HttpTransport()
    assert way.send(post(server.url)) == way.send(post(server.url))
    assert server.connections == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Start, post: Post, status: int) -> None:
    other = receiver()
    server = receiver(f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode())
    answer = HttpTransport().send(post(server.url))
    assert isinstance(answer, Answer)
    assert (answer.status, other.connections) == (status, 0)


def test_no_proxy_of_the_environment_is_used(receiver: Start, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = receiver()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    server = receiver()
    assert HttpTransport().send(post(server.url)) == Answer(status=200, headers={"content-length": "2"}, body=b"ok")
    assert proxy.connections == 0


def test_no_cookie_is_kept(receiver: Start, post: Post) -> None:
    server = receiver(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nok")
    way = HttpTransport()
    way.send(post(server.url))
    way.send(post(server.url))
    assert len(server.received) == 2
    assert b"cookie" not in server.received[1].lower()


def test_credentials_of_the_operators_url_are_sent_as_basic_authentication(receiver: Start, post: Post) -> None:
    server = receiver()
    HttpTransport().send(post(f"http://user:pass@127.0.0.1:{server.port}/"))
    assert b"Authorization: Basic dXNlcjpwYXNz" in server.received[0]


def test_of_a_long_answer_4_kb_are_read_and_its_connection_is_not_used_again(receiver: Start, post: Post) -> None:
    server = receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n" + b"x" * 8192)
    way = HttpTransport()
    for _ in range(2):
        answer = way.send(post(server.url))
        assert isinstance(answer, Answer)
        assert answer.body == b"x" * 4096
    assert server.connections == 2


def test_an_answer_without_end_is_cut_off(receiver: Start, post: Post) -> None:
    """A gigabyte is not read: the receiver's writes fail once its 4 KB are taken."""
    stopped = threading.Event()

    def pour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            for _ in range(16384):
                connection.sendall(b"x" * 65536)
        except OSError:
            stopped.set()

    answer = HttpTransport().send(post(receiver(handler=pour).url))
    assert isinstance(answer, Answer)
    assert len(answer.body) == 4096
    assert stopped.wait(10)


def dripping(over: threading.Event, first: bytes) -> Callable[[socket.socket], None]:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        while first and not over.wait(0.02):
            connection.sendall(b".")
        over.wait(10)

    return drip


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b""], ids=["headers drip", "silence"])
def test_the_whole_exchange_has_an_end_however_slowly_it_drips(receiver: Start, post: Post, first: bytes) -> None:
    over = threading.Event()
    server = receiver(handler=dripping(over, first))
    assert HttpTransport(total=0.3).send(post(server.url)) == Fault(kind="timeout")
    over.set()


@pytest.mark.parametrize("rest", [b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 999\r\n"])
def test_a_body_that_never_ends_takes_no_longer_and_the_status_counts(receiver: Start, post: Post, rest: bytes) -> None:
    """What was said to have been taken is not sent again because the receiver could not finish its sentence."""
    over = threading.Event()
    server = receiver(handler=dripping(over, b"HTTP/1.1 202 Accepted\r\n" + rest + b"\r\n"))
    answer = HttpTransport(total=0.3).send(post(server.url))
    over.set()
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (202, b"")


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def close(connection: socket.socket) -> None:
    connection.recv(65536)


def garbage(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"\x00\xff not http at all\r\n\r\n")


def headers_without_end(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)


@pytest.mark.parametrize("handler", [reset, close, garbage, headers_without_end])
def test_a_receiver_that_breaks_off_or_talks_nonsense_is_a_protocol_fault(
    receiver: Start, post: Post, handler: Callable[[socket.socket], None]
) -> None:
    assert HttpTransport().send(post(receiver(handler=handler).url)) == Fault(kind="protocol")


def test_a_port_where_nobody_listens_is_a_connect_fault(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert HttpTransport().send(post(f"http://127.0.0.1:{port}/s3cr3t")) == Fault(kind="connect")


def test_a_connection_that_is_never_accepted_ends_at_the_connect_time_out(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float | None] = []

    def never(self: socket.socket, address: object) -> None:
        waited.append(self.gettimeout())
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", never)
    two = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", 80)) for last in (1, 2)]
    way = HttpTransport(connect=0.1, resolve=lambda *_: two)
    assert way.send(post("http://slow.example.org/s3cr3t")) == Fault(kind="timeout")
    assert waited == [0.1, 0.1]


def test_the_second_address_is_tried_when_the_first_does_not_answer(receiver: Start, post: Post) -> None:
    server = receiver()
    with socket.create_server(("127.0.0.1", 0)) as dead:
        closed = dead.getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (closed, server.port)]
    way = HttpTransport(resolve=lambda *_: found)
    assert way.send(post("http://two.example.org/")) == Answer(status=200, headers={"content-length": "2"}, body=b"ok")


def test_a_name_that_does_not_resolve_is_a_dns_fault(post: Post) -> None:
    def unknown(*_: object) -> list[transport.Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert HttpTransport(resolve=unknown).send(post("http://nowhere.example.org/s3cr3t")) == Fault(kind="dns")


def test_a_certificate_that_nobody_vouches_for_is_a_tls_fault(receiver: Start, post: Post) -> None:
    server = receiver(tls=True)
    assert HttpTransport().send(post(f"https://127.0.0.1:{server.port}/s3cr3t")) == Fault(kind="tls")
    assert server.received == []


def test_a_plain_server_behind_https_is_a_tls_fault(receiver: Start, post: Post) -> None:
    server = receiver(handler=garbage)
    assert HttpTransport().send(post(f"https://127.0.0.1:{server.port}/s3cr3t")) == Fault(kind="tls")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "…",
        "hook",
        "hooks.example.org/T",
        "ftp://example.org/",
        "http://",
        "http://[",
        "http://a b/",
        "http://x:99999/",
    ],
)
def test_what_is_no_url_is_refused_for_good_and_not_repeated(post: Post, url: str) -> None:
    """Trying again would mend nothing: the channel is broken until its address changes."""
    assert HttpTransport().send(post(url)) == Fault(kind="refused", detail="it is no http:// or https:// URL")


def test_a_header_cannot_be_smuggled_in(receiver: Start) -> None:
    server = receiver()
    smuggler = Request(method="POST", url=server.url, headers={"X-A": "b\r\nX-C: d"}, body=b"")
    assert HttpTransport().send(smuggler) == Fault(kind="protocol")
    assert server.received == []
