"""The real Docker Compose, without a Docker daemon: it reads the file, and says what it would start."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yaml"


def compose(*arguments, env_file):
    """Run Docker Compose; its console wrapper loses the exit status, so the binary itself."""
    (folder,) = find_spec("compose").submodule_search_locations
    command = [f"{folder}/docker-compose", "--env-file", str(env_file), "--file", str(COMPOSE_FILE), *arguments]
    clean = {"PATH": os.environ["PATH"], "HOME": str(PROJECT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean, timeout=60)  # noqa: S603


def configured(env_file, *arguments):
    """Return the services as Compose would start them with this .env."""
    done = compose(*arguments, "config", "--format", "json", env_file=env_file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
