"""Runs one leg through the archive's own functions, in a process of its own, and reports what it cost.

A worker of Airflow is there already when a task begins, so the clock starts when everything is imported. Reads the
task as JSON, writes the costs and the digests as JSON. Its parts are done one after the other; ``tasks`` does them
side by side.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from benchmarks.engine_work import downloader_for, lake_at, settings_for, shard_of
from benchmarks.inputs import INDEX_NAME
from benchmarks.own_costs import measured
from include.lake.manifest import Manifest
from include.outcome import Outcome
from include.secret import PresignedUrl
from include.transfer.archive import archive_shard
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.bundle_source import TAIL_BYTES
from include.transfer.side_by_side import side_by_side
from include.transfer.stretches import Stretch, StretchFile, plan_stretches, tail_of

if TYPE_CHECKING:
    from benchmarks.engine_work import Shard
    from include.settings import ArchiveSettings
    from include.transfer.archive_reader import ArchiveContents
    from include.transfer.ranged_source import RangedSource
    from include.transfer.unpack import Member

Task = dict[str, Any]
Digests = dict[str, list[object]]
"""What was moved: size and SHA-256 by name."""
Act = Callable[[], Digests]
"""One part of a task, ready to be done."""


def download(task: Task, stack: ExitStack) -> list[Act]:
    """Fetch each URL of a part into a file, as many at once as the archive does."""
    settings = settings_for(task["folder"])
    downloader = stack.enter_context(downloader_for(settings))

    def one(entry: tuple[str, str]) -> tuple[str, list[object]]:
        name, url = entry
        with Path(task["folder"], name).open("w+b", buffering=0) as sink:
            if not task["hashed"]:
                return name, [downloader.receive(PresignedUrl(url), sink), ""]
            got = downloader.fetch(PresignedUrl(url), sink)
        return name, [got.size, got.sha256]

    def act(urls: dict[str, str]) -> Digests:
        return dict(side_by_side(one, urls.items(), threads=settings.concurrent_downloads, name="download"))

    return [partial(act, urls) for urls in task["parts"]]


def unzip(task: Task, stack: ExitStack) -> list[Act]:
    """Read a zip over HTTP by its ranges, and hash and verify every member without keeping it."""
    settings = settings_for(task["folder"])
    downloader = stack.enter_context(downloader_for(settings))

    def act(url: str) -> Digests:
        with downloader.open_ranged(PresignedUrl(url)) as source:
            return _members(source, settings)

    return [partial(act, url) for url in task["parts"]]


def _members(source: RangedSource, settings: ArchiveSettings) -> Digests:
    tail = StretchFile(source, TAIL_BYTES)
    tail.aim(tail_of(source.size, TAIL_BYTES))
    contents = open_archive(cast("BinaryIO", tail), ArchiveLimits(), is_remote=source.is_remote)
    members = sorted(contents.members, key=lambda member: member.start)
    mine = threading.local()

    def one(stretch: Stretch) -> Digests:
        if not hasattr(mine, "view"):
            mine.view = StretchFile(source, settings.chunk_bytes)
        mine.view.aim((stretch,))
        here = [member for member in members if stretch.start <= member.start < stretch.end]
        return {member.name: [member.size, _digest(contents, member, mine.view)] for member in here}

    with ThreadPoolExecutor(settings.concurrent_downloads) as pool:
        parts = list(pool.map(one, plan_stretches(members, settings.chunk_bytes)))
    return {name: value for part in parts for name, value in part.items() if name != INDEX_NAME}


def _digest(contents: ArchiveContents, member: Member, view: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in contents.pieces(member, view):
        digest.update(piece)
    return digest.hexdigest()


def shard(task: Task, stack: ExitStack) -> list[Act]:
    """Archive each part as a shard: download, unzip, examine, hash, store, read back, metadata, manifest."""
    settings = settings_for(task["folder"], task["prefix"])
    lake = lake_at(task, settings)
    downloader = stack.enter_context(downloader_for(settings))

    def act(work: Shard) -> Digests:
        report = archive_shard(
            work.source, lake, downloader, settings, work.plan, work.submitted, unfinished=frozenset()
        )
        items = Manifest.read(lake, report.manifest_key, work.plan.org, work.plan.date).items
        wrong = [item for item in items if item.outcome is not Outcome.ARCHIVED]
        if wrong:
            raise SystemExit(f"{len(wrong)} recordings were not archived, the first: {wrong[0]}")
        return {item.recording_id: [item.bytes, item.sha256] for item in items}

    return [partial(act, shard_of(jobs)) for jobs in task["parts"]]


LEGS: dict[str, Callable[[Task, ExitStack], list[Act]]] = {"download": download, "unzip": unzip, "shard": shard}


def joined(parts: Iterable[Digests]) -> Digests:
    """Return the digests of all parts; ends the process where two of them moved the same recording."""
    found: Digests = {}
    for part in parts:
        if twice := found.keys() & part.keys():
            raise SystemExit(f"{len(twice)} recordings were moved twice, one of them: {min(twice)}")
        found |= part
    return found


def _profiler(task: Task, word: str) -> None:
    """Tell ``perf``, where one listens, to count from here on, or no longer."""
    if "perf_control" in task:
        Path(task["perf_control"]).write_text(f"{word}\n")


def main() -> None:
    """Run the leg that is named on the command line; the clock starts when its clients are there."""
    task = json.load(sys.stdin)
    with ExitStack() as stack:
        acts = LEGS[sys.argv[1]](task, stack)
        _profiler(task, "enable")
        report = measured(lambda: joined(act() for act in acts))
        _profiler(task, "disable")
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
