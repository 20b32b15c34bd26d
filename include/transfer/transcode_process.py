"""Starts the process that decodes, and says what became of it: a value, whatever it did.

The recording is untrusted, so what may break breaks there. The process gets two open files and no environment; it
cannot take more memory, processor time or disk than ``TranscodeLimits`` allow, and is killed when its time is up.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from include.errors import ConfigurationError, QuotaExceeded
from include.transfer.transcode_failure import Failed, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.transfer.rendition import Rendition

_ANSWER_BYTES_MAX = 4096
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class TranscodeLimits:
    """What one recording may cost. ``memory_bytes`` is address space, some 130 MB of it the program itself."""

    timeout_seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Made:
    """What the process says it made; the caller looks for himself."""

    source_codec: str
    codec: str
    sample_rate_hz: int
    channels: int
    source_channels: int
    bit_rate: int
    samples: int
    filters: str
    ffmpeg: str

    @property
    def milliseconds(self) -> int:
        """Its length."""
        return round(self.samples * 1000 / self.sample_rate_hz)


def run_transcode(
    source: BinaryIO, target: BinaryIO, demuxer: str, rendition: Rendition, limits: TranscodeLimits
) -> Made | Failed:
    """Fill ``target`` with the rendition of ``source``; both are files with a descriptor, read and written from 0.

    Raises:
        ConfigurationError: when the process cannot be started, or does not find its program.
        QuotaExceeded: when the disk is full.
    """
    source.seek(0)
    job = {
        "target": target.fileno(),
        "demuxer": demuxer,
        "output_format": rendition.derived_format,
        "channels": rendition.channels,
        "memory_bytes": limits.memory_bytes,
        "cpu_seconds": max(1, int(limits.timeout_seconds)),
        "output_bytes": limits.output_bytes,
    }
    # -P: no module is looked for in the folder of the program. The environment is empty on purpose: Airflow's holds
    # every connection of the worker.
    call = [sys.executable, "-P", "-m", "include.transfer.transcode_worker", json.dumps(job)]
    # A file and no pipe for the answer: a decoder that was taken over could fill our memory through a pipe.
    with TemporaryFile() as answer:
        try:
            done = subprocess.run(  # noqa: S603 - our own program, arguments of ours
                call,
                stdin=source,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                pass_fds=(target.fileno(),),
                env={"PYTHONPATH": str(_PROJECT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
                timeout=limits.timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Failed(Reason.TIMED_OUT, f"more than {limits.timeout_seconds:g} seconds")
        except OSError as error:
            raise ConfigurationError(f"The process that transcodes cannot be started: {error.strerror}") from error
        answer.seek(0)
        return _outcome(done.returncode, answer.read(_ANSWER_BYTES_MAX), limits)


def _outcome(status: int, answer: bytes, limits: TranscodeLimits) -> Made | Failed:
    if status == -signal.SIGXCPU:
        return Failed(Reason.TIMED_OUT, f"more than {limits.timeout_seconds:g} seconds of processor time")
    if status < 0:
        return Failed(Reason.CRASHED, f"the decoder ended by signal {-status}")
    try:
        said = json.loads(answer)
        if "made" in said:
            return _made(said["made"])
        if "failed" in said:
            return Failed(Reason(said["failed"]), str(said["word"])[:200])
        if "full" in said:
            raise QuotaExceeded(f"The process that transcodes cannot write: {said['full']}")
        raise ConfigurationError(f"The process that transcodes cannot work: {said['broken']}")
    except (ValueError, KeyError, TypeError):
        # No answer and no signal: Python itself could not go on, which with a limit on memory means memory.
        return Failed(Reason.CRASHED, f"the decoder ended with status {status}")


def _made(said: Mapping[str, object]) -> Made:
    encoding = said["encoding"]
    if not isinstance(encoding, dict):
        raise TypeError("encoding")
    return Made(
        source_codec=str(said["source_codec"]),
        codec=str(encoding["codec"]),
        sample_rate_hz=int(encoding["sample_rate_hz"]),
        channels=int(encoding["channels"]),
        source_channels=int(str(said["source_channels"])),
        bit_rate=int(encoding["bit_rate"]),
        samples=int(str(said["samples"])),
        filters=str(said["filters"]),
        ffmpeg=str(said["ffmpeg"])[:64],
    )
