"""The legs before the lake: bytes to a file, bytes hashed, and zips unpacked over HTTP."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.bench import Contender, check
from benchmarks.tools import missing
from benchmarks.verdict import ONE_TASK, OURS, Bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench, Truth
    from benchmarks.clock import Sample
    from benchmarks.inputs import Bundle, Item

WITHOUT_HASHING = " (without hashing)"


@dataclass(frozen=True, slots=True)
class Leg:
    """One race: what is moved, who runs, and what is asked of us."""

    key: str
    title: str
    moved_bytes: int
    contenders: tuple[Contender, ...]
    bars: tuple[Bar, ...]


def flat(item: Item) -> str:
    """Return the file name under which a download lies in the scratch folder."""
    return item.name.replace("/", "-")


def truth_of(items: Sequence[Item]) -> Truth:
    """Return size and digest of downloads, by file name."""
    return {flat(item): (item.size, item.sha256) for item in items}


def curl_list(bench: Bench, items: Sequence[Item]) -> str:
    """Return a configuration for ``curl -K``."""
    return "".join(f'url = "{bench.source.url_of(item.name)}"\noutput = "files/{flat(item)}"\n' for item in items)


def download_legs(bench: Bench) -> list[Leg]:
    """Return download, download with digest, and unzip."""
    big, singles = bench.inputs.big, bench.inputs.singles
    return [
        _to_file(bench, "download-big", f"download one {_size(big.size)} file to disk", [big]),
        _to_file(bench, "download-singles", f"download {len(singles)} files of 1 MB to disk", singles),
        _with_digest(bench, big),
        _unzipped(
            bench, "unzip-deflated", "zip of deflated WAV over HTTP, members to null", bench.inputs.deflated, 1.4
        ),
        _unzipped(bench, "unzip-stored", "zip of stored Ogg over HTTP, members to null", bench.inputs.stored, 0.85),
    ]


def _size(size: int) -> str:
    return f"{size / 1e9:g} GB" if size >= 1e9 else f"{size / 1e6:g} MB"  # noqa: PLR2004 - from a GB on


def _ours(bench: Bench, items: Sequence[Item], *, hashed: bool) -> list[Contender]:
    """Return the archive as Airflow runs it, and where that is several tasks also in a single one."""
    batches = bench.batches(items)
    ours = [_engine(bench, OURS, batches, hashed=hashed)]
    return [*ours, _engine(bench, ONE_TASK, [items], hashed=hashed)] if len(batches) > 1 else ours


def _engine(bench: Bench, name: str, parts: Sequence[Sequence[Item]], *, hashed: bool) -> Contender:
    truth = truth_of([item for items in parts for item in items])
    sizes = {name: (size, "") for name, (size, _) in truth.items()}

    def run() -> Sample:
        urls = [{flat(item): bench.source.url_of(item.name) for item in items} for items in parts]
        task = {"parts": urls, "hashed": hashed}
        sample = bench.engine("download", task, truth if hashed else sizes)
        if not hashed:
            _digest_after(bench, truth)
        return sample

    return Contender(name, run)


def _to_file(bench: Bench, key: str, title: str, items: Sequence[Item]) -> Leg:
    """Race the downloads alone, nobody hashing: everybody's files are hashed after the clock."""
    truth = truth_of(items)
    pairs = [(bench.source.url_of(item.name), flat(item)) for item in items]
    aria_list = "".join(f"{url}\n  out={name}\n" for url, name in pairs)
    aria = "aria2c -q -d files --file-allocation=none --no-conf -j4 -x4 -s4 -i list"
    scripts = {
        "curl": ("curl -sSf -K list", curl_list(bench, items)),
        "curl -Z": ("curl -sSf -Z --parallel-max 4 -K list", curl_list(bench, items)),
        "aria2c": (aria, aria_list),
    }
    if len(items) == 1:
        del scripts["curl -Z"]  # one URL: the same as curl

    def rival(name: str) -> Contender:
        script, urls = scripts[name]

        def run() -> Sample:
            sample = bench.shell(script, given={"list": urls})
            _digest_after(bench, truth)
            return sample

        return Contender(name, run, missing(name.split(maxsplit=1)[0]))

    rivals = tuple(rival(name) for name in scripts)
    moved = sum(item.size for item in items)
    return Leg(key, title, moved, (*_ours(bench, items, hashed=False), *rivals), (Bar(1.0, tuple(scripts)),))


def _digest_after(bench: Bench, truth: Truth) -> None:
    found = {}
    for path in (bench.scratch / "files").iterdir():
        with path.open("rb") as file:
            found[path.name] = (path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    check(found, truth)


def _with_digest(bench: Bench, big: Item) -> Leg:
    url, truth = bench.source.url_of(big.name), truth_of([big])
    scripts = {
        "curl | tee | sha256sum": (
            f"curl -sSf {url} | tee files/big.wav | sha256sum | sed 's|-$|big.wav|' > sums",
            ("curl", "sha256sum"),
        ),
        "curl && openssl dgst": (
            f"curl -sSf -o files/big.wav {url} && openssl dgst -sha256 -r files/big.wav > sums",
            ("curl", "openssl"),
        ),
    }

    def rival(name: str) -> Contender:
        script, needs = scripts[name]

        def run() -> Sample:
            sample = bench.shell(script)
            bench.check_openssl(truth)
            return sample

        return Contender(name, run, missing(*needs))

    first, second = (rival(name) for name in scripts)
    bars = (Bar(2.0, (first.name,)), Bar(1.15, (second.name,)))
    title = f"download one {_size(big.size)} file to disk, with its SHA-256"
    return Leg("digest", title, big.size, (*_ours(bench, [big], hashed=True), first, second), bars)


def _unzipped(bench: Bench, key: str, title: str, bundle: Bundle, times: float) -> Leg:
    url = bench.source.url_of(bundle.name)
    truth = {item.name: (item.size, item.sha256) for item in bundle.items}
    rival = Contender(
        "curl | bsdtar" + WITHOUT_HASHING,
        lambda: bench.shell(f"curl -sSf {url} | bsdtar -xOf - > /dev/null"),
        missing("curl", "bsdtar"),
    )
    ours = Contender(OURS, lambda: bench.engine("unzip", {"parts": [url]}, truth))
    moved = sum(item.size for item in bundle.items)
    return Leg(key, title, moved, (ours, rival), (Bar(times, (rival.name,)),))
