"""docker-compose.yaml is valid, keeps its secrets in .env, and tells when each service is healthy."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from include.environment import ENVIRONMENT_PREFIX, variable_of
from include.pii import PiiPolicy
from tests.deploy.real_compose import COMPOSE_FILE, PROJECT, compose, configured
from tests.every_setting import KINDS, OWN_NAMES

ONE_SHOT = {"init"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|FERNET|JWT|CONN|BROKER|BACKEND|AUTH$|KEY", re.IGNORECASE)
NO_SECRET = {"AIRFLOW__CORE__AUTH_MANAGER", "CONNECTION_CHECK_MAX_COUNT"}


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


@pytest.mark.parametrize("service", ["worker", "triggerer"])
def test_settings_of_env_reach_who_works(filled_env, service):
    """Every setting of the archive that stands in .env is in the container, and the state folder is the shared one."""
    own = {*OWN_NAMES, "state_dir", "pii"}
    names = {item.name for kind in KINDS for item in fields(kind)} - own
    names |= {"retention_rules", *(f"pii_{item.name}" for item in fields(PiiPolicy))}
    given = {variable_of(name): f"of {name}" for name in names}
    with filled_env.open("a") as env:
        env.writelines(f"\n{name}='{value}'" for name, value in {**given, variable_of("state_dir"): "/x"}.items())
    arrived = configured(filled_env)["services"][service]["environment"]
    expected = {**given, variable_of("state_dir"): "/var/lib/recording-archive"}
    assert expected == {name: value for name, value in arrived.items() if name.startswith(ENVIRONMENT_PREFIX)}


def test_setting_that_is_not_in_env_is_not_set(filled_env):
    """Compose leaves a variable without a value out of the container, so the default of the code holds."""
    arrived = configured(filled_env)["services"]["worker"]["environment"]
    given = [name for name, value in arrived.items() if name.startswith(ENVIRONMENT_PREFIX) and value is not None]
    assert [variable_of("state_dir")] == given


def test_allowance_is_one_file_for_all(services):
    """Who calls Genesys Cloud mounts the same volume at the state folder, and the image gives it to Airflow's user."""
    mounts = {
        mount
        for name in ("scheduler", "triggerer", "worker")
        for mount in services[name]["volumes"]
        if mount.endswith(f":{services[name]['environment']['RECORDING_ARCHIVE_STATE_DIR']}")
    }
    assert {"archive-state:/var/lib/recording-archive"} == mounts


def test_volumes_belong_to_who_writes_them(services):
    """The image has the folder of each of our volumes as Airflow's own: a volume on no folder would be root's."""
    base_image_has = {"/opt/airflow/logs"}
    ours = [one for one in services.values() if "genesys-recording-archive" in one["image"]]
    targets = {mount.partition(":")[2] for one in ours for mount in one.get("volumes", [])}
    made = re.findall(
        r"RUN install --directory --owner=airflow --group=0 --mode=0770 (\S+)",
        (PROJECT / "Dockerfile").read_text("utf-8"),
    )
    assert targets - base_image_has == set(made)


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
        # None: a name without a value, which Compose takes from .env.
        if SECRET_NAME.search(name) and name not in NO_SECRET and value is not None and "${" not in str(value)
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
