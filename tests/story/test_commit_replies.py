"""A commit whose requests or replies are lost: read back before it is sent again, and never made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.lake.layout import commit_key
from include.lake.store import LakeStore, Writing
from include.outcome import Outcome
from include.transfer.day import commit_day
from include.transfer.day_check import check_day
from tests.lake.cutting_proxy import AFTER, BEFORE, CuttingProxy
from tests.store_client import store_client
from tests.story.day_ends import settle
from tests.story.desk import ORG
from tests.story.night import DAY, everything_in, remove

if TYPE_CHECKING:
    from demo.object_store import ObjectStore

WRITES = ["segment", "commit", "seal"]


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("lost", WRITES)
def test_lost_request_or_reply_ends_in_the_same_lake(
    object_store: ObjectStore, lake: LakeStore, when: str, lost: str
) -> None:
    """The line goes dead before or after the bucket saw the write; the end is that of a quiet night."""
    settle(lake, Outcome.ARCHIVED, 1, 2)
    commit_day(lake, ORG, DAY, [])
    quiet = everything_in(lake)
    for key in [key for key in quiet if key.startswith(("commits/", "audit/", "seals/"))]:
        remove(lake, key)
    with CuttingProxy(object_store.endpoint_url) as proxy:
        client = store_client(object_store, endpoint_url=proxy.url)
        proxy.cut(when, "PUT", skip=WRITES.index(lost))
        commit, _ = commit_day(LakeStore(client, lake.location, Writing(sleep=lambda _: None)), ORG, DAY, [])
        client.close()
        # Where the write had arrived it is found by looking, and not sent a second time.
        assert (3 if when == AFTER else 4) == proxy.seen.count("PUT")
    assert commit_key(str(DAY), 1) == commit.key
    assert quiet == everything_in(lake)
    assert () == check_day(lake, ORG, str(DAY)).findings
