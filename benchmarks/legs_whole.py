"""The whole way, from the source to the lake: what a night is made of.

The archive's side is ``archive_shard`` as the Airflow task calls it: everything is hashed, examined, stored with
``If-None-Match``, read back, given a metadata document and named in a manifest. The rivals only download, hash,
unpack and upload; their stages run one after the other, which was the fastest way to combine them.

As in a plan of a usual day each batch is a shard, and as in Airflow the shards are worked off side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.bench import Contender, with_server
from benchmarks.clock import WrongResultError
from benchmarks.engine_work import DAY
from benchmarks.legs_download import Leg
from benchmarks.read_back import check_stored, stored_objects
from benchmarks.rivals import SHELL, Cargo, rivals_for
from benchmarks.verdict import ONE_TASK, OURS, Bar
from include.lake.layout import manifest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.bench import Bench
    from benchmarks.clock import Sample
    from benchmarks.inputs import Bundle, Item
    from benchmarks.store_under_test import StoreUnderTest


@dataclass(frozen=True, slots=True)
class Places:
    """The lake of a leg, and how much faster than the rivals the archive has to be there."""

    store: StoreUnderTest
    times: Mapping[str, float]
    others_times: float | None = None


def whole_legs(bench: Bench, places: Places) -> list[Leg]:
    """Return the four whole legs for one lake."""
    inputs = bench.inputs
    cargoes = {
        "singles": Cargo.of_files(bench, inputs.singles, f"{len(inputs.singles)} recordings of 1 MB"),
        "big": Cargo.of_files(bench, [inputs.big], f"one {inputs.big.size / 1e6:g} MB recording"),
        "deflated": Cargo.of_bundle(bench, inputs.deflated, "batch zip of deflated WAV"),
        "stored": Cargo.of_bundle(bench, inputs.stored, "batch zip of stored Ogg"),
    }
    return [_leg(bench, places, key, cargo) for key, cargo in cargoes.items()]


def _leg(bench: Bench, places: Places, key: str, cargo: Cargo) -> Leg:
    store = places.store
    rivals = tuple(
        Contender(rival.name, _checked(bench, store, cargo, rival.run), rival.missing)
        for rival in rivals_for(bench, store, cargo)
    )
    bars = [Bar(places.times[key], (SHELL,))]
    others = tuple(rival.name for rival in rivals if rival.name != SHELL)
    if others and places.others_times:
        bars.append(Bar(places.others_times, others))
    short = "weed" if store.keeps_bytes else "null"
    ours = [Contender(OURS, lambda: archive(bench, store, cargo))]
    if len(_jobs_of(bench, cargo)) > 1:
        ours.append(Contender(ONE_TASK, lambda: archive(bench, store, cargo, in_one_task=True)))
    return Leg(f"{short}-{key}", f"{cargo.title} → {store.name}", cargo.bytes, (*ours, *rivals), tuple(bars))


def archive(bench: Bench, store: StoreUnderTest, cargo: Cargo, *, in_one_task: bool = False) -> Sample:
    """Run the archive once and hold what it says and what the lake holds against the truth.

    Each job is a shard of its own, unless all of them are given to one task.

    Raises:
        WrongResultError: when something is missing, too much, or different.
    """
    prefix = bench.fresh_prefix()
    task = shard_task(bench, store, cargo, prefix, in_one_task=in_one_task)
    truth = {item.recording_id: (item.size, item.sha256) for item in cargo.items}
    before = store.cpu_seconds()
    sample = with_server(bench.engine("shard", task, truth), store, before)
    check_stored(store, f"{prefix}/media/", cargo.items, besides=len(cargo.items))
    manifests = stored_objects(store, f"{prefix}/{manifest_prefix(DAY)}")
    if manifests != len(task["parts"]):
        raise WrongResultError(f"{manifests} manifests were written for {len(task['parts'])} shards")
    return sample


def _checked(bench: Bench, store: StoreUnderTest, cargo: Cargo, run: Callable[[str], Sample]) -> Callable[[], Sample]:
    def checked() -> Sample:
        prefix = bench.fresh_prefix()
        before = store.cpu_seconds()
        sample = with_server(run(prefix), store, before)
        extra = stored_objects(store, f"{prefix}/") - len(cargo.items)
        check_stored(store, f"{prefix}/", cargo.items, besides=min(max(extra, 0), 1))  # a zip's index
        return sample

    return checked


def shard_task(
    bench: Bench, store: StoreUnderTest, cargo: Cargo, prefix: str, *, in_one_task: bool = True
) -> dict[str, Any]:
    """Return what ``benchmarks.engine shard`` is asked to do: these jobs' results into that lake, by shards."""
    jobs = _jobs_of(bench, cargo)
    return {
        "endpoint": store.url,
        "access_key": store.access_key,
        "secret_key": store.secret_key,
        "prefix": prefix,
        "parts": [jobs] if in_one_task else [[job] for job in jobs],
    }


def _jobs_of(bench: Bench, cargo: Cargo) -> list[dict[str, object]]:
    """Return finished jobs as the source would describe them."""
    if cargo.bundle is not None:
        conversations = sorted({item.conversation_id for item in cargo.items})
        return [{"conversations": conversations, "results": [_result(bench, cargo.bundle)]}]
    return [_job(bench, batch) for batch in bench.batches(cargo.items)]


def _job(bench: Bench, items: Sequence[Item]) -> dict[str, object]:
    rows = [
        {
            "conversation": item.conversation_id,
            "recording": item.recording_id,
            "url": bench.source.url_of(item.name),
            "type": item.media_type,
        }
        for item in items
    ]
    return {"conversations": [item.conversation_id for item in items], "results": rows}


def _result(bench: Bench, bundle: Bundle) -> dict[str, object]:
    return {"conversation": None, "recording": None, "url": bench.source.url_of(bundle.name), "type": "application/zip"}
