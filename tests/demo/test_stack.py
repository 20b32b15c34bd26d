"""The embedded stack is a real Airflow: it runs mapped tasks in its pools, on loopback, and says which task failed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo.archive_run import wait_for_dag
from demo.options import SandboxOptions, StackOptions, yesterday
from demo.processes import ComponentError
from demo.stack import StackRunningError, running_stack
from demo.summary import failure_lines

PROJECT = Path(__file__).parents[2]
RUN_SECONDS = 90

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def options(tmp_path_factory, dags_folder):
    """A folder of its own for the stack."""
    return StackOptions(
        directory=tmp_path_factory.mktemp("stack"),
        dags_folder=dags_folder,
        sandbox=SandboxOptions(conversations=5),
    )


@pytest.fixture(scope="module")
def stack(options):
    """A running stack that knows the small DAG."""
    with running_stack(options) as running:
        wait_for_dag(running, "count")
        yield running


def run(stack, conf):
    """Run the small DAG and return its state and its tasks."""
    run_id = stack.airflow.trigger("count", conf)
    state = stack.airflow.wait_for_run("count", run_id, seconds=RUN_SECONDS, meanwhile=stack.check)
    return state, stack.airflow.task_instances("count", run_id)


def test_mapped_tasks_run_in_the_project_s_pools(stack):
    """A run over REST succeeds, with every mapped task in its pool."""
    state, tasks = run(stack, {})
    pools = sorted((task["task_id"], task["pool"], task["state"]) for task in tasks)
    expected = [("double", "recording_download", "success")] * 3 + [("numbers", "genesys_api", "success")]
    assert ("success", expected) == (state, pools)


def test_failed_task_is_named_with_its_error(stack):
    """The failure lines have the task and what it said."""
    state, tasks = run(stack, {"fail": True})
    said = "\n".join(failure_lines(stack.airflow, tasks))
    assert ("failed", True, True) == (state, "double[0]" in said, "told to fail" in said)


def test_every_process_listens_on_loopback_only(stack):
    """Nothing of the stack can be reached from another machine."""
    assert stack.supervisor.pids
    family = [psutil.Process(pid) for pid in stack.supervisor.pids.values()]
    family += [child for leash in family for child in leash.children(recursive=True)]
    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {"127.0.0.1"} == listening


def test_second_stack_on_the_same_folder_is_refused(stack, options):
    """Two stacks would share a bucket and a database; the second is told how to stop the first."""
    assert stack.ui_url
    with pytest.raises(StackRunningError, match="make down stops it"), running_stack(options):
        pass


def test_no_secret_is_in_the_repr_of_the_stack(stack):
    """A failed assertion on a stack prints no password and no connection."""
    shown = repr(stack)
    secrets = [stack.password, stack.lake.secret_key, stack.sandbox.client_secret]
    assert [] == [secret for secret in secrets if secret in shown]


def test_password_file_is_private(stack):
    """Airflow's password file is readable by its owner only."""
    assert 0o600 == stat.S_IMODE((stack.airflow_home / "passwords.json").stat().st_mode)


@pytest.fixture
def folder(tmp_path, options):
    """A folder for one more stack, with the empty database that the first one made: that saves its migration."""
    migrated = options.directory / "cache"
    if migrated.is_dir():  # a test that is run alone makes its own
        shutil.copytree(migrated, tmp_path / "cache")
    return tmp_path


def demo_process(folder, dags_folder, command):
    """Start a demo command as a user would, on a folder of its own."""
    arguments = [f"--directory={folder}", f"--dags={dags_folder}", "--conversations=5"]
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "demo", command, *arguments],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_family(launcher, name, seconds=90):
    """Return all processes below a launcher once one of the given command line is among them."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and launcher.poll() is None:
        family = psutil.Process(launcher.pid).children(recursive=True)
        if any(name in _command_line(process) and "leash.py" not in _command_line(process) for process in family):
            return family
        time.sleep(0.2)
    pytest.fail(f"{name} did not start: {launcher.stdout.read() if launcher.poll() is not None else 'still starting'}")


def _command_line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_dead_component_ends_the_stack_and_is_named(folder, dags_folder):
    """When the scheduler is killed, the command fails, names it, and leaves no process."""
    with demo_process(folder, dags_folder, "serve") as launcher:
        family = wait_for_family(launcher, "airflow scheduler")
        (scheduler,) = [
            one
            for one in family
            if re.search(r"bin/airflow scheduler", _command_line(one)) and "leash.py" not in _command_line(one)
        ]
        scheduler.send_signal(signal.SIGKILL)
        said = launcher.communicate(timeout=60)[0]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert (1, True, []) == (launcher.returncode, "scheduler ended with status 137" in said, alive)


def test_killed_launcher_leaves_no_process(folder, dags_folder):
    """Even SIGKILL of the launcher ends every component and its children."""
    with demo_process(folder, dags_folder, "serve") as launcher:
        family = wait_for_family(launcher, "airflow triggerer")
        launcher.kill()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [] == alive


def test_up_returns_when_healthy_and_down_leaves_nothing(folder, dags_folder):
    """Make up prints where the UI is; make down ends all of it."""
    with demo_process(folder, dags_folder, "up") as up:
        said = up.communicate(timeout=120)[0]
    pid = int((folder / "stack.lock").read_text())
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    with demo_process(folder, dags_folder, "down") as down:
        stopped = down.communicate(timeout=60)[0]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert (0, True, "stopped\n", []) == (up.returncode, "Airflow UI  http://127.0.0.1:" in said, stopped, alive)
    assert f"with start_date {yesterday('UTC')}\n" in said


def test_component_that_cannot_start_is_named(folder, dags_folder):
    """A start that fails says which component and shows the end of its log."""
    broken = {"AIRFLOW__CORE__EXECUTOR": "NoSuchExecutor", "PATH": os.environ["PATH"]}
    options = StackOptions(directory=folder, dags_folder=dags_folder, sandbox=None, environment=broken)
    with pytest.raises(ComponentError, match=r"(?s)(scheduler|db-migrate).*NoSuchExecutor"), running_stack(options):
        pass
