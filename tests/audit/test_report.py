"""The day for people: counts that add up, and a page that no word of the source can break."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from include.audit.figures import DayFigures, Latency
from include.audit.reconcile import fold
from include.audit.report import MEANING, ROWS_MAX, report_document, report_markdown, sentence
from include.canonical import canonical_json, read_document
from include.outcome import ItemRecord, Outcome

COLUMNS = 6
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = st.text(st.sampled_from("|\\`<>*_[]()!&;#~-=:/ \n\r\t\v\x1b\u2028\u202e\0\ud800aé"), max_size=30)
FAILED = ItemRecord("b", "r", 0, Outcome.PENDING, "source_unavailable", "download")
KINDS = ["no_recording", "archived", "pending", "archived", "source_error"]


def state_with(**words):
    """Return a day of one conversation that is not archived, for the reason given."""
    return fold(["a"], [[[ItemRecord("a", "r", 0, Outcome.SOURCE_ERROR, **words)]]])


def page(org, date, key, state):
    """Return the page of a day whose latency nobody knows."""
    return report_markdown(org, date, key, state, DayFigures.of(date, state, None))


def document_of(org, date, key, state, latency=None):
    """Return the document of a day."""
    return report_document(org, date, key, state, DayFigures.of(date, state, latency))


def page_of(state):
    """Return the page as a Markdown reader understands it."""
    return READER.parse(page("org", "2026-01-05", "commits/v=1.json", state))


def last_table(tokens):
    """Return the rows of the last table, each a list of its cells' inline tokens."""
    begin = max(number for number, token in enumerate(tokens) if token.type == "tbody_open")
    rows = []
    for token in tokens[begin:]:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(token.children)
    return rows


def seen(cell):
    """Return what a reader sees of a cell."""
    return "".join(token.content for token in cell)


def flat(word):
    """Return a word on one line, unprintable characters replaced: all that may happen to it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(word.split()))


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_words_stay_in_their_cells_and_are_seen_as_they_are(reason, said_by, fact):
    """A CommonMark reader finds one row of six cells with nothing but text in them: the very words."""
    tokens = page_of(state_with(reason=reason, said_by=said_by, fact=fact))
    (row,) = last_table(tokens)
    assert ["a", "r", "source_error", flat(reason), flat(said_by), flat(fact)] == [seen(cell) for cell in row]
    assert {"text", "text_special"} >= {token.type for cell in row for token in cell}
    assert not [token for token in tokens if token.type == "html_block"]


@pytest.mark.parametrize(
    "word",
    [
        "a | b",
        "a \\| b",
        "a \\\\| b",
        "<script>alert(1)</script>",
        "<!-- gone",
        "two\nlines\r\nand\u2028more",
        "`code`",
        "``` fence",
        "[click](https://evil.example)",
        "![pixel](https://evil.example/p.png)",
        "**loud** _quiet_ ~~gone~~",
        "&lt;b&gt;",
        "\x1b[2J\x1b[31mred",
        "trailing \\",
        "\u202egnp.exe",
    ],
    ids=ascii,
)
def test_each_known_trick_is_shown_as_text(word):
    """Cells, markup, links, pixels, entities, terminals: each by name."""
    (row,) = last_table(page_of(state_with(fact=word)))
    assert (COLUMNS, flat(word)) == (len(row), seen(row[-1]))
    assert {"text", "text_special"} >= {token.type for token in row[-1]}


def test_ordinary_words_stay_legible_in_the_file_itself():
    """Many read the page as it is in the bucket: nothing that is no markup is spelt otherwise."""
    text = page("org", "d", "k", state_with(reason="file_state_error", fact="fileState=ERROR; job 7 (of 9)"))
    assert "| a | r | source_error | file_state_error |  | fileState=ERROR; job 7 (of 9) |\n" in text


def mixed_day(repeat=1):
    """Return a day with every kind of news."""
    records = [
        ItemRecord(f"{kind}-{number}-{index}", "r", 0, Outcome(kind), bytes=5 if kind == "archived" else 0)
        for number, kind in enumerate(KINDS)
        for index in range(repeat)
    ]
    return fold(["silent"], [[records]])


def test_page_and_document_count_the_same():
    """The table's counts add up to the expected, and are those of report.json."""
    state = mixed_day()
    text = page("org", "2026-01-05", "k", state)
    document = document_of("org", "2026-01-05", "k", state)
    rows = [line.split(" | ") for line in text.splitlines() if line.endswith(tuple(f"{m} |" for m in MEANING.values()))]
    counts = {row[0].removeprefix("| "): int(row[1]) for row in rows}
    assert document["conversations"] == counts
    assert document["expected"] == sum(counts.values()) == 6
    assert "| **expected** | **6** | |" in text
    assert 10 == document["bytes"]


