"""A commit's word about its day beside the counts, as the journal tells it: whose it is, and signed by a key; pure.

Counts follow from manifests, and anybody can compute them anew. That a window is over, that a day is held or that
somebody accepted it follows from nothing in the lake; so whoever may put one object could say it in our name. The
commit that says something new therefore tells it in its own segment of the journal, signed where there is a key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from include.audit.events import Action, Event
from include.audit.signature import signed_text, verifies_text
from include.canonical import canonical_json, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.audit.signature import JournalKey
    from include.audit.standing import Standing

SCHEMA = "recording-archive/judgement/1"


class Told(StrEnum):
    """How well the journal bears a judgement out."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    """It is told, without a signature by the key at hand: by none, or by another."""
    MISSING = "missing"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one commit says; ``previous`` is the hash of the commit before, ``said_by`` who accepted, where one did."""

    org: str
    date: str
    version: int
    previous: str
    standing: Standing
    said_by: str = ""

    def event(self, key: JournalKey | None) -> Event:
        """Return the line of the journal; ``sha256`` is that of what is signed.

        Raises:
            ConfigurationError: when the key is only a public one.
        """
        words = self.standing.to_json()
        names = [str(value) if name == "held" else name for name, value in words.items()]
        return Event(
            Action.JUDGED,
            sha256=sha256_hex(self.statement()),
            said_by=self.said_by,
            note="; ".join(names) or "nothing is doubted and nothing over",
            key_id=key.key_id if key else "",
            signature=signed_text(key, self.statement()) if key else "",
        )

    def told_in(self, lines: Iterable[Mapping[str, Any]], key: JournalKey | None) -> Told:
        """Return how well these lines of a segment bear this judgement out, whoever they say it is by."""
        for line in lines:
            mine = replace(self, said_by=str(line.get("said_by", "")))
            if line.get("action") == Action.JUDGED and line.get("sha256") == sha256_hex(mine.statement()):
                return _signature(mine.statement(), line, key)
        return Told.MISSING

    def statement(self) -> bytes:
        """Return what is signed."""
        return canonical_json(
            {
                "schema": SCHEMA,
                "org": self.org,
                "date": self.date,
                "version": self.version,
                "previous": self.previous,
                "judgement": self.standing.to_json(),
                "said_by": self.said_by,
            }
        )


def _signature(statement: bytes, line: Mapping[str, Any], key: JournalKey | None) -> Told:
    if key is None or line.get("key_id") != key.key_id:
        return Told.UNSIGNED
    return Told.SIGNED if verifies_text(key, statement, str(line.get("signature", ""))) else Told.FORGED
