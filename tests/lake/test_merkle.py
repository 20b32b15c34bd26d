"""The Merkle tree: the values of RFC 6962's reference code, and nothing can be passed off as something else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.merkle import inclusion_proof, is_included, item_leaves, merkle_root
from include.outcome import ItemRecord, Outcome

REFERENCE_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""merkle tree test vectors of github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc."""


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_reference(count):
    """Whoever has any tool for RFC 6962 gets the same root."""
    assert REFERENCE_ROOTS[count - 1] == merkle_root(REFERENCE_LEAVES[:count])


def test_empty_day_has_the_root_of_nothing():
    """RFC 6962, 2.1: the hash of an empty list is the hash of an empty string."""
    assert hashlib.sha256(b"").hexdigest() == merkle_root([])


def test_node_cannot_be_shown_as_a_leaf():
    """The two hashes of a node are not a leaf with the same hash."""
    leaves = [b"a", b"b"]
    node = b"".join(hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves)
    assert merkle_root(leaves) != merkle_root([node])


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_is_proved_and_no_other(leaves, data):
    """The proof holds for its leaf at its place and in its tree, and for nothing else."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = inclusion_proof(leaves, index), merkle_root(leaves)
    assert is_included(leaves[index], index, len(leaves), proof, root)
    assert not is_included(leaves[index] + b"x", index, len(leaves), proof, root)
    assert not is_included(leaves[index], index, len(leaves), [*proof, root], root)
    assert not is_included(leaves[index], index, len(leaves), proof, "0" * 64)
    assert not is_included(leaves[index], len(leaves), len(leaves), proof, root)


@pytest.mark.parametrize("index", [-1, 2])
def test_leaf_that_is_not_there_has_no_proof(index):
    """Nor does Python's counting from the end make one."""
    with pytest.raises(IndexError):
        inclusion_proof([b"a", b"b"], index)


def test_leaf_is_the_items_own_line_in_the_manifest():
    """Sorted keys, no space, no newline: what a reader cuts out of the document, in the order of the bytes."""
    second, first = ItemRecord("b", "r", 0, Outcome.ARCHIVED), ItemRecord("a", "", 0, Outcome.NO_RECORDING)
    assert [
        b'{"conversation_id":"a","outcome":"no_recording","part":0,"recording_id":""}',
        b'{"conversation_id":"b","outcome":"archived","part":0,"recording_id":"r"}',
    ] == item_leaves([second, first])
