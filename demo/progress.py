"""The live view of a run: each task with its mapped counts, and what has reached the bucket so far."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from demo.lake_count import Amount
    from demo.rest import Json

PLAIN_SECONDS = 5.0
DONE = frozenset({"success", "skipped"})
BAD = frozenset({"failed", "upstream_failed"})
CLEAR_LINE = "\x1b[2K"
LINES_UP = "\x1b[{}A"


def task_lines(tasks: Iterable[Json]) -> list[str]:
    """Return one line for each task in the order in which they began: done of all, and what the others do.

    >>> task_lines([{"task_id": "a", "state": "success", "start_date": "1"}, {"task_id": "a", "state": "deferred"}])
    ['a  1/2  deferred 1']
    """
    states: dict[str, Counter[str]] = {}
    for task in sorted(tasks, key=lambda task: str(task.get("start_date") or "~")):
        states.setdefault(task["task_id"], Counter())[task.get("state") or "waiting"] += 1
    width = max(map(len, states), default=0)
    return [_line(task_id.ljust(width), count) for task_id, count in states.items()]


def _line(name: str, states: Counter[str]) -> str:
    done = sum(states[state] for state in DONE)
    others = [f"{state} {number}" for state, number in sorted(states.items()) if state not in DONE]
    return "  ".join([name, f"{done}/{states.total()}", *others])


class ProgressView:
    """Draws over itself on a terminal; elsewhere (a CI log) it adds a line at most every few seconds."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._began = time.monotonic()
        self._drawn = 0
        self._said = ("", 0.0)

    def show(self, state: str, tasks: Iterable[Json], amounts: Mapping[str, Amount]) -> None:
        """Show the state of the run now."""
        lines = task_lines(tasks)
        in_lake = ", ".join(f"{kind} {amount}" for kind, amount in sorted(amounts.items())) or "nothing yet"
        head = f"{time.monotonic() - self._began:4.0f} s  run {state}"
        if self._out.isatty():
            self._redraw([head, *(f"        {line}" for line in lines), f"        in the lake: {in_lake}"])
            return
        media = amounts.get("media")
        self._add_line(head, "; ".join(" ".join(line.split()) for line in lines if _is_active(line)), str(media or ""))

    def _redraw(self, lines: list[str]) -> None:
        up = LINES_UP.format(self._drawn) if self._drawn else ""
        self._out.write(up + "".join(f"{CLEAR_LINE}{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def _add_line(self, head: str, tasks: str, media: str) -> None:
        said, when = self._said
        if tasks + media == said or time.monotonic() - when < PLAIN_SECONDS:
            return
        self._said = (tasks + media, time.monotonic())
        self._out.write(f"{head}: {tasks or 'scheduling'}{f'; media {media}' if media else ''}\n")
        self._out.flush()


def _is_active(line: str) -> bool:
    """Tell whether a task is neither done nor still waiting as a whole."""
    _, count, *others = line.split()
    done, total = count.split("/")
    return done != total and others != ["waiting", total]
