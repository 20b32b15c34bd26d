"""Which form of a recording a run asks for, and what each contract can deliver; pure."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import ConfigurationError
from include.genesys.models import Contract

ORIGINAL = "original"
FORMATS = (ORIGINAL, "wav", "mp3")
CHANNELS = (ORIGINAL, "mono")


@dataclass(frozen=True, slots=True)
class Rendition:
    """Format and channels as the run's parameters spell them."""

    output_format: str = ORIGINAL
    channels: str = ORIGINAL

    def check(self, contract: Contract) -> None:
        """Refuse what the source cannot deliver, before anything is called.

        Raises:
            ConfigurationError: when a value is unknown, or not to be had under this contract.
        """
        if self.output_format not in FORMATS:
            raise ConfigurationError(f"output_format must be one of {', '.join(FORMATS)}, not {self.output_format!r}.")
        if self.channels not in CHANNELS:
            raise ConfigurationError(f"channels must be one of {', '.join(CHANNELS)}, not {self.channels!r}.")
        if self.output_format != ORIGINAL and contract is Contract.PLATFORM:
            raise ConfigurationError(
                f"output_format {self.output_format} cannot be had: the published batch request has no format field, "
                "it delivers originals. Run with output_format original."
            )
        if self.channels != ORIGINAL:
            raise ConfigurationError("channels mono cannot be had from a batch request; run with channels original.")

    @property
    def requested_format(self) -> str | None:
        """What the batch request asks for, ``None`` for the original."""
        return None if self.output_format == ORIGINAL else self.output_format.upper()
