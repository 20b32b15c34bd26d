"""The seal of a commit: its digest, and with a key also a signature over its very bytes; pure.

Without a key a seal shows every accident and every change by somebody who does not know of it. With an HMAC key it
shows every change by somebody without the key; with an Ed25519 key a reader needs nothing secret to see that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from include.canonical import canonical_json, read_document, sha256_hex
from include.environment import ENVIRONMENT_PREFIX, read_settings
from include.errors import ConfigurationError
from include.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "recording-archive/seal/1"


class Algorithm(StrEnum):
    """What vouches for the bytes."""

    UNSIGNED = "sha256"
    HMAC = "hmac-sha256"
    ED25519 = "ed25519"


HMAC_BYTES_MIN = 32
"""A shorter key is a password that can be guessed (RFC 2104, section 3: at least the length of the hash)."""
_PEM = b"-----BEGIN "
_KEY_ID_DIGITS = 32


class JournalKey(Protocol):
    """What commits are signed with, or checked against. ``key_id`` names it without telling it."""

    @property
    def algorithm(self) -> str:
        """Its name in the seal."""

    @property
    def key_id(self) -> str:
        """Its name in the seal's key."""

    def sign(self, body: bytes) -> bytes:
        """Return the signature; the same for the same bytes.

        Raises:
            ConfigurationError: when this is the public half, which only checks.
        """

    def verifies(self, body: bytes, signature: bytes) -> bool:
        """Whether this key made that signature of those bytes."""


