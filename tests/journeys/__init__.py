"""Whole days on a real Airflow, a real S3 server and the sandbox."""
