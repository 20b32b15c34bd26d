"""The sandbox misbehaves; each fault costs what it must and no more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from include.errors import ConfigurationError, NotAuthorised
from include.lake.manifest import Manifest
from include.outcome import Outcome
from tests.story.night import DAY, MEDIA, Night, audio_in, audio_of, classes_in, classes_of, clean, night, opened

if TYPE_CHECKING:
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.outcome import ItemRecord
    from include.transfer.archive import ShardReport

STATUS = "GET /api/v2/recording/batchrequests/{jobId}"
METADATA = "GET /api/v2/conversations/{conversationId}/recordingmetadata"


def items_of(tonight: Night, report: ShardReport, outcome: Outcome) -> list[ItemRecord]:
    """Return the records of one class in a manifest."""
    return [
        item
        for item in Manifest.read(tonight.lake, report.manifest_key, tonight.box.org_id, str(DAY)).items
        if item.outcome is outcome
    ]


def one_of(tonight: Night) -> tuple[str, str]:
    """Return the first recording of the day that consists of one part."""
    places = Counter((conversation_id, recording_id) for conversation_id, recording_id, _ in audio_of(tonight.box))
    return min(place for place, parts in places.items() if parts == 1)


@pytest.mark.parametrize(
    "fault",
    [
        "media-expired-once:1",
        "media-html:1",
        "media-truncated:3",
        "media-reset:3",
        "media-short-lying-length:1",
        "media-503:2",
        "media-gzip:1",
        "media-wrong-content-range:1",
        "media-ignores-range",
    ],
)
def test_passing_trouble_leaves_no_trace(lake: LakeStore, tmp_path: Path, fault: str) -> None:
    """A fault that passes is healed within the shard: every byte is archived, and nothing is in quarantine."""
    with clean(lake, tmp_path) as tonight:
        tonight.box.faults.switch_on(fault)
        _, state = tonight.run()
        assert tonight.box.faults.list()[0]["fired"]
        assert audio_of(tonight.box) == audio_in(lake)
        assert state.is_complete
        assert [] == list(lake.list_keys("quarantine/"))


def test_expired_url_costs_one_question(lake: LakeStore, tmp_path: Path) -> None:
    """A download that finds its URL too old asks the job once more, and every byte arrives."""
    with clean(lake, tmp_path) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        tonight.box.faults.switch_on("media-expired-once")
        tonight.box.journal.clear()
        tonight.archive(shard, submitted)
        assert 2 == tonight.box.journal.summary()[STATUS]
        assert 1 == sum(call.status == 403 for call in tonight.box.journal.calls(MEDIA))
        assert audio_of(tonight.box) == audio_in(lake)


def test_cut_transfer_is_resumed(lake: LakeStore, tmp_path: Path) -> None:
    """After a cut the rest is asked for by range; the half that arrived is not sent again."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        tonight.box.faults.switch_on(f"media-truncated:1,match={place[1]}")
        tonight.run()
        ranges = [call.range for call in tonight.box.journal.calls(MEDIA) if place[1] in call.path]
        assert 2 == len(ranges)
        assert ranges[0].startswith("bytes=0-")
        assert not ranges[1].startswith("bytes=0-")


