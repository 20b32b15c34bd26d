"""Which datasets a task read and wrote, for OpenLineage.

The provider asks operators by the name of a method; without it nothing here is called, and nothing of it is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.genesys.connection import GenesysConnection
    from include.lake.store import LakeStore


@dataclass(frozen=True, slots=True)
class DatasetName:
    """One dataset as OpenLineage names it (naming of datasets: object stores, and the address for what is none)."""

    namespace: str
    name: str


def in_lake(lake: LakeStore, prefix: str) -> DatasetName:
    """Return what stands below a prefix of the lake."""
    root = f"{lake.location.prefix}/" if lake.location.prefix else ""
    return DatasetName(f"s3://{lake.location.bucket}", f"{root}{prefix}".rstrip("/"))


def at_source(connection: GenesysConnection) -> DatasetName:
    """Return the organisation's recordings in Genesys Cloud."""
    return DatasetName(connection.api_base_url, f"organizations/{connection.org_id}/recordings")


class NamesDatasets:
    """An operator that says what it read and wrote; ``execute`` sets both as soon as it knows."""

    reads: tuple[DatasetName, ...] = ()
    writes: tuple[DatasetName, ...] = ()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - the provider's signature
        """Return the lineage as the provider wants it."""
        from airflow.providers.common.compat.openlineage.facet import Dataset  # noqa: PLC0415 - only where installed
        from airflow.providers.openlineage.extractors import (  # type: ignore[import-not-found]  # noqa: PLC0415 - as above
            OperatorLineage,
        )

        return OperatorLineage(
            inputs=[Dataset(item.namespace, item.name) for item in dict.fromkeys(self.reads)],
            outputs=[Dataset(item.namespace, item.name) for item in dict.fromkeys(self.writes)],
        )

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Return the same: a red day has been archived in part."""
        return self.get_openlineage_facets_on_complete(task_instance)
