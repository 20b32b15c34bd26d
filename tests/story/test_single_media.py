"""A media id of the guide and nothing else: found by the lake, or filed where no call is, and erased with its call."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from include.errors import ConfigurationError, ObjectLocked, RecordingGone
from include.genesys.models import Contract
from include.lake import layout
from include.lake.catalog_search import place_of_recording
from include.lake.commit import read_head
from include.lake.manifest import Manifest
from include.lake.store import LakeStore
from include.local_day import ONE_DAY, LocalDay
from include.outcome import ItemRecord, Outcome
from include.settings import LakeLocation
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day, present_state
from include.transfer.erase import ErasureOrder, erase_conversation
from include.transfer.erase_everywhere import erase_everywhere
from include.transfer.hold import HoldOrder, hold_everywhere
from include.transfer.single import missing_in_proof
from include.transfer.single_plan import SingleWish
from include.transfer.verify import Scope, verify_lake
from tests.story.night import DAY, ZONE, audio_in, audio_of
from tests.story.one_recording import archive, bucket, clean, one_of, plan

NO_DAY = LocalDay.of(layout.UNKNOWN_CALL_DATE, ZONE)
WHOLE = Scope(deep=True, whole=True)
ANALYTICS = "POST /api/v2/analytics/conversations/details/query"


def alone(place):
    """Return what a person types who has the media's id and nothing else."""
    return SingleWish(Contract.GUIDE, media_id=place[1])


def fetched_alone(tonight, place):
    """Archive and catalogue it, as the DAG's tasks do."""
    planned = plan(tonight, alone(place))
    report = archive(tonight, planned)
    catalog_day(tonight.lake, tonight.box.org_id, LocalDay.of(planned.date, ZONE))
    return planned, report


def test_nobody_knows_whose_it_is(lake, tmp_path):
    """It lies under its own id on a day that no call has: archived, proven, catalogued, and nothing else is asked."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        planned, report = fetched_alone(tonight, place)
        assert ((), 1, "1970-01-01", place[1]) == (
            report.missing,
            report.archived,
            planned.date,
            planned.conversation_id,
        )
        (item,) = present_state(lake, read_head(lake, tonight.box.org_id, NO_DAY)).items[place[1]]
        assert (Outcome.ARCHIVED, place[1]) == (item.outcome, item.recording_id)
        folder = layout.conversation_prefix(tonight.box.org_id, "1970-01-01", place[1])
        assert item.key.startswith(f"{folder}recording={place[1]}/0-")
        document = json.loads(lake.read(item.metadata_key))
        assert ({}, True, "single") == (
            document["conversation"],
            document["source"]["may_be_rendering"],
            document["source"]["kind"],
        )
        assert () == missing_in_proof(lake, tonight.box.org_id, NO_DAY, planned)
        assert (place[1], "1970-01-01") == place_of_recording(lake, place[1])
        assert 0 == sum(call.line == ANALYTICS or "recordingmetadata" in call.line for call in tonight.box.journal)
        assert () == verify_lake(lake, WHOLE).findings


def test_a_second_run_writes_nothing_on_whatever_day(lake, tmp_path):
    """The place does not depend on the clock; with or without the catalog, and when the source has forgotten it."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        archive(tonight, plan(tonight, alone(place)))
        before = bucket(lake)
        assert ("", before) == (plan(tonight, alone(place)).shard_key, bucket(lake))
        catalog_day(lake, tonight.box.org_id, NO_DAY)
        before = bucket(lake)
        tonight.source = Forgetful(tonight.source)
        assert ("", before) == (plan(tonight, alone(place)).shard_key, bucket(lake))
        with pytest.raises(ConfigurationError, match=r"Neither Genesys nor .* knows media"):
            plan(tonight, alone((None, str(UUID(int=1)))))
        assert before == bucket(lake)


def test_what_the_night_holds_is_found_by_the_catalog(lake, tmp_path):
    """By recording id, whatever its day: nothing is fetched and nothing written."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        tonight.run()
        catalog_day(lake, tonight.box.org_id, DAY)
        place, before = one_of(tonight), bucket(lake)
        planned = plan(tonight, alone(place))
        assert (place[0], str(DAY), "") == (planned.conversation_id, planned.date, planned.shard_key)
        assert before == bucket(lake)


def test_the_night_goes_on_as_if_nothing_were_there(lake, tmp_path):
    """The call's own place is filled by the night, and from then on the id leads there."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        fetched_alone(tonight, place)
        _, state = tonight.run()
        assert state.is_complete
        assert audio_of(tonight.box) <= audio_in(lake)
        catalog_day(lake, tonight.box.org_id, DAY)
        planned = plan(tonight, alone(place))
        assert (place[0], "") == (planned.conversation_id, planned.shard_key)


def test_a_call_that_the_source_names_is_believed(lake, tmp_path):
    """Where the metadata of the media has a conversationId after all, it is filed there."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        tonight.source = Naming(tonight.source, place[0])
        assert (place[0], str(DAY)) == (plan(tonight, alone(place)).conversation_id, plan(tonight, alone(place)).date)


def test_erasing_the_call_erases_it_too(lake, tmp_path):
    """Two certificates, no byte left under either place, and it is not fetched again by any id."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        fetched_alone(tonight, place)
        tonight.run()
        order = ErasureOrder(tonight.box.org_id, DAY, place[0], "asked by the person", "Art. 17 GDPR", "dpo")
        looked = erase_everywhere(lake, order, dry_run=True)
        assert [place[0], place[1]] == [each.order.conversation_id for each in looked]
        erased = erase_everywhere(lake, order)
        assert [str(DAY), "1970-01-01"] == [str(each.order.day) for each in erased]
        assert [] == [key for key in lake.list_keys("media/") if place[1] in key]
        with pytest.raises(ConfigurationError, match="was erased on request and is not fetched again"):
            plan(tonight, alone(place))
        assert all(each.already for each in erase_everywhere(lake, order)[:1])


