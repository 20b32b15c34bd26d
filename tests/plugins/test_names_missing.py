"""An endpoint of names that is down: planning comes again while Airflow has tries left, and then goes on without."""

from __future__ import annotations

import pytest

from genesys_archive.operators.plan_audit import PlanAuditOperator
from genesys_archive.operators.plan_day import PlanDayOperator
from include.errors import SourceUnavailable
from tests.plugins.conftest import DAY
from tests.plugins.test_operators import PLAN


class Try:
    """A task instance, as far as the plan uses it."""

    max_tries = 3

    def __init__(self, number: int) -> None:
        self.try_number = number
        self.pushed: dict[str, object] = {}

    def xcom_push(self, key: str, value: object) -> None:
        """Remember."""
        self.pushed[key] = value


DATES = {"start_date_text": str(DAY), "end_date_text": "", "partition_key": ""}
AUDIT = {"offsets": "[1]", "only_failed": "False", "ask_each": "False", "accept_empty": "False"}


@pytest.mark.parametrize(
    "task",
    [
        PlanDayOperator(task_id="plan_day", **{**PLAN, **DATES}),
        PlanAuditOperator(task_id="plan_audit", **DATES, **AUDIT),
    ],
    ids=["night", "audit"],
)
def test_last_try_plans_without_names(connected, sandbox, monkeypatch, task):
    """An outage of minutes costs no name; one that outlasts every try costs no recording."""
    monkeypatch.setenv("RECORDING_ARCHIVE_API_DEADLINE_SECONDS", "1")
    sandbox.faults.switch_on("api-500:999,match=/api/v2/users")
    try:
        with pytest.raises(SourceUnavailable, match="GET /api/v2/users"):
            task.execute({"ti": Try(3)})
        last = Try(4)
        assert task.execute({"ti": last})
    finally:
        sandbox.faults.switch_off("api-500")
    (day,) = last.pushed["days"]
    assert ("agents",) == tuple(day["without_names"])
    assert any("/shard-" in key for key in connected.list_keys("plans/"))
