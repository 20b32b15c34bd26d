"""The sandbox as a command: ``python -m include.sandbox --help``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from include.sandbox.config import CONTRACTS, SandboxConfig
from include.sandbox.faults import CATALOGUE, read_switch
from include.sandbox.native_export import WAVES, NativeExport
from include.sandbox.scenario import SCENARIOS
from include.sandbox.server import Sandbox, running
from include.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from include.sandbox.native_export import ExportTarget


def days(text: str) -> tuple[date, ...]:
    """Read ``YYYY-MM-DD`` or ``YYYY-MM-DD..YYYY-MM-DD`` (inclusive).

    Raises:
        ValueError: when it is neither, or the range is upside down.
    """
    first, _, last = text.partition("..")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    if end < start:
        raise ValueError(f"{text} ends before it starts")
    return tuple(start + timedelta(days=step) for step in range((end - start).days + 1))


def seconds_range(text: str) -> tuple[int, int]:
    """Read ``MIN..MAX`` seconds, or one number for both."""
    first, _, last = text.partition("..")
    return int(first), int(last or first)


def fault(text: str) -> str:
    """Check a fault switch and return it unchanged."""
    read_switch(text)
    return text


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    line = argparse.ArgumentParser(prog="python -m include.sandbox", description="A Genesys Cloud to practise on.")
    line.add_argument("--host", default="127.0.0.1", help="address to bind")
    line.add_argument("--public-host", default="", help="host in the URLs it hands out; default: --host")
    line.add_argument("--port", type=int, default=0, help="API and login port; 0 picks a free one")
    line.add_argument("--media-port", type=int, default=0, help="presigned media port; 0 picks a free one")
    line.add_argument("--date", type=days, default=(), dest="dates", help="local day or first..last; default yesterday")
    line.add_argument("--timezone", default="UTC", help="IANA time zone of the organisation")
    line.add_argument("--conversations", type=int, default=300, help="conversations per local day")
    line.add_argument("--seed", type=int, default=7)
    line.add_argument("--contract", choices=CONTRACTS, default="platform")
    line.add_argument("--scenario", choices=list(SCENARIOS), default="ordinary")
    line.add_argument("--fault", type=fault, action="append", default=[], dest="faults", metavar="NAME[:ARG]")
    line.add_argument("--client-id", default=os.environ.get("SANDBOX_CLIENT_ID", "sandbox-client"))
    line.add_argument("--client-secret", default=os.environ.get("SANDBOX_CLIENT_SECRET", "sandbox-secret"))
    line.add_argument("--token-seconds", type=float, default=None)
    line.add_argument("--url-ttl-seconds", type=int, default=3600)
    line.add_argument("--job-seconds", type=float, default=3.0, help="mean ripening time of a job; 0 is at once")
    line.add_argument("--rate-limit", type=int, default=300, help="API calls per token in any 60 seconds")
    line.add_argument("--audio-seconds", type=seconds_range, default=None, metavar="MIN..MAX")
    line.add_argument("--late-after-submissions", type=int, default=1)
    line.add_argument("--ready-file", type=Path, default=None, help="written when both ports listen")
    line.add_argument(
        "--export-to",
        default="",
        metavar="s3://BUCKET/PREFIX",
        help="write a native S3 export of the days, say the truth about it as JSON, and end; "
        "endpoint and keys are those of boto3's environment (AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID ...)",
    )
    line.add_argument("--export-wave", choices=WAVES, default="all", help="what came in time, what came late, or both")
    line.add_argument("--list-scenarios", action="store_true")
    line.add_argument("--list-faults", action="store_true")
    return line


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    options = vars(parser().parse_args(arguments))
    if options.pop("list_scenarios"):
        return _say("".join(f"{item.name:18} {item.about}\n" for item in SCENARIOS.values()))
    if options.pop("list_faults"):
        return _say("".join(f"{item.name:26} {item.about}\n" for item in CATALOGUE.values()))
    ready_file = options.pop("ready_file")
    export_to, wave = options.pop("export_to"), options.pop("export_wave")
    try:
        config = SandboxConfig(**{**options, "faults": tuple(options["faults"])})
    except ValueError as error:
        parser().error(str(error))
    if export_to:
        return _export(config, export_to, wave)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(config) as sandbox:
        if ready_file:
            _announce(ready_file, sandbox)
        _say(f"sandbox: api {sandbox.api_base_url} media {sandbox.media_base_url} org {sandbox.org_id}\n")
        stop.wait()
    return 0


def _announce(target: Path, sandbox: Sandbox) -> None:
    facts = {
        "api_base_url": sandbox.api_base_url,
        "login_base_url": sandbox.login_base_url,
        "media_base_url": sandbox.media_base_url,
        "pid": os.getpid(),
        "org_id": sandbox.org_id,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(target)


def _export(config: SandboxConfig, target: str, wave: str) -> int:
    import boto3  # noqa: PLC0415 - a sandbox that serves needs no S3

    parts = urlsplit(target)
    export = NativeExport(Tenant(config), config.dates)
    client = boto3.client("s3")
    try:
        written = export.write(cast("ExportTarget", client), parts.netloc, parts.path, wave)
    finally:
        client.close()
    truth = export.truth()
    facts = {"org_id": config.org_id, "objects": written, "recordings": truth.classes, "outcomes": truth.outcomes}
    return _say(json.dumps(facts, indent=2, sort_keys=True) + "\n")


def _say(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Not SystemExit: the interpreter would first wait for worker threads, and a truth of 100,000 calls takes a while.
    os._exit(status)
