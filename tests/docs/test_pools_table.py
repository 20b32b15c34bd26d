"""The table of pools in docs/connect.md names every task that takes a slot of one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.docs.pages import page

ROOT = Path(__file__).parents[2]
POOLS = {"API_POOL": "genesys_api", "DOWNLOAD_POOL": "recording_download"}


def used() -> dict[str, set[str]]:
    """Return pool to tasks, as the DAGs' sources give them."""
    found: dict[str, set[str]] = {name: set() for name in POOLS.values()}
    for path in [*ROOT.glob("dags/*.py"), ROOT / "plugins/genesys_archive/task_groups.py"]:
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            given = {one.arg: one.value for one in call.keywords}
            pool, task = given.get("pool"), given.get("task_id")
            if isinstance(pool, ast.Name) and isinstance(task, ast.Constant):
                found[POOLS[pool.id]].add(str(task.value))
    return found


def test_page_names_every_task_of_a_pool() -> None:
    """Whoever changes the slots sees whom it slows down."""
    rows = re.findall(r"^\| `(\w+)` \| \d+ \| (.+) \|$", page("docs/connect.md").text, re.MULTILINE)
    assert used() == {name: set(re.findall(r"`(\w+)`", tasks)) for name, tasks in rows if name in POOLS.values()}
