"""The day's partition of the catalog, from its highest commit and the metadata beside each recording.

The catalog is a cache: it holds nothing that the rest of the lake does not, and building it again gives the same bytes.
It proves nothing and no proof waits for it.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from include.audit.reconcile import with_erased, without_lost
from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.catalog import (
    ROW_GROUP_ROWS,
    CatalogManifest,
    manifest_of,
    parquet_of,
    replace_partition,
    strangers,
)
from include.lake.catalog_schema import SCHEMA_VERSION
from include.lake.commit import is_head, read_head
from include.lake.erasures import erasures_of
from include.outcome import Outcome
from include.transfer.catalog_row import catalog_row
from include.transfer.day_state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from include.audit.reconcile import DayState
    from include.lake.catalog import Row
    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord

log = logging.getLogger(__name__)
READERS = 16
"""Metadata documents read at a time: each is a few kilobytes, so the bucket's answer is what takes long."""


@dataclass(frozen=True, slots=True)
class Catalogued:
    """What cataloguing a day came to. ``written`` is false where the partition stood there already.

    ``lost`` parts are archived by the commit and gone from the bucket without a tombstone, so they have no row.
    """

    manifest: CatalogManifest
    written: bool
    strangers: tuple[str, ...]
    lost: int = 0

    def sentence(self) -> str:
        """Return it for the log of a person."""
        done = "written" if self.written else "as it was"
        odd = f". Not ours, and counted by every query: {', '.join(self.strangers)}" if self.strangers else ""
        fewer = f" ({self.lost} fewer than the commit: lost in the lake)" if self.lost else ""
        return (
            f"{self.manifest.date}: {self.manifest.rows} recordings{fewer} in {self.manifest.key}, "
            f"{self.manifest.size_bytes} bytes, of {self.manifest.commit_key}; {done}{odd}"
        )


def catalog_day(lake: LakeStore, org: str, day: LocalDay, *, rebuild: bool = False) -> Catalogued:
    """Bring the day's partition up to its highest commit.

    Where nothing has changed, nothing is written, and no metadata is read either unless ``rebuild`` asks for it.

    Raises:
        IntegrityError: when the day has no commit, or a commit, a manifest or a metadata document is not what its name
            or its record says.
        RetriableError, PermanentError: as the lake raises them.
    """
    head = read_head(lake, org, day)
    if head is None:
        raise IntegrityError(f"{day} was never committed in {lake.location.uri}: there is nothing to catalogue.")
    date = str(day)
    stored = dict(lake.stored_times(layout.media_day_prefix(org, date)))
    items, lost = archived_items(lake, head, stored)
    inputs = _digest(head, items, stored)
    known = None if rebuild else CatalogManifest.read(lake, date)
    if known is not None and known.inputs_sha256 == inputs and known.still_stands(lake):
        return Catalogued(known, written=False, strangers=strangers(lake, date), lost=lost)
    facts = {"commit_key": head.key, "commit_sha256": head.sha256, "catalog_schema_version": str(SCHEMA_VERSION)}
    body, rows = parquet_of(_row_groups(lake, items, stored), facts)
    manifest = manifest_of(date, (head.key, head.sha256), inputs, rows, body)
    # Data before what refers to it: after a crash in between the manifest does not fit, and the next run writes.
    written = [replace_partition(lake, date, body), manifest.write(lake)]
    if not is_head(lake, head):
        # Another run has committed meanwhile; its partition may have been there first, and be the newer one.
        return catalog_day(lake, org, day)
    return Catalogued(manifest, any(written), strangers(lake, date), lost)


def archived_items(lake: LakeStore, commit: Commit, present: Mapping[str, object]) -> tuple[list[ItemRecord], int]:
    """Return the parts that the commit says are archived and the bucket still has, and how many it has no more.

    They are in the order of the catalog. Whoever has a tombstone, on whichever day, has no row, also before a commit
    names it, and has lost nothing.
    """
    state, erased = state_of(lake, commit), erasures_of(lake, str(commit.day))
    state = with_erased(state, {**erased.of(state.items), **erased.here})
    committed, archived = _archived(state), _archived(without_lost(state, present))
    archived.sort(key=lambda item: (item.conversation_id, item.recording_id, item.part, item.sha256))
    return archived, len(committed) - len(archived)


def _archived(state: DayState) -> list[ItemRecord]:
    return [item for items in state.items.values() for item in items if item.outcome is Outcome.ARCHIVED]


def _digest(head: Commit, items: Sequence[ItemRecord], stored: Mapping[str, datetime]) -> str:
    """Return the digest of everything that the partition is made of, without reading a single metadata document."""
    rows = [[item.key, item.metadata_sha256, item.version_id, stored[item.key].isoformat()] for item in items]
    return sha256_hex(canonical_json([SCHEMA_VERSION, head.key, head.sha256, rows]))


def _row_groups(lake: LakeStore, items: Sequence[ItemRecord], stored: Mapping[str, datetime]) -> Iterator[list[Row]]:
    """Yield the rows in row groups: so many documents are in memory and no more."""

    def row(item: ItemRecord) -> Row:
        return _row(lake, item, stored[item.key])

    remaining = iter(items)
    with ThreadPoolExecutor(READERS, thread_name_prefix="catalog") as pool:
        while group := list(islice(remaining, ROW_GROUP_ROWS)):
            yield list(pool.map(row, group))


def _row(lake: LakeStore, item: ItemRecord, stored_at: datetime) -> Row:
    body = lake.read_small(item.metadata_key)
    if body is None or sha256_hex(body) != item.metadata_sha256:
        raise IntegrityError(
            f"{lake.uri(item.metadata_key)} is not the metadata that the manifest names.", key=item.metadata_key
        )
    try:
        return catalog_row(item, read_document(body), stored_at)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{lake.uri(item.metadata_key)} is no metadata of a recording.", key=item.metadata_key
        ) from error
