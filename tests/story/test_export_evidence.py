"""5,000 recordings of a native export, with the irregularities that one has: every class is counted as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.story.export_desk import config_of, export_desk


@pytest.mark.evidence
def test_five_thousand_recordings(lake, lake_client, tmp_path, capsys):
    """3 % late, 1 % duplicate, 1 % without metadata, 1 % conflicting: as the sandbox says, and again is nothing."""
    config = config_of(conversations=5020, audio_seconds=(1, 1))
    with export_desk(lake, lake_client, tmp_path, config, export_patience_seconds=24 * 3600.0) as desk:
        truth = desk.written.truth()
        desk.write("first")
        first = desk.ingest(datetime.now(UTC))
        desk.write("late")
        second = desk.ingest()
        before = desk.objects()
        assert {} == desk.ingest()
        assert before == desk.objects()
        state = desk.state()
    with capsys.disabled():
        print(f"\n{sum(truth.classes.values())} recordings: {dict(truth.classes)}")  # noqa: T201 - the evidence
        print(f"first pass {dict(first)}; second pass {dict(second)}")  # noqa: T201 - as above
        print(state.summary())  # noqa: T201 - as above
    classes, objects = truth.classes, truth.outcomes
    assert classes["ordinary"] + classes["duplicate"] + classes["conflicting"] == first["archived"]
    assert classes["late"] + classes["missing_metadata"] == second["archived"]
    assert {"archived", "recognised", "conflicting", "without_metadata"} == second.keys()
    assert objects["duplicate"] == second["recognised"]
    assert objects["conflicting"] == second["conflicting"]
    assert classes["missing_metadata"] == second["without_metadata"]
    assert {"archived": objects["archived"], "quarantined": objects["conflicting"]} == state.summary()["recordings"]
