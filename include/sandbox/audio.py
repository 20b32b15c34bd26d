"""Real, decodable audio for every recording, cheap enough to make on request.

A handful of base clips are synthesised and encoded once per process; each recording is a base clip cut to its own
length with its own id in a comment field, so that no two recordings share their bytes and all of them play.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from struct import pack

import numpy as np
import soundfile

from include.sandbox.body import Body, Stretch, whole
from include.sandbox.mpeg import frames_of, id3v1, id3v2
from include.sandbox.ogg import Page, ended, pages_of

SAMPLE_RATE = 8000
VOICES = 2
DUAL = 2
OPUS_SECONDS_MAX = 40
"""Ogg streams are cut from one encoded clip of this length; longer recordings are WAV or MP3."""

CONTENT_TYPES = {
    "ogg_opus": "audio/ogg",
    "wav_pcm16": "audio/wav",
    "wav_ulaw": "audio/x-wav",
    "mp3": "audio/mpeg",
}
EXTENSIONS = {"ogg_opus": "ogg", "wav_pcm16": "wav", "wav_ulaw": "wav", "mp3": "mp3"}

_PLACEHOLDER = "00000000-0000-4000-8000-000000000000/00"
_MP3_FRAME_SAMPLES = 576
_WAVE_PCM, _WAVE_MULAW = 1, 7


@lru_cache(maxsize=8)
def clip(voice: int, channels: int, seconds: int) -> np.ndarray:
    """Return something like speech: a gliding tone, cut into syllables; the second channel answers the first.

    A voice of ``channel_voice`` is one channel of a call with two.
    """
    if voice >= VOICES:
        return clip(voice % VOICES, DUAL, seconds)[:, [voice // VOICES - 1]]
    moment = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    sides = []
    for channel in range(channels):
        pitch = 130 + 60 * voice + 85 * channel
        glide = 2 * np.pi * (pitch * moment + 12 * np.sin(2 * np.pi * 0.4 * moment))
        tone = np.sin(glide) + 0.5 * np.sin(2 * glide) + 0.25 * np.sin(5 * glide)
        syllables = np.clip(np.sin(2 * np.pi * (3.1 + voice) * moment), 0, 1)
        turn = (np.floor(moment / 2.5).astype(int) % channels) == channel
        sides.append(0.35 * tone * syllables * (0.04 + 0.96 * turn))
    return np.round(np.stack(sides, axis=1) * 32767 * 0.5).astype("<i2")


def channel_voice(voice: int, channel: int) -> int:
    """Return the voice that is heard on one channel of a call with two in this voice."""
    return voice + VOICES * (channel + 1)


@lru_cache(maxsize=16)
def _samples(voice: int, channels: int, subtype: str) -> bytes:
    sound = clip(voice, channels, OPUS_SECONDS_MAX)
    if subtype == "PCM_16":
        return bytes(sound.tobytes())
    target = io.BytesIO()
    soundfile.write(target, sound, SAMPLE_RATE, format="RAW", subtype=subtype)
    return target.getvalue()


def wav(comment: str, voice: int, channels: int, seconds: float, *, mulaw: bool = False) -> Body:
    """Return a RIFF/WAVE file: PCM 16 bit, or mu-law (8 bit) as telephone trunks record it."""
    width = 1 if mulaw else 2
    tag = _WAVE_MULAW if mulaw else _WAVE_PCM
    frame, frames = width * channels, round(seconds * SAMPLE_RATE)
    data_bytes = frames * frame
    form = pack("<HHIIHH", tag, channels, SAMPLE_RATE, SAMPLE_RATE * frame, frame, 8 * width)
    form += b"\0\0" if mulaw else b""
    fact = b"fact" + pack("<II", 4, frames) if mulaw else b""
    text = comment.encode().ljust((len(comment) + 2) // 2 * 2, b"\0")
    info = b"INFOICMT" + pack("<I", len(text)) + text
    chunks = b"fmt " + pack("<I", len(form)) + form + fact + b"LIST" + pack("<I", len(info)) + info
    padding = b"\0" * (data_bytes % 2)
    riff = b"RIFF" + pack("<I", 4 + len(chunks) + 8 + data_bytes + len(padding)) + b"WAVE"
    samples = Stretch(_samples(voice, channels, "ULAW" if mulaw else "PCM_16"), data_bytes)
    head = whole(riff + chunks + b"data" + pack("<I", data_bytes))
    return Body((head, samples, whole(padding)) if padding else (head, samples), CONTENT_TYPES["wav_pcm16"])


@lru_cache(maxsize=8)
def _opus(voice: int, channels: int) -> tuple[Page, Page, tuple[Page, ...], tuple[int, ...], bytes]:
    target = io.BytesIO()
    with soundfile.SoundFile(target, "w", SAMPLE_RATE, channels, format="OGG", subtype="OPUS") as sink:
        sink.comment = _PLACEHOLDER
        sink.write(clip(voice, channels, OPUS_SECONDS_MAX))
    head, tags, *pages = pages_of(target.getvalue())
    encoded = [page.encode() for page in pages]
    return head, tags, tuple(pages), tuple(accumulate(map(len, encoded))), b"".join(encoded)


def ogg_opus(comment: str, voice: int, channels: int, seconds: float) -> Body:
    """Return an Ogg/Opus file, cut at the first page boundary at or after ``seconds``."""
    head, tags, pages, bounds, encoded = _opus(voice, channels)
    last = _last_page(pages, seconds)
    padded = comment.ljust(len(_PLACEHOLDER))[: len(_PLACEHOLDER)].encode()
    named = Page(
        tags.flags, tags.granule, tags.sequence, tags.lacing, tags.payload.replace(_PLACEHOLDER.encode(), padded)
    )
    start = bounds[last - 1] if last else 0
    front, end = whole(head.encode() + named.encode()), whole(ended(pages[last]).encode())
    return Body((front, Stretch(encoded, start), end) if start else (front, end), CONTENT_TYPES["ogg_opus"])


def _last_page(pages: tuple[Page, ...], seconds: float) -> int:
    return min(bisect_left([page.granule for page in pages], round(seconds * 48000)), len(pages) - 1)


def sounding_seconds(form: str, voice: int, channels: int, seconds: float) -> float:
    """Return how long a recording made with ``seconds`` sounds: Ogg ends with a page, MP3 with a frame.

    A rendering of it lasts as long as that.
    """
    if form == "ogg_opus":
        head, _, pages, *_ = _opus(voice, channels)
        skipped = int.from_bytes(head.payload[10:12], "little")
        return (pages[_last_page(pages, seconds)].granule - skipped) / 48000
    if form == "mp3":
        return max(1, round(seconds * SAMPLE_RATE / _MP3_FRAME_SAMPLES)) * _MP3_FRAME_SAMPLES / SAMPLE_RATE
    return seconds


@lru_cache(maxsize=8)
def _mp3(voice: int, channels: int) -> tuple[bytes, tuple[int, ...]]:
    target = io.BytesIO()
    soundfile.write(
        target,
        clip(voice, channels, OPUS_SECONDS_MAX),
        SAMPLE_RATE,
        format="MP3",
        compression_level=0.8,
        bitrate_mode="CONSTANT",
    )
    frames = frames_of(target.getvalue())
    return b"".join(frames), (0, *accumulate(map(len, frames)))


def mp3(comment: str, voice: int, channels: int, seconds: float, tagging: int = 3) -> Body:
    """Return an MP3. ``tagging`` 3 or 4 starts with that ID3v2 version, 0 with a bare frame (ID3v1 at the end)."""
    frames, bounds = _mp3(voice, channels)
    rounds, rest = divmod(max(1, round(seconds * SAMPLE_RATE / _MP3_FRAME_SAMPLES)), len(bounds) - 1)
    sound = Stretch(frames, rounds * len(frames) + bounds[rest])
    if tagging:
        return Body((whole(id3v2(comment, tagging)), sound), CONTENT_TYPES["mp3"])
    return Body((sound, whole(id3v1(comment))), CONTENT_TYPES["mp3"])
