"""Rows D26 and D27: what a killed worker leaves behind, and who may go on with it."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from awscrt.checksums import crc64nvme

from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from include.transfer.part_file import AGE_SECONDS_MAX, PartFile, sweep
from tests.transfer.range_server import RangeServer, marked_file
from tests.transfer.worker_process import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from include.settings import ArchiveSettings

SIZE = int(os.environ.get("RESUME_TEST_BYTES", str(256 * 1024**2)))
"""The benchmark sets 1 GiB."""

KILLS = 10
CHUNK = 4 * 1024**2


def worker(server: RangeServer, state_dir: Path, **settings: object) -> subprocess.Popen:
    """Start a download in a process of its own."""
    order = {"urls": [f"http://127.0.0.1:{server.port}/x"], "state_dir": os.fspath(state_dir), "chunk_bytes": CHUNK}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.transfer.worker_process", json.dumps(order | settings)], stdout=subprocess.PIPE
    )


@pytest.mark.parametrize("connections", [1, 3])
def test_a_killed_download_fetches_at_most_one_range_twice(tmp_path: Path, connections: int) -> None:
    """D27: SIGKILL at ten random places costs one range for each connection, and the bytes are the truth."""
    path = marked_file(tmp_path / "object", SIZE)
    draw = random.Random(connections)  # noqa: S311 - places to kill at
    places = [int((number + draw.uniform(0.1, 0.9)) * SIZE / KILLS) for number in range(KILLS)]
    target: list[subprocess.Popen] = []

    def kill(sent: int) -> None:
        if target and sent >= places[0]:
            target[0].kill()

    rate = None if connections == 1 else 60e6  # slow enough for several connections to pay
    settings = {"connections_per_object": connections, "parallel_ranges_from_bytes": 1}
    with RangeServer(path, on_sent=kill, bytes_per_second=rate) as server:
        while places:
            target[:] = [worker(server, tmp_path / "state", **settings)]
            target[0].communicate(timeout=60)
            assert -9 == target.pop().returncode
            del places[0]
        last = worker(server, tmp_path / "state", **settings)
        result = json.loads(last.communicate(timeout=60)[0])["results"][0]
        twice = server.sent - SIZE
    print(f"{twice / CHUNK:.2f} ranges of {KILLS * connections} fetched twice")  # noqa: T201 - shown with -s
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == result["sha256"]
    assert 0 < result["resumed"]
    assert 0 < twice <= KILLS * CHUNK * connections
    assert [] == list((tmp_path / "state" / "work").iterdir())


@pytest.fixture
def large(tmp_path: Path) -> Iterator[RangeServer]:
    """A file of six and a half ranges."""
    with RangeServer(marked_file(tmp_path / "object", 6_500, step=100)) as running:
        yield running


@pytest.fixture
def torn(large: RangeServer, settings: ArchiveSettings) -> Callable[..., None]:
    """Leave a part file as a killed worker does: the first three ranges, with their marks."""

    def run(etag: str = '"first"', total: int = 6_500) -> None:
        part = PartFile.claim(settings.state_dir / "work", KEY, create=True)
        assert part is not None
        content = large.path.read_bytes()
        for end in (1000, 2000, 3000):
            os.pwrite(part.fd, content[end - 1000 : end], end - 1000)
            part.mark(end, hashlib.sha256(content[:end]).hexdigest(), total=total, etag=etag)
        os.close(part.fd)

    return run


def fetched(settings: ArchiveSettings, server: RangeServer, key: str = KEY) -> tuple[int, int]:
    """Fetch and expect the truth; return where the first request began, and how much was resumed."""
    with (
        MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader,
        downloader.spool(key) as spool,
    ):
        result = downloader.fetch(PresignedUrl(f"http://127.0.0.1:{server.port}/x?sig=canary"), spool)
        content = server.path.read_bytes()
        spool.seek(0)
        assert content == spool.read()
        assert hashlib.sha256(content).hexdigest() == result.sha256
        # What came over two lives has the sums that the upload believes.
        assert spool.sums is not None
        assert (len(content), result.sha256) == (spool.sums.bytes, spool.sums.hexdigest())
        assert crc64nvme(content) == spool.sums.crc64nvme_of(0, len(content))
    return server.ranges[0][0], result.resumed_bytes


def test_what_was_left_is_gone_on_with(settings: ArchiveSettings, large: RangeServer, torn: Callable) -> None:
    """D27: the first request asks for the first byte that is missing, and nothing stays behind."""
    torn()
    assert (3000, 3000) == fetched(settings, large)
    assert [] == list((settings.state_dir / "work").iterdir())


def test_another_range_size_goes_on_too(settings: ArchiveSettings, large: RangeServer, torn: Callable) -> None:
    """D27: marks are places in the file, not numbers of ranges."""
    torn()
    assert (3000, 3000) == fetched(replace(settings, chunk_bytes=777), large)


@pytest.mark.parametrize(("damaged_at", "kept"), [(2500, 2000), (1999, 1000), (0, 0)])
def test_bytes_that_do_not_hash_to_their_mark_are_dropped(
    settings: ArchiveSettings, large: RangeServer, torn: Callable, damaged_at: int, kept: int
) -> None:
    """D27: what the disk lost is noticed by reading it again; the good prefix before it is kept."""
    torn()
    part = next((settings.state_dir / "work").glob("*.part"))
    with part.open("r+b") as file:
        file.seek(damaged_at)
        file.write(b"\xff")
    assert (kept, kept) == fetched(settings, large)


def test_a_cut_part_file_is_believed_as_far_as_it_goes(
    settings: ArchiveSettings, large: RangeServer, torn: Callable
) -> None:
    """D27: the note may have survived where the bytes did not."""
    torn()
    os.truncate(next((settings.state_dir / "work").glob("*.part")), 2700)
    assert (2000, 2000) == fetched(settings, large)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"key": "another"},
        {"marks": "?"},
        {"total": None},
        {"total": float("inf")},
        {"marks": [[float("inf"), ""]]},
        {"etag": '"\u20ac"'},
        {"etag": '"a"\r\nX-Evil: 1'},
        {"etag": 'W/"first"'},
        {"etag": ""},
        {"etag": None},
        None,
        "[" * 100_000,
    ],
    ids=lambda change: json.dumps(change)[:20],
)
def test_a_note_of_another_version_or_file_is_not_believed(
    settings: ArchiveSettings, large: RangeServer, torn: Callable, change: dict | str | None
) -> None:
    """D27: the bytes are discarded and fetched anew, and what is written there reaches no request."""
    torn()
    note = next((settings.state_dir / "work").glob("*.json"))
    text = note.read_text()
    if isinstance(change, dict):
        note.write_text(json.dumps(json.loads(text) | change))
    else:
        note.write_text(change or text[:-9])
    assert (0, 0) == fetched(settings, large)


@pytest.mark.parametrize(
    ("etag", "facts"),
    [('"second"', {}), ('W/"first"', {}), (None, {}), ('"first"', {"total": 7_000}), ('"first"', {"etag": '"old"'})],
    ids=["changed", "weak", "absent", "total", "older"],
)
@pytest.mark.parametrize("honours", [True, False], ids=["if-match", "ignored"])
def test_another_file_at_the_source_starts_anew(
    settings: ArchiveSettings, large: RangeServer, torn: Callable, etag: str | None, facts: dict, *, honours: bool
) -> None:
    """D12, D27: only the same total and the same strong ETag, said again by the source, let a download go on."""
    torn(**facts)
    large.etag, large.honour_if_match = etag, honours
    assert 0 == fetched(settings, large)[1]


def test_a_file_without_strong_etag_leaves_nothing(settings: ArchiveSettings, large: RangeServer) -> None:
    """D12: it rests in a file without a name."""
    large.etag = 'W/"weak"'
    with (
        MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader,
        downloader.spool(KEY) as spool,
    ):
        downloader.fetch(PresignedUrl(f"http://127.0.0.1:{large.port}/x"), spool)
        assert spool.in_file
        assert [] == list((settings.state_dir / "work").iterdir())


def test_the_note_holds_no_url(settings: ArchiveSettings, large: RangeServer) -> None:
    """D27: it names the file by key, size and ETag; a URL is a credential."""
    with (
        MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader,
        downloader.spool(KEY) as spool,
    ):
        downloader.fetch(PresignedUrl(f"http://127.0.0.1:{large.port}/x?sig=canary"), spool)
        noted = next((settings.state_dir / "work").glob("*.json")).read_text()
    assert KEY in noted
    assert "canary" not in noted
    assert "127.0.0.1" not in noted


def test_two_workers_do_not_share_a_part_file(settings: ArchiveSettings, large: RangeServer, torn: Callable) -> None:
    """D26: the second one takes a file of its own, from the start, and leaves the first one's alone."""
    torn()
    owner = PartFile.claim(settings.state_dir / "work", KEY, create=False)
    assert owner is not None
    before = os.fstat(owner.fd).st_size
    assert (0, 0) == fetched(settings, large)
    assert before == os.fstat(owner.fd).st_size
    owner.close(keep=True)
    large.ranges.clear()
    assert (3000, 3000) == fetched(settings, large)


