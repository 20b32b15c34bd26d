"""Sizes and durations in as few characters as a person needs; pure."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TENTHS_BELOW = 10


def bytes_word(count: int) -> str:
    """Return a size, decimal units.

    >>> [bytes_word(count) for count in (0, 999, 1_500, 12_345_678, 3_000_000_000)]
    ['0 B', '999 B', '1.5 kB', '12 MB', '3 GB']
    """
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - what would be rounded to 1000
        value, unit = value / 1000, unit + 1
    return f"{_short(value)} {_UNITS[unit]}"


def seconds_word(seconds: int) -> str:
    """Return a duration in its largest whole unit.

    >>> [seconds_word(seconds) for seconds in (0, 59, 90, 7_200, 40_000, 100_000)]
    ['0 s', '59 s', '1.5 min', '2 h', '11 h', '28 h']
    """
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{_short(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{_short(seconds / _HOUR)} h"
    return f"{_short(seconds / _DAY)} d"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < _TENTHS_BELOW else f"{value:.0f}"
