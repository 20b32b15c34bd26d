"""What a person would write instead of this archive, each in the fastest form we know of one command for each stage.

Nothing is divided over processes by hand: two ``curl -Z`` at once, or ``xargs -P`` before openssl, would gain the shell
some of the time in which a core is idle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.legs_download import curl_list, flat, truth_of
from benchmarks.store_under_test import BUCKET
from benchmarks.tools import NODE_PROGRAM, NOT_GIVEN, missing, node_program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.bench import Bench, Truth
    from benchmarks.clock import Sample
    from benchmarks.inputs import Bundle, Item
    from benchmarks.store_under_test import StoreUnderTest

SHELL = "curl + openssl [+ bsdtar] + s5cmd"
RCLONE = "rclone"
AIRFLOW = "Airflow HttpToS3Operator [+ zipfile]"
NODE = "the guide's Node.js program + s5cmd"


@dataclass(frozen=True, slots=True)
class Cargo:
    """What one whole leg moves; ``urls`` by file name."""

    title: str
    items: tuple[Item, ...]
    urls: dict[str, str]
    bundle: Bundle | None = None

    @classmethod
    def of_files(cls, bench: Bench, items: Sequence[Item], title: str) -> Cargo:
        """Recordings with a URL each."""
        return cls(title, tuple(items), {flat(item): bench.source.url_of(item.name) for item in items})

    @classmethod
    def of_bundle(cls, bench: Bench, bundle: Bundle, title: str) -> Cargo:
        """Recordings in one zip."""
        return cls(title, bundle.items, {bundle.name: bench.source.url_of(bundle.name)}, bundle)

    @property
    def bytes(self) -> int:
        """Bytes of the recordings, unpacked."""
        return sum(item.size for item in self.items)

    @property
    def truth(self) -> Truth:
        """Size and digest by the name a file has on disk."""
        if self.bundle is None:
            return truth_of(self.items)
        return {item.name: (item.size, item.sha256) for item in self.items}


@dataclass(frozen=True, slots=True)
class Rival:
    """Brings the cargo below a key prefix."""

    name: str
    run: Callable[[str], Sample]
    missing: str


def rivals_for(bench: Bench, store: StoreUnderTest, cargo: Cargo) -> list[Rival]:
    """Return who races against us: on the null sink the shell alone, the others want a server that answers fully."""
    rivals = [_shell(bench, store, cargo)]
    if store.keeps_bytes:
        rivals += [_rclone(bench, store, cargo), _airflow(bench, store, cargo)]
        if cargo.bundle is None:
            rivals.append(_node(bench, store, cargo))
    return rivals


def _upload(store: StoreUnderTest, prefix: str) -> str:
    return (
        f"s5cmd --log error --endpoint-url {store.url} --numworkers 4 cp --concurrency 4 files/ s3://{BUCKET}/{prefix}/"
    )


def _shell(bench: Bench, store: StoreUnderTest, cargo: Cargo) -> Rival:
    """Stage by stage: download, [unpack,] digest, upload."""
    if cargo.bundle is None:
        fetch = "curl -sSf -Z --parallel-max 4 -K list"
        lists = {"list": curl_list(bench, cargo.items)}
    else:
        fetch = f"curl -sSf -o batch.zip {cargo.urls[cargo.bundle.name]} && bsdtar -xf batch.zip -C files"
        lists = {}
    digest = "find files -type f -print0 | xargs -0 openssl dgst -sha256 -r > sums"

    def run(prefix: str) -> Sample:
        sample = bench.shell(f"{fetch}\n{digest}\n{_upload(store, prefix)}", store.environment, lists)
        bench.check_openssl(cargo.truth)
        return sample

    needed = ["curl", "openssl", "s5cmd", *(["bsdtar"] if cargo.bundle else [])]
    return Rival(SHELL, run, missing(*needed))


def _rclone(bench: Bench, store: StoreUnderTest, cargo: Cargo) -> Rival:
    """Copy URLs straight into the bucket; a zip goes over the disk, which is faster than over the bucket."""
    environment = {
        "RCLONE_CONFIG": str(bench.root / "rclone.conf"),
        "RCLONE_CONFIG_LAKE_TYPE": "s3",
        "RCLONE_CONFIG_LAKE_PROVIDER": "SeaweedFS",
        "RCLONE_CONFIG_LAKE_ENDPOINT": store.url,
        "RCLONE_CONFIG_LAKE_ACCESS_KEY_ID": store.access_key,
        "RCLONE_CONFIG_LAKE_SECRET_ACCESS_KEY": store.secret_key,
    }
    lists = {"urls.csv": "".join(f"{url},{name}\n" for name, url in cargo.urls.items())}

    def run(prefix: str) -> Sample:
        place = f"lake:{BUCKET}/{prefix}"
        if cargo.bundle is None:
            script = f"rclone copyurl --transfers 4 --urls urls.csv {place}"
        else:
            url = cargo.urls[cargo.bundle.name]
            script = f"rclone copyurl {url} batch.zip\nrclone archive extract --transfers 4 batch.zip {place}"
        return bench.shell(script, environment, lists)

    return Rival(RCLONE, run, missing("rclone"))


def _airflow(bench: Bench, store: StoreUnderTest, cargo: Cargo) -> Rival:
    """Run the provider's operator, in one process after its imports: as kind to it as can be."""
    home = bench.root / "airflow"
    connection = {"conn_type": "aws", "login": store.access_key, "password": store.secret_key,
                  "extra": {"endpoint_url": store.url, "region_name": "us-east-1"}}  # fmt: skip
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_LAKE": json.dumps(connection),
        "AIRFLOW_CONN_SOURCE": json.dumps({"conn_type": "http", "host": bench.source.url}),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(prefix: str) -> Sample:
        home.mkdir(exist_ok=True)
        paths = {name: url.removeprefix(bench.source.url) for name, url in cargo.urls.items()}
        task = {"paths": paths, "zip": cargo.bundle is not None, "prefix": prefix, "environment": environment}
        return bench.python("benchmarks.rival_airflow", "run", task, {})

    return Rival(AIRFLOW, run, "")


def _node(bench: Bench, store: StoreUnderTest, cargo: Cargo) -> Rival:
    """Run the guide's program, one process a recording as it is written, four at once, then upload."""
    program = node_program()
    lists = {"list": "".join(f"{item.recording_id}\n" for item in cargo.items)}
    environment = {
        **store.environment,
        "GENESYS_CLIENT_ID": "client",
        "GENESYS_CLIENT_SECRET": "secret",
        "GENESYS_ENV": bench.source.host,
        "DOWNLOAD_DIR": "files",
        "TRANSCRIPTION_WEBHOOK": f"{bench.source.url}/webhook",
    }

    def run(prefix: str) -> Sample:
        script = f"xargs -P 4 -I @ env TARGET_MEDIA_ID=@ node {program} < list > node.log\n{_upload(store, prefix)}"
        return bench.shell(script, environment, lists)

    absent = missing("node", "s5cmd", "xargs")
    given = "" if program else f"{NOT_GIVEN}: {NODE_PROGRAM}"
    return Rival(NODE, run, absent or given)
