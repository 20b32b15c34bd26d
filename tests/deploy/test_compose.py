"""docker-compose.yaml is valid, keeps its secrets in .env, and tells when each service is healthy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yaml"
ONE_SHOT = {"init"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|FERNET|JWT|CONN|BROKER|BACKEND|AUTH$|KEY", re.IGNORECASE)
NO_SECRET = {"AIRFLOW__CORE__AUTH_MANAGER"}


def compose(*arguments, env_file):
    """Run the real Docker Compose; its console wrapper loses the exit status, so the binary itself."""
    (folder,) = find_spec("compose").submodule_search_locations
    command = [f"{folder}/docker-compose", "--env-file", str(env_file), "--file", str(COMPOSE_FILE), *arguments]
    clean = {"PATH": os.environ["PATH"], "HOME": str(PROJECT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean, timeout=60)  # noqa: S603


@pytest.fixture(scope="module")
def services():
    """The services as written, anchors resolved."""
    return yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]


@pytest.fixture
def filled_env(tmp_path):
    """A .env made from the example by filling in what is empty."""
    text = re.sub(r"(?m)^(\w+)=$", r"\1=filled", (PROJECT / ".env.example").read_text("utf-8"))
    path = tmp_path / "filled.env"
    path.write_text(text, "utf-8")
    return path


def example_names():
    """Return the variables that .env.example sets."""
    return set(re.findall(r"(?m)^(\w+)=", (PROJECT / ".env.example").read_text("utf-8")))


def required_names():
    """Return the variables without which Compose must refuse to start."""
    return sorted(set(re.findall(r"(?<!\$)\$\{(\w+):\?", COMPOSE_FILE.read_text("utf-8"))))


def test_compose_file_keeps_to_the_schema():
    """The Compose specification's own schema accepts it."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("profile", [(), ("--profile", "demo")], ids=["plain", "demo"])
def test_filled_example_configures_compose(filled_env, profile):
    """Docker Compose accepts the file with a filled-in .env."""
    configured = compose(*profile, "config", "--quiet", env_file=filled_env)
    assert configured.returncode == 0, configured.stderr


@pytest.mark.parametrize("name", required_names())
def test_missing_secret_is_refused_by_name(filled_env, name):
    """Each required variable, when empty, stops Compose with a sentence that names it."""
    lines = [f"{name}=" if line.startswith(f"{name}=") else line for line in filled_env.read_text().splitlines()]
    filled_env.write_text("\n".join(lines))
    refused = compose("config", "--quiet", env_file=filled_env)
    assert (True, True) == (refused.returncode != 0, f"set {name} in .env" in refused.stderr)


def test_every_variable_is_in_the_example():
    """Whoever copies .env.example knows everything there is to set."""
    used = set(VARIABLE.findall(COMPOSE_FILE.read_text("utf-8")))
    assert set() == used - example_names()


def test_every_service_is_checked_or_ends(services):
    """A service has a health check, or runs once and ends."""
    unchecked = {name for name, service in services.items() if "healthcheck" not in service}
    assert ONE_SHOT == unchecked


def test_nothing_listens_beyond_this_machine(services):
    """Every published port is bound to loopback."""
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert [] == [port for port in published if not port.startswith("127.0.0.1:")]


def test_no_secret_is_written_down(services):
    """A value whose name sounds like a secret comes from .env."""
    literal = [
        (service, name)
        for service, definition in services.items()
        for name, value in definition.get("environment", {}).items()
        if SECRET_NAME.search(name) and name not in NO_SECRET and "${" not in str(value)
    ]
    assert [] == literal


def test_workers_share_one_set_of_secrets(services):
    """Tasks, scheduler and api-server sign and decrypt with the same keys."""
    keys = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
    airflow = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")
    assert 1 == len({tuple(services[name]["environment"][key] for key in keys) for name in airflow})


def test_nothing_starts_before_what_it_needs(services):
    """Dependencies wait for health or for the end, never for the mere start."""
    conditions = {
        condition["condition"] for service in services.values() for condition in service.get("depends_on", {}).values()
    }
    assert {"service_healthy", "service_completed_successfully"} == conditions


def test_triggerer_may_hold_many_waiting_jobs(services):
    """A waiting job holds a log file and perhaps a socket; the usual 1024 is on the edge."""
    assert 65536 == services["triggerer"]["ulimits"]["nofile"]


def test_object_store_never_starts_open(services):
    """The demo's S3 server refuses to start without a key pair, and keeps its filer closed."""
    command = services["object-store"]["command"][-1]
    closed = ("AWS_ACCESS_KEY_ID:?", "AWS_SECRET_ACCESS_KEY:?", "-disableHttp", "-master.telemetry=false")
    assert [] == [part for part in closed if part not in command]
