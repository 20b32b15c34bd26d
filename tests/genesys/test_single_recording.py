"""One recording, now, under either contract."""

from __future__ import annotations

import pytest
from hypothesis import given

from include.errors import ConfigurationError, RecordingGone, RequestRejected
from include.genesys.answer import Malformed
from include.genesys.models import Contract
from include.genesys.single_recording import read_media_offer
from include.secret import PresignedUrl
from tests.genesys.scripted_server import Reply, error, uuid
from tests.genesys.test_conversation import JSON

PATH = f"/api/v2/conversations/{uuid(1)}/recordings/{uuid(2)}"
MEDIA = f"/api/v2/recording/media/{uuid(2)}"


@pytest.mark.parametrize(
    ("output_format", "format_id"), [(None, "NONE"), ("original", "NONE"), ("wav", "WAV"), ("MP3", "MP3")]
)
def test_the_platform_is_asked_for_one_merged_file(client, genesys, output_format, format_id):
    """``download=true`` gives all channels in one file under the key S."""
    body = {
        "fileState": "AVAILABLE",
        "mediaUris": {"0": {"mediaUri": "https://m/0"}, "S": {"mediaUri": "https://m/s?x=1"}},
    }
    genesys.script(PATH, Reply(200, body | {"outputSizeInBytes": 7}))
    offer = client.recording_media(uuid(1), uuid(2), output_format)
    assert ((PresignedUrl("https://m/s?x=1"),), 7, "AVAILABLE") == (offer.urls, offer.size_bytes, offer.file_state)
    assert [("formatId", format_id), ("download", "true")] == genesys.calls_to(PATH)[0].query


@pytest.mark.parametrize("body", [None, {"estimatedTranscodeTimeMs": 4000}, {"mediaUris": None}])
def test_a_recording_that_is_being_transcoded_has_no_url_yet(client, genesys, body):
    """202 means come back, with or without an estimate."""
    genesys.script(PATH, Reply(202, body))
    offer = client.recording_media(uuid(1), uuid(2))
    assert ((), (body or {}).get("estimatedTranscodeTimeMs")) == (offer.urls, offer.ready_in_milliseconds)


def test_channels_apart_come_in_their_order():
    """Channel 0 is the far end, channel 1 the agent."""
    media = {
        "1": {"mediaUri": "https://m/1"},
        "0": {"mediaUri": "https://m/0"},
        "2": None,
        "3": {"mediaUri": "https://["},
    }
    urls = read_media_offer(None, "r", {"mediaUris": media}).urls
    assert ["https://m/0", "https://m/1"] == [url.reveal() for url in urls]


@pytest.mark.parametrize(
    ("addresses", "keys"),
    [
        ({"0": "https://m/0", "1": "https://m/1"}, ("0", "1")),
        ({"0": "https://m/0", "1": None}, ("0",)),
        ({"0": "https://m/0"}, ()),
        ({"0": "https://m/0", "1": "https://m/1", "S": "https://m/s"}, ()),
        ({"0": "https://m/0", "1": "https://m/1", "S": "https://["}, ("0", "1")),
    ],
)
def test_several_files_keep_their_keys(addresses, keys):
    """One that stands for the whole has none; one of two keeps its own, though the other cannot be read."""
    media = {key: {"mediaUri": address} for key, address in addresses.items()}
    assert keys == read_media_offer(None, "r", {"mediaUris": media}).keys


def test_the_guide_is_asked_by_media_id(make_client, genesys):
    """Format, exact size and a download URL on the API host, which wants our token."""
    client = make_client(contract=Contract.GUIDE)
    url = f"{genesys.url}{MEDIA}/download"
    genesys.script(MEDIA, Reply(200, {"id": uuid(2), "format": "audio/wav", "size": 9, "downloadUrl": url}))
    offer = client.guide_media(uuid(2))
    assert ("audio/wav", 9, (PresignedUrl(url),)) == (offer.content_type, offer.size_bytes, offer.urls)
    assert "canary-token-1" == client.token_for(offer.urls[0]).reveal()


@pytest.mark.parametrize("said", [{}, {"downloadUrl": None}, {"downloadUrl": f"{MEDIA}/download"}])
def test_media_without_a_whole_address_are_where_the_guide_says(make_client, genesys, said):
    """The guide names the operation itself; an address may lack its host, as each ``selfUri`` of the API does."""
    client = make_client(contract=Contract.GUIDE)
    genesys.script(MEDIA, Reply(200, {"id": uuid(2), "format": "audio/wav", "size": 9} | said))
    offer = client.guide_media(uuid(2))
    assert (PresignedUrl(f"{genesys.url}{MEDIA}/download"),) == offer.urls
    assert "canary-token-1" == client.token_for(offer.urls[0]).reveal()


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"id": uuid(2), "fileState": "UPLOADING", "size": 9},
        {"size": 9, "downloadUrl": "https://["},
    ],
)
def test_no_address_is_made_up(make_client, genesys, body):
    """Of media that are not ready, or that name a place which cannot be read."""
    client = make_client(contract=Contract.GUIDE)
    genesys.script(MEDIA, Reply(200, body))
    assert () == client.guide_media(uuid(2)).urls


@pytest.mark.parametrize(
    "url", ["https://bucket.s3.amazonaws.com/x?sig=1", "https://127.0.0.1/x", "http://127.0.0.1:9/x", "https://["]
)
def test_no_other_host_gets_the_token(client, genesys, url):
    """A presigned URL is its own authorisation."""
    assert client.token_for(PresignedUrl(url)) is None
    assert [] == genesys.calls


def test_what_the_contract_cannot_do_is_said_before_any_call(client, genesys):
    """Media ids are the guide's, formats are three."""
    with pytest.raises(ConfigurationError, match="media ids"):
        client.guide_media(uuid(2))
    with pytest.raises(ConfigurationError, match="Output format"):
        client.recording_media(uuid(1), uuid(2), "flac")
    assert [] == genesys.calls


def test_a_recording_that_is_gone_says_which(client, genesys):
    """404 and 410 are expected absences, other refusals are not."""
    for status in (404, 410):
        genesys.script(PATH, error(status, "recording.recording.not.found"))
        with pytest.raises(RecordingGone) as caught:
            client.recording_media(uuid(1), uuid(2))
        assert uuid(2) == caught.value.facts["recording_id"]
    genesys.script(PATH, error(400, "quality.query.invalid.conversation"))
    with pytest.raises(RequestRejected):
        client.recording_media(uuid(1), uuid(2))


@given(JSON)
def test_any_body_is_an_offer_or_malformed(body):
    """Nothing but ``Malformed`` is raised."""
    for value in (body, {"mediaUris": body, "size": body, "downloadUrl": body}):
        try:
            repr(read_media_offer(None, "r", value))
        except Malformed:
            assert not isinstance(value, dict)
