"""The parameters that several DAGs ask for in the same words; what only one DAG asks for stands in that DAG."""

from __future__ import annotations

from airflow.sdk import Param

from include.transfer.rendition import CHANNELS, FORMATS


def day_params(neither: str) -> dict[str, Param]:
    """Return the first and the last day; ``neither`` says which days are meant where both are empty."""
    return {
        "start_date": Param(
            None, type=["null", "string"], format="date", title="First day", section="Days",
            description=f"Calendar day in GENESYS_TIMEZONE, included. Empty: {neither}.",
        ),
        "end_date": Param(
            None, type=["null", "string"], format="date", title="Last day", section="Days",
            description="Included. Empty: the same as the first day.",
        ),
    }  # fmt: skip


def only_failed_param() -> dict[str, Param]:
    """Return the switch by which a run leaves alone what is archived."""
    return {
        "only_failed": Param(
            default=False, type="boolean", title="Only what failed", section="What",
            description="Ask again only for what earlier runs left pending, quarantined or in error.",
        ),
    }  # fmt: skip


def format_param(default: str, description: str) -> dict[str, Param]:
    """Return the choice of a format."""
    return {
        "output_format": Param(
            default, type="string", enum=list(FORMATS), title="Format", section="How", description=description,
        ),
    }  # fmt: skip


def channels_param(default: str, description: str) -> dict[str, Param]:
    """Return the choice of channels."""
    return {
        "channels": Param(
            default, type="string", enum=list(CHANNELS), title="Channels", section="How", description=description,
        ),
    }  # fmt: skip
