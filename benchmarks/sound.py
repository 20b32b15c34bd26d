"""Audio that compresses like calls do: noise shaped like a voice, cut into syllables and pauses.

Random bytes would not deflate and silence would vanish; telephone speech as 16-bit PCM deflates by about a fifth.
"""

from __future__ import annotations

import io
from struct import pack

import numpy as np
import soundfile

RATE = 8000
WAV_HEAD_BYTES = 44
_OPUS_RATE = 48_000


def speech(samples: int, seed: int) -> np.ndarray:
    """Return mono 16-bit samples."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal(samples + 8)
    shaped = noise[8:] + 0.9 * noise[7:-1] + 0.6 * noise[6:-2] + 0.3 * noise[5:-3]
    syllables = np.repeat(random.gamma(1.2, 1.0, samples // 1600 + 1), 1600)[:samples]
    pauses = np.repeat(random.random(samples // 16_000 + 1) > 0.35, 16_000)[:samples]  # noqa: PLR2004 - talks 65 %
    loudness = 900 * syllables * pauses + 12
    return np.clip(shaped * loudness, -32_000, 32_000).astype("<i2")


def wav(samples: bytes) -> bytes:
    """Return a RIFF/WAVE file of these mono samples."""
    return wav_head(len(samples)) + samples


def wav_head(data_bytes: int) -> bytes:
    """Return the header of a mono, 16-bit WAV with that much sound."""
    form = pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    return (
        b"RIFF" + pack("<I", 36 + data_bytes) + b"WAVEfmt " + pack("<I", 16) + form + b"data" + pack("<I", data_bytes)
    )


def ogg(size: int, seed: int) -> bytes:
    """Return an Ogg/Opus file of about ``size`` bytes."""
    target = io.BytesIO()
    seconds = max(1, size // 32_000)
    sound = speech(seconds * _OPUS_RATE, seed)
    with soundfile.SoundFile(target, "w", _OPUS_RATE, 1, format="OGG", subtype="OPUS", compression_level=0.0) as sink:
        sink.write(sound)
    return target.getvalue()
