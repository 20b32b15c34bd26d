"""The budget never goes below zero nor above its limit, and is whole again in the end."""

from __future__ import annotations

import multiprocessing
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Event, Lock
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from include.errors import ConfigurationError, QuotaExceeded
from include.lake.day_ledger import FILE_NAME, DayLedger
from include.lake.quota import UNLIMITED_BYTES, ByteBudget, HostSlots
from include.settings import ArchiveSettings, LakeLocation
from tests.limits import at_most

ZONE = ZoneInfo("Europe/Berlin")
LIMIT, DISK, FLOOR, MEMORY = 1000, 900, 100, 50


def budget(folder, limit=LIMIT, *, disk=DISK, memory=MEMORY):
    """Return a budget whose disk has ``disk`` bytes free."""
    return ByteBudget(DayLedger(folder, limit, ZONE), lambda: disk, free_bytes_min=FLOOR, memory_bytes=memory)


class Reservations(RuleBasedStateMachine):
    """Any order of reserving, growing, failing and releasing; the model is two sums."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.ledger = DayLedger(Path(self.folder.name), LIMIT, ZONE)
        self.budget = ByteBudget(self.ledger, lambda: DISK, free_bytes_min=FLOOR, memory_bytes=MEMORY)
        self.open = []
        self.kept = 0

    def teardown(self):
        """Everything that is released is free again."""
        for reservation in self.open:
            reservation.release(0)
        assert (0, self.kept) == (self.budget.on_disk, self.ledger.taken())
        self.folder.cleanup()

    @rule(bytes_=st.integers(0, 600))
    def reserve(self, bytes_):
        """Begin a file, if it fits."""
        reservation = self.budget.reservation()
        fits_day = self.ledger.taken() + bytes_ <= LIMIT
        fits_disk = bytes_ <= MEMORY or self.budget.on_disk + bytes_ <= DISK - FLOOR
        if fits_day and fits_disk:
            reservation.hold(bytes_)
            self.open.append(reservation)
        else:
            with pytest.raises(QuotaExceeded):
                reservation.hold(bytes_)
            assert 0 == reservation.held

    @precondition(lambda self: self.open)
    @rule(data=st.data(), total=st.integers(0, 600))
    def grow(self, data, total):
        """A file turns out larger; what does not fit changes nothing."""
        reservation = data.draw(st.sampled_from(self.open))
        before = reservation.held
        try:
            reservation.hold(total)
        except QuotaExceeded:
            assert before == reservation.held
        else:
            assert max(before, total) == reservation.held

    @precondition(lambda self: self.open)
    @rule(data=st.data(), arrived=st.floats(0, 1))
    def release(self, data, arrived):
        """A file is done; the day keeps what arrived."""
        reservation = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        used = int(reservation.held * arrived)
        reservation.release(used)
        reservation.release(used)
        self.kept += used

    @invariant()
    def within_limits(self):
        """Never negative, never above, and the sum of what is held."""
        assert 0 <= self.budget.on_disk <= DISK - FLOOR
        assert self.ledger.taken() == self.kept + sum(reservation.held for reservation in self.open) <= LIMIT


TestReservations = Reservations.TestCase
TestReservations.settings = hypothesis_settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("error", [QuotaExceeded, OSError, KeyboardInterrupt])
def test_room_is_given_back_whatever_ends_the_block(tmp_path, error):
    """An exception of any kind, an interrupt too, leaves no room taken."""
    held = budget(tmp_path)

    def fail():
        with held.reserve(500) as reservation:
            assert (500, 500) == (reservation.held, held.on_disk)
            raise error("x")

    with pytest.raises(error):
        fail()
    assert 0 == held.on_disk


def test_refusal_names_its_variable(tmp_path):
    """The person on call reads which number to change."""
    with pytest.raises(QuotaExceeded, match=r"RECORDING_ARCHIVE_DAY_BYTES_MAX: 1000 are left"):
        budget(tmp_path, disk=10**9).reservation().hold(LIMIT + 1)
    with pytest.raises(QuotaExceeded, match=r"RECORDING_ARCHIVE_DISK_FREE_BYTES_MIN leaves 800"):
        budget(tmp_path).reservation().hold(801)


def test_small_file_needs_no_disk(tmp_path):
    """It rests in memory; a full disk does not stop it."""
    with budget(tmp_path, disk=0).reserve(MEMORY) as reservation:
        assert MEMORY == reservation.held
    with pytest.raises(QuotaExceeded):
        budget(tmp_path, disk=0).reservation().hold(MEMORY + 1)


def test_refused_disk_gives_the_day_back(tmp_path):
    """Both or neither: a file that does not fit on disk does not use up the day."""
    with pytest.raises(QuotaExceeded):
        budget(tmp_path, disk=0).reservation().hold(500)
    assert 0 == DayLedger(tmp_path, LIMIT, ZONE).taken()


def test_threads_never_take_more_than_there_is(tmp_path):
    """Twelve threads, room for ten of their files at a time, and for a hundred in all: exactly a hundred get in."""
    held, start, lock, got = budget(tmp_path, 1000, memory=0), Barrier(12), Lock(), []

    def run(_):
        start.wait(10)
        for _ in range(20):
            try:
                with held.reserve(10), lock:
                    got.append(10)
            except QuotaExceeded:
                continue

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(run, range(12)))
    assert (1000, 0, 1000) == (sum(got), held.on_disk, DayLedger(tmp_path, 1000, ZONE).taken())


def _take(folder, start, ends):
    ledger, taken = DayLedger(Path(folder), 3000, ZONE), 0
    start.wait(60)
    while True:
        try:
            ledger.take(1)
        except QuotaExceeded:
            break
        taken += 1
    ends.put(taken)


def test_processes_share_one_day(tmp_path):
    """Three workers of one machine together take what the day has, and not a byte more."""
    spawn = multiprocessing.get_context("spawn")
    start, ends = spawn.Barrier(3), spawn.Queue()
    workers = [spawn.Process(target=_take, args=(str(tmp_path), start, ends)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert 3000 == sum(ends.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(30)


def test_midnight_begins_a_new_day(tmp_path):
    """The organisation's midnight, not UTC's; what yesterday gives back is yesterday's."""
    now = [datetime(2026, 3, 2, 22, 59, tzinfo=UTC)]
    ledger = DayLedger(tmp_path, 10, ZONE, lambda: now[0])
    day = ledger.take(10)
    with pytest.raises(QuotaExceeded):
        ledger.take(1)
    now[0] = datetime(2026, 3, 2, 23, 1, tzinfo=UTC)
    assert ("2026-03-02", "2026-03-03") == (day, ledger.take(4))
    ledger.give_back(day, 10)
    assert 4 == ledger.taken()


