"""The day for people: the same facts as JSON, as Markdown, and as the one sentence a red square needs; pure."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from include.audit.chart_words import bytes_word, seconds_word
from include.audit.standing import Stage
from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.audit.figures import DayFigures
    from include.audit.reconcile import DayState
    from include.outcome import ItemRecord

SCHEMA = "recording-archive/report/1"
ROWS_MAX = 500
_MARKUP = re.compile(r"[\\`*\[\]<>&|~!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What Markdown could read as its own; an underscore inside a word is none (CommonMark 0.31, 6.2) and stays legible."""
MEANING: Mapping[Outcome, str] = {
    Outcome.ARCHIVED: "in the lake, verified",
    Outcome.NO_RECORDING: "Genesys knows no recording of it",
    Outcome.DELETED_AT_SOURCE: "deleted in Genesys before we came",
    Outcome.ARCHIVED_AT_SOURCE: "in Genesys' own cold archive; must be restored there first",
    Outcome.RESTRICTED: "our client may not see it",
    Outcome.NOT_SELECTED: "a medium that is not archived here",
    Outcome.ERASED: "erased on request; its tombstone says why, and no run asks for it again",
    Outcome.SOURCE_ERROR: "Genesys could not deliver it; asked again by every run",
    Outcome.QUARANTINED: "refused or damaged; bytes that arrived are kept under quarantine/",
    Outcome.PENDING: "not here yet; the next run asks again",
}


def report_document(org: str, date: str, commit_key: str, state: DayState, figures: DayFigures) -> dict[str, object]:
    """Return the machine-readable report: counts, and every item that is not archived with its evidence."""
    return {
        "schema": SCHEMA,
        "org": org,
        "date": date,
        "commit": commit_key,
        **state.summary(),
        "completeness_percent": figures.completeness_percent,
        "downloads": figures.downloads,
        "latency": None if figures.latency is None else asdict(figures.latency),
        "reasons": dict(figures.exclusions),
        "exclusions": [item.to_json() for item in _not_archived(state)],
        **({"unreadable": figures.unreadable} if figures.unreadable else {}),
        **({"without_names": list(figures.without_names)} if figures.without_names else {}),
    }


def report_markdown(org: str, date: str, commit_key: str, state: DayState, figures: DayFigures) -> str:
    """Return the report as a page."""
    outcomes = state.outcomes
    lines = [
        f"# Recordings of {date}",
        "",
        sentence(date, state),
        "",
        f"Organisation `{org}`, commit `{commit_key}`.",
        "",
        "| class | conversations | meaning |",
        "|---|--:|---|",
    ]
    for outcome in Outcome:
        count = sum(1 for value in outcomes.values() if value is outcome)
        if count:
            lines.append(f"| {outcome} | {count} | {MEANING[outcome]} |")
    lines.append(f"| **expected** | **{len(outcomes)}** | |")
    lines += ["", *_figures(figures), "", "![The day and the thirty days up to it](completeness.png)"]
    excluded = _not_archived(state)
    if excluded:
        lines += ["", "## Not archived, and why", "", "| conversation | recording | class | reason | said by | word |"]
        lines.append("|---|---|---|---|---|---|")
        lines += [_row(item) for item in excluded[:ROWS_MAX]]
    if len(excluded) > ROWS_MAX:
        lines.append(f"\n{len(excluded) - ROWS_MAX} more are in report.json.")
    return "\n".join(lines) + "\n"


def sentence(date: str, state: DayState) -> str:
    """Return the day in one sentence.

    >>> from include.audit.reconcile import fold
    >>> sentence("2026-01-05", fold(["a"], []))
    '2026-01-05 is not complete: of 1 conversations, 1 pending.'
    """
    total = len(state.items)
    outcomes = list(state.outcomes.values())
    if state.stage is Stage.HELD:
        return f"{date} is held, not closed: {'; '.join(state.standing.reasons)}."
    if state.is_complete:
        word = "complete and closed" if state.stage is Stage.CLOSED else "complete"
        if not total:
            return f"{date} is {word}: analytics names no conversation of that day."
        archived = outcomes.count(Outcome.ARCHIVED)
        return f"{date} is {word}: {archived} of {total} conversations archived, {total - archived} excluded by name."
    open_work = [outcome for outcome in Outcome if outcome.is_open and outcome in outcomes]
    words = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in open_work)
    return f"{date} is not complete: of {total} conversations, {words}."


def _figures(figures: DayFigures) -> list[str]:
    """Return the numbers beyond the classes, one a line."""
    downloads = figures.downloads
    lines = [
        f"- Completeness: {figures.completeness_percent} of the expected conversations archived or excluded by name.",
        (
            f"- Downloads: {downloads['totalDownloads']}, success rate {downloads['successRate']}, "
            f"failures {downloads['failureCount']}; {bytes_word(figures.bytes)} archived."
        ),
    ]
    if figures.latency:
        half, most = seconds_word(figures.latency.median_seconds), seconds_word(figures.latency.p95_seconds)
        lines.append(f"- From the end of the call to the archive: half within {half}, 95 % within {most}.")
    if figures.unreadable:
        lines.append(
            f"- Rows of analytics that name no conversation: {figures.unreadable}. They cannot be asked for; "
            "the plan has their SHA-256."
        )
    if figures.without_names:
        what = ", ".join(name.replace("_", " ") for name in figures.without_names)
        lines.append(
            f"- Names are missing: Genesys gave none of {what} when the day was planned. "
            "The recordings are not touched by it; the metadata of those planned then has ids alone."
        )
    return lines


def _not_archived(state: DayState) -> list[ItemRecord]:
    return [item for key in state.expected for item in state.items[key] if item.outcome is not Outcome.ARCHIVED]


def _row(item: ItemRecord) -> str:
    words = (item.conversation_id, item.recording_id, str(item.outcome), item.reason, item.said_by, item.fact)
    return f"| {' | '.join(map(_cell, words))} |"


def _cell(word: str) -> str:
    """Return the source's free text such that it cannot leave its cell, become markup, or steer a terminal."""
    line = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(word.split()))
    # References, not backslashes: readers disagree on whether a bar behind two backslashes ends the cell.
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", line)
