"""Writes ``docs/performance.md`` and its chart from one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chart import draw
from benchmarks.explanations import WHY
from benchmarks.slots import download_slots
from benchmarks.table import bars_table, numbers_table
from benchmarks.verdict import OURS, per_gigabyte

if TYPE_CHECKING:
    from benchmarks.clock import Sample
    from benchmarks.story import Results
    from benchmarks.verdict import LegResult, Verdict

_PAGE = Path(__file__).with_name("performance.template.md")
_LIMITS = (
    "A recording has to be received, hashed and sent, and a deflated one inflated. At the rates above one core needs "
    "{bare:.2f} s for a GB that is only received and hashed, before a byte is sent; inflating takes {inflate:.2f} s "
    "more. "
    "Sending costs about as much as receiving. {cores} cores are shared with the source and the sink, so the loopback "
    "rate is out of reach for any program that hashes. More tasks side by side (Airflow's own parallelism, as in the "
    "legs of 500 recordings) use more cores; within one task the interpreter lock serialises Python's own share."
)


def write_report(folder: Path, results: Results) -> list[Path]:
    """Write page and chart, and return their paths."""
    page, chart = folder / "performance.md", folder / "performance.png"
    draw(chart, results.legs)
    text = _PAGE.read_text("utf-8").format(
        facts=_facts(results),
        software=results.source,
        setup=_setup(results),
        slots=download_slots(),
        tasks=max((sample.processes for sample in _own_samples(results)), default=0),
        bars=bars_table(results.legs, results.limits),
        shortfalls=_shortfalls(results),
        numbers=numbers_table(results.legs),
        profile=_profile(results),
        ceilings=_ceilings(results),
    )
    page.write_text(text, "utf-8")
    return [page, chart]


def _facts(results: Results) -> str:
    machine = results.machine
    tools = ", ".join(f"{name} {version}" for name, version in machine.tools.items())
    extensions = "with" if machine.sha_extensions else "without"
    rounds = max((len(row.samples) for leg in results.legs for row in leg.rows), default=0)
    return f"""- Date: {machine.date}; {rounds} rounds of each leg.
- Machine: {machine.cores} cores ({machine.processor}, {extensions} SHA extensions), \
{machine.memory_bytes / 1e9:.0f} GB, Linux {machine.kernel}, Python {machine.python}.
- Load average of the minute before: {machine.load:.1f}; of the last minute of the run, the run itself included: \
{results.load_after:.1f}.
- Tools: {tools}."""


def _setup(results: Results) -> str:
    most = max((sample.setup_seconds for sample in _own_samples(results)), default=0)
    return f"imports and clients take {most:.1f} CPU seconds once a process"


def _own_samples(results: Results) -> list[Sample]:
    return [sample for leg in results.legs for sample in leg.row(OURS).samples]


def _shortfalls(results: Results) -> str:
    lines = [_below(leg, verdict) for leg in results.legs for verdict in leg.verdicts if verdict.met is False]
    lines += [
        f"- {limit.name}: {limit.value:.3g} {limit.unit}. {WHY.get(limit.key, '')}".rstrip()
        for limit in results.limits
        if not limit.met
    ]
    if not lines:
        return "Every bar that could be measured is met."
    return "\n".join(["What is below its bar, and why:", "", *lines])


def _below(leg: LegResult, verdict: Verdict) -> str:
    ours, best = leg.row(OURS), leg.row(verdict.best)
    cpu = [per_gigabyte(row.cpu_seconds, leg.moved_bytes) for row in (ours, best)]
    server = [per_gigabyte(row.server_cpu_seconds, leg.moved_bytes) for row in (ours, best)]
    facts = f"{cpu[0]:.1f} CPU s/GB beside {cpu[1]:.1f} of {verdict.best}"
    if server[0] > sum(cpu) / 2:
        facts += f", and the server's own {server[0]:.1f} beside {server[1]:.1f}"
    return f"- {leg.title}, {verdict.ratio or 0:.2f} of {verdict.bar.times:g}: {facts}. {WHY.get(leg.key, '')}".rstrip()


def _profile(results: Results) -> str:
    if not results.profiles:
        return "Not measured: `perf` is missing here, or not permitted."
    owners = {owner for profile in results.profiles for owner in profile.shares}
    heaviest = sorted(owners, key=lambda owner: -max(profile.shares.get(owner, 0) for profile in results.profiles))
    lines = [
        "The archive's own CPU time on the whole way to the null sink, in percent (`perf`, by whose code ran):",
        "",
        "| | " + " | ".join(profile.title for profile in results.profiles) + " |",
        "|---|" + "--:|" * len(results.profiles),
    ]
    for owner in heaviest:
        cells = " | ".join(f"{profile.shares.get(owner, 0):.0f}" for profile in results.profiles)
        lines.append(f"| {owner} | {cells} |")
    return "\n".join(lines)


def _ceilings(results: Results) -> str:
    rates = {ceiling.name: ceiling.bytes_per_second for ceiling in results.ceilings}
    lines = ["| limit of this machine | MB/s |", "|---|--:|"]
    lines += [f"| {name} | {rate / 1e6:.0f} |" for name, rate in rates.items()]
    sha, inflate, loopback = (
        next((1e9 / rate for name, rate in rates.items() if word in name), 0.0)
        for word in ("SHA", "libdeflate", "loopback")
    )
    text = _LIMITS.format(bare=sha + loopback, inflate=inflate, cores=results.machine.cores)
    return "\n".join(lines) + "\n\n" + text
