"""Row D29: which media URLs may be contacted."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError, IntegrityError
from include.secret import PresignedUrl
from include.transfer.url_guard import AddressGuard, judge_addresses, judge_url, resolve

HOSTS = ("amazonaws.com", "*.mypurecloud.ie", "Media.Example.org.")

ALLOWED = [
    "https://bucket.s3.eu-west-1.amazonaws.com/k?X-Amz-Signature=s",
    "https://amazonaws.com/k",
    "https://BUCKET.S3.AMAZONAWS.COM/k",
    "https://api.mypurecloud.ie/x",
    "https://api.mypurecloud.ie:443/x",
    "https://media.example.org/x",
    "https://a.media.example.org/x#part",
    "https://s3.amazonaws.com/a/../b%2f?x=%00",
    "https://xn--bcher-kva.amazonaws.com/x",
    "https://" + "a" * 63 + ".amazonaws.com/x",
]

REFUSED = {
    IntegrityError: [
        "http://bucket.amazonaws.com/k",
        "ftp://bucket.amazonaws.com/k",
        "file://bucket.amazonaws.com/k",
        "gopher://bucket.amazonaws.com/k",
        "//bucket.amazonaws.com/k",
        "https://bucket.amazonaws.com:22/k",
        "https://bucket.amazonaws.com:80/k",
        "https://bucket.amazonaws.com:8443/k",
        "https://bucket.amazonaws.com:0/k",
        "https://bucket.amazonaws.com:99999/k",
        "https://bucket.amazonaws.com:x/k",
        "https://user@bucket.amazonaws.com/k",
        "https://user:word@bucket.amazonaws.com/k",
        "https://@bucket.amazonaws.com/k",
        "https://bucket.amazonaws.com@evil.example/k",
        "https://bucket.amazonaws.com\\@evil.example/k",
        "https://evil.example\\.amazonaws.com/k",
        "https://bucket.amazonaws.com /k",
        "https://bucket.amazonaws.com/k\r\nHost: evil",
        "ht\ntps://bucket.amazonaws.com/k",
        "https://bucket.amazon\taws.com/k",
        "https://bucket.amazonaws.com\0.evil/k",
        "https://b\u00fccher.amazonaws.com/k",
        "https://bucket\u3002amazonaws.com/k",
        "https://[::1/k",
        "https://[::ffff:169.254.169.254]/k",
        "https://[fe80::1%25eth0]/k",
        "https:///k",
        "https://.amazonaws.com/k",
        "https://bucket..amazonaws.com/k",
        "https://-bucket.amazonaws.com-/k",
        "https://bucket.amazonaws.com./k",
        "https://" + "a." * 150 + "amazonaws.com/k",
        "https://" + "a" * 64 + ".amazonaws.com/k",
        "file:///etc/passwd",
        "",
        "nonsense",
    ],
    ConfigurationError: [
        "https://evil.example/k",
        "https://notamazonaws.com/k",
        "https://amazonaws.com.evil.example/k",
        "https://mypurecloud.ie/x",
        "https://127.0.0.1/k",
        "http://127.0.0.1:8080/k",
        "https://localhost/k",
        "https://[::1]/k",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/k",
        "https://0x7f000001/k",
        "https://0177.0.0.1/k",
        "https://10.0.0.1/k",
        "https://metadata.google.internal/k",
    ],
}


@pytest.mark.parametrize("text", ALLOWED)
def test_a_media_url_of_a_named_host_is_permitted(text: str) -> None:
    """Hosts and their subdomains, https, port 443."""
    target = judge_url(PresignedUrl(text), HOSTS)
    assert (443, False) == (target.port, target.loopback)


@pytest.mark.parametrize(("error", "text"), [(error, text) for error, texts in REFUSED.items() for text in texts])
def test_any_other_url_is_refused(error: type[Exception], text: str) -> None:
    """And the message holds nothing behind the host."""
    with pytest.raises(error) as caught:
        judge_url(PresignedUrl(text), HOSTS)
    assert error is type(caught.value)
    assert "passwd" not in str(caught.value)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "text", "port"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/k", 8080),
        ("localhost", "http://LOCALHOST/k", 80),
        ("::1", "https://[::1]/k", 443),
        ("[::1]", "http://[::1]:81/k", 81),
    ],
)
def test_a_loopback_host_that_is_named_is_permitted(entry: str, text: str, port: int) -> None:
    """The demo names 127.0.0.1; then plain http and any port are right."""
    target = judge_url(PresignedUrl(text), (entry,))
    assert (port, True) == (target.port, target.loopback)


def test_a_loopback_host_is_still_not_any_scheme() -> None:
    """Named or not, ftp stays out."""
    with pytest.raises(IntegrityError):
        judge_url(PresignedUrl("ftp://127.0.0.1/k"), ("127.0.0.1",))


@pytest.mark.parametrize("entries", [(), ("",), ("*.",), (".",), ("*",), ("com.",)])
def test_an_empty_entry_permits_nothing(entries: tuple[str, ...]) -> None:
    """A slip in the list must not open it; one bare word is a suffix like any other."""
    with pytest.raises(ConfigurationError):
        judge_url(PresignedUrl("https://bucket.amazonaws.org/k"), entries)


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """Also when a public one stands beside it."""
    with pytest.raises(IntegrityError):
        judge_addresses("h", ["52.95.110.1", address], loopback=False)


@pytest.mark.parametrize("address", ["52.95.110.1", "2600:1f18::1", "::ffff:52.95.110.1", "64:ff9b::345f:6e01"])
def test_a_public_address_is_permitted(address: str) -> None:
    """In each of its forms."""
    assert [address] == judge_addresses("h", [address], loopback=False)


def test_a_named_loopback_must_resolve_to_loopback() -> None:
    """A hosts file that sends localhost elsewhere is not followed."""
    assert ["127.0.0.1"] == judge_addresses("localhost", ["127.0.0.1"], loopback=True)
    with pytest.raises(IntegrityError):
        judge_addresses("localhost", ["52.95.110.1"], loopback=True)


def test_no_address_at_all_is_refused() -> None:
    """Nothing to judge is nothing to connect to."""
    with pytest.raises(IntegrityError):
        judge_addresses("h", [], loopback=False)


def test_the_system_resolver_gives_addresses() -> None:
    """Each once, as text."""
    assert ["127.0.0.1"] == resolve("127.0.0.1", 80)


PRIVATE = "bucket.vpce-0123.s3.eu-west-1.vpce.amazonaws.com"


@pytest.mark.parametrize("address", ["10.1.2.3", "172.31.0.1", "192.168.7.7", "fd12:3456::1", "8.8.8.8"])
def test_named_private_host_may_have_private_addresses(address: str) -> None:
    """D29: an S3 endpoint inside a VPC, named in full by the operator."""
    target = judge_url(PresignedUrl(f"https://{PRIVATE}/k?sig=1"), (), (PRIVATE.upper() + ".",))
    assert (PRIVATE, False) == (target.host, target.loopback)
    assert [address] == AddressGuard(lambda _host, _port: [address], (PRIVATE,))(PRIVATE, 443)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "224.0.0.1", "100.64.0.1"],  # noqa: S104 - refused
)
def test_named_private_host_is_never_this_machine_or_a_metadata_service(address: str) -> None:
    """D29: private means RFC 1918 and RFC 4193, and nothing else that is not public."""
    with pytest.raises(IntegrityError, match="not public"):
        AddressGuard(lambda _host, _port: [address], (PRIVATE,))(PRIVATE, 443)


@pytest.mark.parametrize("host", ["a." + PRIVATE, "amazonaws.com", "vpce.amazonaws.com"])
def test_private_host_is_no_suffix(host: str) -> None:
    """D29: the exception is for the one name; every other host stays refused, by name and by address."""
    with pytest.raises(ConfigurationError):
        judge_url(PresignedUrl(f"https://{host}/k"), (), (PRIVATE, ""))
    with pytest.raises(IntegrityError, match="not public"):
        AddressGuard(lambda _host, _port: ["10.1.2.3"], (PRIVATE,))(host, 443)


@pytest.mark.parametrize("url", [f"http://{PRIVATE}/k", f"https://{PRIVATE}:8443/k", f"https://u@{PRIVATE}/k"])
def test_private_host_keeps_every_other_rule(url: str) -> None:
    """D29: https, port 443, no user name."""
    with pytest.raises(IntegrityError):
        judge_url(PresignedUrl(url), (), (PRIVATE,))
