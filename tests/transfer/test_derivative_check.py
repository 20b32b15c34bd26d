"""What the decoder's process leaves is looked at once more: its own word, and the original's, have to agree with it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import pytest

from include.lake.layout import MediaIdentity
from include.transfer.derivative import _checked
from include.transfer.derivative_document import Original
from include.transfer.rendition import Rendition
from include.transfer.transcode_failure import Failed, Reason
from include.transfer.transcode_process import TranscodeLimits, run_transcode
from tests.transfer.sound import sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from include.transfer.transcode_process import Made

RATE_HZ = 8000
MILLISECONDS = 2000
ORIGINAL = Original(
    MediaIdentity("org", "2026-03-02", "0" * 36, "1" * 36, 0),
    "key", "ab", 1, "audio/wav", "pcm", 2, MILLISECONDS, ("customer", "agent"), (),
)  # fmt: skip


@contextmanager
def transcoded(rendition: Rendition) -> Iterator[tuple[Made, BinaryIO]]:
    """Give two seconds in two channels in another form, as the process leaves it."""
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(sound("wav-pcm", 2 * RATE_HZ, RATE_HZ))
        source.flush()
        made = run_transcode(source, target, "wav", rendition, TranscodeLimits(60, 512 << 20, 64 << 20))
        assert not isinstance(made, Failed)
        yield made, target


@pytest.mark.parametrize("word", ["wav", "wav/mono", "mp3", "mp3/mono"])
@pytest.mark.parametrize(
    ("off", "reason"), [(0, None), (50, None), (-50, None), (51, "duration_differs"), (-51, "duration_differs")]
)
def test_length_is_the_originals_within_fifty_milliseconds(word: str, off: int, reason: str | None) -> None:
    """One more is another call; counted in samples that were decoded, so that an MP3's padding excuses nothing."""
    rendition = Rendition.parse(word)
    with transcoded(rendition) as (made, target):
        outcome = _checked(replace(ORIGINAL, milliseconds=MILLISECONDS + off), rendition, made, target)
    assert reason == (outcome.reason if isinstance(outcome, Failed) else None)


@pytest.mark.parametrize(
    "lie", [{"channels": 1}, {"source_channels": 1}, {"samples": 2 * RATE_HZ + 408}, {"sample_rate_hz": 16000}]
)
def test_a_process_that_lies_is_not_believed(lie: dict[str, int]) -> None:
    """Channels and length are read from the bytes; the original's length is not known here, so nothing else tells."""
    with transcoded(Rendition("wav")) as (made, target):
        outcome = _checked(replace(ORIGINAL, milliseconds=None), Rendition("wav"), replace(made, **lie), target)
    assert isinstance(outcome, Failed)
    assert Reason.NOT_AS_ASKED == outcome.reason


def test_bytes_that_are_cut_are_refused() -> None:
    """They pass the same walk as every recording."""
    with transcoded(Rendition("wav")) as (made, target):
        target.truncate(20_000)
        outcome = _checked(ORIGINAL, Rendition("wav"), made, target)
    assert isinstance(outcome, Failed)
    assert Reason.NOT_AS_ASKED == outcome.reason
