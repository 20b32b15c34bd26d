"""A journey: switch the organisation, run days, and look at what Airflow and the bucket have to say."""

from __future__ import annotations

import time
from dataclasses import dataclass

from demo.airflow import COMPONENTS, airflow_command
from demo.options import AUDIT_DAG, DAILY_DAG, EXPORT_DAG, SINGLE_DAG
from demo.processes import Component
from tests.journeys.bucket import Bucket

RUN_SECONDS = 240
BACK_SECONDS = 90


@dataclass(frozen=True)
class Run:
    """A finished run: its state, its tasks, and the client to ask more."""

    run_id: str
    state: str
    tasks: list
    api: object

    def states(self):
        """Return the states of each task, mapped instances together."""
        found = {}
        for task in self.tasks:
            found.setdefault(task["task_id"].removeprefix("export_shard."), set()).add(task["state"])
        return found

    def task(self, task_id, map_index=-1):
        """Return one task instance."""
        (found,) = [task for task in self.tasks if (task["task_id"], task["map_index"]) == (task_id, map_index)]
        return found

    def log(self, task_id, map_index=-1):
        """Return the messages of a task's last try as one text."""
        return "\n".join(self.api.task_log(self.task(task_id, map_index)))

    def xcoms(self):
        """Return every XCom of the run: (task, map index, key) to value."""
        entries = self.api.get(
            f"/dags/{self.tasks[0]['dag_id']}/dagRuns/{self.run_id}/taskInstances/~/xcomEntries", limit=100
        )["xcom_entries"]
        return {(one["task_id"], one["map_index"], one["key"]): self._xcom(one) for one in entries}

    def _xcom(self, entry):
        task = f"{self.tasks[0]['dag_id']}/dagRuns/{self.run_id}/taskInstances/{entry['task_id']}"
        path = f"/dags/{task}/xcomEntries/{entry['key']}"
        return self.api.get(path, map_index=entry["map_index"], deserialize="true")["value"]


class Journey:
    """A running stack, the organisations, and the bucket."""

    def __init__(self, stack, organisations):
        self.stack, self.organisations = stack, organisations
        self.api = stack.airflow
        self.bucket = Bucket(stack.lake, stack.lake_prefix)
        self._connected = False

    def to(self, name):
        """Point the connection ``genesys_cloud`` to an organisation and return its sandbox."""
        body = self.organisations.connection(name)
        if self._connected:
            self.api.send("PATCH", "/connections/genesys_cloud", json=body)
        else:
            self.api.send("POST", "/connections", json=body)
        self._connected = True
        return self.organisations[name]

    def start(self, **conf):
        """Trigger the daily DAG and return the run's id."""
        return self.api.trigger(DAILY_DAG, conf)

    def finish(self, run_id, meanwhile=None):
        """Wait for a run, watching the components, and return what became of it."""
        state = self.api.wait_for_run(DAILY_DAG, run_id, seconds=RUN_SECONDS, meanwhile=meanwhile or self.stack.check)
        return Run(run_id, state, self.api.task_instances(DAILY_DAG, run_id), self.api)

    def run(self, meanwhile=None, **conf):
        """Trigger a run and wait for it."""
        run_id = self.start(**conf)
        return self.finish(run_id, (lambda: meanwhile(run_id)) if meanwhile else None)

    def audit(self, **conf):
        """Trigger the audit, wait for it, and return what became of it."""
        return self._other(AUDIT_DAG, conf)

    def single(self, **conf):
        """Trigger the DAG of one recording, wait for it, and return what became of it."""
        return self._other(SINGLE_DAG, conf)

    def ingest(self, **conf):
        """Trigger the ingest of the native export, wait for it, and return what became of it."""
        return self._other(EXPORT_DAG, conf)

    def _other(self, dag_id, conf):
        run_id = self.api.trigger(dag_id, conf)
        state = self.api.wait_for_run(dag_id, run_id, seconds=RUN_SECONDS, meanwhile=self.stack.check)
        return Run(run_id, state, self.api.task_instances(dag_id, run_id), self.api)

    def clear(self, run, task_id, map_index, *, downstream):
        """Clear one mapped task instance, as the button in the UI does, and wait for the run again."""
        body = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": run.run_id,
            "task_ids": [[task_id, map_index]],
            "include_downstream": downstream,
        }
        cleared = self.api.send("POST", f"/dags/{DAILY_DAG}/clearTaskInstances", json=body).json()
        return [task["task_id"] for task in cleared["task_instances"]], self.finish(run.run_id)

    def restart(self, name, **environment):
        """Start a component again that has been stopped or killed; arguments are added to its environment."""
        self.stack.supervisor.forget(name)
        self.stack.supervisor.start(
            Component(
                name=name,
                command=[airflow_command(), *COMPONENTS[name]],
                log=self.stack.logs / f"{name}.log",
                environment={**self.stack.environment, **environment},
            )
        )

    def wait_until_healthy(self):
        """Wait until every component has sent a heartbeat lately."""
        self.wait(lambda: not self.api.unhealthy(), BACK_SECONDS)

    def wait(self, ready, seconds):
        """Wait until a condition holds, watching the components."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.stack.check()
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.2)