@pytest.mark.parametrize(
    "content", [b"x", b"[]", b"{}", b'{"day": "2026-03-02"}', b'{"day": 1, "bytes": "x"}', b"\xff"]
)
def test_damaged_ledger_is_a_full_one(tmp_path, content):
    """Nobody knows what was taken; the limit holds."""
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(QuotaExceeded):
        DayLedger(tmp_path, LIMIT, ZONE).take(1)


def test_folder_that_cannot_be_used_is_named(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "state").write_text("x")
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_STATE_DIR"):
        DayLedger(tmp_path / "state", LIMIT, ZONE).take(1)


def test_full_disk_refuses_the_one_and_keeps_no_room(tmp_path):
    """D23: bytes that cannot be counted are not taken in; whatever could not be uncounted, the room is free again."""
    tight = budget(tmp_path)
    held = tight.reservation()
    held.hold(300)
    with at_most(resource.RLIMIT_FSIZE, 0):  # the system then says EFBIG, as it says ENOSPC of a disk
        with pytest.raises(QuotaExceeded, match="STATE_DIR cannot be written"):
            tight.reservation().hold(100)
        with pytest.raises(QuotaExceeded):
            held.release(0)
    assert 0 == tight.on_disk


def test_default_has_no_day_and_writes_nothing(tmp_path):
    """Without a limit nothing is counted, and no file is made."""
    chosen = ArchiveSettings(lake=LakeLocation("b"), state_dir=tmp_path / "state")
    assert UNLIMITED_BYTES == chosen.day_bytes_max
    with ByteBudget.of(chosen).reserve(10):
        assert not (tmp_path / "state").exists()


def test_settings_reach_the_budget(tmp_path):
    """The variables mean something: the day's limit, and the disk's floor."""
    chosen = ArchiveSettings(lake=LakeLocation("b"), state_dir=tmp_path, day_bytes_max=100, disk_free_bytes_min=1 << 60)
    with ByteBudget.of(chosen).reserve(100), pytest.raises(QuotaExceeded, match="DAY_BYTES_MAX"):
        ByteBudget.of(chosen).reservation().hold(1)
    large = ArchiveSettings(lake=LakeLocation("b"), state_dir=tmp_path, memory_bytes=1, disk_free_bytes_min=1 << 60)
    with pytest.raises(QuotaExceeded, match="DISK_FREE_BYTES_MIN"):
        ByteBudget.of(large).reservation().hold(2)


def test_host_has_so_many_slots_and_another_host_its_own():
    """The third connection waits until one of two ends; other hosts do not wait for this one."""
    slots, inside, go = HostSlots(2), [], Event()

    def hold(host):
        with slots.slot(host):
            inside.append(host)
            go.wait(10)

    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        stack.callback(go.set)
        running = [pool.submit(hold, "a") for _ in range(3)] + [pool.submit(hold, "b")]
        while len(inside) < 3:
            Event().wait(0.005)
        assert ["a", "a", "b"] == sorted(inside)
        go.set()
        for future in running:
            future.result(10)
    assert ["a", "a", "a", "b"] == sorted(inside)


def test_slot_is_free_again_after_an_error():
    """A connection that failed holds no place."""
    slots = HostSlots(1)
    for _ in range(3):
        with pytest.raises(OSError, match="x"), slots.slot("a"):
            raise OSError("x")
