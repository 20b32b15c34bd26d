"""The command: ready file, one line, a prompt end, lists."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from include.sandbox.faults import CATALOGUE
from include.sandbox.scenario import SCENARIOS

COMMAND = [sys.executable, "-m", "include.sandbox"]


def run(*arguments):
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our command


@contextmanager
def serving(ready, *arguments, **environment):
    """Run the command until the block ends; yield the process and what the ready file says."""
    command = [*COMMAND, "--ready-file", str(ready), *arguments]
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our command
        try:
            end = time.monotonic() + 30
            while not ready.exists() and time.monotonic() < end:
                time.sleep(0.02)
            yield process, json.loads(ready.read_text())
        finally:
            process.kill()


def seconds_to_end(process):
    """Send SIGTERM and return how long the process took to leave, with status 0."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    return time.monotonic() - began


def test_ready_file_then_prompt_end(tmp_path):
    """The ready file holds the URLs of ports that answer; one line is printed; SIGTERM ends it within two seconds."""
    arguments = ["--date", "2026-01-05..2026-01-06", "--conversations", "5", "--fault", "api-500:2"]
    secrets = {"SANDBOX_CLIENT_ID": "from-env", "SANDBOX_CLIENT_SECRET": "secret-env"}
    with (
        serving(tmp_path / "deep" / "ready.json", *arguments, **secrets) as (process, facts),
        requests.Session() as session,
    ):
        form, credentials = {"grant_type": "client_credentials"}, ("from-env", "secret-env")
        token = session.post(f"{facts['login_base_url']}/oauth/token", auth=credentials, data=form, timeout=10)
        overview = session.get(f"{facts['api_base_url']}/sandbox", timeout=10).json()
        refused = session.get(f"{facts['media_base_url']}/x", timeout=10)
        assert seconds_to_end(process) < 2
        line = process.stdout.read()
    assert (200, 403) == (token.status_code, refused.status_code)
    assert {"api_base_url", "login_base_url", "media_base_url", "pid", "org_id"} == set(facts)
    assert (["2026-01-05", "2026-01-06"], "api-500") == (overview["dates"], overview["faults"][0]["name"])
    assert (1, process.pid) == (line.count("\n"), facts["pid"])
    assert "secret-env" not in line


def test_public_host_stands_in_what_is_handed_out(tmp_path):
    """Behind a forwarder the sandbox binds one address and names another; it answers on the one it binds."""
    arguments = ["--date", "2026-01-05", "--conversations", "1", "--host", "127.0.0.2", "--public-host", "127.0.0.1"]
    with serving(tmp_path / "ready.json", *arguments) as (_, facts), requests.Session() as session:
        named = {name: urlsplit(url) for name, url in facts.items() if name.endswith("_url")}
        bound = session.get(f"http://127.0.0.2:{named['api_base_url'].port}/sandbox", timeout=10)
    assert {"127.0.0.1"} == {url.hostname for url in named.values()}
    assert (200, facts["media_base_url"]) == (bound.status_code, bound.json()["media_base_url"])


def test_end_is_prompt_in_the_middle_of_a_large_zip(tmp_path):
    """A zip of gigabytes does not hold a poll for long, says nothing too early, and does not delay the end."""
    arguments = ["--date", "2026-01-05", "--contract", "guide", "--scenario", "large-recordings", "--job-seconds", "0"]
    with serving(tmp_path / "ready.json", *arguments, "--conversations", "100") as (process, facts):
        with requests.Session() as session:
            form, credentials = {"grant_type": "client_credentials", "scope": "x"}, ("sandbox-client", "sandbox-secret")
            token = session.post(
                f"{facts['login_base_url']}/oauth/token", auth=credentials, data=form, timeout=10
            ).json()
            session.headers["Authorization"] = f"Bearer {token['access_token']}"
            query = {
                "interval": "2026-01-05T00:00:00Z/2026-01-06T00:00:00Z",
                "paging": {"pageSize": 90, "pageNumber": 1},
            }
            api = f"{facts['api_base_url']}/api/v2"
            found = session.post(f"{api}/analytics/conversations/details/query", json=query, timeout=20).json()
            signatures = [{"conversationId": each["conversationId"]} for each in found["conversations"]]
            body = {"batchDownloadJobSubmissionQuery": {"batchDownloadJobSignatures": signatures}}
            job = session.post(f"{api}/recording/batchrequests", json=body, timeout=20).json()["jobId"]
            status = session.get(f"{api}/recording/batchrequests/{job}", timeout=20).json()
        assert seconds_to_end(process) < 2
    assert status["resultCount"] == status["expectedResultCount"] >= 90
    assert "resultUrl" not in status


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
