"""Archive one recording with the connections of the environment, without any service: ``make single``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.one_day import HOME, LOG_NAME, run_dag
from demo.options import SINGLE_DAG, NotConfiguredError

if TYPE_CHECKING:
    from collections.abc import Mapping


def run_single(wish: Mapping[str, str]) -> int:
    """Archive the recording that the DAG's parameters name; 0 only when it is archived and in its day's proof.

    Raises:
        NotConfiguredError: when nothing is named, or a connection or the zone is missing.
    """
    conf = {name: value for name, value in wish.items() if value}
    if not conf.keys() & {"conversation_id", "media_id"}:
        raise NotConfiguredError("Give CONVERSATION=uuid [RECORDING=uuid], or MEDIA=uuid under the contract guide")
    status, log, _ = run_dag(SINGLE_DAG, conf)
    if status == 0:
        print("\narchived, and in the proof of its day")
        return 0
    for task, cause in log.causes.items():
        print(f"red: {task}: {cause}")
    print(f"NOT archived. What to do, by error: docs/runbook.md; every line of the run: {HOME / LOG_NAME}")
    return 1
