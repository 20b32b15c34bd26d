"""The parameters that several DAGs ask for in the same words; what only one DAG asks for stands in that DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Param

from include.errors import ConfigurationError
from include.transfer.rendition import CHANNELS, FORMATS

if TYPE_CHECKING:
    from airflow.sdk import Context

NOT_OURS = frozenset({"openlineage"})
"""What Airflow's own ``TriggerDagRunOperator`` adds to a run's configuration (apache-airflow-providers-standard)."""


def refuse_unknown_params(context: Context) -> None:
    """Stop a run that was started with a parameter which its DAG does not have: the ``pre_execute`` of a first task.

    Airflow takes any word from the command line, the REST API and another DAG, and gives the parameter that was meant
    its default: a misspelt ``start_date`` would archive yesterday, green.

    Raises:
        ConfigurationError: naming it, and those that there are.
    """
    known = context["dag"].params
    unknown = sorted(set(context["dag_run"].conf or {}) - set(known) - NOT_OURS)
    if unknown:
        raise ConfigurationError(
            f"{', '.join(unknown)} is no parameter of this DAG; there are {', '.join(known)}. Trigger it again."
        )


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
