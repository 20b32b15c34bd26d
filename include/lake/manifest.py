"""What became of one shard: its conversations and an ``ItemRecord`` for every part and every hole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from include.canonical import canonical_json, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.plan import as_documented, checked_document, require_owner
from include.outcome import ItemRecord

if TYPE_CHECKING:
    from include.lake.store import LakeStore

SCHEMA = "recording-archive/manifest/1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of one shard of one day; ids and items are sorted when it is written.

    ``base_version`` is the commit that the shard was planned on (0: none yet). It orders evidence: a task of an old
    run that is cleared later must not overrule a newer run, and the same words said again later are new evidence.
    ``plan_key`` names the shard's plan, which nothing else refers to: without it nobody would miss a plan.
    """

    org: str
    date: str
    conversation_ids: tuple[str, ...]
    items: tuple[ItemRecord, ...]
    base_version: int = 0
    plan_key: str = ""

    def body(self) -> bytes:
        """Return the document."""
        return canonical_json(
            {
                "schema": SCHEMA,
                "org": self.org,
                "date": self.date,
                "base_version": self.base_version,
                "plan": self.plan_key,
                "shard": layout.shard_digest(self.conversation_ids),
                "conversations": sorted(self.conversation_ids),
                "items": [item.to_json() for item in sorted(self.items)],
            }
        )

    @property
    def key(self) -> str:
        """Where the document stands."""
        return self._key_of(self.body())

    def write(self, lake: LakeStore) -> str:
        """Put the manifest, if absent, and return its key; raises as ``LakeStore.put_if_absent`` does."""
        body = self.body()  # once: that of 500 recordings takes 8 ms to spell
        key = self._key_of(body)
        lake.put_document(key, body)
        return key

    def _key_of(self, body: bytes) -> str:
        return layout.manifest_key(self.date, layout.shard_digest(self.conversation_ids), sha256_hex(body))

    @classmethod
    def read(cls, lake: LakeStore, key: str, org: str, date: str) -> Self:
        """Fetch and check a manifest.

        Raises:
            IntegrityError: when it is missing, altered, or another organisation's, day's or shard's.
        """
        document = checked_document(lake, key)
        require_owner(lake, key, document, org, date)
        with as_documented(lake, key):
            if f"/shard={document['shard']}/" not in key:
                raise IntegrityError(f"{lake.uri(key)} speaks of another shard than its place does.", key=key)
            return cls(
                org=str(document["org"]),
                date=str(document["date"]),
                conversation_ids=tuple(document["conversations"]),
                items=tuple(ItemRecord.from_json(item) for item in document["items"]),
                base_version=int(document["base_version"]),
                plan_key=str(document.get("plan", "")),
            )
