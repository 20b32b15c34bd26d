"""Who we are towards Genesys Cloud and where it lives: one frozen value, checked before anything is sent.

One value drives both the login and the API host, so that a token of one region is never carried to another. The
plugin builds it from the Airflow connection ``genesys_cloud``; nothing here knows Airflow.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from include.errors import ConfigurationError
from include.genesys.models import Contract
from include.genesys.regions import region_of
from include.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REQUESTS_PER_MINUTE = 300
"""Calls a minute for one token (``client.credentials.token.rate.per.minute``; Genesys developer blog 2021)."""

REQUESTS_PER_MINUTE_MAX = 10_000
PRESIGNED_HOST = "amazonaws.com"

GUIDE_SCOPE = "recording:read"
"""What the media download guide asks a token for; the bulk export guide names others."""

_ORG_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_CLIENT_ID = re.compile(r"[\x21-\x39\x3b-\x7e]{1,256}")  # RFC 7617: a user-id holds no colon
_HOST_SUFFIX = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{1,63}|localhost")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749, 3.3
_BASE_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")


@dataclass(frozen=True, slots=True)
class GenesysConnection:
    """Identity, hosts and limits of one organisation; ``repr`` masks the secret.

    ``api_base_url`` and ``login_base_url`` end without a slash. ``media_hosts`` are host suffixes that presigned
    media URLs may point to; ``private_media_hosts`` are full host names that may point into your own network, such as
    an S3 endpoint inside a VPC. ``scope`` is empty where the contract's own is meant.
    """

    name: str
    client_id: str
    client_secret: Secret
    contract: Contract
    api_base_url: str
    login_base_url: str
    org_id: str
    requests_per_minute: int = REQUESTS_PER_MINUTE
    media_hosts: tuple[str, ...] = (PRESIGNED_HOST,)
    private_media_hosts: tuple[str, ...] = ()
    scope: str = ""

    @property
    def loopback(self) -> bool:
        """Whether the API is on this machine: the sandbox, never Genesys Cloud."""
        return is_loopback(urlsplit(self.api_base_url).hostname or "")

    @property
    def token_scope(self) -> str:
        """What a token is asked for; empty where nothing is: the platform looks at the client's role alone."""
        return self.scope or (GUIDE_SCOPE if self.contract is Contract.GUIDE else "")

    @classmethod
    def from_fields(
        cls, *, name: str, host: str | None, login: str | None, password: str | None, extra: Mapping[str, object]
    ) -> GenesysConnection:
        """Build from the fields of a stored connection.

        Raises:
            ConfigurationError: when a field is missing, malformed or contradicts another; the message names the
                connection and the field, never the secret.
        """
        fields = _Fields(name, extra)
        contract = fields.contract()
        api, login_base = _hosts(fields, host or "", contract)
        return cls(
            name=name,
            client_id=fields.checked("login", login, _CLIENT_ID, "the OAuth client id"),
            client_secret=fields.secret(password),
            contract=contract,
            api_base_url=api,
            login_base_url=login_base,
            org_id=_canonical_id(fields.checked("org_id", extra.get("org_id"), _ORG_ID, "the organisation's id")),
            requests_per_minute=fields.requests_per_minute(),
            media_hosts=fields.hosts(
                "media_hosts", extra.get("media_hosts"), _default_media_hosts(urlsplit(api).hostname or "")
            ),
            private_media_hosts=fields.hosts("private_media_hosts", extra.get("private_media_hosts"), ()),
            scope=fields.scope(),
        )


