"""Opens what the integration encrypted with the customer's OpenPGP key, where the archive has its secret half.

Sequoia does it, in memory: a sealed recording is bounded by ``SEALED_BYTES_MAX``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pysequoia

from include.errors import ConfigurationError

if TYPE_CHECKING:
    from include.transfer.export_settings import ExportSettings

SEALED_BYTES_MAX = 256 * 1024 * 1024


class Unsealer:
    """Decrypts with one secret key; without one it opens nothing. Thread-safe."""

    def __init__(self, settings: ExportSettings) -> None:
        """Read the key.

        Raises:
            ConfigurationError: when there is a key file that holds no secret key.
        """
        self._password = settings.export_pgp_password or None
        self._key: pysequoia.Tsk | None = None
        if not settings.export_pgp_key_file:
            return
        try:
            self._key = pysequoia.Tsk.from_bytes(Path(settings.export_pgp_key_file).read_bytes())
            self._key.decryptor(self._password)
        except Exception as error:  # noqa: BLE001 - what Sequoia raises has no class of its own
            raise ConfigurationError(
                f"RECORDING_ARCHIVE_EXPORT_PGP_KEY_FILE holds no secret key that opens ({type(error).__name__})"
            ) from None

    @property
    def has_key(self) -> bool:
        """Whether anything can be opened at all."""
        return self._key is not None

    def opened(self, body: bytes) -> bytes | None:
        """Return the plain bytes, ``None`` where the key or its password does not open them."""
        if self._key is None:
            return None
        try:
            return pysequoia.decrypt(body, decryptor=self._key.decryptor(self._password)).bytes
        except Exception:  # noqa: BLE001 - as above; its text may quote the message
            return None
