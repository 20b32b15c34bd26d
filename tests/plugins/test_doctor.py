"""``doctor`` from a shell: a line for each guard of the bucket, and a status that a script can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genesys_archive.commands.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.lake.store import LakeStore


@pytest.mark.usefixtures("airflow_database")
def test_bucket_without_versions_is_not_enough(
    connect_lake: Callable[..., None], lake: LakeStore, versioned_lake: LakeStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 and the name of what is missing; 0 where all that is required is there."""
    connect_lake(lake, zone="UTC")
    assert 1 == main(["doctor"])
    said = capsys.readouterr().out
    assert f"s3://{lake.location.bucket}: not enough, for want of: versioning" in said
    assert "missing  versioning   required  never enabled" in said
    connect_lake(versioned_lake, zone="UTC")
    assert 0 == main(["doctor"])
    assert f"s3://{versioned_lake.location.bucket}: the bucket guards what it has to" in capsys.readouterr().out
