"""What a day's own documents say must stand in the bucket, and where they contradict each other.

Commits name plans and manifests, manifests name audio and metadata. What cannot be read is a finding, and the rest is
read on: an auditor wants all of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind, Recorded
from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.catalog import CatalogManifest
from include.lake.manifest import Manifest
from include.lake.merkle import item_leaves, merkle_root
from include.lake.plan import read_expected
from include.outcome import Outcome
from include.transfer.day_check import check_custody
from include.transfer.day_state import state_of
from include.transfer.verify_commits import read_commits
from include.transfer.verify_erased import Erased, facts_left, plan_in_place, read_erased, words_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.audit.signature import JournalKey
    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.outcome import ItemRecord

COUNTS = ("expected", "conversations", "recordings", "bytes", "complete")


@dataclass(slots=True)
class DayEvidence:
    """What the documents of a day record, by key, and what is wrong with them. ``org`` is empty where none says.

    ``called_erased`` are the conversations that a manifest calls erased, each with the tombstone that it names.
    """

    date: str
    org: str
    recorded: dict[str, Recorded] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    is_committed: bool = False
    day_plans: tuple[str, ...] = ()
    erasures: Erased = field(default_factory=Erased)
    called_erased: set[tuple[str, str]] = field(default_factory=set)

    def is_erased(self, key: str) -> bool:
        """Whether what stood under this key was erased: then nothing may stand there."""
        return key in self.erasures.keys or (
            key_reading.conversation_in(key) in self.erasures.erased and not key_reading.tells_of_erasure(key)
        )

    def found(self, kind: FindingKind, key: str, what: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, key, what))

    def names(self, key: str, said_by: str, sha256: str = "") -> None:
        """Record that a document stands under a key; its name is its digest where nothing better is known."""
        self.recorded.setdefault(key, Recorded(key, sha256 or key_reading.named_digest(key), said_by))


def read_evidence(lake: LakeStore, date: str, org: str, key: JournalKey | None = None) -> DayEvidence:
    """Read a day's documents. ``org`` is whose day it must be, empty where nobody says; ``key`` checks signatures.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list its objects.
    """
    commits, findings = read_commits(lake, date, org)
    head = commits[max(commits)] if commits else None
    evidence = DayEvidence(date, org or (head.org if head else ""), findings=findings, is_committed=bool(commits))
    evidence.day_plans = head.plans if head else ()
    # What an altered commit names was perhaps never there; the commits around it name the rest.
    doubted = {item.key for item in findings}
    trusted = [commit for commit in commits.values() if commit.key not in doubted]
    for commit in commits.values():
        evidence.names(commit.key, "the bytes that were read there", commit.sha256)
    for commit in trusted:
        segments = (segment.key for segment in commit.journal)
        for name in (*commit.plans, *commit.tombstones, *commit.manifests, *segments):
            evidence.names(name, commit.key)
    named: dict[str, set[str]] = {}
    for commit in trusted:
        for name in commit.tombstones:
            named.setdefault(name, set()).add(commit.key)
    evidence.erasures = read_erased(lake, evidence.org, date, named, key)
    evidence.findings += evidence.erasures.findings
    _read_manifests(lake, evidence, {name: age for commit in trusted for name, age in commit.manifests.items()})
    _check_elsewhere(lake, evidence, key)
    _check_report(lake, evidence, {commit.key for commit in commits.values()})
    _check_catalog(lake, evidence, {commit.key: commit for commit in trusted}, head)
    if head is not None:
        evidence.findings += check_custody(lake, date, commits, key).findings
        _check_counts(lake, evidence, head)
    return evidence


def _read_manifests(lake: LakeStore, evidence: DayEvidence, versions: Mapping[str, int]) -> None:
    manifests: list[tuple[int, int, str, Manifest]] = []
    for key, version in versions.items():
        try:
            manifest = Manifest.read(lake, key, evidence.org, evidence.date)
        except IntegrityError as error:
            evidence.found(FindingKind.ALTERED, key, str(error))
        except (ValueError, KeyError, TypeError) as error:
            evidence.found(FindingKind.ALTERED, key, f"it is no manifest that this version reads: {error!r}")
        except LakeUnavailable as error:
            evidence.found(FindingKind.UNREADABLE, key, str(error))
        else:
            manifests.append((manifest.base_version, version, key, manifest))
    # The newest word last: what was deleted and archived again is another version of the same object.
    for _, _, key, manifest in sorted(manifests, key=lambda entry: entry[:3]):
        plan = plan_in_place(evidence.erasures.replaced_plans, manifest.plan_key)
        if plan:
            evidence.names(plan, key)
        for item in manifest.items:
            _record(evidence, item, key)
            if item.outcome is Outcome.ERASED:
                evidence.called_erased.add((item.conversation_id, item.fact))


def _record(evidence: DayEvidence, item: ItemRecord, said_by: str) -> None:
    for key in (item.key, item.metadata_key):
        # What is here in spite of its tombstone is named when it is listed; what is gone must have gone with one.
        if key and evidence.is_erased(key) and key not in evidence.erasures.keys:
            evidence.recorded[key] = Recorded(key, "", f"{said_by}, and no tombstone of its conversation names it")
    if item.key and not evidence.is_erased(item.key):
        sha256 = item.sha256 or key_reading.named_digest(item.key)
        size = item.bytes if item.sha256 else None
        evidence.recorded[item.key] = Recorded(item.key, sha256, said_by, size, item.version_id)
    if item.metadata_key and not evidence.is_erased(item.metadata_key):
        evidence.recorded[item.metadata_key] = Recorded(item.metadata_key, item.metadata_sha256, said_by)


def _check_elsewhere(lake: LakeStore, evidence: DayEvidence, key: JournalKey | None) -> None:
    """Who is called erased and has no tombstone of this day must have been erased on another; no facts are left."""
    everyone = evidence.erasures.erased
    words = [(item, place) for item, place in evidence.called_erased if item not in everyone.here]
    evidence.findings += words_elsewhere(lake, evidence.org, words, key)
    if everyone.elsewhere:
        with suppress(IntegrityError, LakeUnavailable):  # of a plan, its own name says so
            plans = evidence.day_plans
            expected = {item for name in plans for item in read_expected(lake, name, evidence.org, evidence.date)}
            left = everyone.of(expected)
            evidence.findings += facts_left(lake, evidence.date, left) if left else []


def _check_counts(lake: LakeStore, evidence: DayEvidence, head: Commit) -> None:
    """Compute anew what the commit says of its day, where nothing else is wrong with it."""
    if evidence.findings:
        return
    try:
        state = state_of(lake, head)
    except (IntegrityError, LakeUnavailable, ValueError, KeyError, TypeError) as error:
        key = str(getattr(error, "facts", {}).get("key") or head.key)
        evidence.found(FindingKind.ALTERED, key, str(error))
        return
    said, true = head.summary, state.summary()
    wrong = [name for name in COUNTS if said.get(name) != true[name]]
    if wrong:
        evidence.found(FindingKind.CONTRADICTION, head.key, f"its {', '.join(wrong)} are not what its manifests say")
    items = [item for every in state.items.values() for item in every]
    if head.merkle_root and (head.items, head.merkle_root) != (len(items), merkle_root(item_leaves(items))):
        evidence.found(FindingKind.CONTRADICTION, head.key, "its Merkle root is not that of its day's items")


def _check_report(lake: LakeStore, evidence: DayEvidence, commits: set[str]) -> None:
    """A report names the commit it was made from: the one witness of a newest commit that somebody took away."""
    key = layout.report_key(evidence.date, "report.json")
    try:
        body = lake.read(key)
        named = str(json.loads(body)["commit"]) if body is not None else ""
    except (ValueError, KeyError, TypeError):
        evidence.found(FindingKind.ALTERED, key, "it is no report")
        return
    except LakeUnavailable as error:
        evidence.found(FindingKind.UNREADABLE, key, str(error))
        return
    if named and named not in commits and key_reading.commit_number(named):
        evidence.names(named, key)
    elif named and named not in commits:
        evidence.found(FindingKind.ALTERED, key, "it names no commit")


def _check_catalog(lake: LakeStore, evidence: DayEvidence, commits: Mapping[str, Commit], head: Commit | None) -> None:
    """The catalog is a cache; where there is one, it must be the one that its own manifest describes.

    One that was being built while somebody was erased may have been written after the erasure looked for the last time.
    """
    key = layout.catalog_manifest_key(evidence.date)
    if lake.head(key) is None:
        return
    try:
        manifest = CatalogManifest.read(lake, evidence.date)
    except LakeUnavailable as error:
        evidence.found(FindingKind.UNREADABLE, key, str(error))
        return
    if manifest is None or lake.read(key) != manifest.body():
        evidence.found(FindingKind.ALTERED, key, "it is no manifest of a catalog as it was written")
        return
    built_on = commits.get(manifest.commit_key)
    if built_on is not None and built_on.sha256 != manifest.commit_sha256:
        evidence.found(FindingKind.CONTRADICTION, key, f"{manifest.commit_key} has another SHA-256")
    partition = layout.catalog_key(evidence.date)
    evidence.recorded[partition] = Recorded(partition, manifest.sha256, key, manifest.size_bytes)
    if built_on is not None and head is not None and not set(head.tombstones) <= set(built_on.tombstones):
        what = f"built on {built_on.key}, before somebody was erased: build it anew, then erase once more"
        evidence.found(FindingKind.RESURRECTED, partition, what)
