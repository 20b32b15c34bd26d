"""The copies of a day against the report of copies: what stands below ``derived/`` is in no manifest.

What the report names must stand there, byte for byte. What it does not name (an older report, a run that died before
it) is judged by itself: a copy has a document, a document its copy, and each speaks of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind, Recorded
from include.canonical import canonical_json, read_document
from include.errors import LakeUnavailable
from include.lake import layout
from include.lake.key_reading import DerivedKey, named_digest
from include.transfer.copy_sums import ASKED_AT_ONCE, REPORT, copies_in, document_key
from include.transfer.derivative_document import MADE_SCHEMA
from include.transfer.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.lake.store import LakeStore
    from include.transfer.verify_evidence import DayEvidence


def record_copies(lake: LakeStore, evidence: DayEvidence) -> None:
    """Record what the day's report of copies says must stand there: copies, their documents, and failures.

    Raises:
        NotAuthorised, ConfigurationError: as the lake raises them.
    """
    report = layout.report_key(evidence.date, REPORT)
    try:
        body = lake.read(report)
        named = copies_in(body) if body is not None else {}
    except LakeUnavailable as error:
        evidence.found(FindingKind.UNREADABLE, report, str(error))
        return
    except ValueError:
        evidence.found(FindingKind.ALTERED, report, "it is no report of copies")
        return
    for key, sha256 in named.items():
        copy = DerivedKey.parse(key)
        if copy is None or (copy.identity.org, copy.identity.date) != (evidence.org, evidence.date):
            evidence.found(FindingKind.ALTERED, report, f"it names {key[:512]!r}, which is no copy of its day")
        elif not evidence.is_erased(key):
            evidence.names(key, report)
            if sha256:
                document = document_key(copy)
                evidence.recorded[document] = Recorded(document, sha256, report)


class UnnamedCopies:
    """Copies and documents that no report names, gathered while the day is listed."""

    def __init__(self) -> None:
        self._sounds: dict[str, tuple[str, bool]] = {}
        self._documents: set[str] = set()

    def saw(self, key: str, *, is_old: bool) -> None:
        """Take note of an object that nothing names; of others than copies and their documents nothing is kept.

        ``is_old`` is what cannot be between a copy and its document, which a run puts one after the other.
        """
        copy = DerivedKey.parse(key)
        if copy is None or copy.extension == layout.FAILURE_EXTENSION:
            return
        if copy.extension == layout.METADATA_EXTENSION:
            self._documents.add(key)
        else:
            self._sounds[document_key(copy)] = (key, is_old)

    def findings(self, lake: LakeStore) -> list[Finding]:
        """Return what is wrong with them; each document is read.

        Raises:
            NotAuthorised, ConfigurationError: as the lake raises them.
        """
        lonely = [
            Finding(FindingKind.MISSING, document, f"{sound} stands there, and not the document beside it")
            for document, (sound, is_old) in self._sounds.items()
            if is_old and document not in self._documents
        ]
        return lonely + list(_judged(lake, self._documents, {key: item[0] for key, item in self._sounds.items()}))


def _judged(lake: LakeStore, documents: Iterable[str], sounds: dict[str, str]) -> Iterable[Finding]:
    def wrong(key: str) -> Finding | None:
        if key not in sounds:
            what = "nothing stands there that should be beside its document"
            return Finding(FindingKind.MISSING, f"{key.removesuffix(layout.METADATA_EXTENSION)}*", what)
        try:
            body = lake.read(key) or b""
        except LakeUnavailable as error:
            return Finding(FindingKind.UNREADABLE, key, str(error))
        return None if speaks_of(body, sounds[key]) else Finding(FindingKind.ALTERED, key, f"not that of {sounds[key]}")

    return [found for found in side_by_side(wrong, sorted(documents), threads=ASKED_AT_ONCE, name="copies") if found]


def speaks_of(body: bytes, sound: str) -> bool:
    """Whether these are the bytes of a document of ours, and of this copy and its source."""
    copy = DerivedKey.parse(sound)
    if copy is None:
        return False
    try:
        document = read_document(body)
        said = {name: document[name] for name in ("org", "date", "conversation_id", "recording_id", "part")}
        source, media = document["derived_from"], document["media"]
        is_canonical = (document["schema"], canonical_json(document)) == (MADE_SCHEMA, body)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    if not (isinstance(source, dict) and isinstance(media, dict)):
        return False
    identity = copy.identity
    return is_canonical and (
        tuple(said.values()), source.get("sha256"), named_digest(str(source.get("key"))),
        media.get("key"), media.get("sha256"),
    ) == (
        (identity.org, identity.date, identity.conversation_id, identity.recording_id, identity.part),
        copy.source_sha256, copy.source_sha256, sound, copy.sha256,
    )  # fmt: skip
