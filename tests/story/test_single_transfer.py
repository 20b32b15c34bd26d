"""What the guide says of one download: exact room first, metadata again after a 416, the token to one host alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.lake.commit import read_head
from include.secret import PresignedUrl
from include.transfer.day import present_state
from tests.story.night import DAY, MEDIA, night
from tests.story.one_recording import archive, clean, one_of, plan, source_of, wish_for

ASKED = {
    "guide": "GET /api/v2/recording/media/{mediaId}",
    "platform": "GET /api/v2/conversations/{conversationId}/recordings/{recordingId}",
}
DOWNLOAD = {"guide": "GET /api/v2/recording/media/{mediaId}/download", "platform": MEDIA}
TOKENS = "POST /oauth/token"


def told(tonight, contract):
    """Return, in order, what was asked of one recording: its metadata or its bytes, and new tokens."""
    words = {ASKED[contract]: "metadata", DOWNLOAD[contract]: "bytes", TOKENS: "token"}
    return [words[call.line] for call in tonight.box.journal if call.line in words]


def left_behind(tonight):
    """Return the files below the work folder that hold something of a recording."""
    return [path for path in tonight.settings.state_dir.rglob("*") if path.is_file() and path.stat().st_size > 1000]


@pytest.mark.parametrize("contract", ["guide", "platform"])
def test_416_asks_for_the_metadata_again_before_the_retry(lake, tmp_path, contract):
    """The range was not there: what the file is now is asked first, and then the bytes once more."""
    with clean(lake, tmp_path, contract=contract, faults=("media-416:1",)) as tonight:
        planned = plan(tonight, wish_for(tonight, one_of(tonight)))
        tonight.box.journal.clear()
        assert () == archive(tonight, planned).missing
        calls = told(tonight, contract)
        assert ["metadata", "bytes"] == calls[:2]
        assert calls[2:] in (["metadata", "bytes"], ["token", "metadata", "bytes"])


def test_wrong_magic_deletes_renews_retries_once_and_is_kept_as_evidence(lake, tmp_path):
    """In this order, with nothing of it left on the disk, and the same bytes in quarantine once."""
    with night(lake, tmp_path, conversations=60, scenario="rough", contract="guide") as tonight:
        truth = next(item for item in tonight.box.truth(DAY.date).conversations if item.profile == "wrong_magic")
        planned = plan(tonight, wish_for(tonight, (truth.conversation_id, truth.parts[0].recording_id)))
        tonight.box.journal.clear()
        (sentence,) = archive(tonight, planned).missing
        assert "quarantined, signature_known" in sentence
        assert ["metadata", "bytes", "token", "metadata", "bytes"] == told(tonight, "guide")
        assert [] == left_behind(tonight)
        assert 1 == len(list(lake.list_keys("quarantine/")))


def test_token_is_not_sent_where_the_metadata_points_elsewhere(lake, tmp_path):
    """The media host refuses whoever sends one; the API's own host refuses whoever sends none."""
    with clean(lake, tmp_path, contract="guide", conversations=24) as tonight:
        place = one_of(tonight, "audio/wav")
        recording = tonight.box.tenant.recording(*place)
        tonight.source = Pointing(tonight.source, tonight.box.world.part_url(recording, recording.parts[0]))
        planned = plan(tonight, wish_for(tonight, place))
        tonight.box.journal.clear()
        assert () == archive(tonight, planned).missing
        assert {206} == {call.status for call in tonight.box.journal if call.line == MEDIA}
        assert DOWNLOAD["guide"] not in {call.line for call in tonight.box.journal}


@pytest.mark.parametrize(("short_by", "missing"), [(0, 0), (1, 1)])
def test_exactly_the_promised_bytes_are_reserved_first(lake, tmp_path, short_by, missing):
    """Room for all of it is room enough; with a byte less not one is asked for."""
    with clean(lake, tmp_path, contract="guide") as tonight:
        place = one_of(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        size = tonight.source.guide_media(place[1]).size_bytes
        tonight.settings = replace(tonight.settings, day_bytes_max=size - short_by)
        tonight.box.journal.clear()
        report = archive(tonight, planned)
        assert missing == len(report.missing)
        assert (not missing) == ("bytes" in told(tonight, "guide"))
        if missing:
            assert "pending, quota_exceeded" in report.missing[0]
            return
        items = present_state(lake, read_head(lake, tonight.box.org_id, DAY)).items[place[0]]
        assert ["127.0.0.1"] == [source_of(lake, item)["url_host"] for item in items if item.key]


class Pointing:
    """The night's source, whose media metadata points to another host than the API's."""

    def __init__(self, source, url):
        self._source, self._url = source, url

    def __getattr__(self, name):
        return getattr(self._source, name)

    def guide_media(self, media_id):
        """Return the source's answer with the other address, and without a size."""
        return replace(self._source.guide_media(media_id), urls=(PresignedUrl(self._url),), size_bytes=None)
