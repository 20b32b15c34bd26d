"""make run needs no service of ours: it archives with the connections it finds, and says what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.airflow_environment import archive_settings
from demo.object_store import running_object_store
from demo.options import SandboxOptions, StackOptions
from demo.processes import Supervisor
from demo.sandbox import start_sandbox

PROJECT = Path(__file__).parents[2]
DAY = "2026-03-10"
NEEDED = ("AIRFLOW_CONN_GENESYS_CLOUD", "AIRFLOW_CONN_RECORDING_LAKE", "RECORDING_LAKE_URI", "GENESYS_TIMEZONE")
UNSET = (*NEEDED, "AIRFLOW__SECRETS__BACKEND")


def run(*arguments, environment=None):
    """Run ``python -m demo run`` with nothing in the environment but what is given."""
    clean = {name: value for name, value in os.environ.items() if name not in UNSET}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "demo", "run", *arguments],
        cwd=PROJECT,
        env=clean | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_missing_variables_are_one_sentence():
    """Each missing variable is named with its meaning; no stack trace, nothing started."""
    refused = run(f"--date={DAY}")
    (sentence,) = refused.stderr.strip().splitlines()
    assert (1, []) == (refused.returncode, [name for name in NEEDED if name not in sentence])


def test_zone_is_never_assumed():
    """With everything but the zone nothing starts: a day archived in the wrong zone cannot be taken back."""
    refused = run(f"--date={DAY}", environment=dict.fromkeys(NEEDED[:3], "set"))
    named = [name for name in NEEDED if name in refused.stderr]
    assert (1, ["GENESYS_TIMEZONE"]) == (refused.returncode, named)


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-30"])
def test_a_day_that_is_none_is_refused(day):
    """DATE is asked for with an example."""
    refused = run(f"--date={day}")
    assert (1, True) == (refused.returncode, "DATE must be a day as YYYY-MM-DD" in refused.stderr)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("GENESYS_TIMEZONE", "Mars/Base", "GENESYS_TIMEZONE must be an IANA time zone"),
        (
            "AIRFLOW_CONN_GENESYS_CLOUD",
            '{"password": "hunter2",',
            "AIRFLOW_CONN_GENESYS_CLOUD is neither a URI nor JSON",
        ),
        ("AIRFLOW_CONN_RECORDING_LAKE", '["hunter2"]', "AIRFLOW_CONN_RECORDING_LAKE must be a JSON object"),
    ],
)
def test_a_malformed_variable_is_named_and_not_quoted(variable, value, sentence):
    """Airflow would say that the connection does not exist; what stands in it may be a secret."""
    good = {**dict.fromkeys(NEEDED[:2], "aws://"), NEEDED[2]: "s3://bucket/x", "GENESYS_TIMEZONE": "UTC"}
    refused = run(f"--date={DAY}", environment=good | {variable: value})
    assert (1, True, False) == (refused.returncode, sentence in refused.stderr, "hunter2" in refused.stderr)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An S3 server as a caller would have one."""
    with running_object_store(tmp_path_factory.mktemp("store")) as running:
        yield running


def archive(store, folder, day, scenario):
    """Run the day against a sandbox of this scenario, with the connections in the environment."""
    with Supervisor() as supervisor:
        options = SandboxOptions(date=day, conversations=40, scenario=scenario)
        sandbox = start_sandbox(supervisor, folder / "sandbox", options)
        settings = archive_settings(store, sandbox, StackOptions(directory=folder, sandbox=options))
        return settings, run(f"--date={day}", environment=settings)


@pytest.mark.journey
@pytest.mark.parametrize(
    ("day", "scenario", "status", "words"),
    [
        (DAY, "clean", 0, ["is complete", "archived:", "proof:"]),
        ("2026-11-20", "rough", 1, ["is NOT complete", "red: reconcile_day: AirflowFailException:", "runbook"]),
    ],
    ids=["clean", "rough"],
)
def test_exit_status_says_whether_the_day_is_complete(store, tmp_path, day, scenario, status, words):
    """The real DAG archives the day: 0 only when nothing is left open, and no secret in what is printed."""
    settings, done = archive(store, tmp_path, day, scenario)
    said = done.stdout + done.stderr
    secrets = [json.loads(settings[name])["password"] for name in NEEDED[:2]]
    missing = [word for word in words if word not in said]
    assert (status, []) == (done.returncode, missing), said[-3000:]
    assert [] == [secret for secret in secrets if secret in said]
