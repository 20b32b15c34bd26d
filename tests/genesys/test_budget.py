"""The allowance that all processes of a machine share."""

from __future__ import annotations

import json
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.genesys.budget import TRAVEL_SECONDS, WINDOW_SECONDS, RequestBudget, boot_id
from tests.genesys.grant_worker import ask_for_grants
from tests.genesys.virtual_time import VirtualTime

WINDOW = WINDOW_SECONDS + TRAVEL_SECONDS


def budget_at(path, time: VirtualTime, limit: int = 5, boot: str = "boot-1") -> RequestBudget:
    """Return a budget on virtual time."""
    return RequestBudget(path, limit, clock=time.clock, sleep=time.sleep, boot=boot)


def most_in_a_window(moments: list[float]) -> int:
    """Return the most grants in any minute."""
    return max(sum(1 for other in moments if start <= other < start + WINDOW_SECONDS) for start in moments)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.floats(0, 90), min_size=1, max_size=40), st.integers(1, 6))
def test_no_minute_ever_holds_more_than_the_limit(tmp_path_factory, gaps, limit):
    """Whatever the rhythm of asking, the sliding window is exact."""
    time = VirtualTime()
    budget = budget_at(tmp_path_factory.mktemp("budget") / "b", time, limit)
    granted = []
    for gap in gaps:
        time.now += gap
        budget.acquire()
        granted.append(time.now)
    assert most_in_a_window(granted) <= limit


def test_the_seconds_waited_are_returned(tmp_path, time):
    """The first grants are free; the next waits for the oldest to leave the window."""
    budget = budget_at(tmp_path / "b", time)
    assert [0.0] * 5 == [budget.acquire() for _ in range(5)]
    assert WINDOW == budget.acquire()
    assert [WINDOW] == time.slept


def test_processes_share_one_allowance(tmp_path):
    """Six processes asking at once get together what one may have; the rest is told to wait a minute or two."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=ask_for_grants, args=(tmp_path / "b", 30, 20, results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    answers = [answer for _ in workers for answer in results.get(timeout=60)]
    for worker in workers:
        worker.join(30)
    assert [0] * 6 == [worker.exitcode for worker in workers]
    assert 30 == sum(1 for _, wait in answers if wait == 0)
    assert 30 == most_in_a_window(sorted(at + wait for at, wait in answers))


def test_threads_share_one_allowance(tmp_path):
    """Eight threads of one process lose no grant to each other."""
    budget = RequestBudget(tmp_path / "b", 50, sleep=lambda _seconds: None)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _number: budget.acquire(), range(100)))
    assert (50, 50) == (sum(1 for wait in waits if wait == 0), sum(1 for wait in waits if wait > WINDOW_SECONDS - 5))


def test_a_reboot_begins_a_new_log(tmp_path, time):
    """Times of another boot mean nothing and are dropped: nobody waits for them."""
    first = budget_at(tmp_path / "b", time)
    for _ in range(5):
        first.acquire()
    first.pause(300)
    time.now = 3.0
    assert 0.0 == budget_at(tmp_path / "b", time, boot="boot-2").acquire()


def test_without_a_boot_id_a_clock_that_began_again_costs_one_minute(tmp_path, time):
    """Where the system names no boot, times far ahead are taken for damage."""
    time.now = 1_000_000.0
    budget_at(tmp_path / "b", time, boot="").acquire()
    time.now = 3.0
    assert budget_at(tmp_path / "b", time, boot="").acquire() <= WINDOW


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 50,
        b"{",
        b"[]",
        b"{}",
        b'{"boot":"boot-1","paused_until":0.0,"granted":[1]}',
        b'{"boot":"boot-1","paused_until":0.0,"granted":[5.0,1.0]}',
        b'{"boot":"boot-1","paused_until":NaN,"granted":[NaN]}',
        b'{"boot":"boot-1","paused_until":null,"granted":[]}',
        b'{"boot":"boot-1","paused_until":1e300,"granted":[]}',
        b'{"boot":"boot-1","paused_until":0.0,"granted":[1e300]}',
        b"\xff\xfe{}",
    ],
)
def test_a_damaged_file_costs_one_minute_and_heals(tmp_path, time, content):
    """Nobody knows what was granted, so the limit is kept, and the file is whole afterwards."""
    (tmp_path / "b").write_bytes(content)
    budget = budget_at(tmp_path / "b", time)
    assert WINDOW == budget.acquire()
    time.now += WINDOW
    assert 0.0 == budget.acquire()
    assert "boot-1" == json.loads((tmp_path / "b").read_bytes())["boot"]


def test_a_shorter_log_leaves_no_old_bytes_behind(tmp_path, time):
    """A lower limit shortens the file."""
    many = budget_at(tmp_path / "b", time, 50)
    for _ in range(50):
        many.acquire()
    budget_at(tmp_path / "b", time, 2).acquire()
    assert 2 == len(json.loads((tmp_path / "b").read_bytes())["granted"])


def test_a_pause_holds_everyone_back(tmp_path, time):
    """One 429 speaks to all processes of the token, for at most five minutes."""
    budget_at(tmp_path / "b", time).pause(12.0)
    assert 12.0 == budget_at(tmp_path / "b", time).acquire()
    budget_at(tmp_path / "b", time).pause(10.0**9)
    assert 300.0 == budget_at(tmp_path / "b", time).acquire()
    budget_at(tmp_path / "b", time).pause(-5.0)
    assert 0.0 == budget_at(tmp_path / "b", time).acquire()


def test_those_who_wait_are_served_in_order(tmp_path, time):
    """A grant already promised is never overtaken."""
    budget = budget_at(tmp_path / "b", time, 1)
    promised = []
    waiting = RequestBudget(tmp_path / "b", 1, clock=time.clock, sleep=promised.append, boot="boot-1")
    for _ in range(3):
        waiting.acquire()
    assert [WINDOW, 2 * WINDOW] == promised
    assert 3 * WINDOW == budget.acquire()


def test_the_file_is_private_and_names_nobody(tmp_path):
    """Mode 0600, and no client id in the name."""
    budget = RequestBudget.for_client(tmp_path / "state", "client-1", 300)
    budget.acquire()
    assert "client-1" not in budget.path.name
    assert 0o600 == stat.S_IMODE(budget.path.stat().st_mode)
    assert budget.path == RequestBudget.for_client(tmp_path / "state", "client-1", 300).path
    assert budget.path != RequestBudget.for_client(tmp_path / "state", "client-2", 300).path


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """The message says which setting to change."""
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_STATE_DIR"):
        RequestBudget(tmp_path / "state" / "b", 1).acquire()


def test_a_planted_link_is_not_followed(tmp_path):
    """Another user of /tmp cannot make us write elsewhere."""
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError):
        RequestBudget(tmp_path / "b", 1).acquire()
    assert "theirs" == (tmp_path / "elsewhere").read_text()


def test_this_machine_names_its_boot():
    """The boot id is the same for everyone until the next boot."""
    assert boot_id() == boot_id()


def test_a_machine_that_names_no_boot_has_an_empty_one(tmp_path):
    """Other systems have no such file."""
    assert "" == boot_id(tmp_path / "absent")
