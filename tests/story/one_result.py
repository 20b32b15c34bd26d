"""What became of the recording of conversation 1, in brief."""

from __future__ import annotations

from tests.story.desk import conversation, recording_of


def only(reason: str, outcome: str) -> set[tuple[str, str, str, str]]:
    """Return the one record of recording 1, in brief."""
    return {(conversation(1), recording_of(1), outcome, reason)}


ARCHIVED = only("", "archived")
