"""One spelling for every document: equal facts, equal bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.canonical import canonical_json, read_document, sha256_hex

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(TEXT, VALUES, max_size=5)


def shuffled(value):
    """Return the same facts with every object's keys in reverse order of insertion."""
    if isinstance(value, dict):
        return {key: shuffled(inner) for key, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(DOCUMENTS)
def test_equal_facts_have_equal_bytes(document):
    """The order in which a worker learnt the facts does not show."""
    assert canonical_json(document) == canonical_json(shuffled(document))


@given(DOCUMENTS)
def test_document_is_read_back_as_it_was(document):
    """Nothing is lost or changed on the way, and writing it again gives the same bytes."""
    body = canonical_json(document)
    assert document == read_document(body)
    assert body == canonical_json(read_document(body))


def test_spelling_is_the_one_promised():
    """Sorted keys, no space, UTF-8 as it is, one newline at the end."""
    assert '{"a":["é",1,null],"b":true}\n'.encode() == canonical_json({"b": True, "a": ("é", 1, None)})


@pytest.mark.parametrize(
    "value",
    [1.5, 1.0, float("nan"), {"a": 0.1}, [[2.5]], {"a": ({"b": 1.0},)}, {1.5: "a"}, {1: "a"}, {True: "a"}, {None: 1}],
    ids=repr,
)
def test_what_has_no_single_spelling_is_refused(value):
    """Floats differ between languages; keys that are no text become text in silence."""
    with pytest.raises(TypeError):
        canonical_json({"facts": value})


def test_what_json_has_no_word_for_is_refused():
    """Bytes and sets are a mistake of ours, not something to spell somehow."""
    with pytest.raises(TypeError):
        canonical_json({"body": b"x"})


def test_lone_surrogate_does_not_sink_the_day():
    """A broken name at the source becomes a question mark; the document stays UTF-8 and readable."""
    assert {"name": "a?b"} == read_document(canonical_json({"name": "a\ud800b"}))


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b"\xff"], ids=repr)
def test_what_is_no_document_is_refused(body):
    """Only a JSON object is a document."""
    with pytest.raises(ValueError):  # noqa: PT011 - json's own subclasses have sentences of their own
        read_document(body)


def test_digest_is_sha256():
    """The digest is the one that ``sha256sum`` prints, so that an auditor needs no code of ours."""
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" == sha256_hex(b"abc")  # FIPS 180-4
