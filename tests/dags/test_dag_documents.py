"""``docs/DAGS.md`` is what the DAGs say today."""

from __future__ import annotations

from docs.generate_dags import PAGE, page


def test_page_is_up_to_date(bag):
    """Fails after a DAG has changed: ``make docs`` writes the page again."""
    assert page(bag.dags.values()) == PAGE.read_text("utf-8"), "make docs"


def test_page_tells_what_a_person_needs(bag):
    """Each DAG with its id, every task and every parameter."""
    text = page(bag.dags.values())
    words = [word for dag in bag.dags.values() for word in (dag.dag_id, *dag.task_ids, *dag.params)]
    assert [] == [word for word in words if f"`{word}`" not in text]
