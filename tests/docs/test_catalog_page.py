"""The catalog's page against its schema: the table, and the statements that make a table of it elsewhere."""

from __future__ import annotations

import re

import pytest

from include.lake.catalog_schema import COLUMNS, MOMENT, NAMED, TEXTS
from tests.docs.pages import page, rows, words

PAGE = page("docs/catalog.md")
WORDS = {"string": "string", "int32": "int32", "int64": "int64", str(MOMENT): "timestamp(ms, UTC)"}
WORDS |= {str(TEXTS): "list of string", str(NAMED): "list of struct(id, name)"}
GLUE = {"string": "string", "int32": "int", "int64": "bigint", str(MOMENT): "timestamp"}
GLUE |= {str(TEXTS): "array<string>", str(NAMED): "array<struct<id:string,name:string>>"}
TRINO = {"string": "varchar", "int32": "integer", "int64": "bigint", str(MOMENT): "timestamp(3)"}
TRINO |= {str(TEXTS): "array(varchar)", str(NAMED): "array(row(id varchar, name varchar))"}


def test_columns_of_the_page_are_the_schema():
    """Name, type, null and meaning of every column, in order."""
    table = rows(PAGE.section("Columns"), "column")
    expected = [
        [column.name, WORDS[str(column.type)], "never" if column.required else "yes", column.meaning]
        for column in COLUMNS
    ]
    assert expected == [[words(row[0])[0], *row[1:]] for row in table]


@pytest.mark.parametrize(("heading", "types"), [("Amazon Athena and Glue", GLUE), ("Trino", TRINO)])
def test_statements_declare_every_column(heading, types):
    """Each column once, in order, in the type that engine has for it; the partition beside them."""
    (statement,) = [text for text in re.findall(r"(?ms)^```sql\n(.*?)^```", PAGE.section(heading)) if "CREATE" in text]
    declared = re.findall(r"(?m)^  (\w+) ([^\n=]+?),?$", statement.partition("(\n")[2].partition("\n)")[0])
    assert [(column.name, types[str(column.type)]) for column in COLUMNS] == declared
    assert re.search(r'[`"]date[`"] (string|varchar)', statement)
