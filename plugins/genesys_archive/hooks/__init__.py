"""Airflow connections, as what the archive needs."""
