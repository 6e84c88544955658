"""Apprise: an extra that sends by itself, in a thread of its own, and says only whether it worked."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from calfeed.channels.apprise import AppriseTransport
from calfeed.channels.base import Answer, Fault, Request
from calfeed.channels.judging import judge_fault

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it

Start = Callable[..., Any]

CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def notify(port: int) -> Request:
    body = json.dumps({"title": "In 1 hour: Talk", "body": "When: 10:00"}).encode()
    return Request(
        method="NOTIFY", url=f"ntfy://user:s3cr3t@127.0.0.1:{port}/topic", headers={}, body=body, via="apprise"
    )


def test_a_service_that_takes_it_is_200(receiver: Start) -> None:
    server = receiver(CLOSING)
    assert AppriseTransport().send(notify(server.port)) == Answer(status=200)
    assert json.loads(server.received[0].partition(b"\r\n\r\n")[2])["title"] == "In 1 hour: Talk"


def test_mail_is_plain_text_with_its_lines_and_brackets(receiver: Start) -> None:
    """Apprise writes HTML unless it is told what it is given: then lines run together, and ``<talks>`` is a tag."""
    taken: list[str] = []

    def smtp(connection: socket.socket) -> None:
        with connection.makefile("rw", newline="\r\n") as lines:

            def say(answer: str) -> None:
                lines.write(answer + "\n")
                lines.flush()

            say("220 mail.example.org")
            for line in lines:
                if line.upper().startswith("DATA"):
                    say("354 go on")
                    taken.extend(iter(lines.readline, ".\r\n"))
                say("221 bye" if line.upper().startswith("QUIT") else "250 ok")

    port = receiver(handler=smtp).port
    body = json.dumps({"title": "In 1 hour: <talks> & more", "body": "When: 10:00\nWhere: Hall <b>3</b>"}).encode()
    url = f"mailto://127.0.0.1:{port}?from=calendar@example.org&to=desk@example.org"
    mail = Request(method="NOTIFY", url=url, headers={}, body=body, via="apprise")

    assert AppriseTransport().send(mail) == Answer(status=200)

    got = email.message_from_string("".join(taken), policy=email.policy.default)
    assert got["subject"] == "In 1 hour: <talks> & more"
    plain, html = (got.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert plain.get_content().splitlines() == ["When: 10:00", "Where: Hall <b>3</b>"]
    assert html is None or "&lt;b&gt;3" in html.get_content()


def test_a_service_that_does_not_is_500_and_nothing_more_is_known(receiver: Start) -> None:
    server = receiver(b"HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    assert AppriseTransport().send(notify(server.port)) == Answer(status=500)


def test_no_redirect_is_followed(receiver: Start) -> None:
    other = receiver()
    head = f"HTTP/1.1 307 Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert AppriseTransport().send(notify(receiver(head.encode()).port)) == Answer(status=500)
    assert other.connections == 0


def test_a_service_that_hangs_is_left_to_itself(receiver: Start) -> None:
    over = threading.Event()

    def hang(connection: socket.socket) -> None:
        over.wait(20)

    try:
        assert AppriseTransport(total=0.2).send(notify(receiver(handler=hang).port)) == Fault(kind="timeout")
    finally:
        over.set()


def test_a_url_that_apprise_cannot_read_is_500(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = Request(
        method="NOTIFY", url="tgram://s3cr3t", headers={}, body=b'{"title": "a", "body": "b"}', via="apprise"
    )
    assert AppriseTransport().send(broken) == Answer(status=500)
    assert "s3cr3t" not in caplog.text


def test_without_the_extra_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    fault = AppriseTransport().send(notify(9))
    assert isinstance(fault, Fault)
    assert judge_fault(fault).reason == "a library is missing (install calfeed[apprise])"


def test_too_many_hanging_calls_are_no_reason_to_start_another(receiver: Start) -> None:
    over = threading.Event()

    def hang(connection: socket.socket) -> None:
        over.wait(20)

    server = receiver(handler=hang)
    way = AppriseTransport(total=0.2, most_hanging=1)
    try:
        assert way.send(notify(server.port)) == Fault(kind="timeout")
        assert way.send(notify(server.port)) == Fault(kind="timeout", detail="earlier calls still hang")
    finally:
        over.set()
    for thread in threading.enumerate():
        if thread.name == "apprise":
            thread.join(20)
    assert way.send(notify(receiver(CLOSING).port)) == Answer(status=200)


def test_calls_that_only_run_at_once_do_not_hang(receiver: Start) -> None:
    """A quick service is given as many at once as a window holds, which is more than may hang."""
    port, way = receiver(CLOSING).port, AppriseTransport(most_hanging=1)
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(way.send, [notify(port)] * 36))
    assert answers == [Answer(status=200)] * 36
