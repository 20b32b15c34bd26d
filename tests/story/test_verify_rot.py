"""A disk that forgets a bit, below the bucket: only a deep verification reads what the bucket no longer knows."""

from __future__ import annotations

import pytest

from demo.object_store import running_object_store
from include.audit.finding import FindingKind
from include.lake.store import LakeStore
from include.settings import LakeLocation
from include.transfer.verify import Scope, verify_lake
from tests.store_client import store_client
from tests.story.night import media_keys, night


def flip_on_disk(folder, bodies):
    """Flip one bit of an object in the volume file that holds it, and return its key; some are stored compressed."""
    for path in sorted(folder.rglob("*.dat")):
        volume = path.read_bytes()
        for key, body in bodies.items():
            at = volume.find(body[len(body) // 2 :])
            if at >= 0:
                with path.open("r+b") as file:
                    file.seek(at)
                    file.write(bytes([volume[at] ^ 1]))
                return key
    raise AssertionError("no volume file holds an object as it is")


@pytest.mark.evidence
def test_bit_rot_below_the_bucket_is_found_by_reading(tmp_path):
    """The bucket still swears to its checksum; the bytes are others, or do not come (SeaweedFS tries for a minute)."""
    with running_object_store(tmp_path / "store") as store:
        client = store_client(store)
        lake = LakeStore(client, LakeLocation(store.bucket, "archive"))
        with night(lake, tmp_path, conversations=8, scenario="clean") as tonight:
            tonight.run()
        assert () == verify_lake(lake, Scope(deep=True)).findings
        key = flip_on_disk(tmp_path / "store", {name: lake.read(name) for name in media_keys(lake)})
        assert () == verify_lake(lake, Scope()).findings
        found = verify_lake(lake, Scope(deep=True)).findings
        client.close()
    assert [key] == [item.key for item in found]
    assert found[0].kind in {FindingKind.ALTERED, FindingKind.UNREADABLE}
