"""Every key, spelt once: two things never share one, each reads back, and hostile text gets into none."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from include.errors import IntegrityError
from include.lake import layout
from include.lake.key_reading import DerivedKey, MediaKey
from include.lake.layout import MediaIdentity

DIGEST = "ab" * 32
A = "aaaaaaaa-1111-4111-8111-111111111111"
B = "22222222-2222-4222-8222-222222222222"

WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
DATES = st.dates().map(str)
UUIDS = st.uuids().map(str)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
EXTENSIONS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=16)
IDENTITIES = st.builds(MediaIdentity, WORDS, DATES, UUIDS, UUIDS, st.integers(0, 10**6))
HOSTILE = [
    "",
    "..",
    "../../commits",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "a\0",
    "a=b",
    "ä",
    "\u0661",
    "x" * 65,
    f"{A}\n",
    f" {A}",
    f"{{{A}}}",
    f"urn:uuid:{A}",
]
OTHER_SPELLINGS = [A.upper(), A.replace("-", "")]
"""No ids, but harmless as words."""


@given(IDENTITIES, DIGESTS, EXTENSIONS)
def test_media_key_parses_back(identity, sha256, extension):
    """What a key was built from is what is read out of it."""
    assert MediaKey(identity, sha256, extension) == MediaKey.parse(layout.media_key(identity, sha256, extension))


@given(IDENTITIES, DIGESTS)
def test_metadata_key_parses_back(identity, sha256):
    """The second object of a part is known by its extension."""
    key = layout.metadata_key(identity, sha256)
    assert MediaKey(identity, sha256, layout.METADATA_EXTENSION) == MediaKey.parse(key)


@given(IDENTITIES, DIGESTS, st.sampled_from(["wav-original", "wav-mono", "mp3-mono"]), DIGESTS, EXTENSIONS)
def test_derived_keys_parse_back(identity, source, rendition, sha256, extension):
    """The derivative, its document and the word of a failure name their source, and are never read as originals."""
    words = (identity, source, rendition, sha256)
    spelt = {
        layout.derived_key(*words, extension): extension,
        layout.derived_metadata_key(*words): layout.METADATA_EXTENSION,
        layout.derived_failure_key(*words): layout.FAILURE_EXTENSION,
    }
    assert [DerivedKey(*words, end) for end in spelt.values()] == [DerivedKey.parse(key) for key in spelt]
    assert {None} == {MediaKey.parse(key) for key in spelt}
    folder = layout.derived_conversation_prefix(identity.org, identity.date, identity.conversation_id)
    assert all(key.startswith(folder) for key in spelt)


@pytest.mark.parametrize("text", HOSTILE)
def test_derived_keys_hold_no_hostile_text(text):
    """Neither as an id nor as the word for the rendition."""
    identity = MediaIdentity("org", "2026-01-05", A, B, 0)
    with pytest.raises(IntegrityError):
        layout.derived_key(identity, DIGEST, text, DIGEST, "wav")
    with pytest.raises(IntegrityError):
        layout.derived_prefix(replace(identity, recording_id=text), DIGEST)
    good = layout.derived_key(identity, DIGEST, "mp3-mono", DIGEST, "mp3")
    assert DerivedKey.parse(good.replace("mp3-mono", text)) is None


@given(IDENTITIES, IDENTITIES, st.tuples(DIGESTS, EXTENSIONS), st.tuples(DIGESTS, EXTENSIONS))
def test_two_things_never_share_a_key(first, second, one, other):
    """Different identity, bytes or extension means a different key; audio and metadata never collide."""
    assume((first, one) != (second, other))
    assert layout.media_key(first, *one) != layout.media_key(second, *other)
    assert layout.media_key(first, *one) != layout.metadata_key(second, other[0])


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_between_the_parts_is_no_media_key(left, right):
    """A key that this module would not have spelt is not read as one of its own."""
    key = layout.media_key(MediaIdentity("org", "2026-01-05", A, B, 0), DIGEST, "wav")
    assume(left or right)
    assert MediaKey.parse(f"{left}{key}{right}") != MediaKey.parse(key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/0-", "/00-"),
        ("/0-", "/\u0660-"),
        ("/0-", "/-1-"),
        ("org=org", "org=o g"),
        ("org=org", "org="),
        ("2026-01-05", "yesterday"),
        ("2026-01-05", "\u0662026-01-05"),
        (A, A.replace("-", "")),
        (B, "unknown"),
        (DIGEST, DIGEST.upper()),
        (DIGEST, DIGEST[:-1]),
        (".wav", ".WAV"),
        (".wav", ".wav.json"),
        (".wav", ".wav\n"),
        ("media/", "media//"),
    ],
)
def test_key_of_another_spelling_is_none_of_ours(old, new):
    """What stands beside our keys by another hand is left alone, not half understood."""
    key = layout.media_key(MediaIdentity("org", "2026-01-05", A, B, 0), DIGEST, "wav")
    assert old in key
    assert MediaKey.parse(key.replace(old, new, 1)) is None


@pytest.mark.parametrize("text", HOSTILE + OTHER_SPELLINGS, ids=ascii)
def test_hostile_id_gets_into_no_key(text):
    """An id that is not the one spelling of a UUID is refused before any request is made of it."""
    for make in (
        lambda: layout.conversation_prefix("org", "2026-01-05", text),
        lambda: layout.media_key(MediaIdentity("org", "2026-01-05", text, B, 0), DIGEST, "wav"),
        lambda: layout.media_key(MediaIdentity("org", "2026-01-05", A, text, 0), DIGEST, "wav"),
        lambda: layout.metadata_key(MediaIdentity("org", "2026-01-05", A, text, 0), DIGEST),
    ):
        with pytest.raises(IntegrityError):
            make()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_word_gets_into_no_key(text):
    """Nor does an organisation, a reason or an extension that could leave its folder."""
    good = MediaIdentity("org", "2026-01-05", A, B, 0)
    for make in (
        lambda: layout.media_day_prefix(text, "2026-01-05"),
        lambda: layout.media_key(good, DIGEST, text),
        lambda: layout.quarantine_key("2026-01-05", text, good, DIGEST, "wav"),
        lambda: layout.quarantine_key("2026-01-05", "reason", good, DIGEST, text),
    ):
        with pytest.raises(IntegrityError):
            make()


@given(st.text())
def test_any_text_but_a_canonical_uuid_is_no_id(text):
    """Whatever the source calls an id, only the one spelling of a UUID is taken."""
    assert not layout.is_uuid(text)


@given(st.uuids())
def test_canonical_uuid_is_an_id(value):
    """Hyphens, small letters: the spelling Genesys uses."""
    assert layout.is_uuid(str(value))


@pytest.mark.parametrize("value", [None, 5, b"x", A.upper()], ids=repr)
def test_other_values_are_no_ids(value):
    """JSON may hold anything where an id is expected."""
    assert not layout.is_uuid(value)


def test_quarantine_takes_what_has_no_ids():
    """A bundle that must not be opened belongs to no conversation yet, and is kept all the same."""
    key = layout.quarantine_key("2026-01-05", "zip_bomb", MediaIdentity("org", "2026-01-05", "", "", 0), DIGEST, "zip")
    assert f"quarantine/date=2026-01-05/reason=zip_bomb/conversation=unknown/recording=unknown/{DIGEST}.zip" == key


@given(st.lists(st.uuids().map(str), unique=True))
def test_shard_is_named_by_its_ids_whatever_their_order(ids):
    """Planning twice gives the same shards the same names."""
    assert layout.shard_digest(ids) == layout.shard_digest(reversed(ids))


@given(st.sets(st.uuids().map(str)), st.sets(st.uuids().map(str)))
def test_other_ids_are_another_shard(first, second):
    """No two shards share a name."""
    assert (first == second) == (layout.shard_digest(first) == layout.shard_digest(second))


def test_commit_keys_sort_as_their_numbers():
    """The highest key is the highest version, up to the eighth digit."""
    keys = [layout.commit_key("2026-01-05", number) for number in (1, 2, 10, 999, 12_345_678)]
    assert sorted(keys) == keys


def test_documents_of_a_day_stand_below_their_prefixes():
    """What is listed is what is written."""
    day = "2026-01-05"
    assert layout.shard_plan_key(day, DIGEST).startswith(layout.shard_plan_prefix(day))
    assert layout.manifest_key(day, DIGEST, DIGEST).startswith(layout.manifest_prefix(day))
    assert layout.commit_key(day, 1).startswith(layout.commit_prefix(day))
    assert not layout.day_plan_key(day, DIGEST).startswith(layout.shard_plan_prefix(day))
    assert f"reports/date={day}/report.md" == layout.report_key(day, "report.md")
