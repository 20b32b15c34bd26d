"""Progress redraws on a terminal and stays a readable log elsewhere."""

from __future__ import annotations

import io

from demo.lake_count import Amount
from demo.progress import ProgressView, task_lines

TASKS = [
    {"task_id": "archive", "state": "running", "start_date": "2"},
    {"task_id": "archive", "state": None, "start_date": None},
    {"task_id": "plan", "state": "success", "start_date": "1"},
    {"task_id": "archive", "state": "failed", "start_date": "2"},
]


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


def test_tasks_are_counted_in_the_order_they_began():
    """One line for each task id, with the mapped instances done of all and the rest by state."""
    assert ["plan     1/1", "archive  0/3  failed 1  running 1  waiting 1"] == task_lines(TASKS)


def test_terminal_is_drawn_over():
    """The second view moves up over the first."""
    out = Terminal()
    view = ProgressView(out)
    view.show("running", TASKS, {"media": Amount(2, 3000)})
    view.show("running", TASKS, {})
    assert ("\x1b[4A" in out.getvalue(), "media 2 objects, 3.0 kB" in out.getvalue()) == (True, True)


def test_log_gets_no_control_characters_and_no_repetition():
    """Elsewhere a state that did not change adds no line."""
    out = io.StringIO()
    view = ProgressView(out)
    for _ in range(3):
        view.show("running", TASKS, {})
    assert (1, False) == (len(out.getvalue().splitlines()), "\x1b" in out.getvalue())
