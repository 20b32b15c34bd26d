"""Several runs of the same day at once: one head, no object written twice, and the bytes of a single run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.race import Raced, race

if TYPE_CHECKING:
    from tests.faults.ground import Ground

FEW, MANY = 3, 8
ROUNDS = 25
WHOLE_BYTES = 64 * 1024 * 1024


def race_at_one_moment(ground: Ground, processes: int) -> Raced:
    """Race with one clock for all in a bucket without versions, so that even the bytes can be compared."""
    whole = ground.undisturbed()
    raced = race(ground, ground.lake(), processes, whole.at)
    assert {0} == set(raced.ends), raced.said
    assert (1, ()) == (raced.head, raced.changed_by_one_more)
    assert whole.listings[0] == raced.listing
    return raced


def race_in_versions(ground: Ground, bucket: str, processes: int, *, pinned: bool) -> Raced:
    """Race in a bucket that keeps every version; ``pinned`` gives all runs one clock.

    Nothing goes in parts: of several CompleteMultipartUpload with ``If-None-Match: *`` at once, SeaweedFS (4.48) lets
    more than one succeed, where AWS lets one. Of PutObject it lets one.
    """
    whole = ground.undisturbed()
    kept = replace(ground, bucket=bucket, multipart_bytes=WHOLE_BYTES)
    raced = race(kept, kept.lake(), processes, whole.at if pinned else None)
    assert {0} == set(raced.ends), raced.said
    assert ((), ()) == (raced.extra_versions, raced.changed_by_one_more)
    assert {key for key in whole.listings[0] if key.startswith("media/")} >= raced.media
    assert raced.head == 1 or not pinned
    return raced


def test_runs_at_one_moment(ground: Ground) -> None:
    """Three runs at once leave the lake of one."""
    race_at_one_moment(ground, FEW)


def test_runs_with_their_own_clocks(ground: Ground, versioned_bucket: str) -> None:
    """Three runs at once that each say when they heard what write nothing twice, and a later one has nothing to do."""
    race_in_versions(ground, versioned_bucket, FEW, pinned=False)


@pytest.mark.evidence
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ["bytes", "versions", "own clocks"])
def test_many_runs(ground: Ground, versioned_bucket: str, way: str) -> None:
    """Eight runs at once, again and again."""
    heads: Counter[int] = Counter()
    for number in range(ROUNDS):
        if way == "bytes":
            raced = race_at_one_moment(ground, MANY)
        else:
            raced = race_in_versions(ground, versioned_bucket, MANY, pinned=way == "versions")
        heads[raced.head] += 1
        print(f"{way}, round {number + 1}: ends {set(raced.ends)}, head v{raced.head}", flush=True)  # noqa: T201 - evidence
    print(f"{way}: {MANY} processes, {heads.total()} rounds, heads {dict(heads)}", flush=True)  # noqa: T201 - evidence
