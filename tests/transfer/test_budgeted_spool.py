"""A spool takes room before it takes bytes, and gives it back with its end."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from include.errors import QuotaExceeded
from include.lake.day_ledger import DayLedger
from include.lake.quota import ByteBudget
from include.transfer.budgeted_spool import BudgetedSpool
from include.transfer.recording_spool import BufferPool

LIMIT, MEMORY = 1000, 100


@pytest.fixture
def ledger(tmp_path):
    """A day of a thousand bytes."""
    return DayLedger(tmp_path, LIMIT, ZoneInfo("UTC"))


@pytest.fixture
def budget(ledger):
    """That day, and a disk with room for 900 bytes."""
    return ByteBudget(ledger, lambda: 900, free_bytes_min=0, memory_bytes=MEMORY)


@pytest.fixture
def new_spool(budget, tmp_path):
    """Return a maker of spools."""
    buffers = BufferPool(2, MEMORY)
    return lambda: BudgetedSpool(budget.reservation(), buffers, tmp_path / "work")


def fill(spool, position, length):
    """Write bytes as a download does."""
    spool.write_at(position, memoryview(bytes(length)))


def test_whole_file_is_reserved_before_its_first_byte(new_spool, ledger, budget):
    """The size that an answer tells is taken at once, and a second file that does not fit beside it is refused."""
    with new_spool() as spool, new_spool() as other:
        spool.expect(600, None)
        assert (600, 600) == (ledger.taken(), budget.on_disk)
        with pytest.raises(QuotaExceeded):
            other.expect(401, None)
        assert 600 == ledger.taken()


def test_file_of_unknown_size_is_stopped_where_the_budget_ends(new_spool, ledger):
    """It is counted as it comes, and what does not fit is not written."""
    with new_spool() as spool:
        fill(spool, 0, 800)
        with pytest.raises(QuotaExceeded):
            fill(spool, 800, 201)
        assert (800, 800) == (ledger.taken(), spool.seek(0, 2))


def test_memory_is_counted_too(new_spool, ledger, budget):
    """A small file costs the day, and no disk."""
    with new_spool() as spool:
        spool.place(0, 50)
        spool.placed(50)
        assert (50, 0) == (ledger.taken(), budget.on_disk)


def test_end_gives_the_disk_back_and_the_day_keeps_what_arrived(new_spool, ledger, budget):
    """Half of an expected file cost half of it; closing twice gives nothing back twice."""
    spool = new_spool()
    spool.expect(600, None)
    fill(spool, 0, 300)
    spool.close()
    spool.close()
    assert (300, 0) == (ledger.taken(), budget.on_disk)
