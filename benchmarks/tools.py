"""Which rivals are on this machine, in which versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.source import nginx_binary

NOT_INSTALLED = "not installed"
NOT_GIVEN = "not given"
NODE_PROGRAM = "NODE_PROGRAM"
"""Names a file: the media-download guide's own program, its host read from ``GENESYS_ENV``. It is not ours to ship."""
_VERSION = {
    "curl": ["--version"], "aria2c": ["--version"], "bsdtar": ["--version"], "openssl": ["version"],
    "s5cmd": ["version"], "rclone": ["version"], "node": ["--version"], "sha256sum": ["--version"],
}  # fmt: skip


def find(name: str) -> str | None:
    """Return a tool: the one beside this Python, or the one on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def missing(*names: str) -> str:
    """Return what keeps a rival from running, empty where nothing does."""
    absent = [name for name in names if not find(name)]
    return f"{NOT_INSTALLED}: {', '.join(absent)}" if absent else ""


def node_program() -> str | None:
    """Return the path of the guide's program, where the environment names one."""
    path = os.environ.get(NODE_PROGRAM, "")
    return str(Path(path).resolve()) if path and Path(path).is_file() else None


def versions() -> dict[str, str]:
    """Return the version of every tool in the race."""
    found = {name: _version(find(name), arguments) for name, arguments in _VERSION.items()}
    nginx = nginx_binary()
    return {**found, "nginx": _version(nginx, ["-v"])}


def _version(path: str | None, arguments: list[str]) -> str:
    if path is None:
        return NOT_INSTALLED
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603 - found on PATH
    match = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return match[0] if match else "?"
