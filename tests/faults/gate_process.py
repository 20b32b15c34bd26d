"""The gate that deletes at the source, in a process of its own, called as its task calls it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3

from include.lake.export_bucket import ExportBucket
from include.lake.store import LakeStore, client_config
from include.settings import ArchiveSettings
from include.transfer.export_delete import delete_proved, find_candidates
from include.transfer.export_gate import GatePorts
from include.transfer.export_listing import Window
from tests.story.night import DAY, ZONE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from include.settings import LakeLocation

MIN_AGE = timedelta(days=7)


@dataclass(frozen=True)
class Order:
    """Everything that such a run is told; what it says goes into ``folder``."""

    source_s3: dict[str, str]
    source: LakeLocation
    lake_s3: dict[str, str]
    lake: LakeLocation
    org: str
    now: datetime
    folder: Path


def run_gate(order: Order) -> None:
    """Delete what is proved, day by day."""
    out = os.open(order.folder / "said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    ports = GatePorts(
        ExportBucket(boto3.client("s3", **order.source_s3, config=client_config()), order.source),
        LakeStore(boto3.client("s3", **order.lake_s3, config=client_config()), order.lake),
        ArchiveSettings(lake=order.lake, timezone=ZONE, state_dir=order.folder / "state"),
        order.org,
        MIN_AGE,
    )
    found = find_candidates(ports, Window.of_local_days(DAY.date, DAY.date), order.now)
    fates = Counter(found.fates)
    for day, candidates in found.days.items():
        fates += delete_proved(ports, day, candidates)
    counts = [f"{fate}={count}" for fate, count in sorted(fates.items())]
    print(*counts)  # noqa: T201 - to the file
    sys.stdout.flush()
