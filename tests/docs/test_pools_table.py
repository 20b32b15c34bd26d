"""The table of pools in docs/connect.md names every task that takes a slot of one."""

from __future__ import annotations

import re

from tests.docs.pages import page


def used() -> set[tuple[str, str]]:
    """Return each task with its pool, as the generated page of the DAGs has them."""
    tasks = re.findall(r"^\| `(?:\w+\.)?(\w+)` \| `(\w+)` \| [0-9]", page("docs/DAGS.md").text, re.MULTILINE)
    return {(pool, task) for task, pool in tasks if pool != "default_pool"}


def test_page_names_every_task_of_a_pool() -> None:
    """Whoever changes the slots sees whom it slows down."""
    rows = re.findall(r"^\| `(\w+)` \| \d+ \| (.+) \|$", page("docs/connect.md").text, re.MULTILINE)
    told = {(name, task) for name, tasks in rows for task in re.findall(r"`(\w+)`", tasks) if name != "default_pool"}
    assert used() == told
