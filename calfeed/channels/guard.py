"""URLs of strangers: reached only where the public internet is, whatever their text or their DNS pretends.

What counts is the address that the socket connects to. Every answer of the resolver is checked, the connection goes to
the checked address itself, and Host and SNI still carry the name. Nothing is connected to before that.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from calfeed.channels.base import Answer, Fault, Request
from calfeed.channels.transport import CONNECT, TOTAL, Address, HttpTransport, Refused, Resolve, resolve

Network = IPv4Network | IPv6Network

PORTS = frozenset({443, 8443})
_PORTS = {"http": 80, "https": 443}
LONGEST = 2000

# `ipaddress` of Python 3.11 calls some of these global; the rest stands here so that no version of it decides.
_REFUSED_4 = tuple(
    IPv4Network(net)
    for net in (
        "168.63.129.16/32",  # Azure's wire server: metadata and keys of the machine
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "100.64.0.0/10",  # carriers' own (RFC 6598)
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_UNICAST_6 = IPv6Network("2000::/3")  # all that was ever given out: no ::/96, no mapped, no 64:ff9b::/96, no fec0::/10
_REFUSED_6 = tuple(
    IPv6Network(net)
    for net in (
        "2001::/23",  # IETF's own (RFC 2928): Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214 §6.1: an IPv4 address follows
_NUMBER = re.compile(
    r"\d+|0x[0-9a-f]*", re.IGNORECASE
)  # a last label that makes an address of a host (WHATWG URL §3.5)
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)


class GuardedTransport:
    """Sends requests to strangers' URLs; safe to share between threads.

    ``allowed`` are networks that the operator lets them reach besides the public internet, with http and any port.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        connect: float = CONNECT,
        total: float = TOTAL,
        resolve: Resolve = resolve,
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._http = HttpTransport(connect=connect, total=total, resolve=self._checked)

    def send(self, request: Request) -> Answer | Fault:
        """The answer, or why there is none; ``refused`` before anything was connected to."""
        try:
            check_url(request.url)
        except Refused as refused:
            return Fault(kind="refused", detail=str(refused))
        return self._http.send(request)

    def check(self, url: str) -> None:
        """Looks the host up and raises `Refused` for a URL that would not be sent to now; connects to nothing."""
        check_url(url)
        parts = urlsplit(url)
        try:
            self._checked(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme)
        except (OSError, UnicodeError):
            raise Refused("its host could not be looked up") from None

    def close(self) -> None:
        """Close the calling thread's connections."""
        self._http.close()

    def _checked(self, host: str, port: int, scheme: str) -> Sequence[Address]:
        found = self._resolve(host, port, scheme)
        for address in found:
            self._check(address, port, scheme)
        return found

    def _check(self, address: Address, port: int, scheme: str) -> None:
        ip = _ip(address)
        if any(ip in network for network in self._allowed):
            return
        if not is_public(ip):
            raise Refused("its address is not a public one")
        if scheme != "https":
            raise Refused("only https is allowed")
        if port not in PORTS:
            raise Refused("only ports 443 and 8443 are allowed")


def check_url(url: str) -> None:
    """Raises `Refused` for a URL that no honest subscriber writes, by its text alone; the text repeats none of it."""
    if len(url) > LONGEST or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise Refused("its URL is too long or has characters that belong in none")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("its URL cannot be read") from None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not host or port == 0:
        raise Refused("its URL must be https://host/path, without credentials")
    _check_host(host, bracketed=parts.netloc.startswith("["))


def _check_host(host: str, *, bracketed: bool) -> None:
    if bracketed:
        if not _is_plain_ip6(host):
            raise Refused("its host is not an IPv6 address")
        return
    if not _HOST.fullmatch(host):
        raise Refused("its host is not a host name")
    # the resolver also reads 2130706433, 0x7f.1 and 0177.0.0.1 as addresses
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_dotted_quad(host):
        raise Refused("its host is an address in disguise")


def _is_dotted_quad(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


def _is_plain_ip6(host: str) -> bool:
    """Whether it is an address without a zone, which would name a network interface of ours."""
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to the public internet, and is not one inside another."""
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _REFUSED_4)
    disguised = (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP
    return (
        ip.scope_id is None
        and ip in _UNICAST_6
        and ip.is_global
        and not disguised
        and not any(ip in network for network in _REFUSED_6)
    )


def _ip(address: Address) -> IPv4Address | IPv6Address:
    family, host = address[0], address[4][0]
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise Refused("its address is of an unknown family")
    try:
        return ip_address(host)
    except ValueError:
        raise Refused("its address cannot be read") from None
