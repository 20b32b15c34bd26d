"""Where the native integration writes to and how it is read: frozen, checked when built."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.settings import ENVIRONMENT_PREFIX, LakeLocation

if TYPE_CHECKING:
    from collections.abc import Mapping

URI = f"{ENVIRONMENT_PREFIX}EXPORT_URI"


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``; without ``export_uri`` there is no export.

    ``export_patience_seconds`` is how long a recording waits for its metadata, or metadata for their recording, from
    the moment at which the bucket took them.

    Raises:
        ConfigurationError: when a value is none of its kind; the message names it.
    """

    export_uri: str = ""
    export_window_days: int = 35
    export_patience_seconds: float = 24 * 3600.0
    export_wait_seconds: float = 1800.0
    export_poll_seconds: float = 120.0
    export_pgp_key_file: str = ""
    export_pgp_password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and not 0 <= value < math.inf:
                raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{item.name.upper()} must be a number from 0")
        if self.export_uri:
            _ = self.location

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ExportSettings:
        """Build from environment variables.

        Raises:
            ConfigurationError: when a value cannot be read; the message names the variable.
        """
        values: dict[str, object] = {}
        readers = {"int": int, "float": float, "str": str}
        for item in fields(cls):
            name = f"{ENVIRONMENT_PREFIX}{item.name.upper()}"
            if not environment.get(name):
                continue
            try:
                values[item.name] = readers[str(item.type)](environment[name])
            except ValueError as error:
                raise ConfigurationError(f"{name} must be {item.type}, not {environment[name]!r}") from error
        return cls(**values)  # type: ignore[arg-type]  # each value was read by the field's own type

    @property
    def location(self) -> LakeLocation:
        """Bucket and prefix of the export.

        Raises:
            ConfigurationError: when there is none, or it is no S3 address.
        """
        if not self.export_uri:
            raise ConfigurationError(f"{URI} is not set: it names what the native integration writes to, as s3://…")
        try:
            return LakeLocation.parse(self.export_uri)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace("RECORDING_LAKE_URI", URI)) from None
