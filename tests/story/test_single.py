"""One recording now: the same place, the same proof, and nothing twice, under both contracts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from include.errors import ConfigurationError
from include.genesys.models import Contract
from include.lake.commit import read_head
from include.lake.plan import ShardPlan
from include.outcome import Outcome
from include.transfer.day import commit_day
from include.transfer.day_state import state_of
from include.transfer.erase import ErasureOrder, erase_conversation
from include.transfer.single import archive_single, media_downloader, missing_in_proof
from include.transfer.single_plan import SingleWish
from tests.story.night import DAY, audio_in, audio_of, night
from tests.story.one_recording import archive, bucket, clean, one_of, plan, source_of, wish_for

if TYPE_CHECKING:
    from include.genesys.analytics import ConversationsFound
    from include.genesys.single_recording import MediaOffer

CONTRACTS = ("platform", "guide")
TOKENS = "POST /oauth/token"
DOWNLOAD = "GET /api/v2/recording/media/{mediaId}/download"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_one_recording_is_archived_before_the_night(lake, tmp_path, contract):
    """It is in the lake and in the day's proof, and the day is open for all the others."""
    with clean(lake, tmp_path, contract=contract) as tonight:
        place = one_of(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        assert "single" == json.loads(lake.read(planned.plan_key))["planned_for"]
        report = archive(tonight, planned)
        assert ((), 1) == (report.missing, report.archived)
        state = state_of(lake, read_head(lake, tonight.box.org_id, DAY))
        (item,) = (item for item in state.items[place[0]] if item.outcome is Outcome.ARCHIVED)
        assert place[1] == item.recording_id
        assert ("single", "127.0.0.1") == (source_of(lake, item)["kind"], source_of(lake, item)["url_host"])
        assert () == missing_in_proof(lake, tonight.box.org_id, DAY, planned)
        # The guide does not say whether its media is the original: the night asks for that.
        archived = {Outcome.ARCHIVED: 1} if contract == "platform" else {}
        assert Counter(state.outcomes.values()) == {**archived, Outcome.PENDING: 9 - len(archived)}


def test_the_bytes_are_those_of_the_night_which_does_not_fetch_them_again(lake, tmp_path):
    """One recording now, then the night: everything is there once, and that one was fetched once."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        archive(tonight, plan(tonight, wish_for(tonight, place)))
        fetched = set(tonight.downloads())
        tonight.box.journal.clear()
        _, state = tonight.run()
        assert state.is_complete
        assert audio_of(tonight.box) == audio_in(lake)
        assert set() == fetched & set(tonight.downloads())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_the_night_holds_is_recognised(lake, tmp_path, contract):
    """Nothing is fetched and not one object of the bucket is written, though every task runs."""
    with clean(lake, tmp_path, contract=contract) as tonight:
        tonight.run()
        before = bucket(lake)
        tonight.box.journal.clear()
        planned = plan(tonight, wish_for(tonight, one_of(tonight)))
        assert "" == planned.shard_key
        commit_day(lake, tonight.box.org_id, DAY, [planned.plan_key])
        assert () == missing_in_proof(lake, tonight.box.org_id, DAY, planned)
        assert (before, []) == (bucket(lake), tonight.downloads())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_second_run_writes_nothing(lake, tmp_path, contract):
    """As of the night: complete is complete."""
    with clean(lake, tmp_path, contract=contract) as tonight:
        wish = wish_for(tonight, one_of(tonight))
        archive(tonight, plan(tonight, wish))
        before = bucket(lake)
        again = plan(tonight, wish)
        commit_day(lake, tonight.box.org_id, DAY, [again.plan_key])
        assert ("", before) == (again.shard_key, bucket(lake))


def test_a_try_that_died_before_its_commit_is_finished(lake, tmp_path):
    """The bytes are not fetched again, and the manifest is the same."""
    with clean(lake, tmp_path) as tonight:
        planned = plan(tonight, wish_for(tonight, one_of(tonight)))
        shard = ShardPlan.read(lake, planned.shard_key)
        with media_downloader(tonight.source, tonight.settings) as downloader:
            first = archive_single(tonight.source, lake, downloader, tonight.settings, shard, planned)
        fetched = len(tonight.downloads())
        again = archive(tonight, planned)
        assert (first.manifest_key, fetched) == (again.manifest_key, len(tonight.downloads()))


def test_other_recordings_of_the_conversation_stay_asked_for(lake, tmp_path):
    """A conversation with two recordings of which one was wanted is open, not archived."""
    with clean(lake, tmp_path, conversations=24) as tonight:
        recordings = {}
        for conversation_id, recording_id, _ in audio_of(tonight.box):
            recordings.setdefault(conversation_id, set()).add(recording_id)
        conversation_id, both = next(
            (key, sorted(found)) for key, found in sorted(recordings.items()) if len(found) > 1
        )
        planned = plan(tonight, wish_for(tonight, (conversation_id, both[0])))
        archive(tonight, planned)
        state = state_of(lake, read_head(lake, tonight.box.org_id, DAY))
        found = {(item.recording_id, item.outcome, item.reason) for item in state.items[conversation_id]}
        assert {
            (both[0], Outcome.ARCHIVED, ""),
            *((one, Outcome.PENDING, "not_in_result") for one in both[1:]),
        } == found
        assert conversation_id in state.outstanding()
        everything = plan(tonight, wish_for(tonight, (conversation_id, "")))
        assert () == archive(tonight, everything).missing


def test_media_id_is_found_by_its_day(lake, tmp_path):
    """The guide's metadata does not say whose media it is: the source is asked, and later the lake knows."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        place = one_of(tonight)
        wish = SingleWish(Contract.GUIDE, media_id=place[1], date=str(DAY))
        planned = plan(tonight, wish)
        assert place[0] == planned.conversation_id
        archive(tonight, planned)
        tonight.box.journal.clear()
        assert ("", place[0]) == (plan(tonight, wish).shard_key, plan(tonight, wish).conversation_id)
        assert 0 == sum("recordingmetadata" in call.line for call in tonight.box.journal)
        with pytest.raises(ConfigurationError, match="No conversation of 2026-03-03 has the media"):
            plan(tonight, replace(wish, date="2026-03-03"))


class Undated:
    """The night's source, whose query tells no start."""

    def __init__(self, source: object) -> None:
        self._source = source

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def find_conversations(self, *bounds: object) -> ConversationsFound:
        """Return the day's conversations by their ids alone."""
        found = self._source.find_conversations(*bounds)
        return replace(found, conversations=(), undated=tuple(sorted(found.by_id)))


def test_media_of_a_call_without_a_start_is_found_by_its_day(lake, tmp_path):
    """Its id is all that the question for its media needs."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        place = one_of(tonight)
        tonight.source = Undated(tonight.source)
        assert place[0] == plan(tonight, SingleWish(Contract.GUIDE, media_id=place[1], date=str(DAY))).conversation_id


def test_damaged_bytes_are_fetched_twice_with_a_fresh_token_and_quarantined(lake, tmp_path):
    """Bad both times: the metadata and a token are asked for again in between, and the bytes are kept as evidence."""
    with night(lake, tmp_path, conversations=60, scenario="rough", contract="guide") as tonight:
        place = next(
            (item.conversation_id, part.recording_id)
            for item in tonight.box.truth(DAY.date).conversations
            for part in item.parts
            if item.profile.startswith("wrong-magic") or "magic" in item.profile
        )
        tonight.source.renew_token()
        tonight.box.journal.clear()
        report = archive(tonight, plan(tonight, wish_for(tonight, place)))
        (sentence,) = report.missing
        assert f"{place[1]}: quarantined, signature_known" in sentence
        calls = tonight.box.journal.summary()
        assert 1 == calls[TOKENS]
        assert 2 == calls[DOWNLOAD]
        assert [] == [key for key in lake.list_keys("media/") if place[1] in key]


@pytest.mark.parametrize(
    "fault", ["media-truncated:1", "media-etag-changes:1", "media-reset:1", "media-ignores-range:2"]
)
@pytest.mark.parametrize("contract", CONTRACTS)
def test_passing_faults_cost_nothing_but_requests(lake, tmp_path, contract, fault):
    """The recording arrives whole."""
    with clean(lake, tmp_path, contract=contract, faults=(fault,)) as tonight:
        assert () == archive(tonight, plan(tonight, wish_for(tonight, one_of(tonight)))).missing


def test_a_token_that_is_revoked_on_the_way_is_renewed(lake, tmp_path):
    """401 on the API's own media URL: another token, and the download goes on."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        planned = plan(tonight, wish_for(tonight, one_of(tonight)))
        tonight.box.world.tokens._issued.clear()
        assert () == archive(tonight, planned).missing


def test_erased_is_refused_in_a_sentence(lake, tmp_path):
    """Before it is planned, and also where the erasure came between plan and download."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        archive(tonight, planned)
        order = ErasureOrder(tonight.box.org_id, DAY, place[0], "asked by the person", "Art. 17 GDPR", "dpo")
        erase_conversation(lake, order)
        tonight.box.journal.clear()
        with pytest.raises(ConfigurationError, match="was erased on request and is not fetched again"):
            plan(tonight, wish_for(tonight, place))
        replaced = replace(ShardPlan("o", str(DAY), "UTC", ((place[0],),), {}), org=tonight.box.org_id)
        with (
            media_downloader(tonight.source, tonight.settings) as downloader,
            pytest.raises(ConfigurationError, match="was erased on request"),
        ):
            archive_single(tonight.source, lake, downloader, tonight.settings, replaced, planned)
        assert [] == tonight.downloads()


class Mistaken:
    """The night's source, whose metadata of media is changed: for one answer, or for all."""

    def __init__(self, source: object, answers: int, **changes: object) -> None:
        self._source, self._left, self._changes = source, answers, changes
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def guide_media(self, media_id: str) -> MediaOffer:
        """Return the source's answer with the changes."""
        offer = self._source.guide_media(media_id)
        self.asked += 1
        self._left -= 1
        return replace(offer, **self._changes) if self._left >= 0 else offer


@pytest.mark.parametrize(
    ("answers", "sentence", "fetches"),
    [(1, "", 2), (9, "quarantined, promised_size_agrees (7 promised)", 2)],
    ids=["once", "always"],
)
def test_size_is_what_the_metadata_promised(lake, tmp_path, answers, sentence, fetches):
    """A size that is wrong is asked for again before the second attempt; wrong again, the bytes are quarantined."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        place = one_of(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        tonight.source = Mistaken(tonight.source, answers, size_bytes=7)
        report = archive(tonight, planned)
        assert ((f"{place[1]}: {sentence}",) if sentence else ()) == report.missing
        assert (2, fetches) == (tonight.source.asked, tonight.box.journal.summary()[DOWNLOAD])


def test_a_format_that_nobody_can_prove_is_refused_before_a_byte(lake, tmp_path):
    """The matrix of formats is asked first; the word is a class of its own."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        planned = plan(tonight, wish_for(tonight, one_of(tonight)))
        tonight.source = Mistaken(tonight.source, 9, content_type="audio/x-speex")
        (sentence,) = archive(tonight, planned).missing
        assert "source_error, format_unsupported" in sentence
        assert DOWNLOAD not in tonight.box.journal.summary()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Give media_id"),
        ({"conversation_id": "../x"}, "conversation_id must be an id"),
        ({"media_id": str(UUID(int=1))}, "The platform contract knows no media_id"),
        ({"media_id": str(UUID(int=1)), "recording_id": str(UUID(int=2))}, "not both"),
        ({"conversation_id": str(UUID(int=1)), "output_format": "flac"}, "output_format must be one of"),
    ],
)
def test_wishes_that_name_nothing_are_refused(fields, sentence):
    """Before any call."""
    with pytest.raises(ConfigurationError, match=sentence):
        SingleWish(**{"contract": Contract.PLATFORM, **fields})


def test_unknown_ids_are_refused(lake, tmp_path):
    """A mistyped id must not become something that is expected for ever."""
    with clean(lake, tmp_path) as tonight:
        place = one_of(tonight)
        for wrong in ((str(UUID(int=1)), place[1]), (place[0], str(UUID(int=1)))):
            with pytest.raises(ConfigurationError):
                plan(tonight, wish_for(tonight, wrong))
        assert {} == bucket(lake)
