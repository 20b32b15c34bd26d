"""Parsing a DAG file is cheap and asks nobody: it happens every few seconds, in every component."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.plugins.isolation import PROJECT

DAG_FILES = sorted((PROJECT / "dags").glob("*.py"))
PARSE_SECONDS = 1.0
TIMED = """
import time
import airflow.sdk, airflow.providers.amazon.aws.hooks.s3, airflow.providers.amazon.aws.hooks.base_aws
began = time.process_time()
import {module}
print("SECONDS", time.process_time() - began)
"""
# The network is refused and so is every write: a DAG file that tried either would fail here.
ALONE = """
import socket, sys
import airflow.sdk

def refuse(event, arguments):
    if event == "socket.connect" or (event == "open" and set(arguments[1] or "r") & set("wax+")):
        raise RuntimeError(event + " while parsing: " + str(arguments))

sys.dont_write_bytecode = True
sys.addaudithook(refuse)
import {module}
print("PARSED")
"""


def parsed(script, file, tmp_path, **environment):
    """Run a script that imports one DAG file in an otherwise empty environment."""
    path = os.pathsep.join(str(PROJECT / folder) for folder in (".", "plugins", "dags"))
    bare = {"PATH": os.defpath, "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": path}
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script.format(module=file.stem)],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_fails_to_import(bag):
    """Airflow finds no import error."""
    assert {} == bag.import_errors


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_parses_in_under_a_second(file, tmp_path):
    """Without what Airflow itself costs: measured as CPU time, so that a busy machine does not decide."""
    done = parsed(TIMED, file, tmp_path)
    assert 0 == done.returncode, done.stderr
    assert PARSE_SECONDS > float(done.stdout.split("SECONDS")[1])


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_needs_no_environment_and_does_no_io(file, tmp_path):
    """No connection, no setting, no network and no written file is needed to parse."""
    done = parsed(ALONE, file, tmp_path)
    assert "PARSED" in done.stdout, done.stderr


def test_unknown_time_zone_is_an_import_error_that_names_the_variable(tmp_path):
    """The DAG would otherwise vanish with a stack trace of the scheduler's."""
    done = parsed(ALONE, PROJECT / "dags" / "genesys_recordings_daily.py", tmp_path, GENESYS_TIMEZONE="Mars/Olympus")
    assert "ConfigurationError: GENESYS_TIMEZONE 'Mars/Olympus' is not an IANA time zone" in done.stderr
