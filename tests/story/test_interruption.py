"""A shard archived again, or killed in the middle: the lake comes to the same end, and nothing is fetched twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.lake.key_reading import MediaKey
from include.lake.manifest import Manifest
from include.lake.store import LakeStore
from include.settings import LakeLocation
from tests.story.night import ZIP, Night, audio_in, audio_of, everything_in, media_keys, night, opened, remove

if TYPE_CHECKING:
    from demo.object_store import ObjectStore
    from include.transfer.submit import SubmittedShard

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0


def order_for(tonight: Night, submitted: SubmittedShard, store: ObjectStore, folder: Path) -> str:
    """Return what the child process needs, as JSON."""
    config = tonight.box.world.config
    return json.dumps(
        {
            "s3": {
                "endpoint_url": store.endpoint_url,
                "aws_access_key_id": store.access_key,
                "aws_secret_access_key": store.secret_key,
                "region_name": store.region,
            },
            "bucket": tonight.lake.location.bucket,
            "prefix": tonight.lake.location.prefix,
            "folder": str(folder),
            "connection": {
                "login": config.client_id,
                "password": config.client_secret,
                "extra": {
                    "contract": config.contract,
                    "api_base_url": tonight.box.api_base_url,
                    "login_base_url": tonight.box.login_base_url,
                    "org_id": tonight.box.org_id,
                    "media_hosts": "127.0.0.1",
                },
            },
            "submitted": submitted.to_json(),
        }
    )


def stored_places(lake: LakeStore) -> set[tuple[str, str]]:
    """Return the recordings of which audio and metadata are both there."""
    seen: dict[tuple[str, str], set[str]] = {}
    for key in lake.list_keys("media/"):
        parsed = MediaKey.parse(key)
        seen.setdefault((parsed.identity.conversation_id, parsed.identity.recording_id), set()).add(parsed.extension)
    return {place for place, kinds in seen.items() if len(kinds) == 2}


def kill_in_the_middle(tonight: Night, order: str, parts: int) -> None:
    """Run the child until the lake holds so many objects of media, then kill it with SIGKILL."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.story.interrupted"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        child.stdin.write(order.encode())
        child.stdin.close()
        deadline, pause = time.monotonic() + DEADLINE_SECONDS, Event()
        while len(list(tonight.lake.list_keys("media/"))) < parts:
            assert child.poll() is None, child.stderr.read().decode()
            assert time.monotonic() < deadline
            pause.wait(0.005)
        child.send_signal(signal.SIGKILL)
        assert -signal.SIGKILL == child.wait(10)
    finally:
        child.kill()
        child.wait(10)
        child.stderr.close()


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_killed_in_the_middle(
    lake: LakeStore, object_store: ObjectStore, lake_client, tmp_path: Path, contract: str
) -> None:
    """After SIGKILL a second try comes to the lake of an uninterrupted run, and fetches nothing that is stored."""
    with night(lake, tmp_path / "killed", conversations=24, contract=contract) as tonight:
        planned = tonight.plan()
        submitted = tonight.submit(tonight.shard(planned))
        tonight.wait(submitted)
        # Behind the first recordings the media port is slow, so that the kill always finds the shard at work.
        tonight.box.faults.switch_on("media-slow-drip:skip=7,seconds=0.3")
        kill_in_the_middle(tonight, order_for(tonight, submitted, object_store, tmp_path / "child"), 6)
        tonight.box.faults.switch_off()
        stored = stored_places(lake)
        assert 0 < len(stored) < len(audio_of(tonight.box))
        assert [] == list(lake.list_keys("manifests/"))
        tonight.box.journal.clear()
        resumed = tonight.archive(tonight.shard(planned), submitted)
        fetched = {tuple(path.split("/")[2:4]) for path in tonight.downloads() if not path.endswith(".zip")}
        assert set() == fetched & stored
        assert contract == "guide" or fetched
        assert audio_of(tonight.box) == audio_in(lake)

        other = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
        with opened(tonight.box, other, tmp_path / "whole") as undisturbed:
            planned = undisturbed.plan()
            submitted = undisturbed.submit(undisturbed.shard(planned))
            undisturbed.wait(submitted)
            whole = undisturbed.archive(undisturbed.shard(planned), submitted)
        assert media_keys(other) == media_keys(lake)
        assert whole.outcomes == resumed.outcomes
        assert whole.bytes == resumed.bytes


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_archived_again_after_success(lake: LakeStore, tmp_path: Path, contract: str) -> None:
    """A shard that succeeded is left alone: no call at all, the same manifest, the same objects."""
    with night(lake, tmp_path, contract=contract) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        first, before = tonight.archive(shard, submitted), everything_in(lake)
        tonight.box.journal.clear()
        assert first == tonight.archive(shard, submitted)
        assert {} == tonight.box.journal.summary()
        assert before == everything_in(lake)
        assert set(shard.conversation_ids) == set(
            Manifest.read(lake, first.manifest_key, shard.org, shard.date).conversation_ids
        )


def test_manifest_lost_is_written_again_without_a_download(lake: LakeStore, tmp_path: Path) -> None:
    """When only the manifest is missing it is made from what the lake holds, byte for byte the same.

    A recording of several parts is fetched once more: their number alone does not prove that all of them are there.
    """
    with night(lake, tmp_path, scenario="clean") as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        first, before = tonight.archive(shard, submitted), everything_in(lake)
        remove(lake, first.manifest_key)
        tonight.box.journal.clear()
        assert first == tonight.archive(shard, submitted)
        parts = Counter((conv, rec) for conv, rec, _ in audio_of(tonight.box))
        assert sum(count for count in parts.values() if count > 1) == len(tonight.downloads())
        assert ZIP not in tonight.box.journal.summary()
        assert before == everything_in(lake)
