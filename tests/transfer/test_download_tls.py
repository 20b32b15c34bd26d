"""Row D22: whom a TLS certificate does not name, or no longer, is not talked to."""

from __future__ import annotations

import ast
import io
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from include.errors import SourceUnavailable
from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from tests.transfer.fault_server import FaultServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from include.settings import ArchiveSettings

ROOT = Path(__file__).parents[2]
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


class TlsServer(FaultServer):
    """The honest server behind TLS."""

    context: ssl.SSLContext

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            super()._serve(self.context.wrap_socket(connection, server_side=True))


@contextmanager
def serving(
    certificate: trustme.LeafCert, content: bytes, newest: ssl.TLSVersion | None = None
) -> Iterator[FaultServer]:
    """Serve under a certificate, with nothing newer than a version of TLS."""
    server = TlsServer(content)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server.context)
    if newest is not None:
        server.context.set_ciphers("ALL:@SECLEVEL=0")
        server.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        server.context.maximum_version = newest
    with server:
        yield server


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this machine trusts, the way OpenSSL is told of one."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return ca


def fetch(settings: ArchiveSettings, server: FaultServer) -> bytes:
    """Fetch over TLS."""
    sink = io.BytesIO()
    with MediaDownloader(settings, ("localhost",), lambda _: None) as downloader:
        downloader.fetch(PresignedUrl(f"https://localhost:{server.port}/x?sig=canary"), sink)
    return sink.getvalue()


def test_a_trusted_server_is_read(settings: ArchiveSettings, authority: trustme.CA, content: bytes) -> None:
    """D22: the other tests refuse for their own reason, and not because nothing would do."""
    with serving(authority.issue_cert("localhost"), content) as server:
        assert content == fetch(settings, server)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("case", ["self-signed", "wrong-host", "expired", "tls-1.1"])
def test_a_server_that_cannot_prove_itself_is_refused(
    settings: ArchiveSettings, authority: trustme.CA, content: bytes, case: str
) -> None:
    """D22: no request leaves, and the error says no more than the host."""
    certificate = {
        "self-signed": lambda: trustme.CA().issue_cert("localhost"),
        "wrong-host": lambda: authority.issue_cert("media.example.org"),
        "expired": lambda: authority.issue_cert("localhost", not_before=YESTERDAY - timedelta(9), not_after=YESTERDAY),
        "tls-1.1": lambda: authority.issue_cert("localhost"),
    }[case]()
    newest = ssl.TLSVersion.TLSv1_1 if case == "tls-1.1" else None
    with serving(certificate, content, newest) as server, pytest.raises(SourceUnavailable, match="localhost") as caught:
        fetch(settings, server)
    assert [] == server.requests
    assert "canary" not in str(caught.value)
    assert [] == [thread for thread in threading.enumerate() if thread.name == "sha256"]


def test_no_code_switches_certificates_off() -> None:
    """D22: neither verify=False, nor CERT_NONE, nor check_hostname=False stands anywhere in the project."""
    found = []
    for path in [path for folder in ("include", "plugins", "dags") for path in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            is_off = isinstance(node, ast.keyword) and node.arg in ("verify", "check_hostname", "assert_hostname")
            if is_off and isinstance(node.value, ast.Constant) and node.value.value is False:
                found.append(f"{path}:{node.value.lineno}")
            if getattr(node, "attr", None) in ("CERT_NONE", "_create_unverified_context"):
                found.append(f"{path}:{node.lineno}")
    assert [] == found
