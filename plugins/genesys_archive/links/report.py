"""The button on ``reconcile_day`` that opens the day's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk.bases.operator import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PAGES_PREFIX = "/recording-archive"
"""Where the api-server shows the reports."""


class ReportLink(BaseOperatorLink):
    """Leads to a page that asks for a login, not into the bucket: a signed address would stand in the database."""

    name = "Report of the day"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address of the day that wants a look; none where the task ended before it wrote a report."""
        day = getattr(operator, "report_day", "")
        return report_address(day) if day else ""


def report_address(day: str) -> str:
    """Return where a person reads the report of a day; without a host where ``[api] base_url`` names none."""
    return f"{str(conf.get('api', 'base_url', fallback='')).rstrip('/')}{PAGES_PREFIX}/reports/{day}/"
