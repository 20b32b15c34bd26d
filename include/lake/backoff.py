"""How long to wait before the bucket is asked again: exponential with full jitter, and not for ever."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Backoff:
    """``attempts`` in all, the first included. Waits are drawn from 0 to a ceiling that doubles up to ``cap_seconds``.

    Full jitter keeps a hundred tasks, slowed down by S3 in the same second, from coming back in the same second
    (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """

    attempts: int = 5
    base_seconds: float = 0.25
    cap_seconds: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[float, float], float] = random.uniform

    def wait(self, failures: int) -> None:
        """Wait as is fitting after so many failures in a row."""
        self.sleep(self.draw(0.0, self.ceiling_seconds(failures)))

    def ceiling_seconds(self, failures: int) -> float:
        """Return the longest wait after so many failures.

        >>> [Backoff().ceiling_seconds(failures) for failures in (1, 2, 3, 20, 5000)]
        [0.25, 0.5, 1.0, 20.0, 20.0]
        """
        return min(self.cap_seconds, self.base_seconds * 2.0 ** min(failures - 1, 64))
