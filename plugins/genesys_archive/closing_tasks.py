"""What follows the export of planned days, in the night as in an audit: one commit, and four leaves behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from genesys_archive.defaults import CATALOG_ASSET, DOWNLOAD_POOL
from genesys_archive.operators.catalog_day import CatalogDayOperator
from genesys_archive.operators.commit_day import CommitDayOperator
from genesys_archive.operators.deliver_webhooks import DeliverWebhooksOperator
from genesys_archive.operators.make_derivatives import MakeDerivativesOperator
from genesys_archive.operators.plan_derivatives import PlanDerivativesOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from genesys_archive.operators.report_derivatives import ReportDerivativesOperator

if TYPE_CHECKING:
    from airflow.sdk import Asset, BaseOperator, TaskGroup

COMMIT_TIMEOUT = CATALOG_TIMEOUT = RECONCILE_TIMEOUT = PLAN_TIMEOUT = timedelta(minutes=30)
DERIVE_TIMEOUT = timedelta(hours=4)
DELIVER_TIMEOUT = timedelta(hours=1)


def close_days(
    plan: BaseOperator, exported: TaskGroup, *, announces: Asset, plan_only: str = "False", **judging: str
) -> tuple[CommitDayOperator, list[BaseOperator]]:
    """Return the commit of the days that ``plan`` has left, behind their export, and what follows it.

    Each of these must stay a leaf: a green task behind ``reconcile_day`` would turn a red day into a green run.

    Args:
        plan: the task that leaves the days.
        exported: the shards of these days.
        announces: the Asset of complete days.
        plan_only: the template of a run that ends after its plan.
        judging: the templates by which ``commit_day`` and ``reconcile_day`` judge a day, as ``ClosingOperator`` takes
            them.
    """
    days: dict[str, Any] = {"plan_task_id": plan.task_id, "plan_only": plan_only}
    # all_done: a shard that failed must not keep the others from being committed; its conversations become pending.
    commit = CommitDayOperator(
        task_id="commit_day", trigger_rule=TriggerRule.ALL_DONE, execution_timeout=COMMIT_TIMEOUT, **days, **judging
    )
    # all_done: a day that cannot be committed must not cost the others their report; it is tried and named again here.
    reconcile = ReconcileDayOperator(
        task_id="reconcile_day",
        outlets=[announces],
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=RECONCILE_TIMEOUT,
        **days,
        **judging,
    )
    # Beside the verdict and not before it: no proof waits for a cache, and a cache that failed still colours the run.
    catalog = CatalogDayOperator(
        task_id="catalog_day",
        outlets=[CATALOG_ASSET],
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=CATALOG_TIMEOUT,
        **days,
    )
    # Whatever was committed is told, also of a day that is red; and a receiver that is away colours nothing.
    webhooks = DeliverWebhooksOperator(
        task_id="deliver_webhooks",
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=DELIVER_TIMEOUT,
        **days,
    )
    # The verdict waits for the shards itself: where only the failed tasks of a run are cleared, the commit before it is
    # green and stays so, and would hold it back no longer.
    exported >> [commit, reconcile]
    # Beside the verdict, not before it: a day is complete without derivatives.
    return commit, [catalog, reconcile, _derive_slices(days), webhooks]


def _derive_slices(days: dict[str, Any]) -> BaseOperator:
    """Map the copies over slices of the days, and return the first of the tasks.

    A day that nobody wants copies of has no slice, so that all of it is skipped. The report is written once, behind
    the slices, since none of those that run side by side knows what the others have made; it does not run behind a
    red one, which stays the reason why the run is red.
    """
    run = {"output_format": "{{ params.output_format }}", "channels": "{{ params.channels }}"}
    first = PlanDerivativesOperator(task_id="plan_derivatives", execution_timeout=PLAN_TIMEOUT, **run, **days)
    made = MakeDerivativesOperator.partial(
        task_id="make_derivatives",
        map_index_template="{{ task.part.date }} / {{ ti.map_index }}",
        pool=DOWNLOAD_POOL,
        execution_timeout=DERIVE_TIMEOUT,
        **run,
    ).expand(part=first.output)
    ReportDerivativesOperator(task_id="report_derivatives", counts=made.output, execution_timeout=PLAN_TIMEOUT)
    return first
