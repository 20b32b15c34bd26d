"""Damaged zips by the thousand, read under hard limits: a program of its own, started by ``test_zip_mutants``.

Prints one JSON object: how many mutants were read, refused and accepted, and how many did what none may do. Each
mutant is named by its number, so that any of them can be had again. ``python -m tests.transfer.zip_mutants 10000``.
"""

from __future__ import annotations

import io
import json
import random
import re
import resource
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from include.errors import ArchiveRejected
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.inflate import ENGINE, zlib_engine
from tests.transfer.hostile_archives import EMPTY, descriptor, zip64
from tests.transfer.hostile_zip import Part, build
from tests.transfer.pouring import poured

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS_SPACE_BYTES = 512 * 1024**2
CPU_SECONDS = 120
FILE_BYTES = 1024
LIMITS = ArchiveLimits(members_max=50, total_bytes_max=4_000_000, directory_bytes_max=100_000)


def honest() -> tuple[bytes, ...]:
    """Return the zips that are damaged: stored, deflated, streamed, with 64-bit records, with a comment."""
    draw = random.Random(7)  # noqa: S311 - bytes that do not pack
    audio, words = draw.randbytes(300), b'{"recordings": []}' * 20
    named = [(b"c/a.wav", audio), (b"c/b.wav", audio[::-1]), (b"metadata.json", words)]
    return (
        build(*[Part(name, data, method=0) for name, data in named]),
        build(*[Part(name, data) for name, data in named], comment=b"made by a test"),
        build(*[Part(name, data, flags=8, local=EMPTY, descriptor=descriptor(data)) for name, data in named]),
        zip64(),
    )


def flip(body: bytearray, draw: random.Random) -> None:
    """Flip one bit."""
    body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)


def overwrite(body: bytearray, draw: random.Random) -> None:
    """Put a telling value, or noise, over one to four bytes."""
    at = draw.randrange(len(body))
    value = draw.choice([b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\xff\xff\xff\xff", draw.randbytes(4)])
    body[at : at + len(value)] = value


def truncate(body: bytearray, draw: random.Random) -> None:
    """Cut the end off."""
    del body[draw.randrange(len(body)) :]


def repeat(body: bytearray, draw: random.Random) -> None:
    """Insert a copy of what stands before."""
    at = draw.randrange(len(body))
    body[at:at] = body[max(0, at - draw.randrange(80)) : at]


def drop(body: bytearray, draw: random.Random) -> None:
    """Take some bytes out."""
    at = draw.randrange(len(body))
    del body[at : at + draw.randrange(1, 60)]


def records_of(body: bytearray) -> list[int]:
    """Return where something begins that looks like a record."""
    return [match.start() for match in re.finditer(rb"PK[\1-\7]", body)]


def splice(body: bytearray, draw: random.Random) -> None:
    """Put the header of one record over that of another."""
    starts = records_of(body) or [0]
    source, target = draw.choice(starts), draw.choice(starts)
    length = draw.choice([10, 14, 26, 30, 46])
    body[target : target + length] = body[source : source + length]


def swap(body: bytearray, draw: random.Random) -> None:
    """Exchange two records."""
    starts = [*records_of(body), len(body)]
    if len(starts) > 3:
        first, second = sorted(draw.sample(range(len(starts) - 1), 2))
        one, two = (body[starts[n] : starts[n + 1]] for n in (first, second))
        middle = body[starts[first + 1] : starts[second]]
        body[starts[first] : starts[second + 1]] = two + middle + one


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    overwrite,
    truncate,
    repeat,
    drop,
    splice,
    swap,
)


def mutant_of(number: int, originals: tuple[bytes, ...]) -> tuple[int, bytes]:
    """Return the mutant with this number, and which original it is of."""
    draw = random.Random(number)  # noqa: S311 - a seed, so that each mutant can be had again
    which = number % len(originals)
    body = bytearray(originals[which])
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        if body:
            draw.choice(DAMAGES)(body, draw)
    return which, bytes(body)


def content_of(body: bytes, number: int) -> dict[str, bytes]:
    """Read a zip: half of them with each engine, half as if they lay far away, half straight into a sink."""
    engine = ENGINE if number % 2 else zlib_engine()
    source = io.BytesIO(body)
    contents = open_archive(source, LIMITS, is_remote=number // 2 % 2 == 1, engine=engine)
    names = [member.name for member in contents.members]
    if number // 4 % 2:
        return dict(zip(names, poured(source, contents), strict=True))
    return {member.name: b"".join(contents.pieces(member)) for member in contents.members}


def main(count: int) -> None:
    """Read mutants 0 to ``count`` and print what became of them."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    originals = honest()
    truth = [content_of(body, number) for number, body in enumerate(originals)]
    found: Counter[str] = Counter(different=0, unmapped=0)
    slowest = 0.0
    for number in range(count):
        which, body = mutant_of(number, originals)
        begun = time.monotonic()
        try:
            read = content_of(body, number)
        except ArchiveRejected as error:
            found["refused"] += 1
            found[f"reason {error.reason}"] += 1
        except Exception as error:  # noqa: BLE001 - the point is that there is none
            found["unmapped"] += 1
            found[f"unmapped {number} {type(error).__name__}"] += 1
        else:
            found["accepted"] += 1
            if read != truth[which]:
                found["different"] += 1
                found[f"different {number}"] += 1
        slowest = max(slowest, time.monotonic() - begun)
    print(json.dumps({**found, "slowest_seconds": round(slowest, 3)}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
