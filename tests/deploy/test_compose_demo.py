"""The compose profile ``demo``: what the page says to type gives an organisation on loopback that can be archived."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from demo.ports import LOOPBACK, free_ports
from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.local_day import LocalDay
from include.sandbox.config import SandboxConfig
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.download import MediaDownloader
from tests.deploy.real_compose import PROJECT, configured
from tests.docs.pages import page

CALLERS = {"worker", "triggerer"}
"""The services that call Genesys Cloud: tasks run in the one, waiting jobs in the other."""

SANDBOX_ADDRESS = "127.0.0.2"
"""Stands for the other container: loopback all the same, but the archive is told of 127.0.0.1 only."""

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """What Compose would start after the page's own commands, read by the real Compose."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(PROJECT / ".env.example", folder)
    (script,) = re.findall(r"(?ms)^python3 - <<'END'\n.*?^END$", page("docs/connect.md").text)
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True)  # noqa: S603, S607 - the page's own command
    return configured(folder / ".env.demo")


@pytest.fixture(scope="module")
def services(project):
    """The services of the demo."""
    return project["services"]


@pytest.fixture(scope="module")
def connection_fields(services):
    """The connection as the worker reads it from its environment."""
    return json.loads(services["worker"]["environment"]["AIRFLOW_CONN_GENESYS_CLOUD"])


def connection(fields):
    """Build the connection as the hook does."""
    return GenesysConnection.from_fields(
        name="genesys_cloud",
        host=fields["host"],
        login=fields["login"],
        password=fields["password"],
        extra=fields["extra"],
    )


def test_page_turns_the_profile_on(project):
    """One file is all there is to name: profile, project name and the two services come with it."""
    assert ("recording-archive-demo", set()) == (
        project["name"],
        {"sandbox", "object-store"} - set(project["services"]),
    )


def test_organisation_of_the_example_is_the_sandbox(services, connection_fields):
    """The id in the example is the one of the seed that the sandbox is started with."""
    seed = int(re.search(r"--seed (\d+)", services["sandbox"]["command"][-1])[1])
    assert SandboxConfig(seed=seed).org_id == connection(connection_fields).org_id


def test_both_sides_have_the_same_keys(services, connection_fields):
    """What the two connections present is what the two servers expect."""
    lake = json.loads(services["worker"]["environment"]["AIRFLOW_CONN_RECORDING_LAKE"])
    sandbox, store = services["sandbox"]["environment"], services["object-store"]["environment"]
    assert (sandbox["SANDBOX_CLIENT_ID"], sandbox["SANDBOX_CLIENT_SECRET"]) == (
        connection_fields["login"],
        connection_fields["password"],
    )
    assert (store["AWS_ACCESS_KEY_ID"], store["AWS_SECRET_ACCESS_KEY"]) == (lake["login"], lake["password"])


def test_lake_of_the_example_is_the_object_store(services):
    """Endpoint and bucket are those that the object store is started with."""
    worker, command = services["worker"]["environment"], services["object-store"]["command"][-1]
    endpoint = json.loads(worker["AIRFLOW_CONN_RECORDING_LAKE"])["extra"]["endpoint_url"]
    bucket = LakeLocation.parse(worker["RECORDING_LAKE_URI"]).bucket
    assert ("http://object-store:8333", True, True) == (
        endpoint,
        "-s3.port=8333" in command,
        f"-bucket={bucket}" in command,
    )


def test_every_caller_has_the_sandbox_on_its_loopback(services):
    """A forwarder sits in the network of each service that calls, and follows it when it is made anew."""
    forwarders = [one for one in services.values() if "demo.forward" in (one["command"] or ())]
    assert {f"service:{name}" for name in CALLERS} == {one["network_mode"] for one in forwarders}
    for one in forwarders:
        caller = one["network_mode"].partition(":")[2]
        assert ("service_healthy", True) == (
            one["depends_on"]["sandbox"]["condition"],
            one["depends_on"][caller]["restart"],
        )


def moved(words, ports):
    """Return words of the file with ports that are free here, and the second address for the other container."""
    # Whole words only: a random secret may hold 8800 too.
    places = {
        r"\b8800\b": str(ports[0]),
        r"\b8801\b": str(ports[1]),
        r"\b0\.0\.0\.0\b": SANDBOX_ADDRESS,
        r"\bsandbox:": f"{SANDBOX_ADDRESS}:",
    }
    # Compose doubles each dollar that it was told to leave alone.
    text = "\n".join(words).replace("$$", "$")
    for place, replacement in places.items():
        text = re.sub(place, replacement, text)
    return text.split("\n")


@contextmanager
def running(service, ports):
    """Run a service's command as its container would, until the block ends."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHONPATH": str(PROJECT), **service["environment"]}
    with subprocess.Popen(moved(service["command"], ports), cwd=PROJECT, env=environment) as process:  # noqa: S603
        try:
            yield
        finally:
            process.kill()


def answer(url):
    """Wait until the sandbox answers, and return what it says."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                return session.get(url, timeout=10).json()
            except requests.ConnectionError:
                assert time.monotonic() < deadline, f"{url} does not answer"
                time.sleep(0.1)


@pytest.fixture(scope="module")
def reached(services, connection_fields):
    """Sandbox and one forwarder as in the file, on two addresses; the connection, and the day that is played."""
    ports = free_ports(2)
    (forwarder,) = (one for one in services.values() if one.get("network_mode") == "service:worker")
    fields = json.loads(moved([json.dumps(connection_fields)], ports)[0])
    with ExitStack() as stack:
        stack.enter_context(running(services["sandbox"], ports))
        stack.enter_context(running(forwarder, ports))
        (day,) = answer(f"{fields['extra']['api_base_url']}/sandbox")["dates"]
        yield (
            connection(fields),
            LocalDay(date.fromisoformat(day), ZoneInfo(services["sandbox"]["environment"]["GENESYS_TIMEZONE"])),
        )


def results_of(client, job_id):
    """Wait for a batch job and return its results."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (status := client.batch_status(job_id)).completed:
        assert time.monotonic() < deadline, "the job does not complete"
        time.sleep(0.5)
    return status.results


def test_recording_comes_through_the_forwarder(reached, tmp_path):
    """With the example's connection the archive finds the day, and downloads the very bytes that the sandbox has."""
    organisation, day = reached
    settings = ArchiveSettings(lake=LakeLocation("recordings"), timezone=day.zone, state_dir=tmp_path)
    with (
        GenesysClient(organisation, settings) as client,
        MediaDownloader(settings, organisation.media_hosts) as downloader,
        downloader.spool() as spool,
    ):
        found = client.find_conversations(day.start, day.end)
        ids = [one.conversation_id for one in found.conversations][:5]
        url = next(one.url for one in results_of(client, client.submit_batch(ids)) if one.url)
        fetched = downloader.fetch(url, spool)
    truth = answer(f"{organisation.api_base_url}/sandbox/truth?date={day.date}")
    known = {part["sha256"] for one in truth["conversations"] for part in one["parts"]}
    assert (True, f"http://{LOOPBACK}") == (fetched.sha256 in known, organisation.api_base_url.rpartition(":")[0])
