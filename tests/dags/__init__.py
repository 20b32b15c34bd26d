"""The DAG files: what Airflow parses, their policy, their shape, their dates, their documents."""
