"""``derive`` from a shell, and the tasks of the nightly run: the same copies, made once, by whoever comes first."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from genesys_archive.commands.__main__ import main
from genesys_archive.operators.make_derivatives import MakeDerivativesOperator
from genesys_archive.operators.plan_derivatives import PlanDerivativesOperator
from genesys_archive.operators.report_derivatives import ReportDerivativesOperator
from genesys_archive.operators.submit_batches import SubmitBatchesOperator
from include.lake.key_reading import DerivedKey, MediaKey
from include.transfer.derive_day import DayDerived
from tests.story.night import DAY, Memory, everything_in, media_keys, night, remove

MONO = {"output_format": "original", "channels": "mono"}
WAV = {"output_format": "wav", "channels": "original"}


@pytest.fixture
def archived(lake, object_store, connect, monkeypatch, tmp_path, airflow_database):
    """Archive a small day under the guide's contract, and put both connections to it into the environment."""
    assert airflow_database is None
    with night(lake, tmp_path, conversations=4, scenario="clean", contract="guide") as tonight:
        tonight_planned, _ = tonight.run()
        connect(tonight.box)
        monkeypatch.setenv("RECORDING_LAKE_URI", lake.location.uri)
        monkeypatch.setenv("GENESYS_TIMEZONE", "Europe/Berlin")
        fields = {
            "conn_type": "aws",
            "login": object_store.access_key,
            "password": object_store.secret_key,
            "extra": {"endpoint_url": object_store.endpoint_url, "region_name": object_store.region},
        }
        monkeypatch.setenv("AIRFLOW_CONN_RECORDING_LAKE", json.dumps(fields))
        yield SimpleNamespace(lake=lake, night=tonight, shards=tonight_planned.shards)


def jobs_of(archived):
    """Return the jobs that the source was given."""
    return archived.night.box.world.jobs._jobs.values()


def planned(operator, **days):
    """Run the task with the days that a plan left."""
    xcom = SimpleNamespace(xcom_pull=lambda **_: days["days"])
    return operator.execute({"ti": xcom})


def plan(**run):
    """Return the first task."""
    return PlanDerivativesOperator(task_id="plan_derivatives", plan_task_id="plan_day", plan_only="False", **run)


def make(part, **run):
    """Return the mapped task of one slice."""
    return MakeDerivativesOperator(task_id="make_derivatives", part=part, **run)


def copies(lake):
    """Return all sound below ``derived/``."""
    return [key for key in lake.list_keys("derived/") if not key.endswith(".json")]


def test_a_held_day_is_copied_once(archived, capsys):
    """One copy for each original that has two channels; a second call writes nothing, and asks nobody."""
    jobs = len(jobs_of(archived))
    assert 0 == main(["derive", f"--date={DAY}", "--output-format=mp3", "--channels=mono"])
    assert re.search(rf"{DAY}: (\d+) derivatives wanted, \1 made", capsys.readouterr().out)
    before = everything_in(archived.lake)
    assert copies(archived.lake)
    assert f"reports/date={DAY}/derivatives.json" in before
    assert 0 == main(["derive", f"--date={DAY}", "--output-format=mp3", "--channels=mono"])
    assert re.search(r"(\d+) derivatives wanted, 0 made \(0 bytes\), \1 stood there", capsys.readouterr().out)
    assert (before, jobs) == (everything_in(archived.lake), len(jobs_of(archived)))


def test_a_copy_that_cannot_be_made_is_a_status(archived, capsys):
    """The others are made; the shell sees 1, and the person where each is named."""
    victim = next(key for key in media_keys(archived.lake) if not key.endswith(".mp3"))
    body = bytearray(archived.lake.read(victim))
    remove(archived.lake, victim)
    archived.lake.put_latest(victim, bytes([*body[:-1], body[-1] ^ 1]), "audio/wav")
    assert 1 == main(["derive", f"--date={DAY}", "--output-format=mp3", "--channels=mono"])
    said = capsys.readouterr()
    assert ("1 cannot be made (1 source_altered)" in said.out, "derivatives.json" in said.err) == (True, True)


def test_one_conversation_is_found_by_its_id(archived):
    """Its recordings are copied and no other's; the day need not be known."""
    chosen = MediaKey.parse(min(media_keys(archived.lake))).identity.conversation_id
    assert 0 == main(["derive", f"--conversation={chosen}", "--output-format=mp3", "--channels=mono"])
    assert {chosen} == {DerivedKey.parse(key).identity.conversation_id for key in copies(archived.lake)}


