"""A Merkle tree over a day's items, as RFC 6962 (Certificate Transparency), section 2.1, builds it; pure.

A leaf is the canonical JSON of one item as the day's manifests fold, without a newline at its end; leaves are sorted
by their bytes. ``0x00`` stands before a leaf and ``0x01`` before a node when they are hashed, so that no node can be
shown as a leaf. With a proof of inclusion, one recording is shown to belong to a day without disclosing the others.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from include.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from include.outcome import ItemRecord

_LEAF = b"\x00"
_NODE = b"\x01"


def item_leaves(items: Iterable[ItemRecord]) -> list[bytes]:
    """Return the leaves of these items in the order of the tree."""
    return sorted(canonical_json(item.to_json()).removesuffix(b"\n") for item in items)


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Return the tree's root in hexadecimal; that of no leaf is the SHA-256 of nothing.

    >>> merkle_root([])
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return _root([_leaf_hash(leaf) for leaf in leaves]).hex()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[str]:
    """Return the hashes that lead from the leaf to the root, nearest first (RFC 6962, 2.1.1, ``PATH``).

    Raises:
        IndexError: when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    return [item.hex() for item in _path([_leaf_hash(leaf) for leaf in leaves], index)]


def is_included(leaf: bytes, index: int, count: int, proof: Sequence[str], root: str) -> bool:
    """Whether the proof shows that the leaf is number ``index`` (from 0) of the ``count`` leaves below that root."""
    if not 0 <= index < count:
        return False
    value, sides = _leaf_hash(leaf), _sides(index, count)
    if len(sides) != len(proof):
        return False
    for sibling_is_left, sibling in zip(sides, map(bytes.fromhex, proof), strict=True):
        value = _node_hash(sibling, value) if sibling_is_left else _node_hash(value, sibling)
    return value.hex() == root


def _root(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    # Pairing neighbours level by level, an odd one carried up as it is, gives the RFC's tree without its recursion.
    while len(level) > 1:
        paired = [_node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def _path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    cut = _cut(len(hashes))
    if index < cut:
        return [*_path(hashes[:cut], index), _root(hashes[cut:])]
    return [*_path(hashes[cut:], index - cut), _root(hashes[:cut])]


def _sides(index: int, count: int) -> list[bool]:
    """Return for each hash of a proof whether it stands to the left, nearest first."""
    if count == 1:
        return []
    cut = _cut(count)
    return [*_sides(index, cut), False] if index < cut else [*_sides(index - cut, count - cut), True]


def _cut(count: int) -> int:
    """Return the greatest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
