"""catalog_day: the day's partition of the catalog, from its commit; a cache, so nothing waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from genesys_archive.defaults import CATALOG_ASSET, archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import TRUE, planned_days
from include.local_day import LocalDay
from include.transfer.catalog import catalog_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from pydantic import JsonValue


class CatalogDayOperator(BaseOperator):
    """Catalogues every planned day and announces it as an Asset event; where nothing changed, nothing is written."""

    template_fields: Sequence[str] = ("plan_only",)
    ui_color = "#fef7e0"

    def __init__(self, *, plan_task_id: str, plan_only: bool | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan_task_id = plan_task_id
        self.plan_only = plan_only

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Catalogue and return the partitions with their rows."""
        days = planned_days(context, self.plan_task_id, plan_only=str(self.plan_only) == TRUE)
        settings = archive_settings()
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        partitions = []
        troubles = DayTroubles(context)
        for planned in days:
            with troubles.of(planned["date"]):
                done = catalog_day(lake, org, LocalDay.of(planned["date"], settings.timezone))
                self.log.log(logging.WARNING if done.lost else logging.INFO, "%s", done.sentence())
                partitions.append({"date": planned["date"], "key": done.manifest.key, "rows": done.manifest.rows})
        troubles.retry_what_may_pass()
        troubles.fail_if_any()
        if CATALOG_ASSET in self.outlets:
            context["outlet_events"][CATALOG_ASSET].extra = {"days": cast("JsonValue", partitions)}
        return partitions
