"""The chart of a run: how many times faster than each rival, on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.verdict import LegResult

_MET, _NOT_MET, _NO_BAR = "#2c7a51", "#b5532d", "#8a97a6"
_HEIGHT_INCHES = 0.24


def draw(path: Path, legs: Sequence[LegResult]) -> None:
    """Write the chart as a small PNG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - only after the backend is chosen

    rows = [(leg, row, leg.ratio(row) or 0.0) for leg in legs for row in leg.rivals if row.samples]
    figure, axes = plt.subplots(figsize=(9, 1.2 + _HEIGHT_INCHES * len(rows)), layout="constrained")
    ratios = [ratio for _, _, ratio in rows]
    axes.barh(range(len(rows)), ratios, color=[_colour(leg, row.name, ratio) for leg, row, ratio in rows], height=0.7)
    for place, (leg, row, ratio) in enumerate(rows):
        bar = _bar(leg, row.name)
        if bar:
            axes.plot([bar, bar], [place - 0.4, place + 0.4], color="black", linewidth=1.5)
        axes.text(ratio * 1.03, place, f"{ratio:.2f}", va="center", fontsize=7)
    axes.set_yticks(range(len(rows)), [f"{leg.key}: {row.name}" for leg, row, _ in rows], fontsize=7)
    axes.set_xscale("log")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlim(0.4, max([*ratios, 2.0]) * 1.6)
    ticks = [0.5, 1, 2, 4, 8, 16]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(
        "times as fast as the rival (log scale; black mark: the bar; red: below it; grey: no bar)", fontsize=8
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)


def _bar(leg: LegResult, name: str) -> float | None:
    return max((bar.times for bar in leg.bars if name in bar.rivals), default=None)


def _colour(leg: LegResult, name: str, ratio: float) -> str:
    bar = _bar(leg, name)
    if bar is None:
        return _NO_BAR
    return _MET if ratio >= bar else _NOT_MET
