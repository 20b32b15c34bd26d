"""What a run leaves: the day's balance, the exclusions by name, the API calls it took, and where everything is.

Read from the bucket, not from the run: what is printed is what an auditor would find. Nothing here fails on a document
that is missing or has other fields; the summary then says less.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from demo.lake_count import Lake
from include.audit.balance import day_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from demo.rest import AirflowApi, Json
    from demo.stack import Stack

LOG_LINES = 6


def call_lines(journal: Mapping[str, Any]) -> list[str]:
    """Return the number of API calls by endpoint, the most frequent first; whatever the nesting of the counts."""
    counts = _counts(journal)
    calls = Counter({endpoint: number for endpoint, number in counts.items() if _is_api(endpoint)})
    lines = [f"Genesys API calls, as the sandbox counted them: {calls.total()}"]
    lines += [f"  {number:5} {endpoint}" for endpoint, number in calls.most_common()]
    return [*lines, f"media downloads by presigned URL: {counts.total() - calls.total()}"]


def _is_api(endpoint: str) -> bool:
    return "/api/" in endpoint or "/oauth/" in endpoint


def _counts(journal: Mapping[str, Any]) -> Counter[str]:
    for key in ("calls", "by_endpoint", "endpoints", "summary", "counts"):
        inner = journal.get(key)
        if isinstance(inner, dict):
            return _counts(inner)
    return Counter({str(name): number for name, number in journal.items() if isinstance(number, int)})


def failure_lines(api: AirflowApi, tasks: Iterable[Json]) -> list[str]:
    """Return the failed tasks with the end of the first one's log."""
    failed = [task for task in tasks if task.get("state") == "failed"]
    if not failed:
        return []
    names = [f"{task['task_id']}[{task['map_index']}]".replace("[-1]", "") for task in failed]
    lines = [f"failed: {', '.join(names)}", f"end of the log of {names[0]}:"]
    # Lines that only fold the log in the UI say nothing here.
    spoken = [line for line in api.task_log(failed[0]) if line and not line.startswith("::")]
    return lines + [f"  {line}" for line in spoken[-LOG_LINES:]]


def summary_lines(stack: Stack, dates: Iterable[str]) -> list[str]:
    """Return the whole summary of a run over these local days."""
    lake = Lake(stack.lake, stack.lake_prefix)
    lines: list[str] = []
    try:
        for date in dates:
            lines += ["", *day_lines(date, lake.document(f"reports/date={date}/report.json"))]
            commits = lake.keys(f"commits/date={date}/")
            lines += [f"proof: {commits[-1]} (commit {len(commits)} of this day)"] if commits else []
            lines += [f"  {kind:10} {amount}" for kind, amount in sorted(lake.amounts(date).items())]
    finally:
        lake.close()
    if stack.sandbox:
        lines += ["", *call_lines(stack.sandbox.calls())]
    return lines
