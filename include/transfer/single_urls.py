"""Where one recording is offered right now, under either contract, in the shape in which a job's results come.

What is downloaded, examined and kept is then the same code for both. Unlike a job, this source says on request what
the file is now: before a second attempt, after a 416, and with a fresh token after bytes that were no recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from include.errors import FormatUnsupported
from include.genesys.models import RecordingResult
from include.transfer.media import signature
from include.transfer.metadata import SINGLE
from include.transfer.results import is_selected
from include.transfer.shard_work import JobUrls, ShardSource

if TYPE_CHECKING:
    from include.genesys.single_recording import MediaOffer
    from include.transfer.shard_work import JobUrl

_AUDIO = (signature.WAV, signature.OGG, signature.MP3, signature.WEBM, signature.FLAC, signature.M4A, signature.AMR)
FORMAT_MATRIX = frozenset(name for kind in _AUDIO for name in (kind.media_type, *kind.aliases))
"""Media types that can be proven whole here; another one that claims to be sound is refused before a byte of it."""


class SingleSource(ShardSource, Protocol):
    """What fetching one recording needs of the source."""

    def recording_media(self, conversation_id: str, recording_id: str, output_format: str | None = None) -> MediaOffer:
        """Ask the platform where one recording is."""

    def guide_media(self, media_id: str) -> MediaOffer:
        """Ask where one media object of the guide is."""

    def renew_token(self) -> None:
        """Get another token."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One recording in one format; ``output_format`` is ``None`` for what the source keeps.

    ``by_media_id``: the recording's id is a media id of the guide, whose metadata names the exact size.
    """

    conversation_id: str
    recording_id: str
    output_format: str | None = None
    by_media_id: bool = False

    def offer(self, source: SingleSource) -> MediaOffer:
        """Ask the source for it; without URLs the answer means "come back".

        Raises:
            RecordingGone: when the source does not know it.
            FormatUnsupported: when it is sound of a kind that cannot be proven whole.
            ArchiveError: as ``ApiDoor.fetch``.
        """
        if not self.by_media_id:
            return source.recording_media(self.conversation_id, self.recording_id, self.output_format)
        offer = source.guide_media(self.recording_id)
        plain = (offer.content_type or "").partition(";")[0].strip().lower()
        if plain and is_selected(plain) and plain not in FORMAT_MATRIX:
            raise FormatUnsupported(f"The source offers {self.recording_id} as {plain[:100]!r}, which nobody can check")
        return offer


class SingleUrls(JobUrls):
    """The URLs of one offer: one for a merged file, one for each channel where they come apart."""

    kind = SINGLE
    recognises_by_count = False

    def __init__(self, source: SingleSource, wanted: Wanted, offer: MediaOffer, requested_at: str) -> None:
        self.results = _results(wanted, offer)
        super().__init__(source, "", self.results, requested_at)
        # The guide's metadata names a format, and not whether it is the call's own.
        self.may_be_renderings = wanted.by_media_id
        self._keys = offer.keys
        self._single = source
        self._wanted = wanted
        self._offer = offer

    def media_uri(self, result: RecordingResult) -> str | None:
        """Return the key of one file of several, such as the number of a channel."""
        return self._keys[self.results.index(result)] if self._keys else None

    def looked_again(self, result: RecordingResult, used: JobUrl) -> JobUrl:
        """Ask what the file is now, with a fresh token."""
        self._single.renew_token()
        return self.renewed(result, used)

    def size_promised(self, result: RecordingResult) -> int | None:  # noqa: ARG002 - the guide's media is one file
        """Return the exact size that the guide's metadata states; the platform only estimates its renderings."""
        return self._offer.size_bytes if self._wanted.by_media_id else None

    def _ask(self) -> tuple[RecordingResult, ...]:
        self._offer = self._wanted.offer(self._single)
        return _results(self._wanted, self._offer)


def _results(wanted: Wanted, offer: MediaOffer) -> tuple[RecordingResult, ...]:
    place = (wanted.conversation_id, wanted.recording_id)
    return tuple(RecordingResult(*place, url, offer.content_type) for url in offer.urls)
