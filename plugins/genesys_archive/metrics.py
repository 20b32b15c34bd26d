"""The archive's metrics through Airflow's own Stats: StatsD, OpenTelemetry or nothing, as ``[metrics]`` says."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk.observability import stats


class AirflowMetrics:
    """Implements ``include.audit.metrics.Metrics``; Airflow's Stats neither raise nor wait (StatsD is UDP)."""

    def count(self, name: str, value: int) -> None:
        """Add to a counter; nothing is sent for zero."""
        if value:
            stats.incr(name, value)

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge."""
        stats.gauge(name, value)

    def duration(self, name: str, seconds: float) -> None:
        """Add one duration to a timer."""
        stats.timing(name, timedelta(seconds=seconds))
