"""One recording now, in another format too: a copy beside the original, of Genesys' making or of the archive's own."""

from __future__ import annotations

import json
from uuid import UUID

from include.lake.commit import read_head
from include.lake.layout import MediaIdentity, derived_failure_key
from include.outcome import Outcome
from include.transfer.day_state import state_of
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.single import seconds_until_ready
from tests.story.night import DAY
from tests.story.one_recording import archive, bucket, clean, copies_in, one_of, plan, wish_for


def test_a_rendering_is_waited_for_and_stands_beside_the_original(lake, tmp_path):
    """The source answers 202 first; its rendering is a derivative, and the only part is the original."""
    with clean(lake, tmp_path, job_seconds=0.05) as tonight:
        place = one_of(tonight, "audio/ogg")
        planned = plan(tonight, wish_for(tonight, place, output_format="wav"))
        ask = (tonight.source, lake, tonight.box.org_id, planned)
        assert seconds_until_ready(*ask, poll_seconds=30, wishes=DerivativeSettings(renditions_from="here")) is None
        assert 1.0 == seconds_until_ready(*ask, poll_seconds=30)
        waited = 0
        while seconds_until_ready(*ask, poll_seconds=30) is not None:
            waited += 1
            assert waited < 1000
        assert () == archive(tonight, planned).missing
        items = state_of(lake, read_head(lake, tonight.box.org_id, DAY)).items[place[0]]
        assert [(0, "audio/ogg")] == [(item.part, item.media_type) for item in items]
        (copy,) = copies_in(lake)
        assert ("WAV", "single") == (copy["source"]["requested_format"], copy["source"]["kind"])
        assert (items[0].key, {"name": "genesys_cloud"}) == (copy["derived_from"]["key"], copy["transcoder"])
        assert_report_names_copies(lake)
        before = bucket(lake)
        assert "" == plan(tonight, wish_for(tonight, place, output_format="wav")).shard_key
        assert before == bucket(lake)


def test_another_calls_altered_document_does_not_stop_a_copy(lake, tmp_path):
    """Verify names it; the recording that is needed now is archived, and its copy stands there."""
    with clean(lake, tmp_path, job_seconds=60.0) as tonight:
        source = MediaIdentity(tonight.box.org_id, str(DAY), str(UUID(int=1)), str(UUID(int=2)), 0)
        lake.put_document(derived_failure_key(source, "a" * 64, "mp3", "b" * 64), b"{}")
        report = archive(tonight, plan(tonight, wish_for(tonight, one_of(tonight, "audio/ogg"), output_format="mp3")))
        assert ((), 1) == (report.missing, len(copies_in(lake)))


def assert_report_names_copies(lake):
    """An auditor holds the document beside each copy against its SHA-256 in the report, which nothing else records."""
    report = json.loads(lake.read(f"reports/date={DAY}/derivatives.json"))
    assert {item["media"]["key"] for item in copies_in(lake)} == {item["key"] for item in report["copies"]}
    documents = {lake.head(key).sha256 for key in lake.list_keys("derived/") if key.endswith(".metadata.json")}
    assert documents == {item["document_sha256"] for item in report["copies"]}


def test_an_original_in_the_wanted_format_is_its_own_rendering(lake, tmp_path):
    """One part, and a second run has nothing to ask."""
    with clean(lake, tmp_path, conversations=24) as tonight:
        wish = wish_for(tonight, one_of(tonight, "audio/wav"), output_format="wav")
        report = archive(tonight, plan(tonight, wish))
        assert ((), 1) == (report.missing, report.archived)
        assert "" == plan(tonight, wish).shard_key


def test_a_rendering_that_is_never_ready_is_made_here(lake, tmp_path):
    """The original is archived and proven, and the copy is made of it."""
    with clean(lake, tmp_path, job_seconds=60.0) as tonight:
        place = one_of(tonight, "audio/ogg")
        planned = plan(tonight, wish_for(tonight, place, output_format="mp3"))
        report = archive(tonight, planned)
        assert () == report.missing
        (copy,) = copies_in(lake)
        assert ("pyav", "mp3") == (copy["transcoder"]["name"], copy["rendition"]["format"])
        assert_report_names_copies(lake)
        state = state_of(lake, read_head(lake, tonight.box.org_id, DAY))
        assert Outcome.ARCHIVED is state.outcomes[place[0]]


def test_a_format_of_the_guides_media_is_made_here(lake, tmp_path):
    """Its metadata has the format that the source chose: the original is archived, and the copy made of it."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        wish = wish_for(tonight, one_of(tonight, "audio/ogg"), output_format="mp3")
        assert ((), 1) == ((report := archive(tonight, plan(tonight, wish))).missing, report.archived)
        assert ["pyav"] == [copy["transcoder"]["name"] for copy in copies_in(lake)]
        assert "" == plan(tonight, wish).shard_key