@dataclass(frozen=True, slots=True)
class JournalSigning:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``: the key itself, or the file it stands in.

    A PEM of an Ed25519 key (the public half is enough to check) or anything else of 32 bytes and more for HMAC-SHA256;
    a newline at the end does not count.
    """

    journal_key: Secret = field(default_factory=lambda: Secret(""))
    journal_key_file: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> JournalSigning:
        """Build from environment variables; what is unset or empty has its default."""
        return read_settings(cls, environment)

    def key(self) -> JournalKey | None:
        """Return the key, ``None`` where commits are not signed.

        Raises:
            ConfigurationError: when both are set, the file cannot be read, or it is no key; nothing of it is told.
        """
        if self.journal_key and self.journal_key_file:
            raise ConfigurationError(f"{ENVIRONMENT_PREFIX}JOURNAL_KEY and JOURNAL_KEY_FILE are both set: keep one.")
        if self.journal_key_file:
            return _key_of(_read(self.journal_key_file), "JOURNAL_KEY_FILE")
        if self.journal_key:
            return _key_of(self.journal_key.reveal().encode("utf-8", "surrogateescape"), "JOURNAL_KEY")
        return None


class HmacKey:
    """A shared secret: whoever can check with it can also sign."""

    algorithm = Algorithm.HMAC

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # A digest of a random key of 32 bytes and more leads nobody back to it.
        self.key_id = f"hmac-{sha256_hex(b'recording-archive/key-id/' + secret)[:_KEY_ID_DIGITS]}"

    def sign(self, body: bytes) -> bytes:
        """Return HMAC-SHA256 of the bytes."""
        return hmac.digest(self._secret, body, hashlib.sha256)

    def verifies(self, body: bytes, signature: bytes) -> bool:
        """Whether this key made that signature of those bytes."""
        return hmac.compare_digest(self.sign(body), signature)


class Ed25519Key:
    """A key pair, or its public half (RFC 8032: signing is deterministic)."""

    algorithm = Algorithm.ED25519

    def __init__(self, public: Ed25519PublicKey, private: Ed25519PrivateKey | None = None) -> None:
        self._public = public
        self._private = private
        self.key_id = f"ed25519-{sha256_hex(public.public_bytes_raw())[:_KEY_ID_DIGITS]}"

    def sign(self, body: bytes) -> bytes:
        """Return the signature.

        Raises:
            ConfigurationError: when this is the public half.
        """
        if self._private is None:
            raise ConfigurationError(f"{ENVIRONMENT_PREFIX}JOURNAL_KEY is a public key: it checks, but cannot sign.")
        return self._private.sign(body)

    def verifies(self, body: bytes, signature: bytes) -> bool:
        """Whether this key made that signature of those bytes."""
        try:
            self._public.verify(signature, body)
        except InvalidSignature:
            return False
        return True


def signed_text(key: JournalKey, body: bytes) -> str:
    """Return the key's signature of the bytes as documents carry it: base64.

    Raises:
        ConfigurationError: when the key is only a public one.
    """
    return base64.b64encode(key.sign(body)).decode()


def verifies_text(key: JournalKey, body: bytes, text: str) -> bool:
    """Whether the text is this key's signature of the bytes; what is no base64 is nobody's signature."""
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one; what is no ASCII is refused with a bare one
        return False
    return key.verifies(body, signature)


@dataclass(frozen=True, slots=True)
class Seal:
    """What stands beside a commit; ``signature`` is base64, empty in a seal without a key."""

    commit_key: str
    sha256: str
    algorithm: str = Algorithm.UNSIGNED
    key_id: str = Algorithm.UNSIGNED
    signature: str = ""

    @classmethod
    def of(cls, commit_key: str, body: bytes, key: JournalKey | None) -> Seal:
        """Seal the bytes of a commit.

        Raises:
            ConfigurationError: when the key is only a public one.
        """
        if key is None:
            return cls(commit_key, sha256_hex(body))
        return cls(commit_key, sha256_hex(body), key.algorithm, key.key_id, signed_text(key, body))

    def document(self) -> bytes:
        """Return the document."""
        return canonical_json(
            {
                "schema": SCHEMA,
                "commit": self.commit_key,
                "sha256": self.sha256,
                "algorithm": str(self.algorithm),
                "key_id": str(self.key_id),
                "signature": self.signature,
            }
        )

    @classmethod
    def parse(cls, document: bytes) -> Seal:
        """Read a seal.

        Raises:
            ValueError: when the bytes are not those that ``document`` writes.
        """
        values = read_document(document)
        names = ("commit", "sha256", "algorithm", "key_id", "signature")
        seal = cls(*(str(values.get(name, "")) for name in names))
        if seal.document() != document:
            raise ValueError("not written as a seal is")
        return seal

    def fits(self, body: bytes, key: JournalKey | None) -> bool:
        """Whether this seals these bytes; a signature by another key than this is not looked at."""
        if self.algorithm == Algorithm.UNSIGNED:
            return self == Seal(self.commit_key, sha256_hex(body))
        if self.sha256 != sha256_hex(body) or self.algorithm not in {Algorithm.HMAC, Algorithm.ED25519}:
            return False
        if key is None or key.key_id != self.key_id:
            return True
        return self.algorithm == key.algorithm and verifies_text(key, body, self.signature)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(f"{ENVIRONMENT_PREFIX}JOURNAL_KEY_FILE {path!r} cannot be read: {reason}.") from None


def _key_of(material: bytes, name: str) -> JournalKey:
    material = material.rstrip(b"\r\n")
    if not material.startswith(_PEM):
        if len(material) < HMAC_BYTES_MIN:
            raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{name} must have {HMAC_BYTES_MIN} bytes or more.")
        return HmacKey(material)
    try:
        if b"PUBLIC" in material.splitlines()[0]:
            public = serialization.load_pem_public_key(material)
            if isinstance(public, Ed25519PublicKey):
                return Ed25519Key(public)
        else:
            private = serialization.load_pem_private_key(material, password=None)
            if isinstance(private, Ed25519PrivateKey):
                return Ed25519Key(private.public_key(), private)
    except (ValueError, TypeError):
        # The library's own words could quote the key.
        pass
    raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{name} is a PEM, but no Ed25519 key without a password.")
