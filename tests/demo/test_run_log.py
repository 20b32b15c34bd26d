"""Of Airflow's log a person sees the steps, our sentences and the cause; the rest is in the file."""

from __future__ import annotations

from demo.run_log import RunLog

AT = "2026-11-22T22:15:10.031655Z"
OURS = "airflow.task.operators.genesys_archive.operators.plan_day.PlanDayOperator"
STEP = f"{AT} [info     ] [DAG TEST] starting task_id=plan_day map_index=-1 [airflow.sdk.definitions.dag] loc=dag.py:1"
TRACE = [
    f"{AT} [error    ] Task failed with exception     [task] loc=task_runner.py:1676",
    "Traceback (most recent call last):",
    '  File "day.py", line 1, in plan',
    "urllib3.exceptions.NewConnectionError: no",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    "include.errors.LakeUnavailable: The lake does not answer.",
]


def shown(log, lines):
    """Return what a person sees of these lines."""
    return [line for line in map(log.read, lines) if line is not None]


def test_steps_and_our_sentences_are_shown():
    """Airflow's own lines are not, nor one line for each recording."""
    log = RunLog()
    lines = [
        STEP,
        f"{AT} [info     ] Pushing xcom                   [task] loc=task_runner.py:2280",
        f"{AT} [info     ] 33 conversations expected. [{OURS}] loc=plan_day.py:80",
        f"{AT} [info     ] recording_id=r part=0 outcome=archived bytes=1 [include.transfer.keep] loc=keep.py:72",
    ]
    assert (["== plan_day", "   33 conversations expected."], 1) == (shown(log, lines), log.recordings)


def test_the_last_exception_of_a_chain_is_the_cause():
    """What the task failed of is named with its task, and a later try that starts forgets it."""
    log = RunLog()
    shown(log, [STEP, *TRACE])
    causes = dict(log.causes)
    shown(log, [STEP])
    assert ({"plan_day": "LakeUnavailable: The lake does not answer."}, {}) == (causes, log.causes)


def test_a_wait_for_the_next_try_is_said_once():
    """Airflow says it every second."""
    log = RunLog()
    waiting = (
        f"{AT} [warning  ] No tasks to run. unrunnable tasks: {{<TaskInstance: d.plan_day [up_for_retry]>}} [airflow]"
    )
    assert 1 == len(shown(log, [STEP, waiting, waiting, waiting])) - 1
