"""The process that decodes: started by ``transcode_process``, one for each recording, and killed without harm.

Standard input is the recording, a file; the number of the file to fill and the limits come as one JSON argument; the
answer is one JSON line on standard output. It sets its own limits before it loads FFmpeg, and holds nothing worth
stealing: no environment, no credentials, no open connection.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import sys
from dataclasses import asdict

from include.transfer.transcode_failure import Reason

_FULL = (errno.ENOSPC, errno.EDQUOT)
_OPEN_FILES = 32
_PR_SET_PDEATHSIG = 1
"""prctl(2). Linux only; elsewhere the limit of processor time ends what a dead parent left."""


def main(argument: str) -> int:
    """Transcode as the argument says; the exit status is always 0 where an answer was given."""
    job = json.loads(argument)
    _limit(job["memory_bytes"], job["cpu_seconds"], job["output_bytes"])
    print(json.dumps(_answer(job)), flush=True)  # noqa: T201 - this is the answer
    return 0


def _limit(memory_bytes: int, cpu_seconds: int, output_bytes: int) -> None:
    """Set the limits: nothing that is read later can raise them again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The kernel sends SIGXFSZ with the error; the error alone is what can be answered.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        # At the soft limit comes SIGXCPU, by which the parent knows the reason; at the hard one SIGKILL.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_FSIZE, output_bytes, output_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))


def _answer(job: dict[str, object]) -> dict[str, object]:
    try:
        return _transcoded(job)
    except MemoryError:
        return _said(errno.ENOMEM, "", job)
    except OSError as error:
        return _said(error.errno, str(error.strerror), job)
    except ImportError as error:
        return {"broken": str(error)}


def _said(number: int | None, words: str, job: dict[str, object]) -> dict[str, object]:
    if number == errno.ENOMEM:
        return {"failed": Reason.OUT_OF_MEMORY, "word": f"more than {job['memory_bytes']} bytes"}
    if number == errno.EFBIG:
        return {"failed": Reason.TOO_LARGE, "word": f"more than {job['output_bytes']} bytes"}
    if number in _FULL:
        return {"full": words}
    # A file that makes FFmpeg seek to before its start, or read what is not there: the bytes' doing, not ours.
    return {"failed": Reason.UNDECODABLE, "word": words}


def _transcoded(job: dict[str, object]) -> dict[str, object]:
    # Loaded behind the limits, since this is what they are for.
    from include.transfer.transcode import TranscodeError, transcode  # noqa: PLC0415

    with (
        os.fdopen(0, "rb", closefd=False) as source,
        os.fdopen(int(str(job["target"])), "r+b", closefd=False) as target,
    ):
        try:
            made = transcode(source, target, str(job["demuxer"]), str(job["output_format"]), str(job["channels"]))
        except TranscodeError as error:
            return {"failed": error.reason, "word": str(error)}
        target.flush()
    return {"made": asdict(made)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