def test_every_exclusion_is_named_with_its_evidence():
    """Whatever is expected and not in the lake has a row with the reason."""
    document = document_of("org", "d", "k", mixed_day())
    assert ["no_recording-0-0", "pending-2-0", "silent", "source_error-4-0"] == [
        row["conversation_id"] for row in document["exclusions"]
    ]


def test_document_can_be_written_to_the_lake():
    """It is canonical JSON: no floats, keys that are text."""
    document = document_of("org", "d", "k", mixed_day())
    assert document == read_document(canonical_json(document))


def test_complete_day_has_no_list_of_exclusions():
    """Nothing to say is not said."""
    state = fold(["a"], [[[ItemRecord("a", "r", 0, Outcome.ARCHIVED)]]])
    assert "Not archived" not in page("org", "d", "k", state)


def test_long_list_is_cut_and_says_so():
    """The page stays readable; the rest is in report.json."""
    state = mixed_day(200)
    text = page("org", "d", "k", state)
    assert ROWS_MAX == len(last_table(READER.parse(text)))
    assert "\n101 more are in report.json.\n" in text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (fold([], []), "D is complete: analytics names no conversation of that day."),
        (
            fold(
                ["a", "b"], [[[ItemRecord("a", "r", 0, Outcome.ARCHIVED), ItemRecord("b", "", 0, Outcome.RESTRICTED)]]]
            ),
            "D is complete: 1 of 2 conversations archived, 1 excluded by name.",
        ),
        (
            fold(["a", "b"], [[[ItemRecord("a", "r", 0, Outcome.QUARANTINED)]]]),
            "D is not complete: of 2 conversations, 1 quarantined, 1 pending.",
        ),
    ],
    ids=["empty", "complete", "open"],
)
def test_sentence_says_what_a_red_square_needs(state, expected):
    """One sentence, with the counts of what is open or of what is in."""
    assert expected == sentence("D", state)


def test_every_class_has_a_meaning():
    """Nobody reads a word in the report that is explained nowhere."""
    assert [*Outcome] == [*MEANING]


def test_page_ends_with_one_newline_and_names_its_commit():
    """The page says which commit it renders."""
    text = page("org", "2026-01-05", "commits/v=1.json", mixed_day())
    assert text.startswith("# Recordings of 2026-01-05\n\n2026-01-05 is not complete")
    assert "Organisation `org`, commit `commits/v=1.json`." in text
    assert html.unescape(text).endswith("|\n")


def test_numbers_of_the_guide_stand_in_both():
    """Totals, success rate and failures by the names of the media download guide, and the latency in words."""
    state = fold(["a", "b"], [[[ItemRecord("a", "r", 0, Outcome.ARCHIVED, bytes=1500), FAILED]]])
    latency = Latency.of([60, 7200])
    downloads = {"totalDownloads": 2, "successRate": "50.00%", "failureCount": 1}
    assert downloads == document_of("org", "d", "k", state)["downloads"]
    text = report_markdown("org", "d", "k", state, DayFigures.of("d", state, latency))
    assert "- Completeness: 50.00% of the expected" in text
    assert "- Downloads: 2, success rate 50.00%, failures 1; 1.5 kB archived.\n" in text
    assert "half within 1 min, 95 % within 2 h." in text
    assert "![The day and the thirty days up to it](completeness.png)" in text
