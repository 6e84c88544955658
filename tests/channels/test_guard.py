"""URLs of strangers: what is not plainly public is refused, and nothing is connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from calfeed.channels.base import Answer, Fault, Request
from calfeed.channels.guard import GuardedTransport
from calfeed.channels.transport import Address, Refused
from calfeed.channels.transport import resolve as really

Start = Callable[..., Any]
Post = Callable[[str], Request]
PUBLIC = "93.184.215.14"
LOOPBACK = ip_network("127.0.0.0/8")

NAMES = {
    "hooks.example.org": [PUBLIC],
    "cafe1.example": [PUBLIC],
    "0xab.c3d2.example": [PUBLIC],
    "six.example.org": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "mixed.example.org": [PUBLIC, "10.0.0.1"],
    "mixed6.example.org": [PUBLIC, "::1"],
    "loop.example.org": ["127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.localdomain": ["127.0.0.1"],
    "anything.localhost": ["::1"],
    "127.0.0.1.nip.example.org": ["127.0.0.1"],
}


def address(ip: str, port: int) -> Address:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (ip, port, 0, 0) if ":" in ip else (ip, port))


def resolve(host: str, port: int, scheme: str) -> list[Address]:
    """Names from the list, addresses in any spelling as the system reads them, without a question to the network."""
    if host in NAMES:
        return [address(ip, port) for ip in NAMES[host]]
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that a socket was told to connect to; nobody answers there."""
    made: list[Any] = []

    def record(self: socket.socket, to: Any) -> None:
        made.append(to)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", record)
    monkeypatch.setattr(socket.socket, "connect_ex", record)
    return made


ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 169.254.169.254 169.254.1.1
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1
168.63.129.16 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
[::] [::1] [::7f00:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:93.184.215.14] [::ffff:0:127.0.0.1]
[64:ff9b::7f00:1] [64:ff9b::5db8:d70e] [64:ff9b:1::1] [100::1] [2001::1] [2001:0:4136:e378:8000:63bf:3fff:fdd2]
[2001:2::1] [2001:10::1] [2001:20::1] [2001:db8::1] [2002:7f00:1::] [2002:5db8:d70e::1] [3fff::1] [5f00::1] [fc00::1]
[fd00:ec2::254] [fe80::1] [fec0::1] [ff02::1] [4000::1]
[2606:4700::5efe:127.0.0.1] [2606:4700::200:5efe:10.0.0.1]
""".split()  # noqa: SIM905  # quotes around each would hide them

SPELLINGS = """
2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 017700000001 0177.0.0.1 0177.1 127.1 127.0.1 0127.0.0.1 00127.0.0.1 1572395022
0x5db8d70e 93.184.55054 0 0x0 127.0.0.1. 0x7F.0.0.1 127.0.0.0x1
""".split()  # noqa: SIM905  # as above

TEXTS = [
    "http://hooks.example.org/",
    "http://hooks.example.org:443/",
    "https://hooks.example.org:80/",
    "https://hooks.example.org:22/",
    "https://hooks.example.org:444/",
    "https://hooks.example.org:0/",
    "https://hooks.example.org:-1/",
    "https://hooks.example.org:443a/",
    "https://hooks.example.org:99999/",
    "https://user@hooks.example.org/",
    "https://user:pass@hooks.example.org/",
    "https://hooks.example.org@127.0.0.1/",
    "https://127.0.0.1@hooks.example.org/",
    "https://hooks.example.org:443@127.0.0.1/",
    "https://hooks.example.org%40127.0.0.1/",
    "https://hooks.example.org\\@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.org/",
    "https://127.0.0.1#@hooks.example.org/",
    "https://127.0.0.1?@hooks.example.org/",
    "https://hooks.example.org%00.127.0.0.1/",
    "https://hooks.example.org%2e/",
    "https://hooks.example.org./",
    "https://localhost/",
    "https://localhost:8443/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://localhost.localdomain/",
    "https://anything.localhost/",
    "https://127.0.0.1.nip.example.org/",
    "https://loop.example.org/",
    "https://metadata.example.org/latest/meta-data/",
    "https://mixed.example.org/",
    "https://mixed6.example.org/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "https://hooks.example.org\r\nHost: internal/",
    "https://hooks.example.org/\r\nX-Injected: 1",
    "https://hooks.example.org/ HTTP/1.1",
    "https://hooks.exa\tmple.org/",
    "https://hooks.example.org\x00/",
    " https://hooks.example.org/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c%251]/",
    "https://[::1",
    "https://::1/",
    "https://[v1.fe80::a]/",
    "https:///path",
    "https:hooks.example.org",
    "https:/hooks.example.org/",
    "//hooks.example.org/",
    "hooks.example.org",
    "ftp://hooks.example.org/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "https://.example.org/",
    "https://" + "a" * 3000 + ".example.org/",
    "https://" + "a" * 64 + ".example.org/",
    "",
]


@pytest.mark.parametrize("host", ADDRESSES)
def test_an_address_that_is_not_public_is_refused(host: str, post: Post, connections: list[Any]) -> None:
    fault = GuardedTransport(resolve=resolve).send(post(f"https://{host}/"))
    assert (fault, connections) == (Fault(kind="refused", detail="its address is not a public one"), [])


@pytest.mark.parametrize("host", SPELLINGS)
def test_an_address_in_disguise_is_refused(host: str, post: Post, connections: list[Any]) -> None:
    fault = GuardedTransport(resolve=resolve).send(post(f"https://{host}/"))
    assert isinstance(fault, Fault)
    assert (fault.kind, connections) == ("refused", [])


@pytest.mark.parametrize("url", TEXTS)
def test_a_url_that_no_honest_subscriber_writes_reaches_nobody(url: str, post: Post, connections: list[Any]) -> None:
    fault = GuardedTransport(resolve=resolve).send(post(url))
    assert isinstance(fault, Fault)
    assert (fault.kind, connections) == ("refused", [])
    assert url == "" or url not in fault.detail


def test_refusals_of_a_url_do_not_wait_for_the_resolver(post: Post) -> None:
    """A URL that is refused by its text asks nobody: not even the resolver of whoever owns the name."""

    def asked(*_: object) -> list[Address]:
        raise AssertionError("the resolver was asked")

    for url in ("https://user@hooks.example.org/", "ftp://hooks.example.org/", "https://2130706433/"):
        fault = GuardedTransport(resolve=asked).send(post(url))
        assert isinstance(fault, Fault)
        assert fault.kind == "refused"


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://hooks.example.org/a", (PUBLIC, 443)),
        ("https://hooks.example.org:443/", (PUBLIC, 443)),
        ("https://hooks.example.org:8443/a?b=c", (PUBLIC, 8443)),
        ("https://HOOKS.example.ORG/", (PUBLIC, 443)),
        (f"https://{PUBLIC}/", (PUBLIC, 443)),
        ("https://cafe1.example/", (PUBLIC, 443)),
        ("https://0xab.c3d2.example/", (PUBLIC, 443)),
        ("https://six.example.org/", ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, 0, 0)),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, 0, 0)),
    ],
)
def test_a_public_https_url_is_connected_to_at_the_address_that_was_checked(
    url: str, to: Any, post: Post, connections: list[Any]
) -> None:
    assert GuardedTransport(resolve=resolve).send(post(url)) == Fault(kind="connect")
    assert connections == [to]


def test_a_name_that_points_inside_after_the_check_is_not_asked_again(post: Post, connections: list[Any]) -> None:
    """Rebinding: the resolver says public once and loopback ever after; the one answer that was checked is used."""
    answers = iter([[address(PUBLIC, 443)]] + [[address("127.0.0.1", 443)]] * 9)
    way = GuardedTransport(resolve=lambda *_: next(answers))
    assert way.send(post("https://hooks.example.org/")) == Fault(kind="connect")
    assert connections == [(PUBLIC, 443)]
    assert way.send(post("https://hooks.example.org/")) == Fault(
        kind="refused", detail="its address is not a public one"
    )
    assert connections == [(PUBLIC, 443)]


def test_a_redirect_inside_is_not_followed(receiver: Start, post: Post) -> None:
    inside = receiver()
    outside = receiver(f"HTTP/1.1 302 Found\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode())
    answer = GuardedTransport([LOOPBACK]).send(post(outside.url))
    assert isinstance(answer, Answer)
    assert (answer.status, inside.connections) == (302, 0)


def test_a_proxy_of_the_environment_is_not_used(
    post: Post, connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    assert GuardedTransport(resolve=resolve).send(post("https://hooks.example.org/")) == Fault(kind="connect")
    assert connections == [(PUBLIC, 443)]


def test_a_network_that_the_operator_allows_may_be_reached_on_any_port_without_tls(receiver: Start, post: Post) -> None:
    server = receiver()
    answer = GuardedTransport([LOOPBACK]).send(post(server.url))
    assert answer == Answer(status=200, headers={"content-length": "2"}, body=b"ok")


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", f"http://{PUBLIC}/", f"https://{PUBLIC}:80/"])
def test_what_the_operator_allows_opens_nothing_else(url: str, post: Post, connections: list[Any]) -> None:
    fault = GuardedTransport([LOOPBACK], resolve=resolve).send(post(url))
    assert isinstance(fault, Fault)
    assert (fault.kind, connections) == ("refused", [])


def test_the_pinned_address_keeps_host_and_sni_of_the_name(
    receiver: Start, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is checked for the name, not for the address, and the receiver sees the name and port in Host."""
    bundle = str(Path(__file__).with_name("tls.pem"))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", bundle)
    server = receiver(tls=True)
    way = GuardedTransport([LOOPBACK], resolve=lambda _host, port, _scheme: [address("127.0.0.1", port)])

    good = way.send(post(f"https://hooks.example.org:{server.port}/a"))
    other = way.send(post(f"https://other.example.org:{server.port}/a"))

    assert good == Answer(status=200, headers={"content-length": "2"}, body=b"ok")
    assert other == Fault(kind="tls")
    assert [request.split(b"\r\n")[1] for request in server.received] == [
        f"Host: hooks.example.org:{server.port}".encode()
    ]


def test_without_a_stub_the_systems_resolver_is_asked(post: Post, connections: list[Any]) -> None:
    assert really("127.0.0.1", 443, "https")[0][4] == ("127.0.0.1", 443)
    fault = GuardedTransport().send(post("https://127.0.0.1/"))
    assert (fault, connections) == (Fault(kind="refused", detail="its address is not a public one"), [])


def test_a_url_can_be_checked_before_anything_is_sent(connections: list[Any]) -> None:
    way = GuardedTransport([LOOPBACK], resolve=resolve)
    for good in ("https://hooks.example.org/", "https://hooks.example.org:8443/", "http://127.0.0.1:8080/"):
        way.check(good)
    for bad in (
        "http://hooks.example.org/",
        "https://10.0.0.1/",
        "ftp://hooks.example.org/",
        "https://unknown.example.org/",
    ):
        with pytest.raises(Refused) as error:
            way.check(bad)
        assert bad not in str(error.value)
    assert connections == []
