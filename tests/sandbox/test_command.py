"""The command: ready file, one line, a prompt end, lists."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import requests

from include.sandbox.faults import CATALOGUE
from include.sandbox.scenario import SCENARIOS

COMMAND = [sys.executable, "-m", "include.sandbox"]


def run(*arguments):
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our command


def test_ready_file_then_prompt_end(tmp_path):
    """The ready file holds the URLs of ports that answer; SIGTERM ends it within two seconds with status 0."""
    ready = tmp_path / "deep" / "ready.json"
    arguments = [
        "--date",
        "2026-01-05..2026-01-06",
        "--conversations",
        "5",
        "--ready-file",
        str(ready),
        "--fault",
        "api-500:2",
    ]
    environment = {**os.environ, "SANDBOX_CLIENT_ID": "from-env", "SANDBOX_CLIENT_SECRET": "secret-env"}
    with subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our command
        end = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < end:
            time.sleep(0.02)
        facts = json.loads(ready.read_text())
        form = {"grant_type": "client_credentials"}
        with requests.Session() as session:
            token = session.post(
                f"{facts['login_base_url']}/oauth/token", auth=("from-env", "secret-env"), data=form, timeout=10
            )
            overview = session.get(f"{facts['api_base_url']}/sandbox", timeout=10).json()
            assert session.get(f"{facts['media_base_url']}/x", timeout=10).status_code == 403
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
        assert time.monotonic() - began < 2
        line = process.stdout.read()
    assert token.status_code == 200
    assert {"api_base_url", "login_base_url", "media_base_url", "pid", "org_id"} == set(facts)
    assert (["2026-01-05", "2026-01-06"], "api-500") == (overview["dates"], overview["faults"][0]["name"])
    assert (1, process.pid) == (line.count("\n"), facts["pid"])
    assert "secret-env" not in line


@pytest.mark.parametrize(
    ("flag", "names"), [("--list-scenarios", SCENARIOS), ("--list-faults", CATALOGUE)], ids=["scenarios", "faults"]
)
def test_lists_name_everything(flag, names):
    """Each scenario and fault is listed with its sentence."""
    done = run(flag)
    assert [*names] == [line.split()[0] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fault", "nonsense"),
        ("--scenario", "nonsense"),
        ("--date", "someday"),
        ("--timezone", "Mars/Base", "--date", "2026-01-05"),
        ("--conversations", "-1"),
    ],
    ids=["fault", "scenario", "date", "zone", "number"],
)
def test_wrong_arguments_are_explained(arguments):
    """A wrong argument ends with status 2 and a sentence, not a traceback."""
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
