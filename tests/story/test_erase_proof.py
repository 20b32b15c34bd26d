"""After an erasure the lake still proves itself, and a whole night of the sandbox asks for nothing again."""

from __future__ import annotations

import hashlib
import io

from include.canonical import sha256_hex
from include.lake.layout import MediaIdentity, quarantine_key
from include.lake.manifest import Manifest
from include.outcome import ItemRecord, Outcome
from include.transfer.day import commit_day
from include.transfer.erase import ErasureOrder, erase_conversation
from include.transfer.verify import Scope, verify_lake
from tests.story.desk import ORG, conversation, desk
from tests.story.erased_day import ErasedDay, keys_with, order
from tests.story.night import DAY, everything_in, night

WHOLE = Scope(deep=True, whole=True)


def findings(lake):
    """Return what a deep look at the whole lake finds."""
    return [item.line() for item in verify_lake(lake, WHOLE).findings]


def test_lake_proves_itself_after_an_erasure(lake, tmp_path):
    """Every byte read again, nothing is missing, altered or orphaned: the tombstone stands for what went."""
    with desk(lake, tmp_path) as table:
        ErasedDay(table).archive()
        assert [] == findings(lake)
        erase_conversation(lake, order())
        assert [] == findings(lake)


def test_refused_archive_of_many_goes_with_one_of_them(lake, tmp_path):
    """Its bytes may be the erased conversation's; the others that name it do not miss it, and their records stand."""
    with desk(lake, tmp_path) as table:
        ErasedDay(table).archive()
        body, date = b"PK refused", str(DAY)
        digest = hashlib.sha256(body).hexdigest()
        key = quarantine_key(date, "bomb", MediaIdentity(ORG, date, "", "", 0), digest, "zip")
        lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=digest, media_type="application/zip")
        numbers = (1, 2)
        items = tuple(
            ItemRecord(conversation(number), "", 0, Outcome.QUARANTINED, "bomb", "archive", "x", key)
            for number in numbers
        )
        Manifest(ORG, date, tuple(conversation(number) for number in numbers), items, 1).write(lake)
        commit_day(lake, ORG, DAY, ())
        erase_conversation(lake, order())
        assert lake.read(key) is None
        assert [] == findings(lake)


def test_next_night_asks_for_nothing(lake, tmp_path):
    """Whoever erases what Genesys still has: the next night requests, fetches and writes nothing, and is complete."""
    with night(lake, tmp_path, conversations=5, scenario="clean") as tonight:
        _, state = tonight.run()
        chosen = min(state.items)
        recording = next(item for item in state.items[chosen] if item.key)
        audio = lake.read(recording.key)
        number = b'"ani":"' + lake.read(recording.metadata_key).split(b'"ani":"')[1].split(b'"')[0]
        words = ("asked for", "GDPR Art. 17", "dpo")
        erase_conversation(lake, ErasureOrder(tonight.box.org_id, DAY, chosen, *words))
        before, fetched = everything_in(lake), len(tonight.downloads())
        planned, state = tonight.run()
        assert (len(state.items), 0) == (planned.expected, planned.outstanding)
        assert state.is_complete
        assert Outcome.ERASED is state.outcomes[chosen]
        assert fetched == len(tonight.downloads())
        assert before == everything_in(lake)
        assert [] == keys_with(lake, audio)
        assert not any(chosen in key for key in keys_with(lake, number))
        assert sha256_hex(audio) == recording.sha256
        assert [] == findings(lake)
