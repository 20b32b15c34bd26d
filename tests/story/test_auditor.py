"""The auditor's page is followed to the letter, by a shell, on days that were archived under each contract."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.audit.reconcile import erased_record
from include.lake.key_reading import MediaKey
from include.lake.manifest import Manifest
from include.lake.store import LakeStore
from include.local_day import ONE_DAY, LocalDay
from include.settings import LakeLocation
from include.transfer.day import commit_day
from include.transfer.erase import ErasureOrder, erase_conversation
from tests.docs.pages import FENCE, page
from tests.story.night import DAY, ZONE, media_keys, night
from tests.story.tampering import Tampering
from tests.story.test_other_places import put_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.audit.reconcile import DayState

ROOT = Path(__file__).parents[2]


def steps() -> list[str]:
    """Return the shell blocks of the page's steps; the first only says where the bucket is."""
    text = page("docs/compliance.md").text
    start, end = text.index("## Prove a day by hand\n"), text.index("### A signed seal\n")
    blocks = [found[2] for found in FENCE.finditer(text, start, end) if found[1] == "sh"]
    assert "export LAKE=" in blocks[0]
    return blocks[1:]


def table(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Return the classes that step 7 printed, added up over their reasons, with their sum under ``expected``."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    found: Counter[str] = Counter()
    for name, _, count in rows:
        if count.isdigit():
            found[name] += int(count)
    return dict(found)


@dataclass
class Auditor:
    """Somebody with a shell, rclone, sha256sum, DuckDB, and the right to read the bucket."""

    lake: LakeStore
    environment: dict[str, str]
    folder: Path
    state: DayState

    def follows(self) -> subprocess.CompletedProcess:
        """Run all steps in one shell, in an empty folder, up to the first that fails."""
        desk = self.folder / uuid4().hex
        desk.mkdir()
        return subprocess.run(
            ["sh", "-e"],  # noqa: S607 - any POSIX shell
            input="\n".join([*steps(), "echo every step was taken"]),
            env=self.environment,
            cwd=desk,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module", params=["platform", "guide"])
def auditor(request, object_store, lake_client, tmp_path_factory) -> Iterator[Auditor]:
    """Archive a rough day twice, and give an auditor read access to it."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    folder = tmp_path_factory.mktemp("auditor")
    with night(lake, folder, conversations=40, scenario="rough", contract=request.param) as tonight:
        tonight.run()
        _, state = tonight.run()
    command = folder / "duckdb"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/story/duckdb_command.py "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    programs = os.pathsep.join((str(folder), str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {
        "PATH": programs,
        "HOME": str(folder),
        "DATE": str(DAY),
        "LAKE": f":s3:{lake.location.bucket}/{lake.location.prefix}",
        "RCLONE_LOG_LEVEL": "ERROR",  # it notes that it has no configuration file
        "RCLONE_S3_PROVIDER": "Other",
        "RCLONE_S3_ENDPOINT": object_store.endpoint_url,
        "RCLONE_S3_ACCESS_KEY_ID": object_store.access_key,
        "RCLONE_S3_SECRET_ACCESS_KEY": object_store.secret_key,
    }
    return Auditor(lake, environment, folder, state)


def test_every_step_passes_on_a_day_as_it_was_archived(auditor):
    """All steps of the page, in one shell, on a day with two commits, exclusions and quarantine."""
    done = auditor.follows()
    assert (0, "") == (done.returncode, done.stderr)
    assert "archived" in done.stdout
    assert "step 9 proves nothing here" in done.stdout
    assert done.stdout.endswith("every step was taken\n")
    assert {**auditor.state.summary()["conversations"], "expected": auditor.state.summary()["expected"]} == table(done)


def test_altered_recording_stops_the_auditor(auditor):
    """One byte of one recording: sha256sum names the file, and the shell ends with an error."""
    key = media_keys(auditor.lake)[3]
    body = auditor.lake.read(key)
    hands = Tampering(auditor.lake)
    hands.put(key, body[:-1] + bytes([body[-1] ^ 1]))
    done = auditor.follows()
    hands.put(key, body)
    assert done.returncode != 0
    assert f"{key}: FAILED" in done.stdout


def test_lost_seal_of_an_older_commit_stops_the_auditor(auditor):
    """The chain still vouches for the commit; that its own seal went away is seen."""
    oldest, *others = auditor.lake.list_keys("seals/")
    assert others
    with Tampering(auditor.lake).deleted(oldest):
        assert auditor.follows().returncode != 0


def test_altered_seal_stops_the_auditor(auditor):
    """Also where the digest that it vouches for is untouched."""
    key = next(iter(auditor.lake.list_keys("seals/")))
    body = auditor.lake.read(key)
    hands = Tampering(auditor.lake)
    with hands.deleted(key):
        hands.put(key, body.replace(b"seal/1", b"seal/2"))
        done = auditor.follows()
    assert done.returncode != 0
    assert f"altered: {key}" in done.stderr


@pytest.mark.evidence
@pytest.mark.parametrize("kind", ["audio", "metadata", "commits", "plans", "manifests", "audit", "seals"])
@pytest.mark.parametrize("which", [0, -1])
@pytest.mark.parametrize("change", ["altered", "deleted"])
def test_whatever_is_changed_stops_the_auditor(auditor, kind, which, change):
    """The first and the last object of each kind, altered or gone: no later step is reached."""
    metadata = [key for key in auditor.lake.list_keys("media/") if key.endswith(".metadata.json")]
    kinds = {"audio": media_keys(auditor.lake), "metadata": metadata}
    key = (kinds.get(kind) or list(auditor.lake.list_keys(f"{kind}/")))[which]
    hands = Tampering(auditor.lake)
    body = bytearray(auditor.lake.read(key))
    body[len(body) // 2] ^= 1
    with hands.deleted(key):
        if change == "altered":
            hands.put(key, bytes(body))
        done = auditor.follows()
    assert done.returncode != 0


def test_recording_of_nobody_stops_the_auditor(auditor):
    """An object beside the recordings that no manifest names is named."""
    key = media_keys(auditor.lake)[0].replace("/0-", "/7-")
    with Tampering(auditor.lake).added(key):
        assert auditor.follows().returncode != 0


def test_bucket_with_versions_is_told_from_one_without(auditor, lake_client):
    """Step 9 says that it proves nothing only where no version is kept."""
    bucket = f"versions-{uuid4().hex}"
    lake_client.create_bucket(Bucket=bucket)
    (block,) = [step for step in steps() if "step 9 proves nothing" in step]
    look = block[: block.index("rclone lsf")]

    def says():
        environment = {**auditor.environment, "LAKE": f":s3:{bucket}/archive"}
        return subprocess.run(["sh", "-e"], input=look, env=environment, capture_output=True, text=True, check=True)  # noqa: S607 - any POSIX shell

    assert says().stdout.startswith("step 9 proves nothing here")
    lake_client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert not says().stdout


def test_erased_conversation_is_counted_once(auditor):
    """Step 7 counts it as erased and no more as archived, and the sum stays; last, since nothing brings it back."""
    before = table(auditor.follows())
    identity = MediaKey.parse(media_keys(auditor.lake)[0]).identity
    order = ErasureOrder(identity.org, DAY, identity.conversation_id, "asked for", "GDPR Art. 17", "dpo")
    was = auditor.state.outcomes[identity.conversation_id]
    erase_conversation(auditor.lake, order)
    done = auditor.follows()
    assert (0, "") == (done.returncode, done.stderr)
    assert {**before, was: before[was] - 1, "erased": 1} == table(done)


def test_erased_on_another_day_is_counted_and_proved(auditor):
    """Its manifest names the tombstone of that day, and the auditor fetches it; without it, the page stops."""
    before, identity = table(auditor.follows()), MediaKey.parse(media_keys(auditor.lake)[0]).identity
    moved, other = str(uuid4()), LocalDay(DAY.date + 2 * ONE_DAY, ZONE)
    put_there(auditor.lake, other, moved, str(uuid4()), b"sound", org=identity.org)
    order = ErasureOrder(identity.org, other, moved, "asked for", "GDPR Art. 17", "dpo")
    (stone,) = erase_conversation(auditor.lake, order).tombstones
    Manifest(identity.org, str(DAY), (moved,), (erased_record(moved, stone.key),), 9).write(auditor.lake)
    commit_day(auditor.lake, identity.org, DAY, ())
    done = auditor.follows()
    assert (0, "") == (done.returncode, done.stderr)
    assert {**before, "erased": before["erased"] + 1, "expected": before["expected"] + 1} == table(done)
    with Tampering(auditor.lake).deleted(stone.key):
        assert auditor.follows().returncode != 0
