"""Pages of the archive in Airflow's own UI: read only, behind Airflow's login."""
