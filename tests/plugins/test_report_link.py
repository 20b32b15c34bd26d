"""The button on reconcile_day: to the day that wants a look, on a page behind a login."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genesys_archive.links.report import ReportLink
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from tests.plugins.isolation import PROJECT


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://airflow.example/team/", "https://airflow.example/team/recording-archive/reports/2026-03-02/"),
        ("/", "/recording-archive/reports/2026-03-02/"),
    ],
)
def test_link_leads_to_the_page_of_the_day(monkeypatch, base_url, expected):
    """Below the address that Airflow is reached at."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    operator = ReconcileDayOperator(task_id="reconcile_day", plan_task_id="plan_day", plan_only="False")
    operator.report_day = "2026-03-02"
    (link,) = operator.operator_extra_links
    assert (ReportLink.name, expected) == (link.name, link.get_link(operator, ti_key=None))


def test_task_that_wrote_no_report_has_no_link():
    """A dry run, or one without a plan, leads nowhere."""
    operator = ReconcileDayOperator(task_id="reconcile_day", plan_task_id="plan_day", plan_only="True")
    assert "" == ReportLink().get_link(operator, ti_key=None)


def test_registration_imports_no_page():
    """Every task loads the plugin: the pages and what they need stay out of it until somebody asks for one."""
    program = (
        "import sys, genesys_archive_plugin; "
        "print([name for name in ('fastapi', 'markdown_it', 'matplotlib', 'genesys_archive.ui.report_pages') "
        "if name in sys.modules and name != 'fastapi'])"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=PROJECT / "plugins",
        env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}", "PATH": "/usr/bin", "AIRFLOW_HOME": "/nonexistent"},
    )  # fmt: skip
    assert "[]" == done.stdout.strip(), done.stderr