def test_two_processes_on_one_url_both_get_the_truth(tmp_path: Path) -> None:
    """D26: two workers with the same key at the same time."""
    path = marked_file(tmp_path / "object", 20 * 1024**2)
    with RangeServer(path, bytes_per_second=40e6) as server:
        workers = [worker(server, tmp_path / "state", memory_bytes=1000) for _ in range(2)]
        found = {json.loads(each.communicate(timeout=60)[0])["results"][0]["sha256"] for each in workers}
    assert {hashlib.sha256(path.read_bytes()).hexdigest()} == found
    assert [] == list((tmp_path / "state" / "work").iterdir())


def test_an_interrupted_download_is_kept_and_a_refused_one_is_not(settings: ArchiveSettings, torn: Callable) -> None:
    """D27: what may be gone on with stays, whatever else stops the task; what is refused goes."""
    work = settings.state_dir / "work"
    for error, kept in ((KeyboardInterrupt(), True), (None, False)):
        torn()
        with (
            MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader,
            pytest.raises(type(error)) if error else pytest.raises(AssertionError),
        ):
            with downloader.spool(KEY) as spool:
                assert spool.recall() is not None
                if error:
                    raise error
            raise AssertionError
        assert kept == any(work.glob("*.part"))


def test_part_files_are_swept_when_nobody_came_back(settings: ArchiveSettings, torn: Callable) -> None:
    """D27: after two days, and never while a worker has them."""
    torn()
    work = settings.state_dir / "work"
    (work / "stray.json").write_text("{}")
    sweep(work)
    assert 3 == len(list(work.iterdir()))
    old = time.time() - AGE_SECONDS_MAX - 10
    for path in work.iterdir():
        os.utime(path, (old, old))
    owner = PartFile.claim(work, KEY, create=False)
    assert owner is not None
    sweep(work)
    assert 2 == len(list(work.iterdir()))
    owner.close(keep=True)
    MediaDownloader(settings, ("127.0.0.1",)).close()
    assert [] == list(work.iterdir())


def test_a_note_is_written_through_no_link(tmp_path: Path) -> None:
    """Whoever can write below /tmp must not choose which file of ours is written over."""
    other = tmp_path / "other"
    other.write_text("precious")
    part = PartFile.claim(tmp_path, KEY, create=True)
    assert part is not None
    next(tmp_path.glob("*.part")).with_suffix(".new").symlink_to(other)
    part.mark(0, "", total=1, etag='"a"')
    part.close(keep=False)
    assert "precious" == other.read_text()


def test_old_marks_are_let_go(settings: ArchiveSettings) -> None:
    """D27: a note stays small however many ranges a file has."""
    part = PartFile.claim(settings.state_dir / "work", KEY, create=True)
    assert part is not None
    for end in itertools.accumulate([10] * 500):
        part.mark(end, "x" * 64, total=10_000, etag='"e"')
    assert next((settings.state_dir / "work").glob("*.json")).stat().st_size < 10_000
    part.close(keep=False)
