"""How much is moved: the real measurement, and the one that only proves that everything works."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000
SERVER_CONTENDERS = 5


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes, counts and repeats of one run. GB and MB are powers of ten.

    ``job_conversations`` is how many a batch request holds at most, and with it a shard of a usual day.
    """

    big_bytes: int
    singles: int
    single_bytes: int
    job_conversations: int
    bundle_members: int
    bundle_conversations: int
    small_zip_bytes: int
    large_zip_bytes: int
    kills: int
    repeats: int
    server_repeats: int

    @property
    def warm_bytes(self) -> int:
        """How much memory every contender finds ready: what its files need, and some room."""
        return self.big_bytes * 6 // 5

    @property
    def disk_bytes(self) -> int:
        """What inputs, one copy of the outputs and the largest leg on SeaweedFS need; it frees nothing at once."""
        inputs = self.big_bytes + 3 * self.singles * self.single_bytes + self.large_zip_bytes
        return 2 * inputs + SERVER_CONTENDERS * self.server_repeats * self.big_bytes


FULL = Sizes(
    big_bytes=1000 * MB,
    singles=500,
    single_bytes=MB,
    job_conversations=100,
    bundle_members=500,
    bundle_conversations=100,
    small_zip_bytes=10 * MB,
    large_zip_bytes=4000 * MB,
    kills=10,
    repeats=5,
    server_repeats=5,
)
QUICK = Sizes(
    big_bytes=48 * MB,
    singles=24,
    single_bytes=MB,
    job_conversations=8,
    bundle_members=24,
    bundle_conversations=12,
    small_zip_bytes=10 * MB,
    large_zip_bytes=80 * MB,
    kills=2,
    repeats=1,
    server_repeats=1,
)
