"""The archive itself, in plain Python: no module below this package imports Airflow."""
