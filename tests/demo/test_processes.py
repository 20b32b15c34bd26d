"""Nothing the launcher starts outlives it, and a component that dies is named with the end of its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.processes import Component, ComponentError, Supervisor
from tests.demo.process_tree import tree

PROJECT = Path(__file__).parents[2]
TREE_SIZE = 2


def wait_for(condition, seconds=15.0):
    """Return the first true value of the condition, or fail when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"not so within {seconds} seconds: {condition}")


def written_pids(file):
    """Return the process ids of the whole tree once all of it has started."""
    pids = [int(line) for line in file.read_text().splitlines()] if file.exists() else []
    return pids if len(pids) == TREE_SIZE else None


def alive(pids):
    """Return those that still run; a zombie does not."""
    return [pid for pid in pids if _state(pid) not in {None, "Z"}]


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


@pytest.fixture(autouse=True)
def _project_on_path(monkeypatch):
    """The commands import this package."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


def test_stop_leaves_no_descendant(tmp_path):
    """A grandchild in a session of its own that ignores SIGTERM is gone after the stop."""
    pids = tmp_path / "pids"
    with Supervisor() as supervisor:
        supervisor.start(tree("service", pids))
        started = wait_for(lambda: written_pids(pids))
    assert [] == alive(started)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_killed_launcher_leaves_no_descendant(tmp_path, number):
    """However the launcher ends, all it started ends too."""
    pids = tmp_path / "pids"
    command = [sys.executable, "-m", "tests.demo.process_tree", "launcher", str(pids)]
    with subprocess.Popen(command, cwd=PROJECT) as launcher:  # noqa: S603 - our own command
        started = wait_for(lambda: written_pids(pids))
        launcher.send_signal(number)
    assert wait_for(lambda: not alive(started))


def test_killed_service_takes_its_descendants_along(tmp_path):
    """When a component is killed, what it started does not go on without it."""
    pids = tmp_path / "pids"
    with Supervisor() as supervisor:
        supervisor.start(tree("service", pids))
        started = wait_for(lambda: written_pids(pids))
        service = next(pid for pid in started if b"stubborn" not in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(service, signal.SIGKILL)
        assert wait_for(lambda: not alive(started))


def failing(tmp_path, code):
    """Return a component that runs a line of Python."""
    return Component("teller", [sys.executable, "-c", code], tmp_path / "teller.log", os.environ)


def test_dead_component_is_named_with_its_last_words(tmp_path):
    """The error has the component's name, its status, and the end of its log."""
    with Supervisor() as supervisor:
        supervisor.start(failing(tmp_path, "print('cannot open the vault'); raise SystemExit(3)"))
        with pytest.raises(ComponentError, match=r"(?s)teller ended with status 3.*cannot open the vault"):
            supervisor.wait_until(lambda: False, component="teller", seconds=15)


def test_component_that_never_gets_ready_is_named(tmp_path):
    """Waiting is bounded, and the error says for what and how long."""
    with Supervisor() as supervisor:
        supervisor.start(failing(tmp_path, "import time; time.sleep(600)"))
        with pytest.raises(ComponentError, match=r"teller was not ready after 0 seconds"):
            supervisor.wait_until(lambda: False, component="teller", seconds=0.2)


def test_command_that_does_not_exist_is_said(tmp_path):
    """A missing binary is an error of that component, not a stack trace of ours."""
    with Supervisor() as supervisor, pytest.raises(ComponentError, match="cannot start /nowhere/weed"):
        supervisor.run(Component("weed", ["/nowhere/weed"], tmp_path / "weed.log", os.environ), seconds=15)


def test_failed_run_is_said_with_its_status(tmp_path):
    """A one-shot command that fails raises."""
    with Supervisor() as supervisor, pytest.raises(ComponentError, match="teller failed with status 7"):
        supervisor.run(failing(tmp_path, "raise SystemExit(7)"), seconds=15)


def test_environment_is_not_in_the_repr(tmp_path):
    """A component's environment holds credentials, so its repr does not show it."""
    component = Component("teller", ["x"], tmp_path / "log", {"AIRFLOW_CONN_X": "planted-secret"})
    assert "planted-secret" not in repr(component)
