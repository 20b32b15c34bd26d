"""Which version of an object was archived: the bucket's own word, kept in the record."""

from __future__ import annotations

import pytest

from include.lake.manifest import Manifest
from include.outcome import Outcome
from tests.story.night import DAY, everything_in, night, remove


def kept_items(tonight):
    """Return the items of all manifests whose bytes are in the lake."""
    lake, org = tonight.lake, tonight.box.org_id
    read = [Manifest.read(lake, key, org, str(DAY)) for key in lake.list_keys("manifests/")]
    return [item for manifest in read for item in manifest.items if item.key]


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_record_holds_the_version_that_the_bucket_acknowledged(versioned_lake, tmp_path, contract):
    """Archived and quarantined: the version of the record is the one that stands in the bucket."""
    with night(versioned_lake, tmp_path, conversations=60, scenario="rough", contract=contract) as tonight:
        tonight.run()
        items = kept_items(tonight)
        assert {Outcome.ARCHIVED, Outcome.QUARANTINED} <= {item.outcome for item in items}
        assert [] == [item.key for item in items if item.version_id != versioned_lake.head(item.key).version_id]
        assert all(item.version_id for item in items)


def test_version_is_the_same_when_a_recording_is_found_again(versioned_lake, tmp_path):
    """A second run over parts that are there records the version that was acknowledged first."""
    with night(versioned_lake, tmp_path, conversations=8) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        tonight.archive(shard, submitted)
        first = everything_in(versioned_lake)
        for key in versioned_lake.list_keys("manifests/"):
            remove(versioned_lake, key)
        tonight.archive(shard, submitted)
        assert first == everything_in(versioned_lake)


def test_bucket_without_versions_leaves_no_trace(lake, tmp_path):
    """Where the bucket keeps none, no manifest speaks of versions."""
    with night(lake, tmp_path, conversations=8) as tonight:
        tonight.run()
        assert all(b"version_id" not in lake.read(key) for key in lake.list_keys("manifests/"))
