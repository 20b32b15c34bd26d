"""The picture: the same figures are the same bytes, whatever machine, and every odd day can be drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.audit.chart import COLOURS, TRAILING_DAYS, draw_completeness
from include.audit.figures import DayFigures, Latency
from include.outcome import Outcome

PROJECT = Path(__file__).parents[2]
LAST = date(2026, 3, 2)
PNG = b"\x89PNG\r\n\x1a\n"


def day(offset=0, *, pending=0, expected=100, **fields):
    """Return the figures of a day ``offset`` days before the last."""
    conversations = {"archived": expected - pending, **({"pending": pending} if pending else {})}
    values = {"bytes": 10**9, "archived": expected, "latency": Latency.of([3600, 7200]), **fields}
    return DayFigures(str(LAST - timedelta(days=offset)), expected, conversations, **values)


MONTH = [day(offset, pending=offset % 9 == 0) for offset in range(29, 0, -1)]


def test_equal_figures_are_equal_bytes_in_another_process_with_another_taste(tmp_path):
    """Nothing of the machine gets in: no clock, no zone, no matplotlibrc, no hash seed."""
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsavefig.dpi: 20\n", "utf-8")
    program = (
        "import sys; from tests.audit.test_chart import MONTH, day; from include.audit.chart import draw_completeness;"
        "sys.stdout.buffer.write(draw_completeness(day(pending=3), MONTH, 'A title'))"
    )
    environment = {
        **os.environ,
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
    }
    other = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=PROJECT, env=environment
    ).stdout
    assert draw_completeness(day(pending=3), MONTH, "A title") == other
    assert other.startswith(PNG)
    assert b"tEXt" not in other
    assert b"tIME" not in other


@pytest.mark.parametrize(
    ("today", "earlier"),
    [
        (day(), []),
        (day(expected=0, bytes=0, archived=0, latency=None), []),
        (day(pending=100), MONTH),
        (day(latency=Latency.of([0])), [day(1, latency=None)]),
        (day(latency=Latency.of([10**8])), []),
        (day(bytes=10**16, exclusions={f"reason_{number}": number for number in range(1, 30)}), MONTH),
        (day(), [day(200)]),
        (DayFigures(str(LAST), 9, dict.fromkeys(map(str, Outcome), 1)), []),
    ],
    ids=["first", "empty", "nothing came", "at once", "years", "large", "long ago", "every class"],
)  # fmt: skip
def test_every_day_can_be_drawn(today, earlier):
    """No report fails for its picture."""
    assert draw_completeness(today, earlier, "A title").startswith(PNG)


def test_what_is_open_changes_the_picture():
    """It is drawn from the figures."""
    assert draw_completeness(day(), MONTH, "t") != draw_completeness(day(pending=1), MONTH, "t")
    assert draw_completeness(day(), MONTH, "t") != draw_completeness(day(), MONTH[:-1], "t")


def test_days_outside_the_thirty_do_not_count():
    """A day too old, or later than the one shown, changes nothing."""
    assert draw_completeness(day(), MONTH, "t") == draw_completeness(
        day(), [day(TRAILING_DAYS, pending=50), day(-1, pending=50), *MONTH], "t"
    )


def test_every_class_has_a_colour_of_its_own():
    """No two classes look alike."""
    assert [*Outcome] == [*COLOURS]
    assert len(COLOURS) == len(set(COLOURS.values()))
