"""A day with less room than it needs: it takes what fits, says what is left, and loses nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.lake.day_ledger import FILE_NAME, DayLedger
from include.lake.manifest import Manifest
from include.outcome import Outcome
from include.transfer.download import MediaDownloader
from tests.story.night import DAY, ZONE, audio_in, audio_of, media_keys, night

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.night import Night


@contextmanager
def limited(ran: Night, **chosen: object) -> Iterator[Night]:
    """Return the same night with other settings."""
    settings = replace(ran.settings, **chosen)
    with MediaDownloader(settings, ran.connection.media_hosts, lambda _: None) as downloader:
        yield replace(ran, settings=settings, downloader=downloader, reports=[])


def records_of(ran: Night) -> list:
    """Return every record of the night's manifests."""
    return [
        item
        for report in ran.reports
        for item in Manifest.read(ran.lake, report.manifest_key, ran.box.org_id, str(DAY)).items
    ]


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_day_over_its_budget_ends_pending_and_the_next_run_completes_it(lake, tmp_path, contract):
    """Not a byte above the budget; what did not fit is pending by name; without the limit all of it is there."""
    with night(lake, tmp_path, contract=contract) as ran:
        limit = sum(part.size for part in ran.box.truth(DAY.date).archived_parts()) // 3
        with limited(ran, day_bytes_max=limit) as short:
            _, state = short.run()
            left = [item for item in records_of(short) if item.outcome is Outcome.PENDING]
            assert left
            assert {"quota_exceeded"} == {item.reason for item in left}
            assert not state.is_complete
            taken = DayLedger(tmp_path, limit, ZONE).taken()
        stored = audio_in(ran.lake)
        assert 0 < sum(ran.lake.head(key).bytes for key in media_keys(ran.lake)) <= taken <= limit
        assert stored < audio_of(ran.box)
        fetched = ran.downloads()
        _, state = ran.run()
        assert state.is_complete
        assert audio_of(ran.box) == audio_in(ran.lake)
        assert [] == [path for path in ran.downloads()[len(fetched) :] if any(item[1] in path for item in stored)]


def test_disk_without_room_leaves_large_recordings_pending(lake, tmp_path):
    """The floor is looked at before a body is fetched, and nothing is half archived."""
    with night(lake, tmp_path, conversations=6) as ran:
        with limited(ran, memory_bytes=1, disk_free_bytes_min=1 << 60) as full:
            _, state = full.run()
            left = [item for item in records_of(full) if item.outcome is Outcome.PENDING]
            assert {"quota_exceeded"} == {item.reason for item in left}
            assert (set(), False) == (audio_in(ran.lake), state.is_complete)
        _, state = ran.run()
        assert (True, audio_of(ran.box)) == (state.is_complete, audio_in(ran.lake))
        assert not (tmp_path / FILE_NAME).exists()
