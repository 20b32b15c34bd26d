"""The catalog's partitions: one Parquet object a day, replaced as a whole, and beside the table what it was built from.

Readers of a Hive table read every object below a partition, so there is exactly one, always under the same key: one
PutObject is the atomic replacement. Equal rows give equal bytes; nothing in the file knows when it was made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.parquet as pq

from include.canonical import canonical_json, read_document, sha256_hex
from include.lake import layout
from include.lake.catalog_schema import SCHEMA_VERSION, catalog_schema
from include.lake.store import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from include.lake.store import LakeStore

PARQUET_TYPE = "application/vnd.apache.parquet"
MANIFEST_SCHEMA = "recording-archive/catalog/1"
ROW_GROUP_ROWS = 8192
ZSTD_LEVEL = 3

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class CatalogManifest:
    """What a partition was built from, and what it must look like.

    ``commit_key`` and ``commit_sha256`` name the day's commit, ``inputs_sha256`` everything that the rows were made of.
    """

    date: str
    commit_key: str
    commit_sha256: str
    inputs_sha256: str
    rows: int
    key: str
    size_bytes: int
    sha256: str
    schema_version: int = SCHEMA_VERSION

    @property
    def manifest_key(self) -> str:
        """Where the manifest stands."""
        return layout.catalog_manifest_key(self.date)

    def body(self) -> bytes:
        """Return the document."""
        return canonical_json({"schema": MANIFEST_SCHEMA, **asdict(self)})

    def write(self, lake: LakeStore) -> bool:
        """Replace the manifest where it differs; tell whether it was written. Raises as ``LakeStore.put_latest``."""
        return lake.put_latest(self.manifest_key, self.body(), JSON_TYPE)

    def still_stands(self, lake: LakeStore) -> bool:
        """Whether the bucket holds the partition that this describes, byte for byte."""
        stored = lake.head(self.key)
        return stored is not None and (stored.bytes, stored.sha256) == (self.size_bytes, self.sha256)

    @classmethod
    def read(cls, lake: LakeStore, date: str) -> Self | None:
        """Return the day's manifest; ``None`` where there is none that this version can read: it is a cache."""
        body = lake.read(layout.catalog_manifest_key(date))
        try:
            document = read_document(body or b"")
            return cls(**{name: document[name] for name in cls.__slots__})  # type: ignore[arg-type]  # compared, not used
        except (ValueError, KeyError, TypeError):
            return None


def parquet_of(groups: Iterable[Sequence[Row]], facts: Mapping[str, str]) -> tuple[bytes, int]:
    """Return a Parquet file of these row groups, and how many rows it holds; ``facts`` go into its footer.

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowTypeError: when a row does not fit the schema.
    """
    schema = catalog_schema().with_metadata({key: facts[key] for key in sorted(facts)})
    sink = pa.BufferOutputStream()
    count = 0
    with pq.ParquetWriter(
        sink,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=True,
        write_statistics=True,
        sorting_columns=pq.SortingColumn.from_ordering(schema, [(name, "ascending") for name in SORTED_BY]),
    ) as writer:
        for rows in groups:
            writer.write_table(pa.Table.from_pylist(list(rows), schema), row_group_size=ROW_GROUP_ROWS)
            count += len(rows)
    return sink.getvalue().to_pybytes(), count


SORTED_BY = ("conversation_id", "recording_id", "part")
"""The order of a partition's rows: one look-up reads one row group."""


def replace_partition(lake: LakeStore, date: str, body: bytes) -> bool:
    """Put the partition's only object where it differs from what stands there; tell whether it was written.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as ``LakeStore.put_latest``.
    """
    return lake.put_latest(layout.catalog_key(date), body, PARQUET_TYPE)


def strangers(lake: LakeStore, date: str) -> tuple[str, ...]:
    """Return the keys that somebody else put below the partition: a query would count their rows too."""
    own = layout.catalog_key(date)
    return tuple(key for key in lake.list_keys(layout.catalog_partition(date)) if key != own)


def manifest_of(date: str, commit: tuple[str, str], inputs_sha256: str, rows: int, body: bytes) -> CatalogManifest:
    """Return what a partition with this body was built from; ``commit`` is key and SHA-256."""
    return CatalogManifest(
        date=date,
        commit_key=commit[0],
        commit_sha256=commit[1],
        inputs_sha256=inputs_sha256,
        rows=rows,
        key=layout.catalog_key(date),
        size_bytes=len(body),
        sha256=sha256_hex(body),
    )
