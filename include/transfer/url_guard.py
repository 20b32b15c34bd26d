"""May this media URL be contacted at all? Pure rules; the resolver is handed in.

The URL comes from a job result, so it is foreign input: without this guard a forged result could send the worker to
a metadata service or an internal host. Checked before each request (``judge_url``) and again on the addresses that
are really connected to (``judge_addresses``), so that a name cannot change its meaning in between.

Private addresses are refused. An S3 endpoint inside a VPC has private addresses: the operator names it, in full, in
``private_media_hosts`` beside ``media_hosts``. Such a host may be private (RFC 1918, RFC 4193) as well as public, but
never this machine, link-local or a metadata service.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from include.errors import ConfigurationError, IntegrityError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from include.secret import PresignedUrl

HTTPS_PORT = 443

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\\<>\"`{}|^]")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_NAME_LENGTH_MAX = 253  # RFC 1035, as is the next
_LABEL_LENGTH_MAX = 63  # Python's resolver raises UnicodeError above it, which is no OSError
_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)  # RFC 1918, RFC 4193
_METADATA = IPv6Network("fd00:ec2::/32")  # AWS: instance metadata, time and DNS over IPv6

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class MediaTarget:
    """Where a permitted URL leads; ``loopback`` only where the operator named this very host."""

    host: str
    port: int
    loopback: bool


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host by the system's resolver.

    Raises:
        OSError: when the name does not resolve.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def judge_url(url: PresignedUrl, media_hosts: tuple[str, ...], private_hosts: tuple[str, ...] = ()) -> MediaTarget:
    """Permit or refuse a media URL by its text alone.

    Args:
        url: the URL of a job result.
        media_hosts: ``example.com`` permits that host and its subdomains, ``*.example.com`` only the subdomains;
            ``127.0.0.1``, ``::1`` and ``localhost`` permit just that host, over http too and on any port.
        private_hosts: full host names that are permitted too, and may have private addresses.

    Raises:
        ConfigurationError: when no entry of ``media_hosts`` permits the host.
        IntegrityError: when the URL is not of the form a media URL has. Neither message holds more than the host.
    """
    text = url.reveal()
    if _UNSAFE.search(text):
        # urlsplit drops tabs and line ends silently: judge the text that is sent, not a cleaned one.
        raise IntegrityError("a media URL holds characters that no URL may hold")
    parts, port = _split(text)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise IntegrityError(f"the media URL for {host!r} carries a user name")
    loopback = is_loopback_name(host)
    if not loopback and not _is_proper(host):
        raise IntegrityError(f"the media URL names no proper host: {host[:_NAME_LENGTH_MAX]!r}")
    if not any(_permits(entry, host, loopback=loopback) for entry in media_hosts) and not is_named(host, private_hosts):
        raise ConfigurationError(f"the media host {host!r} is not in media_hosts of the Genesys Cloud connection")
    _judge_scheme(host, parts.scheme, port, loopback=loopback)
    return MediaTarget(host, port or (HTTPS_PORT if parts.scheme == "https" else 80), loopback)


class AddressGuard:
    """Resolves a host and judges what it resolves to, each time a connection is made."""

    def __init__(self, resolver: Resolver, private_hosts: tuple[str, ...]) -> None:
        self._resolver = resolver
        self._private_hosts = private_hosts

    def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses to dial.

        Raises:
            IntegrityError: as ``judge_addresses``.
            OSError: when the name does not resolve.
        """
        found = self._resolver(host, port)
        # judge_url let a loopback host pass only if it was named.
        private = is_named(host, self._private_hosts)
        return judge_addresses(host, found, loopback=is_loopback_name(host), private=private)


def judge_addresses(host: str, addresses: list[str], *, loopback: bool, private: bool = False) -> list[str]:
    """Return the addresses when every one of them may be connected to.

    One private address among public ones refuses them all: which one is dialled must not be left to chance.

    Raises:
        IntegrityError: when an address is not public (for a named loopback host: not loopback; for a named private
            host: neither public nor private), or there is none.
    """
    parsed = [ip_address(address.partition("%")[0]) for address in addresses]
    if loopback:
        permitted = [address.is_loopback for address in parsed]
    else:
        permitted = [is_public(address) or (private and is_private(address)) for address in parsed]
    if not permitted or not all(permitted):
        raise IntegrityError(f"the media host {host!r} resolves to an address that is not public")
    return addresses


def is_private(address: Address) -> bool:
    """Whether an address is one of a company's own network, and not a metadata service in that range."""
    return any(address in network for network in _PRIVATE) and address not in _METADATA


def is_named(host: str, private_hosts: tuple[str, ...]) -> bool:
    """Whether the operator named this very host as private; no suffixes, since every name grants an exception."""
    return host in {entry.strip().lower().rstrip(".") for entry in private_hosts if entry.strip(" .")}


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet, also seen through IPv6 forms that embed an IPv4 address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(address.packed[12:]))
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # The cause quotes the URL, and the URL is a credential.
        raise IntegrityError("a media URL cannot be read") from None
    return parts, port


def _is_proper(host: str) -> bool:
    labels_fit = all(0 < len(label) <= _LABEL_LENGTH_MAX for label in host.split("."))
    return _HOST.fullmatch(host) is not None and len(host) <= _NAME_LENGTH_MAX and labels_fit


def is_loopback_name(host: str) -> bool:
    """Whether a host is this very machine, by name or number."""
    return host in ("127.0.0.1", "::1", "localhost")


def _permits(entry: str, host: str, *, loopback: bool) -> bool:
    wanted = entry.strip().lower().rstrip(".")
    if loopback:
        return host == wanted.strip("[]")
    if wanted.startswith(("*.", ".")):
        return len(wanted.lstrip("*.")) > 0 and host.endswith("." + wanted.lstrip("*."))
    return wanted != "" and (host == wanted or host.endswith("." + wanted))


def _judge_scheme(host: str, scheme: str, port: int | None, *, loopback: bool) -> None:
    if scheme not in (("https", "http") if loopback else ("https",)):
        raise IntegrityError(f"the media URL for {host!r} is not https")
    if not loopback and port not in (None, HTTPS_PORT):
        raise IntegrityError(f"the media URL for {host!r} names a port other than {HTTPS_PORT}")
