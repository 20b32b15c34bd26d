"""A day's balance for a terminal, from its report, whatever version wrote it; pure.

Nothing here fails on a field that is missing or of another kind; the balance then says less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = 3
_TO_DO = (Outcome.QUARANTINED, Outcome.PENDING, Outcome.SOURCE_ERROR)


def day_lines(date: str, report: Mapping[str, Any] | None) -> list[str]:
    """Return the balance of a day from its report.

    >>> day_lines("2026-01-05", {"expected": 2, "complete": True, "conversations": {"archived": 1, "no_recording": 1}})
    ['2026-01-05 is complete: 2 conversations expected = 1 archived + 1 no_recording']
    """
    if not report:
        return [f"{date}: there is no report in the lake"]
    classes = {str(name): number for name, number in _mapping(report.get("conversations")).items() if number}
    ordered = sorted(classes.items(), key=lambda item: (item[0] != Outcome.ARCHIVED, -item[1]))
    parts = " + ".join(f"{number} {name}" for name, number in ordered) or "none"
    verdict = "is complete" if report.get("complete") else "is NOT complete"
    lines = [f"{date} {verdict}: {report.get('expected', '?')} conversations expected = {parts}"]
    recordings = _mapping(report.get("recordings")).get(Outcome.ARCHIVED)
    if recordings:
        lines.append(f"archived: {recordings} recordings, {readable(report.get('bytes', 0))}")
    return lines + _exclusion_lines(report.get("exclusions"))


def _exclusion_lines(exclusions: object) -> list[str]:
    """Group the exclusions by class and reason, with the first few conversations of each."""
    rows = [row for row in exclusions if isinstance(row, dict)] if isinstance(exclusions, list) else []
    if not rows:
        return []
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        group = (str(row.get("outcome", "?")), str(row.get("reason", "")))
        groups.setdefault(group, []).append(str(row.get("conversation_id", "?")))
    lines = ["not archived, and why:"]
    # What somebody has to act on comes first, however few it is.
    for (outcome, reason), ids in sorted(groups.items(), key=lambda item: (item[0][0] not in _TO_DO, -len(item[1]))):
        shown = ", ".join(ids[:EXAMPLES]) + (", ..." if len(ids) > EXAMPLES else "")
        lines.append(f"  {len(ids):4} {outcome}{f' ({reason})' if reason else ''}: {shown}")
    return lines


def readable(size: float) -> str:
    """Return a number of bytes for people, in powers of 1000.

    >>> readable(1_234_567)
    '1.2 MB'
    """
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - the step between two units
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
