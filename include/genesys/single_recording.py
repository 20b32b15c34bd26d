"""One recording, now: where its media can be fetched, under either contract.

``platform``: ``GET /conversations/{c}/recordings/{r}?formatId=&download=true``, which answers 202 while it transcodes
(Genesys OpenAPI). ``guide``: ``GET /recording/media/{mediaId}`` with a ``downloadUrl`` on the API host, which wants our
token. Waiting for a transcoding is the caller's: an offer without URLs means "come back".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.contract import ORIGINAL, OUTPUT_FORMATS, readable_url
from include.genesys.gone import told_gone
from include.genesys.json_fields import count_of, id_of, object_of, text_of
from include.genesys.models import Contract
from include.genesys.request import ApiRequest, path_of

if TYPE_CHECKING:
    from include.genesys.http import ApiDoor
    from include.secret import PresignedUrl

RECORDING = "/api/v2/conversations/{}/recordings/{}"
GUIDE_MEDIA = "/api/v2/recording/media/{}"
GUIDE_DOWNLOAD = f"{GUIDE_MEDIA}/download"

FORMAT_IDS = {ORIGINAL: "NONE", "wav": "WAV", "mp3": "MP3"}
MERGED = "S"
"""Key of the one file with all channels, which ``download=true`` gives; ``0`` and ``1`` are single channels."""

KEY_LENGTH = 16
_THERE = (None, "AVAILABLE", "RESTORED")
"""A ``fileState`` under which media can be fetched; the guide's metadata have none."""


@dataclass(frozen=True, slots=True)
class MediaOffer:
    """Where one recording can be fetched.

    ``urls`` is empty while the source is not ready; ``ready_in_milliseconds`` is then its estimate, if it gave one.
    ``keys`` are the source's names of several URLs, in their order; a single file has none.
    ``size_bytes`` and ``content_type`` are what the source states, where it does.
    """

    conversation_id: str | None
    recording_id: str
    urls: tuple[PresignedUrl, ...]
    keys: tuple[str, ...] = ()
    content_type: str | None = None
    size_bytes: int | None = None
    file_state: str | None = None
    ready_in_milliseconds: int | None = None


def recording_media(
    door: ApiDoor, conversation_id: str, recording_id: str, output_format: str | None = None
) -> MediaOffer:
    """Ask the platform for one recording.

    Raises:
        ConfigurationError: when ``output_format`` is none of original, wav and mp3.
        RecordingGone: when the source does not know it (facts ``conversation_id``, ``recording_id``).
        ArchiveError: as ``ApiDoor.fetch``.
    """
    wanted = (output_format or ORIGINAL).strip().lower()
    if wanted not in FORMAT_IDS:
        raise ConfigurationError(f"Output format {wanted!r} is none of {', '.join(OUTPUT_FORMATS)}")
    query = (("formatId", FORMAT_IDS[wanted]), ("download", "true"))
    request = ApiRequest("GET", RECORDING, path_of(RECORDING, conversation_id, recording_id), query=query)
    with told_gone(f"Recording {recording_id}", conversation_id=conversation_id, recording_id=recording_id):
        return door.fetch(request, lambda body: read_media_offer(conversation_id, recording_id, body))


def guide_media(door: ApiDoor, media_id: str) -> MediaOffer:
    """Ask for one media object by its id, as the media-download guide does.

    Raises:
        ConfigurationError: under the platform contract, which has no such operation.
        RecordingGone: when the source does not know it (fact ``recording_id``).
        ArchiveError: as ``ApiDoor.fetch``.
    """
    if door.connection.contract is not Contract.GUIDE:
        raise ConfigurationError(
            f"Connection {door.connection.name!r}: the platform contract knows no media ids; "
            "give conversation id and recording id"
        )
    request = ApiRequest("GET", GUIDE_MEDIA, path_of(GUIDE_MEDIA, media_id))

    def read(body: object) -> MediaOffer:
        return read_media_offer(None, media_id, _with_address(body, door.connection.api_base_url, media_id))

    with told_gone(f"Recording {media_id}", conversation_id=None, recording_id=media_id):
        return door.fetch(request, read)


def _with_address(body: object, api_base_url: str, media_id: str) -> object:
    """Return the guide's metadata with a whole ``downloadUrl``, where they are metadata of media that are there.

    An address may lack its host, as each ``selfUri`` of the API does; where there is none, the guide names the
    operation itself.
    """
    if not isinstance(body, dict) or not body.get("size") or body.get("fileState") not in _THERE:
        return body
    address = body.get("downloadUrl") or path_of(GUIDE_DOWNLOAD, media_id)
    is_path = isinstance(address, str) and address.startswith("/") and not address.startswith("//")
    return {**body, "downloadUrl": f"{api_base_url}{address}"} if is_path else body


def read_media_offer(conversation_id: str | None, recording_id: str, body: object) -> MediaOffer:
    """Return the offer from either shape; an empty body is "not ready".

    Raises:
        Malformed: when the body is no object.
    """
    answer = object_of({} if body is None else body)
    size = count_of(answer.get("size") or answer.get("outputSizeInBytes"))
    files, are_several = _files(answer)
    return MediaOffer(
        conversation_id=id_of(answer.get("conversationId")) or conversation_id,
        recording_id=recording_id,
        urls=tuple(files.values()),
        keys=tuple(files) if are_several else (),
        content_type=text_of(answer.get("format")),
        size_bytes=size or None,
        file_state=text_of(answer.get("fileState")),
        ready_in_milliseconds=count_of(answer.get("estimatedTranscodeTimeMs")) or None,
    )


def _files(answer: dict[str, object]) -> tuple[dict[str, PresignedUrl], bool]:
    """Return the readable URLs by the source's key, and whether they are several files: where there is none merged."""
    media = answer.get("mediaUris")
    entries: dict[str, object] = {}
    if answer.get("downloadUrl"):
        entries = {MERGED: answer["downloadUrl"]}
    elif isinstance(media, dict):
        entries = {str(key): entry.get("mediaUri") for key, entry in media.items() if isinstance(entry, dict)}
    files = {key[:KEY_LENGTH]: url for key in sorted(entries) if (url := readable_url(entries[key])) is not None}
    if MERGED in files:
        return {MERGED: files[MERGED]}, False
    return files, len(entries) > 1
