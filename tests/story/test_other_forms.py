"""A recording that is here as a rendering or channel by channel is archived, and is never taken for the original."""

from __future__ import annotations

import io
import json

import pytest
import soundfile

from include.genesys.single_recording import MediaOffer
from include.lake.commit import read_head
from include.outcome import Outcome
from include.transfer.day import present_state
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.derive_day import DerivativeDesk, open_wishes, plan_slices
from include.transfer.recording import archive_recording
from include.transfer.rendition import Rendition
from include.transfer.results import RecordingResults
from include.transfer.shard_work import ShardWork
from include.transfer.single import missing_in_proof
from include.transfer.single_urls import SingleUrls, Wanted
from include.transfer.single_whole import ORIGINAL_OUTSTANDING
from tests.story.desk import Desk, audio, brief, conversation, index, path, recording_of, row, zipped
from tests.story.night import DAY, audio_in, audio_of, night, remove
from tests.story.one_recording import archive, bucket, clean, one_of, plan, source_of, wish_for
from tests.story.shelf import finished, recording


def state_of(tonight):
    """Return the day as its newest commit and the bucket have it."""
    return present_state(tonight.lake, read_head(tonight.lake, tonight.box.org_id, DAY))


def forms(tonight, place):
    """Return outcome and reason of each item of a conversation."""
    return [(item.outcome, item.reason) for item in state_of(tonight).items[place[0]]]


def complete(tonight):
    """Run the night; the day must be complete, with every original of the source in the lake."""
    _, state = tonight.run()
    assert state.is_complete
    assert audio_of(tonight.box) <= audio_in(tonight.lake)


RENDERED = [(Outcome.ARCHIVED, ""), (Outcome.PENDING, ORIGINAL_OUTSTANDING)]


@pytest.mark.parametrize("contract", ["guide", "platform"])
def test_the_guides_media_is_no_original(lake, tmp_path, contract):
    """It is archived and proven, and the night, under either contract, still fetches the original; then all is done."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        place = one_of(tonight, "audio/ogg")
        planned = plan(tonight, wish_for(tonight, place))
        assert () == archive(tonight, planned).missing
        assert () == missing_in_proof(lake, tonight.box.org_id, DAY, planned)
        assert RENDERED == sorted(forms(tonight, place))
        assert (place[0] in state_of(tonight).outstanding(), state_of(tonight).is_complete) == (True, False)
        before = bucket(lake)
        assert ("", before) == (plan(tonight, wish_for(tonight, place)).shard_key, bucket(lake))
    with clean(lake, tmp_path, contract=contract) as tonight:
        complete(tonight)
        assert [(Outcome.ARCHIVED, "")] * 2 == forms(tonight, place)
        assert copied_from(tonight, place) <= {sha256 for *_, sha256 in audio_of(tonight.box)}
        before = bucket(lake)
        complete(tonight)
        assert before == bucket(lake)


def test_media_that_proves_to_be_the_original_is_one_part(lake, tmp_path):
    """A night that brings the same bytes settles it, and a later run for another recording does not open it again."""
    with clean(lake, tmp_path, conversations=12, scenario="varied", contract="guide") as tonight:
        call, same, other = two_of(tonight)
        archive(tonight, plan(tonight, wish_for(tonight, (call, same))))
        assert ORIGINAL_OUTSTANDING in {reason for _, reason in forms(tonight, (call,))}
        complete(tonight)
        assert [(Outcome.ARCHIVED, "")] * 2 == forms(tonight, (call,))
        for item in state_of(tonight).items[call]:
            if item.recording_id == other:
                remove(lake, item.key)
        archive(tonight, plan(tonight, wish_for(tonight, (call, other))))
        reasons = {item.recording_id: item.reason for item in state_of(tonight).items[call] if item.reason}
        assert {other: ORIGINAL_OUTSTANDING} == reasons


def test_channels_that_come_apart_are_parts_with_their_roles(lake, tmp_path):
    """Each is an object of its own; both together are held, and neither passes for the merged original."""
    with clean(lake, tmp_path, conversations=5, faults=("recording-channels-apart",)) as tonight:
        place = one_dual(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        report = archive(tonight, planned)
        assert ((), 2) == (report.missing, report.archived)
        items = [item for item in state_of(tonight).items[place[0]] if item.outcome is Outcome.ARCHIVED]
        facts = {source_of(lake, item)["media_uri"]: media_of(lake, item) for item in items}
        assert {"0": (1, ["customer"]), "1": (1, ["agent"])} == {
            key: (media["channels"], media["channel_roles"]) for key, media in facts.items()
        }
        assert ORIGINAL_OUTSTANDING in {reason for _, reason in forms(tonight, place)}
        before = bucket(lake)
        assert ("", before) == (plan(tonight, wish_for(tonight, place)).shard_key, bucket(lake))
        tonight.box.faults.switch_off()
        complete(tonight)
        assert 3 == len(state_of(tonight).items[place[0]])


def test_one_channel_of_two_is_not_held(lake, tmp_path):
    """The other one could not be had: the conversation is open, and the next try fetches what is missing."""
    fault = "media-404:99,match=channel-1"
    with clean(lake, tmp_path, conversations=5, faults=("recording-channels-apart", fault)) as tonight:
        place = one_dual(tonight)
        archive(tonight, plan(tonight, wish_for(tonight, place)))
        assert Outcome.PENDING in {outcome for outcome, _ in forms(tonight, place)}
        tonight.box.faults.switch_off("media-404")
        again = plan(tonight, wish_for(tonight, place))
        assert (True, 2) == (bool(again.shard_key), archive(tonight, again).archived)


def test_several_results_come_as_one_merged_file(lake, tmp_path):
    """Under S is the whole recording, as long as its parts together, and not the first of them."""
    with night(lake, tmp_path, conversations=24, scenario="varied", audio_seconds=(4, 4)) as tonight:
        truth = next(item for item in tonight.box.truth(DAY.date).conversations if item.profile == "two_results")
        place = (truth.conversation_id, truth.parts[0].recording_id)
        assert () == archive(tonight, plan(tonight, wish_for(tonight, place))).missing
        (item,) = state_of(tonight).items[place[0]]
        whole = soundfile.info(io.BytesIO(lake.read(item.key)))
        assert sum(part.duration_ms for part in truth.parts) == pytest.approx(whole.duration * 1000, abs=60)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("AVAILABLE", {("archived", ""), ("pending", "not_in_result")}),
        ("DELETED", {("archived", ""), ("deleted_at_source", "deleted_at_source")}),
        (None, {("archived", ""), ("no_recording", "none_known")}),
    ],
)
def test_a_job_that_is_silent_about_a_rendering_is_asked_about(table: Desk, known, expected) -> None:
    """What the lake holds in another form is no answer; the source's own word is."""
    place = (conversation(1), recording_of(1))
    assert {(*place, "archived", "")} == brief(fetched_alone(table, place))
    if known:
        table.source.recordings[place[0]] = (recording(*place, known),)
    table.source.statuses["job"] = [finished()]
    found = table.archive(1, deep=True)
    assert expected == {(outcome, reason) for _, _, outcome, reason in brief(found)}


