"""Writes ``DAGS.md`` from the DAGs themselves: ``make docs``. A test compares the two."""  # noqa: INP001 - a script

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("DAGS.md")
HEAD = """# The DAGs

<!-- Generated from dags/ by `make docs`; do not edit. -->
"""

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from airflow.sdk import DAG


def page(dags: Iterable[DAG]) -> str:
    """Return the page for these DAGs, in the order of their ids."""
    return "\n".join([HEAD, *("\n".join(section(dag)) for dag in sorted(dags, key=lambda dag: dag.dag_id))]) + "\n"


def section(dag: DAG) -> list[str]:
    """Return one DAG: facts, form, tasks, and its own runbook one heading deeper."""
    runbook = re.sub(r"^(#+ )", r"#\1", dag.doc_md or "", flags=re.MULTILINE).strip()
    runs = f"at most {dag.max_active_runs} at a time, ended after {_hours(dag.dagrun_timeout)}"
    return [
        runbook,
        "",
        "### Facts",
        f"- id `{dag.dag_id}`, file `dags/{Path(dag.fileloc).name}`",
        f"- schedule {_schedule(dag)}",
        f"- runs: {runs}; tags {', '.join(f'`{tag}`' for tag in sorted(dag.tags))}",
        "",
        *_form(dag),
        "### Tasks",
        "| task | pool | at most | retries | what it does |",
        "|---|---|--:|--:|---|",
        *(_task_row(task) for task in dag.topological_sort()),
        "",
    ]


def _schedule(dag: DAG) -> str:
    expression = getattr(dag.timetable, "expression", None)
    return f"`{expression}` in `GENESYS_TIMEZONE`" if expression else "none: by hand or by API"


def _form(dag: DAG) -> list[str]:
    if not dag.params:
        return []
    rows = ["### Parameters", "| name | values | default | meaning |", "|---|---|---|---|"]
    for name in dag.params:
        param = dag.params.get_param(name)
        values = ", ".join(map(str, param.schema.get("enum", ()))) or param.schema.get("format") or _type(param.schema)
        default = "" if param.value is None else f"`{param.value}`"
        rows.append(f"| `{name}` | {values} | {default} | {param.description or ''} |")
    return [*rows, ""]


def _type(schema: dict[str, object]) -> str:
    kind = schema.get("type", "")
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _task_row(task: object) -> str:
    operator = getattr(task, "operator_class", type(task))
    what = (operator.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    what = re.sub(r"\s+", " ", what)
    return f"| `{task.task_id}` | `{task.pool}` | {_hours(task.execution_timeout)} | {task.retries} | {what} |"  # type: ignore[attr-defined]


def _hours(length: timedelta | None) -> str:
    if length is None:
        return "no limit"
    minutes = round(length.total_seconds() / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def main() -> None:
    """Parse ``dags/`` in an Airflow home of its own and write the page."""
    sys.path[:0] = [str(PROJECT), str(PROJECT / "plugins")]
    from demo.airflow_environment import isolated_airflow  # noqa: PLC0415 - found through the line above

    with tempfile.TemporaryDirectory() as home:
        folders = {"dags_folder": PROJECT / "dags", "plugins_folder": PROJECT / "plugins"}
        os.environ.update(isolated_airflow(Path(home), **folders))
        from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - reads its configuration at import

        bag = DagBag(dag_folder=PROJECT / "dags", bundle_path=PROJECT / "dags", bundle_name="dags-folder")
        if bag.import_errors:
            sys.exit(str(bag.import_errors))
        PAGE.write_text(page(bag.dags.values()), "utf-8")


if __name__ == "__main__":
    main()
