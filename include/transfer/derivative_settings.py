"""What else recordings are wanted as, and what making it may cost: frozen, checked when built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.environment import check_numbers, read_settings
from include.errors import ConfigurationError
from include.transfer.rendition import ORIGINAL, QueueRules, Rendition
from include.transfer.transcode_process import TranscodeLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM_GENESYS, FROM_HERE = "genesys", "here"
WAV_BYTES_MAX = 4 * 1024**3 - 1
"""The sizes in a WAV's header have 32 bits."""


@dataclass(frozen=True, slots=True)
class DerivativeSettings:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``; the defaults make nothing.

    ``output_format`` and ``channels`` are what a run asks for unless its parameters say otherwise. ``renditions_from``
    is ``genesys``, where the contract can be asked for the format, or ``here``: made from the original in any case.

    Raises:
        ConfigurationError: when a value is none of its kind; the message names it.
    """

    output_format: str = ORIGINAL
    channels: str = ORIGINAL
    derivative_rules: str = ""
    renditions_from: str = FROM_GENESYS
    concurrent_transcodes: int = 2
    transcode_timeout_seconds: float = 600.0
    transcode_memory_bytes: int = 512 * 1024 * 1024
    transcode_output_bytes_max: int = 2 * 1024**3

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.transcode_output_bytes_max > WAV_BYTES_MAX:
            raise ConfigurationError(f"RECORDING_ARCHIVE_TRANSCODE_OUTPUT_BYTES_MAX must be {WAV_BYTES_MAX} or less")
        if self.renditions_from not in {FROM_GENESYS, FROM_HERE}:
            raise ConfigurationError(f"RECORDING_ARCHIVE_RENDITIONS_FROM must be {FROM_GENESYS} or {FROM_HERE}")
        _ = self.rendition, self.rules

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> DerivativeSettings:
        """Build from environment variables.

        Raises:
            ConfigurationError: when a value cannot be read; the message names the variable.
        """
        return read_settings(cls, environment)

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
