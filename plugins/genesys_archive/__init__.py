"""Thin adapters between Airflow and the archive: templates in, XCom out, one call into ``include``."""
