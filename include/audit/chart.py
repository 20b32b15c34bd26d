"""The day and the thirty days up to it as one picture: equal figures give equal bytes.

Drawn without pyplot and without the machine's own matplotlibrc: no window, no state between two calls, nobody's taste.
"""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from include.audit.chart_words import bytes_word, seconds_word
from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from include.audit.figures import DayFigures

TRAILING_DAYS = 30
REASONS_SHOWN = 6
TICKS = 6
ROUND_SECONDS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 43_200, *(86_400 * 4**n for n in range(9)))
"""Steps between lines that read as round times."""
INCHES, DOTS_PER_INCH = (12.0, 10.0), 100
INK, PALE, GRID = "#222222", "#6e6e6e", "#d9d9d9"
GOOD, BAD, LIGHT = "#0072b2", "#d55e00", "#a9cfe6"
COLOURS: Mapping[Outcome, str] = {
    Outcome.ARCHIVED: GOOD,
    Outcome.NO_RECORDING: "#bdbdbd",
    Outcome.DELETED_AT_SOURCE: "#8c8c8c",
    Outcome.ARCHIVED_AT_SOURCE: "#56b4e9",
    Outcome.RESTRICTED: "#cc79a7",
    Outcome.NOT_SELECTED: "#d9d9d9",
    Outcome.ERASED: "#5e4fa2",
    Outcome.SOURCE_ERROR: "#f0e442",
    Outcome.QUARANTINED: "#e69f00",
    Outcome.PENDING: BAD,
}
"""Okabe and Ito's palette, which colour-blind readers tell apart, and greys for what was never to be archived."""
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": PALE,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}


def draw_completeness(today: DayFigures, earlier: Sequence[DayFigures], title: str) -> bytes:
    """Return the PNG: ``today``, and with it the ``earlier`` days; a day that is not among them is left blank.

    ``title`` is the day in one sentence.
    """
    style: dict[Any, Any] = {**mpl.rcParamsDefault, **STYLE}
    with mpl.rc_context(style):
        figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.045, y=0.975, ha="left", fontsize=15, fontweight="bold")
        grid = figure.add_gridspec(
            3, 2, height_ratios=(0.4, 2, 2), left=0.085, right=0.955, top=0.9, bottom=0.05, hspace=0.46, wspace=0.24
        )
        days = _Days([*earlier, today])
        _draw_classes(figure.add_subplot(grid[0, :]), today)
        _draw_completeness(figure.add_subplot(grid[1, 0]), days)
        _draw_bytes(figure.add_subplot(grid[1, 1]), days)
        _draw_latency(figure.add_subplot(grid[2, 0]), days)
        _draw_reasons(figure.add_subplot(grid[2, 1]), days)
        target = BytesIO()
        # Without this the version of matplotlib stands in the file; a time never does.
        canvas.print_png(target, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return target.getvalue()


class _Days:
    """The trailing days by their distance from today: 0 is today, -1 the day before."""

    def __init__(self, known: Sequence[DayFigures]) -> None:
        self.today = known[-1]
        self.last = date.fromisoformat(self.today.date)
        placed = {(date.fromisoformat(day.date) - self.last).days: day for day in known}
        self.at = {offset: placed[offset] for offset in sorted(placed) if -TRAILING_DAYS < offset <= 0}

    @property
    def gaps(self) -> str:
        """How many days within what is shown have no report: nobody asked for them."""
        missing = 1 - min(self.at) - len(self.at)
        return f"; {missing} days were never archived" if missing else ""

    def prepare(self, axes: Axes, title: str, note: str = "") -> None:
        """Give an axis its days, its title and what the colours mean."""
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=20)
        axes.text(0, 1.035, note, transform=axes.transAxes, fontsize=9, color=PALE)
        axes.set_xlim(-TRAILING_DAYS + 0.3, 0.7)
        ticks = [-28, -21, -14, -7, 0]
        axes.set_xticks(ticks, [f"{self.last + timedelta(days=offset):%m-%d}" for offset in ticks])
        axes.tick_params(length=0)
        axes.grid(axis="y", color=GRID, linewidth=0.6)


def _draw_classes(axes: Axes, today: DayFigures) -> None:
    """One bar: the whole is the expected; classes too thin for a label are named below it all the same."""
    left, names = 0, []
    for outcome in Outcome:
        count = today.conversations.get(str(outcome), 0)
        if count:
            axes.barh(0, count, left=left, color=COLOURS[outcome], edgecolor="white", linewidth=1.2, height=0.8)
            names.append((outcome, count))
            left += count
    axes.set_xlim(0, max(left, 1))
    axes.set_ylim(-0.45, 0.45)
    axes.axis("off")
    axes.set_title(
        f"The day: {today.expected:,} conversations, {bytes_word(today.bytes)}",
        loc="left", fontsize=11, fontweight="bold", pad=8,
    )  # fmt: skip
    _write_legend(axes, names)


def _write_legend(axes: Axes, names: Sequence[tuple[Outcome, int]]) -> None:
    place, line = 0.0, -0.32
    for outcome, count in names:
        word = f"{count:,} {str(outcome).replace('_', ' ')}"
        weight = "bold" if outcome.is_open else "normal"
        width = 0.036 + 0.0079 * len(word)
        if place + width > 1:
            place, line = 0.0, line - 0.36
        axes.text(place, line, "\u25a0", transform=axes.transAxes, color=COLOURS[outcome], fontsize=13, va="center")
        axes.text(place + 0.017, line, word, transform=axes.transAxes, fontsize=9.5, va="center", fontweight=weight)
        place += width


