"""FFmpeg, through PyAV, judges what the walks accept: it decodes sound, shares no code with them, and must agree."""

from __future__ import annotations

import io

import av
import pytest

from include.transfer.integrity import verdict
from tests.transfer.examined import failure, look
from tests.transfer.sound import FORMATS, sound
from tests.transfer.test_media_frames import id3


def decoded_milliseconds(body: bytes) -> float:
    """Decode all of it; an error of the decoder is an error of the test."""
    with av.open(io.BytesIO(body)) as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        return samples * 1000 / stream.codec_context.sample_rate


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_accepted_decodes_to_its_stated_length(name: str) -> None:
    """M5, M6, M7: kinds of real encoders; the length that the headers tell is the length of the sound."""
    found = look(sound(name))
    assert None is verdict(found.findings)
    assert found.audio.duration_milliseconds == pytest.approx(decoded_milliseconds(sound(name)), abs=150)


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_loses_sound_and_is_refused(name: str) -> None:
    """M8: at every tenth of the file the decoder has less to give or nothing, and we keep none of it."""
    body, whole = sound(name), decoded_milliseconds(sound(name))
    for percent in range(10, 100, 10):
        cut = body[: len(body) * percent // 100]
        try:
            left = decoded_milliseconds(cut)
        except av.error.FFmpegError:
            left = 0
        assert left < whole
        assert "structure_whole" == failure(cut)


@pytest.mark.parametrize("name", ["wav-pcm", "ogg-opus", "mp3", "flac"])
def test_one_sample_is_sound_to_both(name: str) -> None:
    """M9: the shortest file that an encoder makes."""
    assert None is failure(sound(name, samples=1))
    assert decoded_milliseconds(sound(name, samples=1)) >= 0


@pytest.mark.parametrize(
    "text", [b"<script>alert(1)</script>", b"<html><body onload=alert(1)>", b"\xff\xfb\x90\x64" * 5]
)
def test_a_script_in_a_tag_is_bytes_in_a_tag(text: bytes) -> None:
    """M11: an MP3 with a page in its ID3 tag is an MP3, never served as anything else; a page in front is a page."""
    tag = id3(3, 100).replace(bytes(100), text.ljust(100, b" "), 1)
    found = look(tag + sound("mp3"))
    assert ("mp3", "audio/mpeg", None) == (found.kind.extension, found.kind.media_type, verdict(found.findings))
    assert "signature_known" == failure(b"<html>" + sound("mp3"))
