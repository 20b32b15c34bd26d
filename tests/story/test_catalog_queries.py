"""The DuckDB queries of ``docs/catalog.md``, as they stand there, on a night's catalog, over S3."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb
import duckdb_extension_httpfs
import pytest

from include.lake.store import LakeStore
from include.settings import LakeLocation
from include.transfer.catalog import catalog_day
from tests.docs.pages import page
from tests.story.night import DAY, night
from tests.story.test_catalog import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore

PAGE = page("docs/catalog.md")
EXTENSION = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / "v1.5.5" / "httpfs.duckdb_extension"
HEADINGS = re.findall(r"(?m)^### (.+)$", PAGE.text)
PLACES = {
    "s3://my-bucket/archive": lambda lake, _: lake.location.uri,
    "006932d4-0ed3-4861-a063-60367d408769": lambda _, row: row["conversation_id"],
    "da6eb9f5-7d0e-498a-9dbe-b6e93aad658f": lambda _, row: row["agents"][0]["id"],
    "+49305612292": lambda _, row: row["ani_e164"],
    "2026-01-01": lambda _, __: str(DAY),
    "2026-01-31": lambda _, __: str(DAY),
}


class Analyst:
    """Somebody with the page and a bucket: ``ask`` runs the query under a heading and returns its rows."""

    def __init__(self, lake: LakeStore, store: ObjectStore) -> None:
        self.rows = table_of(lake)
        self.row = next(row for row in self.rows if row["agents"] and row["ani_e164"])
        self._lake = lake
        self._duck = duckdb.connect(config={"autoinstall_known_extensions": False})
        self._duck.execute(f"LOAD '{EXTENSION}'")
        self._duck.execute(
            f"CREATE SECRET lake (TYPE s3, KEY_ID '{store.access_key}', SECRET '{store.secret_key}', "
            f"REGION '{store.region}', ENDPOINT '{store.endpoint_url.partition('//')[2]}', URL_STYLE 'path', "
            "USE_SSL false)"
        )
        (view,) = [fence.text for fence in PAGE.fences if "CREATE VIEW recordings" in fence.text]
        self._duck.execute(self.filled(view))

    def filled(self, text: str) -> str:
        """Put this lake, and somebody who is in it, where the page has its examples."""
        for example, actual in PLACES.items():
            text = text.replace(example, actual(self._lake, self.row))
        return text

    def ask(self, heading: str) -> list[dict]:
        """Run the query under a heading."""
        (query,) = re.findall(r"(?ms)^```sql\n(.*?)^```", PAGE.section(heading))
        result = self._duck.execute(self.filled(query))
        names = [column[0] for column in result.description]
        return [dict(zip(names, values, strict=True)) for values in result.fetchall()]

    def close(self) -> None:
        """Go home."""
        self._duck.close()


@pytest.fixture(scope="module")
def analyst(object_store: ObjectStore, lake_client: S3Client, tmp_path_factory) -> Iterator[Analyst]:
    """Archive a night, catalogue it, and let somebody with DuckDB in."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    with night(lake, tmp_path_factory.mktemp("queries")) as tonight:
        tonight.run()
        catalog_day(lake, tonight.box.org_id, DAY)
    somebody = Analyst(lake, object_store)
    yield somebody
    somebody.close()


@pytest.mark.parametrize("heading", HEADINGS)
def test_query_of_the_page_runs(analyst: Analyst, heading: str) -> None:
    """Each one finds something on a day that has what it asks for."""
    assert analyst.ask(heading)


def test_conversation_is_found_with_its_objects(analyst: Analyst) -> None:
    """Every part of it, and the address is that of an object."""
    found = analyst.ask("The recordings of a conversation")
    parts = [row for row in analyst.rows if row["conversation_id"] == analyst.row["conversation_id"]]
    assert [row["sha256"] for row in parts] == [row["sha256"] for row in found]
    uri = analyst._lake.location.uri
    assert all(analyst._lake.head(row["object"].removeprefix(f"{uri}/")).sha256 == row["sha256"] for row in found)


def test_agent_s_calls_are_all_found(analyst: Analyst) -> None:
    """As many as the rows that name the agent."""
    agent = analyst.row["agents"][0]["id"]
    expected = sum(agent in {item["id"] for item in row["agents"]} for row in analyst.rows)
    assert expected == len(analyst.ask("The calls of an agent"))


def test_catalog_is_compared_with_the_commits(analyst: Analyst) -> None:
    """As many rows as the highest commit has archived parts."""
    (day,) = analyst.ask("Is every archived part in the catalog?")
    assert (DAY.date, len(analyst.rows), len(analyst.rows)) == (day["date"], day["parts"], day["in_catalog"])
    assert len({row["conversation_id"] for row in analyst.rows}) == day["conversations"] < day["expected"]
    assert day["complete"]


def test_bytes_by_queue_add_up(analyst: Analyst) -> None:
    """Each queue has the bytes of its rows."""
    expected: Counter[str] = Counter()
    for row in analyst.rows:
        for queue in row["queues"]:
            expected[queue["name"]] += row["bytes"]
    assert dict(expected) == {row["name"]: row["bytes"] for row in analyst.ask("Bytes by queue")}


def test_histogram_counts_every_conversation_once(analyst: Analyst) -> None:
    """Its bars add up to the conversations that have a recording."""
    bars = analyst.ask("How long the calls are")
    assert len({row["conversation_id"] for row in analyst.rows}) == sum(row["conversations"] for row in bars)
