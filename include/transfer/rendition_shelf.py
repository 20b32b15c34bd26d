"""What the source rendered of archived originals: judged beside them, and kept as derivatives or left.

Nothing is refused here for good: what does not agree with its original is left, and then made from it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from include.transfer.derivative import allowed_milliseconds, derived_of, put_derivative
from include.transfer.derivative_document import rendered_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from include.lake.store import LakeStore
    from include.transfer.derivative_document import Derived, Original
    from include.transfer.recording_body import RecordingBody
    from include.transfer.rendition import Rendition

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RenditionShelf:
    """Takes one rendition of each recording of which the lake holds one original: ``originals``, by both ids.

    Of a recording in several parts nobody says which rendering belongs to which part. ``made`` is what was kept.
    """

    lake: LakeStore
    rendition: Rendition
    originals: Mapping[tuple[str, str], Original]
    made: dict[Original, Derived] = field(default_factory=dict)

    @classmethod
    def of(cls, lake: LakeStore, rendition: Rendition, originals: Iterable[Original]) -> Self:
        """Return an empty shelf for those of the originals that are the only part of their recording."""
        alone = (item for item in originals if item.parts == 1)
        places = {(item.identity.conversation_id, item.identity.recording_id): item for item in alone}
        return cls(lake, rendition, places)

    def keep(self, conversation_id: str, recording_id: str, bodies: Sequence[RecordingBody]) -> None:
        """Put the one rendering beside its original, if it is what was asked for.

        Raises:
            LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
        """
        original = self.originals.get((conversation_id, recording_id))
        if original is None or not bodies:
            return
        why_not = f"{len(bodies)} files came" if len(bodies) > 1 else disagreement(original, self.rendition, bodies[0])
        if why_not:
            log.warning("recording_id=%s rendition=%s left: %s", recording_id, self.rendition.name, why_not)
            return
        self.made[original] = self._put(original, bodies[0])

    def _put(self, original: Original, body: RecordingBody) -> Derived:
        audio = body.inspection.audio
        if audio is None or audio.channels is None:
            raise AssertionError("a rendering without sound was judged to agree")
        derived = derived_of(original, self.rendition, body.size, body.sha256, audio.channels)
        # The source's own JSON speaks of persons; what may be stored of that is said beside the original.
        requested = replace(body.origin, declared=None, requested_format=self.rendition.output_format.upper())
        document = rendered_document(original, self.rendition, audio, derived, requested)
        put_derivative(self.lake, original, self.rendition, derived, body.sink, document)
        return derived


def disagreement(original: Original, rendition: Rendition, body: RecordingBody) -> str:
    """Return why a rendering is not what was asked for; an empty text where it is.

    Its structure was walked like that of every recording; format, codec, channels and length are its original's, the
    length within 50 ms and what the frames of an MP3 hold beyond their sound.
    """
    if body.refusal is not None:
        return body.refused_for
    audio = body.inspection.audio
    if audio is None or audio.channels is None or audio.duration_milliseconds is None or not audio.sample_rate_hz:
        return "its headers do not say how long it is, or in how many channels"
    if not rendition.is_met_by(body.media_type, audio.codec, audio.channels) or audio.channels != original.channels:
        return f"{audio.channels} channels of {audio.codec} in {body.media_type}"
    if original.milliseconds is None:
        return "the length of the original is not known"
    codec = "mp3" if "mp3" in {audio.codec, original.codec} else audio.codec
    allowed = allowed_milliseconds(codec, audio.sample_rate_hz)
    if abs(audio.duration_milliseconds - original.milliseconds) > allowed:
        return f"it lasts {audio.duration_milliseconds} ms, the original {original.milliseconds} ms"
    return ""
