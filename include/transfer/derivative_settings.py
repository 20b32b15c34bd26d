"""What else recordings are wanted as, and what making it may cost: frozen, checked when built."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.settings import ENVIRONMENT_PREFIX
from include.transfer.rendition import ORIGINAL, QueueRules, Rendition
from include.transfer.transcode_process import TranscodeLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

WAV_BYTES_MAX = 4 * 1024**3 - 1
"""The sizes in a WAV's header have 32 bits."""


@dataclass(frozen=True, slots=True)
class DerivativeSettings:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``; the defaults make nothing.

    ``output_format`` and ``channels`` are what a run asks for unless its parameters say otherwise.

    Raises:
        ConfigurationError: when a value is none of its kind; the message names it.
    """

    output_format: str = ORIGINAL
    channels: str = ORIGINAL
    derivative_rules: str = ""
    concurrent_transcodes: int = 2
    transcode_timeout_seconds: float = 600.0
    transcode_memory_bytes: int = 512 * 1024 * 1024
    transcode_output_bytes_max: int = 2 * 1024**3

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and not 0 < value < math.inf:
                raise ConfigurationError(f"{ENVIRONMENT_PREFIX}{item.name.upper()} must be a number above 0")
        if self.transcode_output_bytes_max > WAV_BYTES_MAX:
            raise ConfigurationError(f"RECORDING_ARCHIVE_TRANSCODE_OUTPUT_BYTES_MAX must be {WAV_BYTES_MAX} or less")
        _ = self.rendition, self.rules

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> DerivativeSettings:
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
    def rendition(self) -> Rendition:
        """What a run asks for by default."""
        return Rendition(self.output_format, self.channels)

    @property
    def rules(self) -> QueueRules:
        """What each queue asks for."""
        return QueueRules.parse(self.derivative_rules)

    @property
    def limits(self) -> TranscodeLimits:
        """What one recording may cost."""
        return TranscodeLimits(
            self.transcode_timeout_seconds, self.transcode_memory_bytes, self.transcode_output_bytes_max
        )
