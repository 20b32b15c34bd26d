"""The pages in Airflow's own api-server application: closed to strangers, and what the lake holds to everybody else."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import requests
import uvicorn

from genesys_archive.links.report import PAGES_PREFIX
from include.audit.figures import DayFigures, Latency
from include.canonical import canonical_json
from include.lake.layout import report_key

# Airflow and what it depends on deprecate much among each other; none of it is for us to repair.
pytestmark = pytest.mark.filterwarnings("ignore")
DAY = "2026-03-02"
HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1))"
REPORT = f"# Recordings of {DAY}\n\n![The day](completeness.png)\n\n| a |\n|---|\n| {HOSTILE} |\n"
FILES = {
    "report.md": (REPORT.encode(), "text/markdown"),
    "report.json": (b'{"expected":1}\n', "application/json"),
    "completeness.png": (b"\x89PNG\r\n\x1a\n picture", "image/png"),
}
ROUTES = ["reports/", f"reports/{DAY}/", *(f"reports/{DAY}/{name}" for name in FILES), "docs", "redoc", "openapi.json"]
SECRET = "s" * 64


class Site:
    """The application behind a real socket."""

    def __init__(self, port):
        self._base = f"http://127.0.0.1:{port}"

    def request(self, method, path, headers=None):
        """Send one request, following no redirect."""
        return requests.request(method, self._base + path, headers=headers, timeout=30, allow_redirects=False)

    def get(self, path, headers=None):
        """Read a page."""
        return self.request("GET", path, headers)


@pytest.fixture(scope="module")
def app(airflow_database):
    """Airflow's application with every plugin of the project, as the api-server serves it."""
    assert airflow_database is None
    from airflow.api_fastapi.app import create_app  # noqa: PLC0415 - imports all of Airflow

    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listener:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", SECRET)
        server = uvicorn.Server(uvicorn.Config(create_app(apps="core"), log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield Site(listener.getsockname()[1])
        server.should_exit = True
        thread.join()


@pytest.fixture
def login(app):
    """Return the headers of a role of Airflow's."""
    from airflow.api_fastapi.app import get_auth_manager  # noqa: PLC0415
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser  # noqa: PLC0415

    assert app

    def headers(role):
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="somebody", role=role))
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture
def connected(lake, connect_lake):
    """A lake with one day's report, and the connection to it in the environment."""
    for name, (body, media_type) in FILES.items():
        lake.put_latest(report_key(DAY, name), body, media_type)
    connect_lake(lake)
    return lake


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Remember it."""
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer of-nothing"}], ids=["anonymous", "forged"])
def test_strangers_see_nothing(app, connected, route, headers):
    """No route answers a caller without a login with anything but an error."""
    assert connected
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        assert app.request(method, f"{PAGES_PREFIX}/{route}", headers=headers).status_code >= 400


def test_report_is_shown_with_its_picture_and_harmless(app, connected, login):
    """The page holds the report's words and its picture, and no element that a report's text could have made."""
    assert connected
    answer = app.get(f"{PAGES_PREFIX}/reports/{DAY}/", headers=login("viewer"))
    elements = Elements(answer.text).found
    assert 200 == answer.status_code
    assert [{"src": "completeness.png", "alt": "The day"}] == [facts for tag, facts in elements if tag == "img"]
    assert "script" not in {tag for tag, _ in elements}
    assert not [facts for _, facts in elements if facts.get("href", "").startswith("javascript")]
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ("nosniff", "private, no-store") == (
        answer.headers["x-content-type-options"], answer.headers["cache-control"],
    )  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_are_those_of_the_lake(app, connected, login, name):
    """Picture and documents come byte for byte, as what they are; what is no picture is saved, not shown."""
    assert connected
    answer = app.get(f"{PAGES_PREFIX}/reports/{DAY}/{name}", headers=login("viewer"))
    assert FILES[name] == (answer.content, answer.headers["content-type"].split(";")[0])
    assert ("inline" if name.endswith(".png") else "attachment") == answer.headers["content-disposition"].split(";")[0]


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("reports/2026-03-03/", 404),
        ("reports/2026-03-03/completeness.png", 404),
        (f"reports/{DAY}/..%2F..%2Fcommits", 404),
        (f"reports/{DAY}/secrets.json", 404),
        ("reports/yesterday/", 404),
        ("reports/..%2Fmedia/", 404),
    ],
)
def test_nothing_else_of_the_lake_can_be_asked_for(app, connected, login, route, status):
    """A day is a date and a file is one of a report's; there is no way to another key."""
    assert connected
    assert status == app.get(f"{PAGES_PREFIX}/{route}", headers=login("admin")).status_code


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        ("reports/2026-03-03/", "There is no report of 2026-03-03."),
        ("reports/<b>/", "No such day: a day is written like 2026-03-02."),
        ("nothing/", "There is no such page."),
    ],
)
def test_what_is_not_there_is_a_page(app, connected, login, route, sentence):
    """A person reads a sentence and finds the way back to the days that have a report."""
    assert connected
    answer = app.get(f"{PAGES_PREFIX}/{route}", headers=login("viewer"))
    assert (404, "text/html") == (answer.status_code, answer.headers["content-type"].split(";")[0])
    assert f"<p>{sentence}</p>" in answer.text
    (way,) = [facts["href"] for tag, facts in Elements(answer.text).found if tag == "a"]
    assert 200 == app.get(way, headers=login("viewer")).status_code


