"""The embedded stack: SeaweedFS, the Genesys sandbox and a real Airflow, started as child processes on free ports.

``python -m demo`` archives one day of the sandbox and says what is where. The journeys reuse the same code:
``demo.stack.running_stack`` and ``demo.object_store.running_object_store``. Nothing here imports Airflow: the launcher
talks to it as a user does, through its command line and its REST API.
"""
