"""What the machine itself allows: the ceilings that no design gets above."""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from deflate import deflate_decompress
from isal import isal_zlib

from benchmarks import sound
from benchmarks.tools import missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_BLOCK_BYTES = 16_000_000
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A rate that one core, or the loopback interface, reaches and does not exceed."""

    name: str
    bytes_per_second: float


def measure_ceilings(bench: Bench) -> list[Ceiling]:
    """Measure each of them a few times and take the median."""
    content = sound.speech(_BLOCK_BYTES // 2, seed=3).tobytes()
    compressing = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressing.compress(content) + compressing.flush()
    room = len(content)
    ceilings = [
        _rate("SHA-256, one core", len(content), lambda: hashlib.sha256(content)),
        _rate("inflate with libdeflate, one core (bytes out)", len(content), lambda: deflate_decompress(packed, room)),
        _rate("inflate with ISA-L, one core (bytes out)", len(content), lambda: isal_zlib.decompress(packed, -15)),
        _rate("inflate with zlib, one core (bytes out)", len(content), lambda: zlib.decompress(packed, -15)),
    ]
    if not missing("curl"):
        url = bench.source.url_of(bench.inputs.big.name)
        seconds = [bench.shell(f"curl -sSf -o /dev/null {url}").seconds for _ in range(_REPEATS)]
        ceilings.append(Ceiling("loopback to null (curl)", bench.inputs.big.size / median(seconds)))
    seconds = [bench.shell(f"cp {bench.inputs.folder / 'big.wav'} files/").seconds for _ in range(_REPEATS)]
    ceilings.append(Ceiling("page-cache write (cp)", bench.inputs.big.size / median(seconds)))
    return ceilings


def _rate(name: str, size: int, act: Callable[[], object]) -> Ceiling:
    seconds = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - begun)
    return Ceiling(name, size / median(seconds))
