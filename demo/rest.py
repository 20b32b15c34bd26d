"""A small client of Airflow's public REST API (``/api/v2``), as a user's script would be one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REQUEST_SECONDS = 60.0
PAGE = 100
POLL_SECONDS = 1.0
UNAUTHORIZED, NOT_FOUND, CONFLICT = 401, 404, 409
FINISHED = frozenset({"success", "failed"})

Json = dict[str, Any]


class AirflowApiError(Exception):
    """The API refused a request, or a run did not end in time."""


class AirflowApi:
    """Logs in as the demo's admin and speaks to one api-server; not thread safe."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self._credentials = {"username": username, "password": password}
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of this machine has no business with loopback

    def __repr__(self) -> str:
        return f"AirflowApi({self.url})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def unhealthy(self) -> list[str]:
        """Return the components that are not healthy yet; all of them while the api-server does not answer."""
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        try:
            health = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return ["api-server", *parts]
        return [part for part in parts if (health.get(part) or {}).get("status") != "healthy"]

    def has_dag(self, dag_id: str) -> bool:
        """Tell whether Airflow has parsed this DAG."""
        return self._send("GET", f"/dags/{dag_id}", expected=(NOT_FOUND,)).status_code != NOT_FOUND

    def import_errors(self) -> dict[str, str]:
        """Return the stack trace by file of every DAG file that could not be parsed."""
        return {one["filename"]: one["stack_trace"] for one in self._pages("/importErrors", "import_errors")}

    def create_pool(self, name: str, pool: Mapping[str, object]) -> None:
        """Create a pool; one that exists is left alone."""
        self._send("POST", "/pools", json={"name": name, **pool}, expected=(CONFLICT,))

    def trigger(self, dag_id: str, conf: Mapping[str, object] | None = None, **body: object) -> str:
        """Start a run and return its id."""
        answer = self._send("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}, **body})
        return str(answer.json()["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run: queued, running, success or failed."""
        return str(self._send("GET", f"/dags/{dag_id}/dagRuns/{run_id}").json()["state"])

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        seconds: float = 300.0,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> str:
        """Wait until a run has ended and return its state; ``meanwhile`` is called at each look.

        Raises:
            AirflowApiError: when it is still going after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while (state := self.run_state(dag_id, run_id)) not in FINISHED:
            meanwhile()
            if time.monotonic() > deadline:
                raise AirflowApiError(f"{dag_id} {run_id} is still {state} after {seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)
        return state

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return every task instance of a run, mapped ones one by one."""
        return list(self._pages(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances"))

    def task_log(self, task: Json) -> list[str]:
        """Return the messages of a task instance's last try."""
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        query = {"map_index": task["map_index"], "full_content": "true"}
        answer = self._send("GET", f"{path}/logs/{task['try_number']}", params=query)
        return [_message(one) for one in answer.json().get("content", [])]

    def get(self, path: str, **parameters: object) -> Json:
        """Return the JSON of any other resource; ``path`` is relative to /api/v2."""
        body: Json = self._send("GET", path, params=parameters).json()
        return body

    def page(self, address: str) -> requests.Response:
        """Return a page of a plugin's, as the browser of a user who is logged in gets it.

        Raises:
            AirflowApiError: when the address is not this Airflow's, or the answer is not 2xx.
        """
        if not address.startswith(f"{self.url}/"):
            raise AirflowApiError(f"{address} is no page of {self.url}")
        return self._send("GET", address.removeprefix(self.url), root="")

    def send(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own options
        """Send any other request; ``path`` is relative to /api/v2.

        Raises:
            AirflowApiError: when the answer is not 2xx.
        """
        return self._send(method, path, **options)

    def _pages(self, path: str, key: str) -> Iterator[Json]:
        offset = 0
        while True:
            answer = self.get(path, limit=PAGE, offset=offset)
            yield from answer[key]
            offset += PAGE
            if offset >= answer["total_entries"]:
                return

    def _send(
        self,
        method: str,
        path: str,
        *,
        expected: tuple[int, ...] = (),
        root: str = "/api/v2",
        **options: Any,  # noqa: ANN401 - requests' own options
    ) -> requests.Response:
        if "Authorization" not in self._session.headers:
            self._log_in()
        answer = self._request(method, f"{root}{path}", **options)
        if answer.status_code == UNAUTHORIZED:
            self._log_in()
            answer = self._request(method, f"{root}{path}", **options)
        if not (answer.ok or answer.status_code in expected):
            raise AirflowApiError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401
        try:
            return self._session.request(method, f"{self.url}{path}", timeout=REQUEST_SECONDS, **options)
        except requests.RequestException as error:
            raise AirflowApiError(
                f"{method} {path}: the api-server does not answer ({type(error).__name__})"
            ) from error

    def _log_in(self) -> None:
        answer = self._request("POST", "/auth/token", json=self._credentials)
        if not answer.ok:
            raise AirflowApiError(f"Airflow refused the login: {answer.status_code}")
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _message(line: object) -> str:
    if not isinstance(line, dict):
        return str(line)
    error = line.get("error_detail") or []
    causes = "; ".join(f"{one.get('exc_type')}: {one.get('exc_value')}" for one in error if isinstance(one, dict))
    return f"{line.get('event', '')} {causes}".strip()