def test_holding_the_call_holds_it_too(lake_client, locking_bucket, tmp_path):
    """What lies where no call is cannot be erased either, until the hold is lifted, which lifts both."""
    locking = LakeStore(lake_client, LakeLocation(locking_bucket, f"media/{uuid4().hex}"))
    with clean(locking, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        fetched_alone(tonight, place)
        tonight.run()
        words = HoldOrder(tonight.box.org_id, DAY, place[0], "litigation", "counsel")
        held = hold_everywhere(locking, words)
        assert [(str(DAY), place[0]), ("1970-01-01", place[1])] == [
            (str(each.order.day), each.order.conversation_id) for each in held
        ]
        alone_there = ErasureOrder(tonight.box.org_id, NO_DAY, place[1], "asked", "Art. 17 GDPR", "dpo")
        with pytest.raises(ObjectLocked, match="under a legal hold"):
            erase_conversation(locking, alone_there)
        assert [2, 2] == [each.changed for each in hold_everywhere(locking, replace(words, on=False))]
        erase_conversation(locking, alone_there)


def test_erased_under_its_call_it_is_refused_by_media_id(lake, tmp_path):
    """Though nobody says whose media it is, the tombstone does."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        tonight.run()
        erase_conversation(lake, ErasureOrder(tonight.box.org_id, DAY, place[0], "asked", "Art. 17 GDPR", "dpo"))
        tonight.box.journal.clear()
        with pytest.raises(ConfigurationError, match="was erased on request"):
            plan(tonight, alone(place))
        assert [] == list(tonight.box.journal)


def test_erased_before_it_was_archived_it_is_refused_by_media_id(lake, tmp_path):
    """Its day knew that it had been deleted at the source, so the tombstone names no key of it: the manifest does."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place, org = one_of(tonight), tonight.box.org_id
        before = LocalDay(DAY.date - ONE_DAY, ZONE)
        gone = ItemRecord(*place, 0, Outcome.DELETED_AT_SOURCE, "deleted", "recordingmetadata", "DELETED")
        Manifest(org, str(before), (place[0],), (gone,)).write(lake)
        commit_day(lake, org, before, ())
        erase_conversation(lake, ErasureOrder(org, before, place[0], "asked", "Art. 17 GDPR", "dpo"))
        with pytest.raises(ConfigurationError, match="was erased on request"):
            plan(tonight, alone(place))
        assert [] == [key for key in lake.list_keys("") if "date=1970-01-01" in key]


def test_media_of_another_call_is_not_filed_under_this_one(lake, tmp_path):
    """Of a call without any recording, and of one that the source does not list but names by its media."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        other = min({one for one, *_ in audio_of(tonight.box)} - {place[0]})
        both = SingleWish(Contract.GUIDE, conversation_id=other, media_id=place[1])
        honest = tonight.source
        for source, said in (
            (honest, "has no recording"),
            (Unlisted(honest), "has no recording"),
            (Naming(Unlisted(honest, refused=True), place[0]), f"is of conversation {place[0]}"),
        ):
            tonight.source = source
            with pytest.raises(ConfigurationError, match=said):
                plan(tonight, both)
        assert {} == bucket(lake)


def test_erased_media_is_refused_with_the_id_of_another_call(lake, tmp_path):
    """A call that the source does not list would take anything; the tombstone of the right one holds."""
    with clean(lake, tmp_path, contract="guide", conversations=4) as tonight:
        place = one_of(tonight)
        other = min({one for one, *_ in audio_of(tonight.box)} - {place[0]})
        tonight.run()
        erase_conversation(lake, ErasureOrder(tonight.box.org_id, DAY, place[0], "asked", "Art. 17 GDPR", "dpo"))
        tonight.source = Unlisted(tonight.source, refused=True)
        with pytest.raises(ConfigurationError, match="was erased on request"):
            plan(tonight, SingleWish(Contract.GUIDE, conversation_id=other, media_id=place[1]))


class Unlisted:
    """The night's source, which lists no recordings of any conversation, or refuses to."""

    def __init__(self, source, *, refused=False):
        self._source, self._refused = source, refused

    def __getattr__(self, name):
        return getattr(self._source, name)

    def recording_metadata(self, conversation_id):
        """Return nothing."""
        if self._refused:
            raise RecordingGone("gone", conversation_id=conversation_id)
        return ()


class Forgetful:
    """The night's source, after its retention has deleted everything."""

    def __init__(self, source):
        self._source = source

    def __getattr__(self, name):
        return getattr(self._source, name)

    def guide_media(self, media_id):
        """Know nothing of it."""
        raise RecordingGone("gone", recording_id=media_id)


class Naming:
    """The night's source, which names the call of its media."""

    def __init__(self, source, conversation_id):
        self._source, self._conversation_id = source, conversation_id

    def __getattr__(self, name):
        return getattr(self._source, name)

    def guide_media(self, media_id):
        """Return the source's answer with the call's id."""
        return replace(self._source.guide_media(media_id), conversation_id=self._conversation_id)