def test_a_day_without_anything_to_copy_says_why():
    """No bare row of zeros: the originals may be what was asked for."""
    assert "as asked already, or nothing is." in DayDerived(str(DAY)).sentence()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--output-format=wav"], "give DATE=YYYY-MM-DD or CONVERSATION=uuid"),
        ([f"--date={DAY}"], "give OUTPUT_FORMAT=wav or mp3, or CHANNELS=mono"),
        ([f"--date={DAY}", "--end-date=2026-01-01", "--output-format=wav"], "is before the first"),
        (["--conversation=x", "--output-format=wav"], "must be a conversation's id"),
        (["--conversation=00000000-0000-4000-8000-000000000000", "--output-format=wav"], "holds no recording"),
    ],
)
def test_a_call_that_names_nothing_is_refused(archived, capsys, options, sentence):
    """In one sentence, with nothing written."""
    assert (1, []) == (main(["derive", *options]), copies(archived.lake))
    assert sentence in capsys.readouterr().err


def test_a_batch_never_asks_for_a_format(archived, monkeypatch):
    """Whatever the settings say: what is archived is what the source keeps."""
    monkeypatch.setenv("RECORDING_ARCHIVE_OUTPUT_FORMAT", "wav")
    shard = {"plan_key": archived.shards[0].plan_key}
    jobs = len(jobs_of(archived))
    SubmitBatchesOperator(task_id="submit_batches", shard=shard).execute({"task_state_store": Memory()})
    assert (jobs + 1, {None}) == (len(jobs_of(archived)), {job.output_format for job in jobs_of(archived)})


def test_the_tasks_ask_genesys_and_report_once(archived):
    """Planned in slices, deferred on the jobs with a format, taken and reported; cleared, nothing is asked again."""
    (part,) = planned(plan(**WAV), days=[{"date": str(DAY)}])
    memory = Memory()
    with pytest.raises(TaskDeferred) as deferred:
        make(part, **WAV).execute({"task_state_store": memory})
    assert ["WAV"] == [job.output_format for job in jobs_of(archived) if job.output_format]
    job_ids = deferred.value.trigger.job_ids
    archived.night.wait(SimpleNamespace(jobs=[SimpleNamespace(job_id=job_id) for job_id in job_ids]))
    # `airflow dags test` drops the arguments of a deferral: what was remembered has to do.
    counts = make(part, **WAV).resume({"task_state_store": memory}, {"finished": job_ids})
    assert (counts["wanted"], True) == (counts["made"], counts["rendered"] > 0)
    (day,) = ReportDerivativesOperator(task_id="report_derivatives", counts=[counts]).execute({})
    assert (counts, True) == (day, f"reports/date={DAY}/derivatives.json" in everything_in(archived.lake))
    jobs = len(jobs_of(archived))
    again = make(part, **WAV).execute({"task_state_store": memory})
    assert (again["wanted"], 0, jobs) == (again["standing"], again["made"], len(jobs_of(archived)))


@pytest.mark.usefixtures("archived")
def test_refused_credentials_while_waiting_cost_nothing():
    """The event says so; everything is made here."""
    (part,) = planned(plan(**WAV), days=[{"date": str(DAY)}])
    counts = make(part, **WAV).resume({}, {"error": "the credentials were refused"}, {"shards": []})
    assert (counts["wanted"], 0) == (counts["made"], counts["rendered"])


def test_setting_keeps_the_copies_from_genesys(archived, monkeypatch):
    """No job, no second use of the quota: the same copies are made here."""
    monkeypatch.setenv("RECORDING_ARCHIVE_RENDITIONS_FROM", "here")
    jobs = len(jobs_of(archived))
    (part,) = planned(plan(**WAV), days=[{"date": str(DAY)}])
    counts = make(part, **WAV).execute({})
    assert (counts["wanted"], 0, jobs) == (counts["made"], counts["rendered"], len(jobs_of(archived)))


@pytest.mark.usefixtures("archived")
def test_days_share_the_bound_of_slices(monkeypatch):
    """Never more ways than the setting allows; nothing wanted is skipped with the reason."""
    monkeypatch.setenv("RECORDING_ARCHIVE_SHARDS_MAX", "1")
    days = [{"date": str(DAY)}, {"date": "2026-03-03"}]
    assert [{"date": str(DAY), "number": 0, "of": 1}] == planned(plan(**MONO), days=days)
    with pytest.raises(AirflowSkipException, match="Originals only"):
        planned(plan(output_format="original", channels="original"), days=days)
