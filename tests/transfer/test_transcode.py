"""Transcoding in a process of its own, judged by libsndfile: length, channels, level, no clipping, equal bytes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from include.sandbox.ogg import Page, pages_of
from include.transfer.rendition import Rendition
from include.transfer.transcode_failure import Failed, Reason
from include.transfer.transcode_process import TranscodeLimits, run_transcode
from tests.transfer.containers import SECONDS, written_by_ffmpeg
from tests.transfer.sound import FORMATS, sound

if TYPE_CHECKING:
    from concurrent.futures import Future

    from include.transfer.transcode_process import Made

DEMUXERS = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "OGG": "ogg", "MP3": "mp3", "FLAC": "flac"}
LIMITS = TranscodeLimits(timeout_seconds=60, memory_bytes=512 << 20, output_bytes=64 << 20)
RATE_HZ = 8000
OWN_MP3_GAIN_DECIBELS = 1.0
"""LAME lowers what it encodes by 0.45 dB, so that its own ripple does not clip."""


def run(
    body: bytes, demuxer: str, rendition: Rendition, limits: TranscodeLimits = LIMITS
) -> tuple[Made | Failed, bytes]:
    """Transcode bytes; return what the process came to, and what it left."""
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(body)
        source.flush()
        outcome = run_transcode(source, target, demuxer, rendition, limits)
        target.seek(0)
        return outcome, target.read()


def decoded(body: bytes) -> tuple[np.ndarray, int]:
    """Decode with libsndfile."""
    return soundfile.read(io.BytesIO(body), always_2d=True)


def wav_of(frames: np.ndarray, rate_hz: int = RATE_HZ) -> bytes:
    """Return PCM of 16 bit."""
    target = io.BytesIO()
    soundfile.write(target, frames, rate_hz, format="WAV", subtype="PCM_16")
    return target.getvalue()


def level(frames: np.ndarray) -> np.ndarray:
    """Return the RMS of each channel in decibels."""
    return 20 * np.log10(np.sqrt((frames**2).mean(axis=0)))


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("word", ["wav", "mp3/mono"])
def test_length_channels_and_level_are_the_originals(name: str, word: str) -> None:
    """Within 50 ms, and as loud."""
    rendition, body = Rendition.parse(word), sound(name, RATE_HZ * 2 + 1, RATE_HZ)
    made, derived = run(body, DEMUXERS[FORMATS[name][0]], rendition)
    (frames, rate_hz), (original, original_rate_hz) = decoded(derived), decoded(body)
    expected = original.mean(axis=1, keepdims=True) if rendition.channels == "mono" else original
    assert abs(len(frames) / rate_hz - len(original) / original_rate_hz) < 0.05
    assert abs(made.milliseconds - 1000 * len(frames) / rate_hz) < 50
    assert expected.shape[1] == frames.shape[1] == made.channels
    assert level(expected) == pytest.approx(level(frames), abs=OWN_MP3_GAIN_DECIBELS if word != "wav" else 0.1)


@pytest.mark.parametrize("word", ["wav", "wav/mono", "mp3", "mp3/mono"])
def test_equal_bytes_give_equal_bytes(word: str) -> None:
    """A run that crashed and runs again writes the same object: no time, no version, no dither."""
    first, second = (run(sound("ogg-opus"), "ogg", Rendition.parse(word))[1] for _ in range(2))
    assert first == second
    assert b"Lav" not in first.replace(b"Lavf", b"", 1 if word.startswith("mp3") else 0)


@pytest.mark.parametrize(
    ("container", "codec", "demuxer"),
    [("webm", "libopus", "matroska"), ("matroska", "pcm_s16le", "matroska"), ("mp4", "aac", "mp4")],
)
def test_containers_that_libsndfile_does_not_write(container: str, codec: str, demuxer: str) -> None:
    """Written by FFmpeg itself; what comes out is judged by libsndfile all the same."""
    made, derived = run(written_by_ffmpeg(container, codec), demuxer, Rendition("wav"))
    frames, rate_hz = decoded(derived)
    assert (2, 48000) == (made.channels, rate_hz)
    assert abs(len(frames) / rate_hz - SECONDS) < 0.05
    assert level(frames[4800:-4800]) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.5)


def test_channels_stay_apart() -> None:
    """Agent and customer do not leak into each other, in an MP3 either."""
    moments = np.arange(RATE_HZ * 2) / RATE_HZ
    left, right = 0.5 * np.sin(2 * np.pi * 440 * moments), np.zeros(len(moments))
    for word in ("wav", "mp3"):
        frames, _ = decoded(run(wav_of(np.stack([left, right], axis=1)), "wav", Rendition.parse(word))[1])
        assert abs(frames[:, 1]).max() < 1e-3 < abs(frames[:, 0]).max()


@pytest.mark.parametrize("word", ["wav/mono", "mp3/mono"])
@pytest.mark.parametrize("right", [1, -1], ids=["in phase", "against each other"])
def test_mono_is_the_mean_and_never_clips(word: str, right: int) -> None:
    """Two sides at full scale: their sum would clip; sides against each other cancel out."""
    tone = np.round(32767 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2")
    frames, _ = decoded(run(wav_of(np.stack([tone, right * tone], axis=1)), "wav", Rendition.parse(word))[1])
    if right == 1:
        assert level(tone[:, None] / 32768) == pytest.approx(level(frames), abs=0.5)
        assert np.count_nonzero(abs(frames) >= 32767 / 32768) <= np.count_nonzero(abs(tone) >= 32767)
    else:
        assert abs(frames).max() <= 1 / 32768


def test_silent_side_costs_half_the_level() -> None:
    """The mean, whoever speaks: 6 dB less than the one side."""
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)
    frames, _ = decoded(run(wav_of(np.stack([tone, 0 * tone], axis=1)), "wav", Rendition("original", "mono"))[1])
    assert level(tone[:, None]) - 6.02 == pytest.approx(level(frames), abs=0.05)


def flac_bomb(seconds: int) -> bytes:
    """Return hours of silence in a few kilobytes."""
    target = io.BytesIO()
    with soundfile.SoundFile(target, "w", 48000, 2, format="FLAC", subtype="PCM_16") as sink:
        for _ in range(seconds):
            sink.write(np.zeros((48000, 2), "int16"))
    return target.getvalue()


def lying_wav(channels: int, rate_hz: int) -> bytes:
    """Return a WAV whose header promises too much."""
    body = bytearray(sound("wav-pcm"))
    body[22:24] = channels.to_bytes(2, "little")
    body[24:28] = rate_hz.to_bytes(4, "little")
    body[32:34] = (2 * channels % 65536).to_bytes(2, "little")
    return bytes(body)


def unknown_codec() -> bytes:
    """Return a WAV whose format tag nobody has registered."""
    body = sound("wav-mulaw")
    assert b"\x07\0" == body[20:22]
    return body[:20] + b"\x77\x77" + body[22:]


HOSTILE = {
    "garbage behind a good magic": (b"OggS\0" + bytes(range(256)) * 64, "ogg", "undecodable"),
    "a playlist of local files": (b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n", "mp3", "undecodable"),
    "65535 channels": (lying_wav(65535, 8000), "wav", "codec_unsupported"),
    "4 GHz": (lying_wav(2, 4_000_000_000), "wav", ("codec_unsupported", "undecodable")),
    "no sound": (wav_of(np.zeros((0, 2))), "wav", "no_sound"),
    "another container than was seen": (sound("flac"), "ogg", "undecodable"),
    "nothing": (b"", "flac", "undecodable"),
    "cut in its header": (sound("flac")[:40], "flac", ("undecodable", "codec_unsupported", "no_sound")),
    "an unknown codec": (unknown_codec(), "wav", ("codec_unsupported", "no_sound")),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files_are_a_reason_and_no_error(name: str) -> None:
    """The process says it in a word; nothing is raised."""
    body, demuxer, reasons = HOSTILE[name]
    outcome, _ = run(body, demuxer, Rendition("wav"))
    assert isinstance(outcome, Failed)
    assert outcome.reason in ((reasons,) if isinstance(reasons, str) else reasons)


def test_output_stops_at_its_limit() -> None:
    """A small file that decodes to a large one fills neither the disk nor the night."""
    bomb = flac_bomb(600)
    assert len(bomb) < 1_000_000
    limits = TranscodeLimits(60, LIMITS.memory_bytes, 1 << 20)
    outcome, left = run(bomb, "flac", Rendition("wav"), limits)
    assert Failed(Reason.TOO_LARGE, f"more than {1 << 20} bytes") == outcome
    assert len(left) <= 1 << 20


def test_time_stops_at_its_limit() -> None:
    """The process is killed; the next recording has its own."""
    started = time.monotonic()
    outcome, _ = run(flac_bomb(600), "flac", Rendition("mp3"), TranscodeLimits(0.3, LIMITS.memory_bytes, 1 << 30))
    assert Failed(Reason.TIMED_OUT, "more than 0.3 seconds") == outcome
    assert time.monotonic() - started < 5


def test_processor_time_has_a_limit_of_its_own() -> None:
    """Whoever has lost its parent, and the clock that the parent watched, is ended by the kernel."""
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(flac_bomb(600))
        source.seek(0)
        limits = {"memory_bytes": LIMITS.memory_bytes, "cpu_seconds": 1, "output_bytes": 1 << 30}
        job = {"target": target.fileno(), "demuxer": "flac", "output_format": "mp3", "channels": "original", **limits}
        call = [sys.executable, "-P", "-m", "include.transfer.transcode_worker", json.dumps(job)]
        folder = Path(__file__).parents[2]
        ended = subprocess.run(  # noqa: S603 - our own program
            call,
            stdin=source,
            pass_fds=(target.fileno(),),
            cwd=folder,
            env={"PYTHONPATH": str(folder)},
            timeout=60,
            check=False,
        )
    assert -signal.SIGXCPU == ended.returncode


def test_memory_stops_at_its_limit() -> None:
    """An Ogg page chain that never ends its packet is collected in memory, up to here and no further."""
    outcome, _ = run(endless_packet(64 << 20), "ogg", Rendition("wav"), TranscodeLimits(60, 180 << 20, 1 << 30))
    assert Failed(Reason.OUT_OF_MEMORY, f"more than {180 << 20} bytes") == outcome


def endless_packet(size: int) -> bytes:
    """Return Ogg pages that all continue one packet."""
    head, tags, *_ = pages_of(sound("ogg-opus"))
    page = Page(1, 2**64 // 2 - 1, 0, bytes([255] * 255), bytes(255 * 255)).encode()
    return head.encode() + tags.encode() + page * (size // len(page))


def test_process_holds_no_secret_and_has_every_limit() -> None:
    """Airflow's environment has every connection of the worker; the decoder's has none of it, and its limits hold."""
    os.environ["AIRFLOW_CONN_CANARY"] = "s3cr3t"
    try:
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(run, flac_bomb(600), "flac", Rendition("mp3"), TranscodeLimits(2, 512 << 20, 1 << 30))
            worker = _worker(done)
            environment = (worker / "environ").read_text().strip("\0").split("\0")
            limits = _limits_of(worker, done)
    finally:
        del os.environ["AIRFLOW_CONN_CANARY"]
    assert {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_ALL"} == {item.partition("=")[0] for item in environment}
    assert {
        "Max cpu time": "2", "Max file size": str(1 << 30), "Max address space": str(512 << 20),
        "Max core file size": "0", "Max open files": "32",
    } == limits  # fmt: skip


def _limits_of(worker: Path, done: Future[object]) -> dict[str, str]:
    """Return the soft limits of the process by their names, once it has set them."""
    while not done.done():
        lines = (worker / "limits").read_text().splitlines()
        found = {line[:26].strip(): line[26:].split()[0] for line in lines[1:]}
        names = ("Max cpu time", "Max file size", "Max address space", "Max core file size", "Max open files")
        # Set last.
        if found["Max core file size"] == "0" and found["Max open files"] == "32":
            return {name: found[name] for name in names}
    raise AssertionError("the process never set its limits")


def _worker(done: Future[object]) -> Path:
    while not done.done():
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (
                    b"include.transfer.transcode_worker" in (folder / "cmdline").read_bytes()
                    and f"PPid:\t{os.getpid()}\n" in (folder / "status").read_text()
                ):
                    return folder
            except OSError:
                continue
    raise AssertionError("the process was not seen")
