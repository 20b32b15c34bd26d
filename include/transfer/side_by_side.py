"""The same work on many things, several at a time; the first trouble stops what has not begun."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def go_on() -> None:
    """Stop nothing."""


def side_by_side(
    work: Callable[[Thing], Result],
    things: Iterable[Thing],
    *,
    threads: int,
    name: str,
    stop: Callable[[], None] = go_on,
) -> list[Result]:
    """Return what ``work`` makes of each thing, in their order.

    Where it raises for one of them, nothing more is begun; what was begun ends first. Where this thread itself is
    interrupted (Airflow's ``execution_timeout``, Ctrl-C), ``stop`` is called to let it end soon.

    Raises:
        Exception: what ``work`` raised; of several, that for the thing which stands first.
    """
    troubled = threading.Event()

    def begin(thing: Thing) -> Result:
        # Asked here: until the caller's thread has been woken by the first trouble, many small things can be begun.
        if troubled.is_set():
            return cast("Result", None)  # nobody sees it: the trouble is raised
        try:
            return work(thing)
        except BaseException:
            troubled.set()
            raise

    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        futures: list[Future[Result]] = []
        try:
            futures.extend(pool.submit(begin, thing) for thing in things)
            # Not one result after the other: this thread would be woken by each, and ask for the interpreter, which
            # costs 8 % of the speed of small downloads (measured).
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures if future in done]
        except BaseException as error:
            troubled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):
                stop()
            raise
