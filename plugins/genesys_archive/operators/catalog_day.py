"""catalog_day: the day's partition of the catalog, from its commit; a cache, so nothing waits for it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from genesys_archive.defaults import CATALOG_ASSET
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.operators.after_plan import AfterPlanOperator
from include.lake.layout import catalog_partition, commit_prefix, manifest_prefix
from include.transfer.catalog import catalog_day

if TYPE_CHECKING:
    from airflow.sdk import Context
    from pydantic import JsonValue

    from genesys_archive.operators.after_plan import PlannedWork
    from include.local_day import LocalDay


class CatalogDayOperator(NamesDatasets, AfterPlanOperator):
    """Catalogues every planned day and announces it as an Asset event; where nothing changed, nothing is written."""

    ui_color = "#fef7e0"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Catalogue and return the partitions with their rows."""
        work = self.planned_work(context)
        partitions = work.each(partial(self._catalog, work))
        work.finish()
        if CATALOG_ASSET in self.outlets:
            context["outlet_events"][CATALOG_ASSET].extra = {"days": cast("JsonValue", partitions)}
        return partitions

    def _catalog(self, work: PlannedWork, day: LocalDay, _: dict[str, Any]) -> dict[str, Any]:
        done = catalog_day(work.lake, work.org, day)
        self.reads += (in_lake(work.lake, commit_prefix(str(day))), in_lake(work.lake, manifest_prefix(str(day))))
        self.writes += (in_lake(work.lake, catalog_partition(str(day))),)
        self.log.log(logging.WARNING if done.lost else logging.INFO, "%s", done.sentence())
        return {"date": str(day), "key": done.manifest.key, "rows": done.manifest.rows}
