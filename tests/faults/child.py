"""A process that may be killed: begun with what is warm already, and waited for, but not for ever."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

NIGHT_SECONDS = 120.0
WARM = (
    "tests.faults.night_process",
    "tests.faults.behind_process",
    "tests.faults.gate_process",
    "include.audit.chart",
)


def warm_up() -> None:
    """Let what processes are forked from import what they need, once for all of them."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(WARM))


def begun(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Return a process that has begun the work."""
    child = multiprocessing.get_context("forkserver").Process(target=work, args=arguments)
    child.start()
    return child


def end_of(child: BaseProcess) -> int:
    """Return how it ended: 0, or -9 where it was killed."""
    child.join(NIGHT_SECONDS)
    if child.exitcode is None:
        child.kill()
        child.join(10)
        raise AssertionError("it did not come to an end")
    return child.exitcode
