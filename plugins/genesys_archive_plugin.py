"""Registers the archive's pages and its link with Airflow; nothing else may stand here.

Airflow executes this file in every component and under its bare name, so it imports only what costs nothing.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from genesys_archive.links.report import PAGES_PREFIX, ReportLink
from genesys_archive.ui.lazily import ImportedWhenAsked


class GenesysArchivePlugin(AirflowPlugin):
    """The reports as pages of the Airflow UI, and the link from ``reconcile_day`` to its day's."""

    name = "genesys_archive"
    operator_extra_links = [ReportLink()]  # noqa: RUF012 - Airflow declares it so
    fastapi_apps = [  # noqa: RUF012 - Airflow declares it so
        {
            "app": ImportedWhenAsked("genesys_archive.ui.report_pages", "pages"),
            "url_prefix": PAGES_PREFIX,
            "name": "Recording archive",
        }
    ]
    external_views = [  # noqa: RUF012 - Airflow declares it so
        {
            "name": "Recording archive",
            "href": f"{PAGES_PREFIX.removeprefix('/')}/reports/",
            "destination": "nav",
            "category": "browse",
            "url_route": "recording-archive",
        }
    ]
