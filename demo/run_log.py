"""What a person wants to see of ``airflow dags test``: its log says everything, three hundred lines a minute."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

_STEP = re.compile(r"\[DAG TEST\] starting task_id=(?P<task>\S+) map_index=(?P<index>-?\d+)")
_ENTRY = re.compile(r"\d{4}-\d\d-\d\dT\S+ \[\w+ *\] (?P<text>.*)")
_OURS = re.compile(r" +\[(?:airflow\.task\.operators\.)?(?:genesys_archive|include)\.[\w.]+\]")
_PER_RECORDING = re.compile(r"recording_id=\S+ part=")
_RAISED = re.compile(r"(?:[\w]+\.)*(?P<name>[A-Z]\w+): (?P<message>.+)")
_WILL_RETRY = "up_for_retry"
CAUSES_KEPT = 8


@dataclass
class RunLog:
    """Reads the log line by line. ``causes`` has what the tasks failed of, by task, the last try's word."""

    task: str = ""
    causes: dict[str, str] = field(default_factory=dict)
    recordings: int = 0
    _in_trace: bool = False
    _waits_for: str = ""
    _tail: deque[str] = field(default_factory=lambda: deque(maxlen=CAUSES_KEPT))

    def read(self, line: str) -> str | None:
        """Return what to show for a line of the log, ``None`` for nothing."""
        self._tail.append(line)
        step = _STEP.search(line)
        if step:
            self.task = step["task"] + (f"[{step['index']}]" if step["index"] != "-1" else "")
            self._waits_for = ""
            self.causes.pop(self.task, None)
            return f"== {self.task}"
        if line.startswith("Traceback "):
            self._in_trace = True
            return None
        entry = _ENTRY.match(line)
        if entry is None:
            return self._raised(line)
        self._in_trace = False
        return self._said(entry, line)

    def tail(self) -> str:
        """Return the last lines as they came, for an end that no task explains."""
        return "\n".join(f"    {line}" for line in self._tail)

    def _said(self, entry: re.Match[str], line: str) -> str | None:
        if _WILL_RETRY in line and self._waits_for != self.task:
            self._waits_for = self.task
            return "   will be tried again in some minutes; Ctrl-C stops here, and what is archived stays so"
        ours = _OURS.search(entry["text"])
        if ours is None:
            return None
        text = entry["text"][: ours.start()]
        if _PER_RECORDING.match(text):
            self.recordings += 1
            return None
        return f"   {text}"

    def _raised(self, line: str) -> str | None:
        raised = _RAISED.match(line) if self._in_trace else None
        if raised is None:
            return None
        # A chain of exceptions ends with the one that the task failed of.
        self.causes[self.task] = f"{raised['name']}: {raised['message']}"
        return f"   FAILED: {self.causes[self.task]}"
