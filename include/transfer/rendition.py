"""Which form of a recording is wanted, what the source can be asked for, and which queue wants which; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.models import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ORIGINAL, WAV, MP3 = "original", "wav", "mp3"
MONO = "mono"
FORMATS = (ORIGINAL, WAV, MP3)
CHANNELS = (ORIGINAL, MONO)
ANY_QUEUE = "*"
_PLAIN = {WAV: ("audio/wav", "pcm"), MP3: ("audio/mpeg", "mp3")}
"""Media type and codec of an original that is in this format already; a WAV can also hold GSM, which few can play."""


@dataclass(frozen=True, slots=True, order=True)
class Rendition:
    """Format and channels as the run's parameters spell them.

    Raises:
        ConfigurationError: when a value is unknown.
    """

    output_format: str = ORIGINAL
    channels: str = ORIGINAL

    def __post_init__(self) -> None:
        if self.output_format not in FORMATS:
            raise ConfigurationError(f"output_format must be one of {', '.join(FORMATS)}, not {self.output_format!r}.")
        if self.channels not in CHANNELS:
            raise ConfigurationError(f"channels must be one of {', '.join(CHANNELS)}, not {self.channels!r}.")

    @classmethod
    def parse(cls, text: str) -> Rendition:
        """Read a rule's word: a format, and behind a slash the channels.

        >>> Rendition.parse("mp3/mono"), Rendition.parse("wav")
        (Rendition(output_format='mp3', channels='mono'), Rendition(output_format='wav', channels='original'))

        Raises:
            ConfigurationError: when it is neither.
        """
        output_format, _, channels = text.partition("/")
        return cls(output_format.strip(), channels.strip() or ORIGINAL)

    @property
    def is_original(self) -> bool:
        """Whether nothing has to be made for it."""
        return self == Rendition()

    @property
    def derived_format(self) -> str:
        """The format a derivative has; mono in the original's format is WAV, which adds no second loss."""
        return WAV if self.output_format == ORIGINAL else self.output_format

    @property
    def name(self) -> str:
        """Its word in keys, such as ``mp3-mono``."""
        return f"{self.derived_format}-{self.channels}"

    def requested_format(self, contract: Contract) -> str | None:
        """Return what a batch request can ask the source to render; ``None`` where it has no field for it.

        The published batch request delivers originals only (``BatchDownloadRequest``, Genesys OpenAPI), the guide's
        names a format and no channels.
        """
        if self.output_format == ORIGINAL or self.channels != ORIGINAL or contract is Contract.PLATFORM:
            return None
        return self.output_format.upper()

    def is_met_by(self, media_type: str, codec: str, channels: int | None) -> bool:
        """Whether an original is what is wanted already."""
        if self.channels == MONO and channels != 1:
            return False
        return self.output_format == ORIGINAL or _PLAIN[self.output_format] == (media_type, codec)


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What each queue's recordings are also wanted as; ``*`` stands for every recording, one without a queue too."""

    renditions: Mapping[str, tuple[Rendition, ...]]

    @classmethod
    def parse(cls, text: str) -> QueueRules:
        """Read a JSON object of queue names to a word, or a list of words, as ``Rendition.parse`` reads them.

        Raises:
            ConfigurationError: when it is no such object, or a word is unknown.
        """
        try:
            rules = json.loads(text or "{}")
        except ValueError:
            rules = None
        if not isinstance(rules, dict):
            raise ConfigurationError('RECORDING_ARCHIVE_DERIVATIVE_RULES must be JSON such as {"Sales": "mp3/mono"}.')
        words = {queue: value if isinstance(value, list) else [value] for queue, value in rules.items()}
        return cls({queue: tuple(Rendition.parse(str(word)) for word in given) for queue, given in words.items()})

    def wanted(self, run: Rendition, queues: Iterable[str]) -> tuple[Rendition, ...]:
        """Return what a recording of these queues is wanted as: what the run asks for, and what its rules say.

        ``queues`` are names or ids. A rule adds and never replaces: each derivative stands on its own.
        """
        rules = [item for queue in (ANY_QUEUE, *queues) for item in self.renditions.get(queue, ())]
        return tuple(sorted({item for item in (run, *rules) if not item.is_original}))
