"""Looks at Airflow while a run waits: who holds a slot, and what stands in the database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from cryptography.fernet import Fernet

from demo.options import DAILY_DAG

WAITING = "export_shard.wait_for_batches"


@dataclass(frozen=True)
class Look:
    """One look at a run of which every unfinished task was deferred before and after the pools were read."""

    deferred: int
    running: int
    occupied: int
    triggers: tuple


class Watcher:
    """Called at each look of the wait for a run; keeps what it saw while nothing but waiting went on."""

    def __init__(self, journey, looks):
        self.journey, self.looks = journey, looks

    def __call__(self, run_id):
        """Look once."""
        self.journey.stack.check()
        before = self.waiting(run_id)
        pools = self.journey.api.get("/pools")["pools"]
        triggers = self.triggers()
        if before and before == self.waiting(run_id):
            running, occupied = (sum(pool[f"{name}_slots"] for pool in pools) for name in ("running", "occupied"))
            self.looks.append(Look(before, running, occupied, triggers))

    def waiting(self, run_id):
        """Return how many tasks are deferred; 0 where any other is on its way."""
        states = [task["state"] for task in self.journey.api.task_instances(DAILY_DAG, run_id)]
        on_their_way = {"running", "queued", "scheduled", "restarting", "up_for_retry"} & set(states)
        return 0 if on_their_way else states.count("deferred")

    def triggers(self):
        """Return the arguments of the triggers in the database, decrypted."""
        with closing(sqlite3.connect(self.journey.stack.airflow_home / "airflow.db", timeout=30)) as database:
            rows = database.execute("select kwargs from trigger").fetchall()
        fernet = Fernet(self.journey.stack.environment["AIRFLOW__CORE__FERNET_KEY"])
        return tuple(row if row.startswith("{") else fernet.decrypt(row.encode()).decode() for (row,) in rows)


def parsed(triggers):
    """Return triggers' stored arguments as plain values."""
    return [json.loads(one) for one in triggers]
