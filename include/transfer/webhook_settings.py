"""Where the webhook goes, what signs it, and how long anybody waits for it: frozen, checked when built.

The URL may hold a token of the receiver's, so it is kept as the keys are: nothing prints more of it than its host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from include.audit.delivery import BackOff
from include.audit.signature import HMAC_BYTES_MIN
from include.environment import ENVIRONMENT_PREFIX, check_numbers, read_settings
from include.errors import ConfigurationError
from include.secret import Secret
from include.transfer.url_guard import is_loopback_name

if TYPE_CHECKING:
    from collections.abc import Mapping

URL_VARIABLE = "RECORDING_WEBHOOK_URL"
_UNSAFE = re.compile(r"[^\x21-\x7e]")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """What a request needs of the URL."""

    scheme: str
    host: str
    port: int
    path: Secret

    @property
    def host_header(self) -> str:
        """The host as a request names it (RFC 9112, 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """``RECORDING_WEBHOOK_URL``, and the rest from ``RECORDING_ARCHIVE_<FIELD>``; the defaults send nothing.

    ``webhook_hosts`` are full host names, separated by commas. Where it is set, the URL's host must be among them; a
    host that is may also have private addresses. ``webhook_key_next`` signs too, while the key is being changed.

    Raises:
        ConfigurationError: when a value is none of its kind, or the URL leads where it may not; the message names the
            variable and no secret.
    """

    url: Secret = field(default_factory=lambda: Secret(""))
    webhook_hosts: str = ""
    webhook_key: Secret = field(default_factory=lambda: Secret(""))
    webhook_key_file: str = ""
    webhook_key_next: Secret = field(default_factory=lambda: Secret(""))
    webhook_key_next_file: str = ""
    webhook_batch_events: int = 1
    webhook_timeout_seconds: float = 10.0
    webhook_patience_seconds: float = 60.0
    webhook_run_seconds: float = 1200.0
    webhook_give_up_seconds: float = 7 * 86400.0

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.is_on:
            _ = self.target, self.keys

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> WebhookSettings:
        """Build from environment variables.

        Raises:
            ConfigurationError: as the class does; the message names the variable.
        """
        return read_settings(cls, environment, url=Secret(environment.get(URL_VARIABLE) or ""))

    @property
    def is_on(self) -> bool:
        """Whether anybody is to be told at all."""
        return bool(self.url)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The permitted hosts, in small letters; none where the URL's own is."""
        return tuple(entry.strip().lower().rstrip(".") for entry in self.webhook_hosts.split(",") if entry.strip(" ."))

    @property
    def back_off(self) -> BackOff:
        """When a failed event is sent again, and until when."""
        return BackOff(give_up_seconds=self.webhook_give_up_seconds)

    @property
    def target(self) -> Target:
        """Where to send; https, but for this machine itself.

        Raises:
            ConfigurationError: when the URL is none, or its host is not permitted.
        """
        try:
            parts = urlsplit("" if _UNSAFE.search(self.url.reveal()) else self.url.reveal())
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            parts, host, port = urlsplit(""), "", None
        # The messages hold the host and never the URL: its path or query may be the receiver's password.
        if not _HOST.fullmatch(host) or "@" in parts.netloc or parts.scheme not in _DEFAULT_PORTS:
            raise ConfigurationError(f"{URL_VARIABLE} must look like https://host/path, without a user name")
        if parts.scheme != "https" and not is_loopback_name(host):
            raise ConfigurationError(f"{URL_VARIABLE} must be https: {host!r} is another machine")
        if self.hosts and host not in self.hosts:
            raise ConfigurationError(f"{URL_VARIABLE} leads to {host!r}, not in {ENVIRONMENT_PREFIX}WEBHOOK_HOSTS")
        path = Secret(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        return Target(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], path)

    @property
    def keys(self) -> tuple[Secret, ...]:
        """What signs: the key in use, and the next one where there is one.

        Raises:
            ConfigurationError: when there is none, it is too short, or its file cannot be read.
        """
        current = _key("WEBHOOK_KEY", self.webhook_key, self.webhook_key_file)
        if not current:
            raise ConfigurationError(f"{ENVIRONMENT_PREFIX}WEBHOOK_KEY is not set: nothing leaves without a signature")
        following = _key("WEBHOOK_KEY_NEXT", self.webhook_key_next, self.webhook_key_next_file)
        return (current, following) if following else (current,)


def _key(name: str, key: Secret, path: str) -> Secret:
    if key and path:
        raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{name} and {name}_FILE are both set: keep one")
    if path:
        try:
            key = Secret(Path(path).read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{name}_FILE {path!r} cannot be read: {reason}") from None
    if (key or path) and len(key.reveal().encode("utf-8", "surrogateescape")) < HMAC_BYTES_MIN:
        raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{name} must have {HMAC_BYTES_MIN} bytes or more")
    return key
