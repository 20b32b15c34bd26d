"""A day that a plan has left for the tasks behind it, and the context these run in."""

from __future__ import annotations

from types import SimpleNamespace

from include.lake.plan import DayPlan
from tests.story.committed import ORG
from tests.story.night import DAY


def planned_day(lake, **counts):
    """Write the plan of a day without calls and return what ``plan_day`` says of it, with these counts."""
    plan = DayPlan(ORG, DAY, ())
    lake.put_document(plan.key, plan.body())
    return {"date": str(DAY), "plan_key": plan.key, **counts}


def run_of(days):
    """Return a task's context: a plan that left these days."""
    pulled = {"days": days}
    instance = SimpleNamespace(xcom_pull=lambda key, **_: pulled.get(key), xcom_push=lambda *_: None)
    return {"ti": instance, "outlet_events": {}}