def test_a_bundle_brings_the_original_beside_another_form(table: Desk) -> None:
    """One part here and one member there are not the same thing."""
    place = (conversation(1), recording_of(1))
    fetched_alone(table, place)
    bundle = {"metadata.json": index(row(1, path(1))), path(1): audio(2)}
    table.source.statuses["job"] = [finished(table.bundle(zipped(bundle)))]
    assert 2 == len(table.archive(1))
    assert 1 == table.shelf.asked.count("/a.wav")


def test_a_result_brings_the_original_beside_another_form(table: Desk) -> None:
    """One part here and one result of the platform's job neither."""
    fetched_alone(table, (conversation(1), recording_of(1)))
    assert 2 == len(table.deliver(table.result(1, table.shelf.put("/b.wav", audio(2))), numbers=(1,)))


def fetched_alone(table, place):
    """Archive what the guide's media endpoint gives of a recording, and return its records."""
    offer = MediaOffer(*place, (table.shelf.put("/a.wav", audio(1)),), content_type="audio/wav")
    urls = SingleUrls(table.source, Wanted(*place, by_media_id=True), offer, "2026-03-03T12:00:00+00:00")
    work = ShardWork(table.source, table.lake, table.downloader, table.settings, table.plan(1), {})
    return archive_recording(work, urls, RecordingResults(*place, urls.results))


def copied_from(tonight, place):
    """Return the digests of what a copy of a recording would be made of."""
    desk = DerivativeDesk(tonight.lake, tonight.settings, DerivativeSettings(), tonight.box.org_id, Rendition("mp3"))
    (part,) = plan_slices(desk, str(DAY), 1)
    wishes, _ = open_wishes(desk, part)
    found = [original.sha256 for original, _ in wishes if original.identity.recording_id == place[1]]
    assert 1 == len(found)
    return set(found)


def two_of(tonight):
    """Return a call of two recordings, the first of them one that the guide serves as it is."""
    for call in tonight.box.tenant.day(DAY.date):
        forms = {one.id: one.parts[0].form for one in call.recordings if len(one.parts) == 1}
        same = [key for key, form in forms.items() if form != "ogg_opus"]
        kinds = {(one.media, one.file_state, one.restricted) for one in call.recordings}
        if len(forms) == len(call.recordings) == 2 and same and kinds == {("audio", "AVAILABLE", False)}:
            return call.id, same[0], next(key for key in forms if key != same[0])
    raise AssertionError


def one_dual(tonight):
    """Return a recording with two channels, the only one of its conversation, of a call with one agent."""
    for conversation_id, recording_id in sorted({place[:2] for place in audio_of(tonight.box)}):
        call = tonight.box.tenant.conversation(conversation_id)
        if len(call.recordings) == len(call.recordings[0].parts) == 1 and call.recordings[0].parts[0].channels == 2:
            return conversation_id, recording_id
    raise AssertionError


def media_of(lake, item):
    """Return what the metadata says of the bytes."""
    return json.loads(lake.read(item.metadata_key))["media"]
