"""Deterministic chance: the same key gives the same ids and the same draws, in any process and any order."""

from __future__ import annotations

import random
from hashlib import blake2b


def dice_for(*key: object) -> random.Random:
    """Return a generator that belongs to this key alone."""
    digest = blake2b("|".join(map(str, key)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - repeatable play, not cryptography


def happens(dice: random.Random, share: float) -> bool:
    """Draw once; true in that share of cases."""
    return dice.random() < share


def uuid_for(*key: object) -> str:
    """Return the version-4-shaped UUID of this key."""
    digest = bytearray(blake2b("|".join(map(str, key)).encode(), digest_size=16).digest())
    digest[6] = (digest[6] & 0x0F) | 0x40
    digest[8] = (digest[8] & 0x3F) | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def deck(weights: dict[str, int], size: int, *key: object) -> list[str]:
    """Deal ``size`` cards in proportion to the weights, shuffled; every card at least once when there is room.

    A quota rather than independent draws: a day of 60 conversations must still hold each rare case.
    """
    total = sum(weights.values())
    if size < len(weights):
        ranked = sorted(weights, key=lambda name: -weights[name])
        counts = dict.fromkeys(ranked, 0)
        for position in range(size):
            counts[ranked[position // 2 if position % 2 else 0]] += 1
    else:
        counts = {name: max(1, size * weight // total) for name, weight in weights.items()}
        biggest = max(counts, key=lambda name: weights[name])
        counts[biggest] += size - sum(counts.values())
        while counts[biggest] < 1:
            donor = max(counts, key=lambda name: counts[name])
            counts[donor] -= 1
            counts[biggest] += 1
    cards = [name for name, count in counts.items() for _ in range(count)]
    dice_for("deck", *key).shuffle(cards)
    return cards
