"""Markdown as these tests read it: pages, headings, fenced blocks, tables. Enough for this project's own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FENCE = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
HEADING = re.compile(r"(?m)^#{1,6} (.+)$")


@dataclass(frozen=True)
class Fence:
    """One fenced block and its language."""

    page: str
    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One Markdown file of the project."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the project, for test ids and messages."""
        return str(self.path.relative_to(PROJECT))

    @property
    def text(self) -> str:
        """Everything."""
        return self.path.read_text("utf-8")

    @property
    def prose(self) -> str:
        """Everything but fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def fences(self) -> list[Fence]:
        """The fenced blocks in order."""
        return [Fence(self.name, found[1], found[2]) for found in FENCE.finditer(self.text)]

    @property
    def anchors(self) -> set[str]:
        """The headings as GitHub makes them addresses: small letters, no punctuation, hyphens for blanks."""
        plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(self.prose))
        return {heading.replace(" ", "-") for heading in plain}

    def section(self, heading: str) -> str:
        """Return what stands under a heading, up to the next one of any level."""
        found = re.search(rf"(?ms)^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", self.text)
        assert found, f"{self.name} has no heading {heading!r}"
        return found[1]


def all_pages() -> list[Page]:
    """Return every page that a reader of the project may open."""
    return [Page(path) for path in (*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md")))]


def page(name: str) -> Page:
    """Return one page by its path in the project."""
    return Page(PROJECT / name)


def rows(section: str, first_heading: str) -> list[list[str]]:
    """Return the cells of the first table whose head begins with ``first_heading``, without its head."""
    lines = section.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(f"| {first_heading} |")]
    assert starts, f"no table that begins with {first_heading!r}"
    body = lines[starts[0] + 2 :]
    end = next((number for number, line in enumerate(body) if not line.startswith("|")), len(body))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body[:end]]


def words(cell: str) -> list[str]:
    """Return what stands in back-quotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)