class _Fields:
    """Reads the fields of one connection; every complaint names the connection and the field."""

    def __init__(self, name: str, extra: Mapping[str, object]) -> None:
        self.name = name
        self.extra = extra

    def wrong(self, field: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"Connection {self.name!r}: {field} {why}", connection=self.name, field=field)

    def checked(self, field: str, value: object, pattern: re.Pattern[str], what: str) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            raise self.wrong(field, f"is not set: it is {what}")
        if not pattern.fullmatch(text):
            raise self.wrong(field, f"holds characters that {what} cannot have")
        return text

    def secret(self, value: str | None) -> Secret:
        if not value:
            raise self.wrong("password", "is not set: it is the OAuth client secret")
        if not value.isprintable() or value != value.strip():
            raise self.wrong("password", "holds blanks at its ends or control characters")
        return Secret(value)

    def contract(self) -> Contract:
        value = self.extra.get("contract") or Contract.PLATFORM
        try:
            return Contract(str(value).strip().lower())
        except ValueError as error:
            raise self.wrong("contract", f"must be one of {', '.join(Contract)}") from error

    def base_url(self, field: str) -> str | None:
        value = self.extra.get(field)
        if value in (None, ""):
            return None
        try:
            return _base_url(value)
        except ValueError as error:
            raise self.wrong(field, str(error)) from None

    def requests_per_minute(self) -> int:
        value = self.extra.get("requests_per_minute", REQUESTS_PER_MINUTE)
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,5}", text):
            raise self.wrong("requests_per_minute", "must be a whole number")
        if not 1 <= int(text) <= REQUESTS_PER_MINUTE_MAX:
            raise self.wrong("requests_per_minute", f"must be 1 to {REQUESTS_PER_MINUTE_MAX}")
        return int(text)

    def scope(self) -> str:
        value = self.extra.get("scope")
        if value in (None, ""):
            return ""
        words = " ".join(part for part in value.split(" ") if part) if isinstance(value, str) else ""
        if not _SCOPE.fullmatch(words):
            raise self.wrong("scope", "must be OAuth scopes such as recording:read, a space between them")
        return words

    def hosts(self, field: str, value: object, default: tuple[str, ...]) -> tuple[str, ...]:
        if value in (None, ""):
            return default
        parts: Iterable[object] = value.split(",") if isinstance(value, str) else _items(value)
        suffixes = [str(part).strip().lower().removeprefix("*").removeprefix(".") for part in parts]
        kept = tuple(dict.fromkeys(suffix for suffix in suffixes if suffix))
        if not kept or not all(_HOST_SUFFIX.fullmatch(suffix) for suffix in kept):
            raise self.wrong(field, "must be hosts such as amazonaws.com, separated by commas")
        return kept


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine by name or by literal address; nothing is resolved."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _canonical_id(value: str) -> str:
    """Write a UUID in lower case, so that one organisation never has two prefixes in the lake."""
    try:
        return str(UUID(value))
    except ValueError:
        return value


def _base_url(value: object) -> str:
    """Return the URL without its trailing slash; the ``ValueError`` says what is wrong, without quoting it."""
    try:
        parts = urlsplit(str(value).strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if not host or parts.scheme not in ("https", "http"):
        raise ValueError("must look like https://host")
    if parts.username is not None or parts.query or parts.fragment or not _BASE_PATH.fullmatch(parts.path):
        raise ValueError("must hold a scheme, a host and at most a plain path")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must use https: the client secret travels there")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _hosts(fields: _Fields, host: str, contract: Contract) -> tuple[str, str]:
    """Return API and login base URL, refusing any two that belong to different regions."""
    region = _region(fields, host)
    api = fields.base_url("api_base_url") or (f"https://api.{region}" if region else None)
    if api is None:
        raise fields.wrong("host", "must be a region domain of Genesys Cloud, such as mypurecloud.com")
    login = fields.base_url("login_base_url") or _default_login(api, contract)
    _same_place(fields, "api_base_url", urlsplit(api).hostname or "", region)
    api_host, login_host = urlsplit(api).hostname or "", urlsplit(login).hostname or ""
    if is_loopback(api_host) != is_loopback(login_host) or region_of(api_host) != region_of(login_host):
        raise fields.wrong("login_base_url", "and api_base_url belong to different regions")
    return api, login


def _region(fields: _Fields, host: str) -> str | None:
    """Return the region that ``host`` names; ``None`` where ``api_base_url`` speaks instead."""
    text = host.strip()
    try:
        name = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        raise fields.wrong("host", "is no host name") from None
    region = region_of(name)
    stated = urlsplit(fields.base_url("api_base_url") or "").hostname
    if region is None and name and name != stated and not (is_loopback(name) and is_loopback(stated or "")):
        raise fields.wrong("host", "is no region domain of Genesys Cloud, such as mypurecloud.com")
    return region


def _same_place(fields: _Fields, field: str, host: str, region: str | None) -> None:
    if region is not None and not is_loopback(host) and region_of(host) != region:
        raise fields.wrong(field, "and host belong to different regions")


def _default_login(api: str, contract: Contract) -> str:
    """Name the login server: the guides ask the API host itself, the platform its sibling ``login.``."""
    return api if contract is Contract.GUIDE else api.replace("//api.", "//login.", 1)


def _default_media_hosts(api_host: str) -> tuple[str, ...]:
    return (PRESIGNED_HOST, region_of(api_host) or api_host)