def test_ways_lead_only_to_days_with_a_report(app, connected, login):
    """Neither of the days beside it has a report at first, then one has."""

    def ways(day):
        page = app.get(f"{PAGES_PREFIX}/reports/{day}/", headers=login("viewer")).text
        return [facts["href"] for tag, facts in Elements(page).found if tag == "a" and "href" in facts]

    assert ["../", "report.json"] == ways(DAY)
    connected.put_latest(report_key("2026-03-03", "report.md"), b"# Another\n", "text/markdown")
    assert ["../", "../2026-03-03/", "report.json"] == ways(DAY)
    assert ["../2026-03-02/", "../", "report.json"] == ways("2026-03-03")


def test_days_are_listed_from_their_figures(app, connected, login):
    """The first page names each day with its state and its numbers, youngest first."""
    today = datetime.now(UTC).date()
    yesterday, before = (str(today - timedelta(days=back)) for back in (1, 2))
    for day, conversations in ((before, {"archived": 9, "pending": 1}), (yesterday, {"archived": 10})):
        state = "open" if "pending" in conversations else "provisional"
        figures = DayFigures(day, 10, conversations, bytes=1500, latency=Latency.of([60]), state=state)
        connected.put_latest(report_key(day, "figures.json"), canonical_json(figures.to_json()), "application/json")
    page = app.get(f"{PAGES_PREFIX}/reports/", headers=login("viewer")).text
    assert [f"{yesterday}/", f"{before}/"] == [facts["href"] for tag, facts in Elements(page).found if tag == "a"]
    assert '<td class="open">open</td><td class="n">90.00%</td><td class="n">10</td><td class="n">1</td>' in page
    assert '<td class="n">1.5 kB</td><td class="n">1 min</td>' in page


def test_lake_that_is_away_is_one_sentence(app, connected, login, monkeypatch):
    """The error names what is wrong and no secret."""
    assert connected
    monkeypatch.setenv("RECORDING_LAKE_URI", "s3://no-such-bucket-anywhere/archive")
    answer = app.get(f"{PAGES_PREFIX}/reports/{DAY}/", headers=login("viewer"))
    assert 502 == answer.status_code
    assert "no-such-bucket-anywhere" in answer.json()["detail"]


def test_pages_are_in_the_menu():
    """Airflow's navigation leads to the pages that the plugin serves."""
    from airflow import plugins_manager  # noqa: PLC0415 - imports half of Airflow

    (plugin,) = [one for one in plugins_manager._get_plugins()[0] if one.name == "genesys_archive"]
    (view,) = plugin.external_views
    assert ("nav", f"{PAGES_PREFIX.removeprefix('/')}/reports/") == (view["destination"], view["href"])
    assert PAGES_PREFIX == plugin.fastapi_apps[0]["url_prefix"]
