"""Every format there is, in every rendition, beside the distribution's own ``ffmpeg`` and ``ffprobe``.

The small form, with libsndfile as the judge, is ``test_transcode``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from include.sandbox import audio
from tests.transfer.containers import written_by_ffmpeg
from tests.transfer.sound import FORMATS, sound
from tests.transfer.test_transcode import DEMUXERS, Rendition, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.evidence
COMMENT = "00000000-0000-4000-8000-000000000001/00"
WORDS = ("wav", "wav/mono", "mp3", "mp3/mono")
MP3_DECIBELS, WAV_DECIBELS = 1.0, 0.1


def sources() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Yield name, demuxer and bytes: what the sandbox makes, what libsndfile writes, and other containers."""
    for channels in (1, 2):
        for voice in range(audio.VOICES):
            name = f"sandbox-{channels}ch-voice{voice}"
            yield f"{name}-ogg", "ogg", lambda v=voice, c=channels: audio.ogg_opus(COMMENT, v, c, 9.5).bytes()
            yield f"{name}-pcm", "wav", lambda v=voice, c=channels: audio.wav(COMMENT, v, c, 9.5).bytes()
            yield f"{name}-ulaw", "wav", lambda v=voice, c=channels: audio.wav(COMMENT, v, c, 9.5, mulaw=True).bytes()
            for tag in (0, 3, 4):
                mp3 = partial(audio.mp3, COMMENT, voice, channels, 9.5, tag)
                yield f"{name}-mp3-{tag}", "mp3", lambda made=mp3: made().bytes()
    for name, (container, _, _) in FORMATS.items():
        for rate_hz in (8000, 16000, 48000):
            yield f"{name}-{rate_hz}", DEMUXERS[container], lambda n=name, r=rate_hz: sound(n, 3 * r + 1, r)
    for container, codec, demuxer in (
        ("webm", "libopus", "matroska"), ("matroska", "pcm_s16le", "matroska"), ("mp4", "aac", "mp4"),
        ("ipod", "aac", "mp4"), ("wav", "adpcm_ms", "wav"), ("wav", "adpcm_ima_wav", "wav"),
        ("wav", "g726", "wav"), ("wav", "pcm_f32le", "wav"), ("wav", "pcm_s24le", "wav"), ("mp3", "libmp3lame", "mp3"),
    ):  # fmt: skip
        yield f"{codec}-in-{container}", demuxer, lambda c=container, k=codec: written_by_ffmpeg(c, k)


SOURCES = {name: (demuxer, make) for name, demuxer, make in sources()}


def decoded(path: Path) -> tuple[np.ndarray, int]:
    """Decode with the program; frames of 32-bit floats, and their rate."""
    (stream,) = json.loads(said("ffprobe", "-select_streams", "a", "-show_streams", "-of", "json", path))["streams"]
    raw = said("ffmpeg", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-")
    return np.frombuffer(raw, "<f4").reshape(-1, stream["channels"]), int(stream["sample_rate"])


def said(program: str, *arguments: object) -> bytes:
    """Return what a program of the distribution prints."""
    place = shutil.which(program)
    assert place, f"this proof needs the program {program}: apt install ffmpeg"
    call = [place, "-v", "error", *map(str, arguments)]
    return subprocess.run(call, check=True, capture_output=True).stdout  # noqa: S603 - our own arguments


def level(frames: np.ndarray) -> np.ndarray:
    """Return the RMS of each channel in decibels."""
    return 20 * np.log10(np.sqrt((frames.astype("f8") ** 2).mean(axis=0)))


def clipped(frames: np.ndarray) -> int:
    """Count samples at full scale."""
    return int(np.count_nonzero(abs(frames) >= 32767 / 32768))


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_beside_ffmpeg(name: str, tmp_path: Path) -> None:
    """Duration within 50 ms, the same channels, the same level in each, not one clipped sample more."""
    demuxer, make = SOURCES[name]
    body = make()
    (tmp_path / "source").write_bytes(body)
    original, original_rate_hz = decoded(tmp_path / "source")
    for word in WORDS:
        rendition = Rendition.parse(word)
        made, derived = run(body, demuxer, rendition)
        (tmp_path / "derived").write_bytes(derived)
        frames, rate_hz = decoded(tmp_path / "derived")
        expected = original.mean(axis=1, keepdims=True) if rendition.channels == "mono" else original
        milliseconds = 1000 * (len(frames) / rate_hz - len(original) / original_rate_hz)
        decibels = level(frames) - level(expected)
        print(f"{name:28} {word:9} {milliseconds:+7.2f} ms {np.round(decibels, 3)} dB, clipped {clipped(frames)}")  # noqa: T201
        assert abs(milliseconds) < 50
        assert expected.shape[1] == frames.shape[1] == made.channels
        assert abs(decibels).max() < (MP3_DECIBELS if word.startswith("mp3") else WAV_DECIBELS)
        assert clipped(frames) <= clipped(expected)
