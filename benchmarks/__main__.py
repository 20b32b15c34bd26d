"""``make bench``: measure, print, and write ``docs/performance.md`` with its chart.

``make bench QUICK=1`` moves little, once, and only proves that everything works and every byte is right.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.clock import WrongResultError
from benchmarks.report import write_report
from benchmarks.sizes import FULL, QUICK
from benchmarks.story import Choice, DiskTooSmallError, run_benchmarks
from benchmarks.table import table
from demo.processes import ComponentError

PROJECT = Path(__file__).resolve().parent.parent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little and once; writes no document")
    parser.add_argument("--legs", default="", help="only what has one of these words in its name, comma between them")
    parser.add_argument("--repeats", type=int, default=0, help="rounds of each leg, instead of the usual number")
    parser.add_argument("--keep", action="store_true", help="leave the inputs in .bench/")
    parser.add_argument("--no-report", action="store_true", help="print only")
    return parser.parse_args()


def main() -> int:
    """Run; 1 where a result is wrong or something does not start. A bar that is not met is no error."""
    options = _arguments()
    words = tuple(word for word in options.legs.split(",") if word)
    sizes = QUICK if options.quick else FULL
    if options.repeats:
        sizes = replace(sizes, repeats=options.repeats, server_repeats=options.repeats)
    # Ended like an interrupted one: servers stopped, files gone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        results = run_benchmarks(PROJECT / ".bench", sizes, Choice(words), _say, keep=options.keep)
    except (WrongResultError, DiskTooSmallError, ComponentError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print()
    print(table(results.legs, results.limits))
    if not (options.quick or words or options.no_report):
        for path in write_report(PROJECT / "docs", results):
            print(f"written: {path}")
    return 0


def _say(text: str) -> None:
    print(f"bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
