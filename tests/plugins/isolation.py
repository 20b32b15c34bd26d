"""An Airflow home of this test run's own, in place before anything imports Airflow: it reads its settings at import."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from demo.airflow_environment import isolated_airflow

PROJECT = Path(__file__).parents[2]
FOREIGN = ("AIRFLOW", "AWS_", "RECORDING_", "GENESYS_")


def isolate() -> None:
    """Point Airflow at an empty home and forget connections and settings of the caller's shell.

    Raises:
        RuntimeError: when Airflow was imported before, and has therefore read somebody's real configuration.
    """
    if os.environ.get("AIRFLOW_HOME", "").startswith(f"{tempfile.gettempdir()}/archive-tests-"):
        return
    if "airflow" in sys.modules:
        raise RuntimeError("Airflow was imported before its home was set: import tests.plugins.isolation first")
    home = Path(tempfile.mkdtemp(prefix="archive-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    settings = isolated_airflow(home, dags_folder=PROJECT / "dags", plugins_folder=PROJECT / "plugins")
    # pytest's own search path already has what the worker's has; PYTHONPATH would only reach child processes.
    os.environ.update({name: value for name, value in settings.items() if not name.startswith("PYTHON")})


isolate()
