"""The table of a run, as Markdown; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.verdict import OURS, megabytes_per_second, per_gigabyte

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.verdict import LegResult, Limit, Row

_HEAD = (
    "| leg | contender | MB/s | CPU s/GB | peak RSS MB | archive is | rounds | spread |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|"
)
_BARS_HEAD = "| leg | bar | measured | verdict |\n|---|---|--:|---|"


def table(legs: Sequence[LegResult], limits: Sequence[Limit]) -> str:
    """Return every bar with its verdict, then every number."""
    return f"{bars_table(legs, limits)}\n\n{numbers_table(legs)}"


def bars_table(legs: Iterable[LegResult], limits: Iterable[Limit]) -> str:
    """Return one line for each bar."""
    lines = [_BARS_HEAD]
    for leg in legs:
        for verdict in leg.verdicts:
            rivals = (
                "the best of " + ", ".join(verdict.bar.rivals) if len(verdict.bar.rivals) > 1 else verdict.bar.rivals[0]
            )
            measured = "-" if verdict.ratio is None else f"{verdict.ratio:.2f} x {verdict.best}"
            lines.append(
                f"| {leg.title} | ≥ {verdict.bar.times:g} x {_cell(rivals)} | {_cell(measured)} | {verdict.word} |"
            )
    lines += [
        f"| {limit.name} | ≤ {limit.most:.3g} {limit.unit} | {limit.value:.3g} {limit.unit} | {limit.word} |"
        for limit in limits
    ]
    return "\n".join(lines)


def numbers_table(legs: Iterable[LegResult]) -> str:
    """Return one line for each contender of each leg."""
    return "\n".join([_HEAD, *(_line(leg, row) for leg in legs for row in leg.rows)])


def _line(leg: LegResult, row: Row) -> str:
    if not row.samples:
        return f"| {leg.key} | {_cell(row.name)} | {row.missing} | | | | | |"
    rate = megabytes_per_second(row.seconds, leg.moved_bytes)
    cpu = f"{per_gigabyte(row.cpu_seconds, leg.moved_bytes):.2f}"
    if row.server_cpu_seconds:
        cpu += f" + {per_gigabyte(row.server_cpu_seconds, leg.moved_bytes):.1f} server"
    ratio = "" if row.name == OURS else f"{leg.ratio(row) or 0:.2f} x"
    memory, rounds = f"{row.rss_bytes / 1e6:.0f}", str(len(row.samples))
    cells = (leg.key, _cell(row.name), f"{rate:.0f}", cpu, memory, ratio, rounds, f"{row.spread:.2f}")
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