def test_page_for_ever_is_quarantined(lake: LakeStore, tmp_path: Path) -> None:
    """A recording that stays a sign-in page is named; the other ones are archived."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        tonight.box.faults.switch_on(f"media-html:999,match={place[1]}")
        _, state = tonight.run()
        assert [("quarantined", "integrity_error")] == [
            (str(item.outcome), item.reason) for item in state.items[place[0]] if item.recording_id == place[1]
        ]
        assert {place} == {item[:2] for item in audio_of(tonight.box) - audio_in(lake)}


@pytest.mark.parametrize("times", [1, 99])
def test_flipped_bits(lake: LakeStore, tmp_path: Path, times: int) -> None:
    """Ogg pages have a checksum: bits that are wrong once are fetched again, bits that stay wrong are quarantined."""
    with clean(lake, tmp_path) as tonight:
        oggs = {
            part.recording_id for part in tonight.box.truth(DAY.date).archived_parts() if "ogg" in part.content_type
        }
        victim = min(oggs)
        tonight.box.faults.switch_on(f"media-bit-flip:{times},match={victim}")
        tonight.run()
        assert ({victim} if times > 1 else set()) == {rec for _, rec, _ in audio_of(tonight.box) - audio_in(lake)}
        assert (times > 1) == bool(list(lake.list_keys("quarantine/")))
        assert all(f"/recording={victim}/" in key for key in lake.list_keys("quarantine/"))


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_stuck_job(lake: LakeStore, tmp_path: Path, contract: str) -> None:
    """Of a job that never ends what came is archived, and all of it stays pending, since more might have come."""
    with clean(lake, tmp_path, contract=contract) as tonight:
        tonight.box.faults.switch_on("batch-stuck")
        shard = tonight.shard(tonight.plan())
        submitted = tonight.submit(shard)
        count = len(shard.conversation_ids)
        enough = {
            "platform": lambda seen: all(
                len({item.conversation_id for item in status.results}) == count - 1 for status in seen.values()
            ),
            "guide": lambda seen: all(status.expected_count for status in seen.values()),
        }
        watch = tonight.wait(submitted, enough[contract])
        report = tonight.archive(shard, submitted, frozenset(watch.open_jobs))
        pending = items_of(tonight, report, Outcome.PENDING)
        assert {"job_unfinished"} == {item.reason for item in pending}
        assert count == len(pending)
        missing = {item[0] for item in audio_of(tonight.box) - audio_in(lake)}
        assert (1 if contract == "platform" else count) == len(missing)
        _, state = tonight.run()
        assert state.is_complete
        assert audio_of(tonight.box) == audio_in(lake)


def test_poisoned_id_is_found(lake: LakeStore, tmp_path: Path) -> None:
    """A batch that is refused for one conversation is cut until that one is named; the others are archived."""
    with clean(lake, tmp_path, conversations=30) as tonight:
        planned = tonight.plan()
        victim = tonight.shard(planned).conversation_ids[13]
        tonight.box.faults.switch_on(f"batch-poisoned-id:match={victim}")
        _, state = tonight.run()
        assert ["request_refused"] == [item.reason for item in state.items[victim]]
        others = {key: value for key, value in classes_in(state).items() if key != victim}
        assert {key: value for key, value in classes_of(tonight.box).items() if key != victim} == others
        assert {victim} == {item[0] for item in audio_of(tonight.box) - audio_in(lake)}


def test_job_gone(lake: LakeStore, tmp_path: Path) -> None:
    """A job the source forgot leaves its conversations pending; the next run submits a new one."""
    with clean(lake, tmp_path) as tonight:
        shard = tonight.shard(tonight.plan())
        submitted = tonight.submit(shard)
        tonight.box.world.jobs._jobs.clear()
        report = tonight.archive(shard, submitted)
        assert {"not_in_result"} == {item.reason for item in items_of(tonight, report, Outcome.PENDING)}
        assert {"pending"} == report.outcomes.keys()
        _, state = tonight.run()
        assert state.is_complete


def test_metadata_forbidden(lake: LakeStore, tmp_path: Path) -> None:
    """Where even the question is forbidden a conversation without results is restricted, in the source's own word."""
    with night(lake, tmp_path, conversations=32) as tonight:
        tonight.box.faults.switch_on("metadata-403")
        _, state = tonight.run()
        asked = [call.path.split("/")[4] for call in tonight.box.journal.calls(METADATA)]
        assert asked
        for conversation_id in asked:
            item = next(item for item in state.items[conversation_id] if item.reason == "no_permission")
            assert (Outcome.RESTRICTED, "recordingmetadata") == (item.outcome, item.said_by)
            assert "permission" in item.fact
        assert audio_of(tonight.box) == audio_in(lake)


def test_media_404_of_a_deleted_recording(lake: LakeStore, tmp_path: Path) -> None:
    """A URL that answers 404 while the source has the recording is pending, and archived by the next run."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        tonight.box.faults.switch_on(f"media-404:1,match={place[1]}")
        _, red = tonight.run()
        assert [("pending", "not_in_result")] == [
            (str(item.outcome), item.reason) for item in red.items[place[0]] if item.recording_id == place[1]
        ]
        _, green = tonight.run()
        assert green.is_complete


def test_credentials_refused_stop_the_shard(lake: LakeStore, tmp_path: Path) -> None:
    """When the client is no longer welcome the shard ends with that error, and no manifest is written."""
    with clean(lake, tmp_path) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        for job in tonight.box.world.jobs._jobs.values():
            job.client_id = "somebody-else"
        with pytest.raises(NotAuthorised):
            tonight.archive(shard, submitted)
        assert [] == list(lake.list_keys("manifests/")) == list(lake.list_keys("media/"))


def test_damaged_zip(lake: LakeStore, tmp_path: Path) -> None:
    """A zip with one wrong byte is kept whole; what that byte belongs to is named, the rest is archived."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        tonight.box.faults.switch_on("zip-corrupt")
        _, state = tonight.run()
        hurt = [item for items in state.items.values() for item in items if item.outcome is Outcome.QUARANTINED]
        assert hurt
        kept = list(lake.list_keys("quarantine/"))
        assert {item.key for item in hurt} == set(kept)
        assert all(item.reason in {"crc_mismatch", "unreadable", "size_mismatch"} for item in hurt)
        assert {item.conversation_id for item in hurt} == {item[0] for item in audio_of(tonight.box) - audio_in(lake)}
        tonight.box.faults.switch_off()
        _, green = tonight.run()
        assert green.is_complete
        assert audio_of(tonight.box) == audio_in(lake)


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_media_host_that_is_not_allowed(lake: LakeStore, tmp_path: Path, contract: str) -> None:
    """Media on a host that the connection does not name stop the shard with its name: nothing is quarantined."""
    with clean(lake, tmp_path, conversations=6, contract=contract) as tonight:
        with (
            opened(tonight.box, lake, tmp_path, media_hosts="media.example.net") as strict,
            pytest.raises(ConfigurationError, match=r"'127\.0\.0\.1' is not in media_hosts"),
        ):
            strict.run()
        assert [] == [*lake.list_keys("quarantine/"), *lake.list_keys("manifests/")]
        assert [] == tonight.downloads()
