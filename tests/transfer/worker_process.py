"""A worker that can be killed: one download in a process of its own, its outcome as JSON on standard output.

Run as ``python -m tests.transfer.worker_process '{"url": …, "state_dir": …}'``; other keys are settings, but for
``file_bytes_max``, the largest file that the process may write, and ``files_max``, how many it may have open.
"""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from include.errors import ArchiveError
from include.secret import PresignedUrl
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.download import MediaDownloader

KEY = "conversation/recording/0"


def main(order: dict) -> dict:
    """Do what was ordered and say what came of it."""
    urls, state_dir = order.pop("urls"), Path(order.pop("state_dir"))
    for name, limit in (("file_bytes_max", resource.RLIMIT_FSIZE), ("files_max", resource.RLIMIT_NOFILE)):
        if name in order:
            value = order.pop(name)
            resource.setrlimit(limit, (value, value))
    settings = ArchiveSettings(lake=LakeLocation("bucket"), state_dir=state_dir, **order)
    with MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader:

        def fetch(numbered: tuple[int, str]) -> dict:
            number, url = numbered
            try:
                with downloader.spool(KEY if number == 0 else f"{KEY}-{number}") as spool:
                    result = downloader.fetch(PresignedUrl(url), spool)
            except ArchiveError as error:
                return {"error": type(error).__name__, "message": str(error)}
            return {"sha256": result.sha256, "size": result.size, "resumed": result.resumed_bytes}

        with ThreadPoolExecutor(settings.concurrent_downloads) as pool:
            results = list(pool.map(fetch, enumerate(urls)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"results": results, "peak_bytes": peak * 1024}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
