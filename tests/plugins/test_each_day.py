"""Several days in one run: what breaks one of them, what the others do, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import BROKEN_KEY, DAYS_KEY, days_not_planned, hand_over
from include.errors import IntegrityError, LakeUnavailable, RateLimited, SourceChanged


class TaskInstance:
    """The part of a task instance that the days use: its tries, and its XCom."""

    def __init__(self, try_number=1, max_tries=3):
        self.try_number, self.max_tries = try_number, max_tries
        self.pushed = {}

    def xcom_push(self, key, value):
        """Remember."""
        self.pushed[key] = value

    def xcom_pull(self, *, task_ids, key):
        """Return what was pushed."""
        return self.pushed.get(key) if task_ids == "plan_day" else None


@dataclass
class Planned:
    """A planned day, as far as the hand-over looks."""

    date: str

    def without_shards(self):
        """Return its counts."""
        return {"date": self.date}


def troubles_with(ti, **errors):
    """Return the troubles after these days, ``None`` for one that went well."""
    troubles = DayTroubles({"ti": ti})
    for date, error in errors.items():
        with troubles.of(date):
            if error is not None:
                raise error
    return troubles


ALTERED = IntegrityError("plans/x.json is not what its name says.")


def test_days_without_trouble_say_nothing():
    """Nothing to retry, nothing to fail."""
    troubles = troubles_with(TaskInstance(), monday=None)
    troubles.retry_what_may_pass()
    troubles.fail_if_any()
    assert [] == troubles.sentences


def test_one_broken_day_keeps_its_own_error():
    """The class of the error decides what Airflow does, as in a run over one day."""
    with pytest.raises(IntegrityError) as raised:
        troubles_with(TaskInstance(), monday=None, tuesday=ALTERED).fail_if_any()
    assert raised.value is ALTERED


def test_several_broken_days_are_all_named():
    """One sentence each, and one for each day that is merely open."""
    troubles = troubles_with(TaskInstance(), tuesday=ALTERED, monday=LakeUnavailable("no answer"))
    with pytest.raises(AirflowFailException) as raised:
        troubles.fail_if_any(also=["sunday is held."])
    told = str(raised.value)
    assert told == (
        "sunday is held. monday: LakeUnavailable: no answer "
        "tuesday: IntegrityError: plans/x.json is not what its name says."
    )


@pytest.mark.parametrize("error", [LakeUnavailable("x"), SourceChanged("x"), RateLimited("x", retry_after_seconds=9.0)])
def test_what_may_pass_is_tried_again_while_there_are_tries(error):
    """As it came, since ``Retry-After`` is in it; on the last try the day is named with the others instead."""
    with pytest.raises(type(error)) as raised:
        troubles_with(TaskInstance(try_number=3), monday=ALTERED, tuesday=error).retry_what_may_pass()
    assert raised.value is error
    troubles_with(TaskInstance(try_number=4), monday=ALTERED, tuesday=error).retry_what_may_pass()


def test_what_a_person_must_repair_is_not_tried_again():
    """Trying again would only make the others wait."""
    troubles_with(TaskInstance(), monday=ALTERED).retry_what_may_pass()


def test_bug_is_not_collected():
    """An error that is none of ours ends the task with its own trace."""
    with pytest.raises(ZeroDivisionError):
        troubles_with(TaskInstance(), monday=ZeroDivisionError())


def test_hand_over_names_what_could_not_be_planned():
    """With one day planned the run goes on, and the last task reads the sentences of the others."""
    ti = TaskInstance()
    hand_over({"ti": ti}, [Planned("monday")], troubles_with(ti, tuesday=ALTERED))
    assert [{"date": "monday"}] == ti.pushed[DAYS_KEY]
    assert ["tuesday: IntegrityError: plans/x.json is not what its name says."] == ti.pushed[BROKEN_KEY]
    assert ti.pushed[BROKEN_KEY] == days_not_planned({"ti": ti}, "plan_day")
    assert [] == days_not_planned({"ti": ti}, "elsewhere")


def test_hand_over_of_nothing_is_red_at_once():
    """Without any planned day the plan itself is the red square."""
    ti = TaskInstance()
    with pytest.raises(IntegrityError):
        hand_over({"ti": ti}, [], troubles_with(ti, tuesday=ALTERED))
    assert {} == ti.pushed