def _draw_completeness(axes: Axes, days: _Days) -> None:
    """What is missing decides the scale: at 0 to 100 a day that lacks one of a thousand looks whole."""
    days.prepare(axes, "Completeness", f"archived or excluded by name, of the expected{days.gaps}")
    shares = {offset: _share(day) for offset, day in days.at.items()}
    whole = {offset: share for offset, share in shares.items() if not days.at[offset].open}
    axes.plot([*shares], [*shares.values()], color=LIGHT, linewidth=1.5, zorder=1)
    axes.scatter([*whole], [*whole.values()], color=GOOD, s=28, zorder=2)
    for offset in shares.keys() - whole.keys():
        axes.scatter([offset], [shares[offset]], color=BAD, marker="X", s=70, zorder=3)
        axes.annotate(
            f"{days.at[offset].open:,} open", (offset, shares[offset]), (0, -14), textcoords="offset points",
            color=BAD, fontsize=9, ha=_side(offset),
        )  # fmt: skip
    missing = 100 - min(shares.values())
    axes.set_ylim(100 - max(missing * 1.35, 0.5), 100 + max(missing * 0.12, 0.05))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g} %" if round(value, 6) <= 100 else ""))  # noqa: PLR2004


def _draw_bytes(axes: Axes, days: _Days) -> None:
    days.prepare(axes, "Archived", f"a day; {bytes_word(days.today.bytes)} on this one")
    _draw_bars(axes, {offset: day.bytes for offset, day in days.at.items()})
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: bytes_word(int(value))))


def _draw_bars(axes: Axes, heights: Mapping[int, int]) -> None:
    axes.bar([*heights], [*heights.values()], color=[GOOD if offset == 0 else LIGHT for offset in heights], width=0.75)
    axes.set_ylim(0, max([*heights.values(), 1]) * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _draw_latency(axes: Axes, days: _Days) -> None:
    days.prepare(axes, "From the end of the call to the archive")
    # One label above its point and one below: on a quick night both points are the same.
    for name, colour, label, rise in (("p95_seconds", "#e69f00", "95 %", 7), ("median_seconds", GOOD, "half", -16)):
        points = {offset: getattr(day.latency, name) for offset, day in days.at.items() if day.latency}
        if not points:
            axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", color=PALE)
            axes.set_yticks([])
            return
        axes.plot([*points], [*points.values()], color=colour, linewidth=1.5, marker="o", markersize=3.5)
        last = max(points)
        word = f"{label} within {seconds_word(points[last])}"
        axes.annotate(
            word, (last, points[last]), (-2, rise), textcoords="offset points",
            color=INK, fontsize=9, ha="right", fontweight="bold",
        )  # fmt: skip
    top = max(axes.get_ylim()[1] * 1.1, 1)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MultipleLocator(next(step for step in ROUND_SECONDS if top / step <= TICKS)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: seconds_word(int(value))))


def _draw_reasons(axes: Axes, days: _Days) -> None:
    """The most frequent reasons of the thirty days, and of each what this day adds."""
    axes.set_title("Not archived, by reason", loc="left", fontsize=11, fontweight="bold", pad=20)
    axes.text(0, 1.035, "recordings: this day, and all days shown", transform=axes.transAxes, fontsize=9, color=PALE)
    total: dict[str, int] = {}
    for day in days.at.values():
        for reason, count in day.exclusions.items():
            total[reason] = total.get(reason, 0) + count
    today = days.today.exclusions
    ranked = sorted(total, key=lambda reason: (-total[reason], reason))
    rows = [(reason.replace("_", " "), today.get(reason, 0), total[reason]) for reason in ranked[:REASONS_SHOWN]]
    rest = ranked[REASONS_SHOWN:]
    if rest:
        rows.append((f"{len(rest)} more", sum(today.get(name, 0) for name in rest), sum(total[name] for name in rest)))
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    if not rows:
        axes.text(0.5, 0.5, "nothing was left out", transform=axes.transAxes, ha="center", color=PALE)
        axes.set_yticks([])
        return
    places = range(len(rows))
    widest = max(all_days for _, _, all_days in rows)
    axes.barh(places, [all_days for _, _, all_days in rows], color=LIGHT, height=0.36)
    axes.barh(places, [now for _, now, _ in rows], color=GOOD, height=0.36)
    for place, (name, now, all_days) in enumerate(rows):
        axes.text(widest * 0.01, place - 0.24, name, fontsize=9, va="bottom")
        axes.text(all_days + widest * 0.02, place, f"{now:,} / {all_days:,}", va="center", fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(REASONS_SHOWN + 0.5, -0.75)
    axes.set_xlim(0, widest * 1.25)


def _share(day: DayFigures) -> float:
    return 100.0 * (day.expected - day.open) / day.expected if day.expected else 100.0


def _side(offset: int) -> str:
    return "right" if offset > -3 else "center"  # noqa: PLR2004 - a label at the edge must not leave the picture
