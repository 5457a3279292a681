"""Project memory: documents, headings, versions, search."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import Author, Project
from solo_unicorn.missions.errors import InvalidValue, NotFound, VersionConflict
from solo_unicorn.missions.limits import DOCUMENT_VERSIONS
from solo_unicorn.missions.memory import append_under
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.search.briefing import BUDGET
from solo_unicorn.missions.texts.differences import difference
from solo_unicorn.missions.texts.sections import section, with_section, without_section
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace


def test_appends_need_no_version_and_keep_every_one(workspace: Workspace, project: Project) -> None:
    workspace.write(operations.memory.append, project.id, "index", "# Shop\n")
    document = workspace.write_as(
        Author("agent", "claude", "S1"), operations.memory.append, project.id, "index", "Pay in euro.", "Money"
    )
    assert document.text == "# Shop\n\n## Money\n\nPay in euro.\n"
    assert (document.version, document.updated_by.name) == (2, "claude")
    assert [old.text for old in workspace.read(queries.memory.versions, project.id, "index")] == [
        "# Shop\n",
        document.text,
    ]


def test_a_replacement_names_the_version_it_saw(workspace: Workspace, project: Project) -> None:
    first = workspace.write(operations.memory.replace, project.id, "api", "v1", 0)
    workspace.write(operations.memory.append, project.id, "api", "more")
    with pytest.raises(VersionConflict):
        workspace.write(operations.memory.replace, project.id, "api", "v2", first.version)
    with pytest.raises(VersionConflict):
        workspace.write(operations.memory.replace, project.id, "api", "v2", 0)
    assert "more" in workspace.read(queries.memory.get, project.id, "api").text


def test_what_is_deleted_is_seen_nowhere_and_can_be_made_again(workspace: Workspace, project: Project) -> None:
    workspace.write(operations.memory.append, project.id, "old", "The lens is French.")
    workspace.write(operations.memory.delete, project.id, "old", None, 1)
    with pytest.raises(NotFound, match="was deleted"):
        workspace.read(queries.memory.get, project.id, "old")
    assert workspace.read(queries.memory.list_all, project.id) == []
    assert workspace.read(queries.memory.search, project.id, "lens") == []
    assert [one.text for one in workspace.read(queries.memory.versions, project.id, "old")] == [
        "The lens is French.\n",
        "",
    ]
    assert workspace.write(operations.memory.replace, project.id, "old", "It is German.", 0).version == 3
    assert [hit.ref for hit in workspace.read(queries.memory.search, project.id, "german")] == ["old"]


def test_a_section_moves_and_a_document_is_renamed(workspace: Workspace, project: Project) -> None:
    text = "# Notes\n\n## Lens\n\nFrench.\n\n## Box\n\nOak.\n"
    workspace.write(operations.memory.append, project.id, "notes", text)
    workspace.write(operations.memory.move, project.id, "notes", "Lens", "optics")
    workspace.write(operations.memory.move, project.id, "notes", "box", "optics", "Lens")
    workspace.write(operations.memory.rename, project.id, "optics", "glass")
    assert {one.name: one.text for one in workspace.read(queries.memory.list_all, project.id)} == {
        "notes": "# Notes\n",
        "glass": "## Lens\n\nFrench.\n\nOak.\n",
    }


def test_versions_cost_what_changed_and_the_oldest_go(workspace: Workspace, project: Project) -> None:
    """Sixty short additions to a document of 870 KB took 132 MB."""
    texts = ["line of it\n" * 20_000]
    workspace.write(operations.memory.replace, project.id, "long", texts[0])
    for number in range(20):
        text = texts[-1] + "more\n" if number % 3 else texts[-1].replace("line of", f"line {number} of", 1)
        texts.append(workspace.write(operations.memory.replace, project.id, "long", text).text)
    assert [one.text for one in workspace.read(queries.memory.versions, project.id, "long")] == texts

    def stored(connection: sqlite3.Connection) -> int:
        wanted = "SELECT sum(length(text)) FROM memory_version WHERE name = 'long'"
        return int(connection.execute(wanted).fetchone()[0])

    assert workspace.read(stored) < len(texts[-1]) + 1_000
    for number in range(DOCUMENT_VERSIONS):
        workspace.write(operations.memory.append, project.id, "short", f"{number}")
    workspace.write(operations.memory.append, project.id, "short", "last")
    found = workspace.read(queries.memory.versions, project.id, "short")
    assert [one.version for one in found] == list(range(2, DOCUMENT_VERSIONS + 2))
    assert found[0].text == "0\n\n1\n"


@given(st.text(alphabet="ab\n", max_size=30), st.text(alphabet="ab\n", max_size=30))
def test_a_difference_gives_the_older_text_back(newer: str, older: str) -> None:
    assert difference(newer, older).applied(newer) == older


def test_an_agent_is_given_the_index_then_what_bears_on_its_mission(workspace: Workspace, project: Project) -> None:
    """Documents were taken by name: an addition of 4,200 characters to `aaa` kept every other out of every prompt."""
    workspace.write(operations.memory.append, project.id, "aaa", "Nothing that matters. " * 500)
    workspace.write(operations.memory.append, project.id, "index", "# The shop")
    money = "# Money\n\n## Rounding\n\nTax is rounded half up.\n\n## Names\n\nShort ones.\n"
    workspace.write_as(Author("agent", "claude"), operations.memory.append, project.id, "money", money)
    for number in range(60):
        workspace.write(operations.memory.append, project.id, f"note-{number}", f"Fact number {number}. " * 20)
    mission = workspace.write(operations.missions.create, project.id, MissionDraft("Round the tax of an invoice"))
    said = workspace.read(queries.memory.for_mission, mission)
    assert said.startswith(
        '### index\n<quoted source="memory index, version 1, last by a person, 2026-03-01">\n# The shop\n</quoted>\n\n'
        "### money › Money › Rounding\n"
        '<quoted source="memory money, by the agent claude, 2026-03-01">\n'
        "Tax is rounded half up.\n</quoted>"
    )
    assert len(said) < BUDGET * 1.2
    assert "There is more in: aaa, " in said and said.endswith("more. `memory_search` finds it.")


def test_long_sections_stay_within_the_budget(workspace: Workspace, project: Project) -> None:
    for number in range(9):
        text = "".join(f"## Part {part}\n\n{'Tax of invoices. ' * 140}\n\n" for part in range(5))
        workspace.write(operations.memory.append, project.id, f"long-{number}", text)
    mission = workspace.write(operations.missions.create, project.id, MissionDraft("Round the tax of an invoice"))
    said = workspace.read(queries.memory.for_mission, mission)
    assert len(said) < BUDGET * 1.2
    assert len(set(re.findall(r"^### (long-\d)", said, re.M))) == 3, "no document takes the room of all others"


@pytest.mark.parametrize("name", ["../etc", "a/b", "", "A", ".", "x" * 65, "a\n"])
def test_names_are_plain(workspace: Workspace, project: Project, name: str) -> None:
    with pytest.raises(InvalidValue):
        workspace.write(operations.memory.append, project.id, name, "text")
    with pytest.raises(NotFound):
        workspace.read(queries.memory.get, project.id, name)


@pytest.mark.parametrize("name", ["迁移-说明", "größe", "миграции", "हिन्दी", "2026-plan"])
def test_names_are_of_any_script(workspace: Workspace, project: Project, name: str) -> None:
    workspace.write(operations.memory.append, project.id, name, "text")
    assert workspace.read(queries.memory.get, project.id, name).text == "text\n"


def test_search_finds_documents(workspace: Workspace, project: Project) -> None:
    workspace.write(operations.memory.append, project.id, "pay", "The bank allows three retries")
    assert [hit.ref for hit in workspace.read(queries.memory.search, project.id, "bank retr")] == ["pay"]
    assert workspace.read(queries.memory.search, project.id, '"') == []


@pytest.mark.parametrize(
    ("document", "heading", "expected"),
    [
        ("", None, "new\n"),
        ("old", None, "old\n\nnew\n"),
        ("", "A", "## A\n\nnew\n"),
        ("# A\n\none\n\n# B\n\ntwo\n", "a", "# A\n\none\n\nnew\n\n# B\n\ntwo\n"),
        ("# A\n\n## A1\n\nx\n\n# B\n", "# A", "# A\n\n## A1\n\nx\n\nnew\n\n# B\n"),
        ("# B\n\ntwo\n", "B", "# B\n\ntwo\n\nnew\n"),
        ("```\n# no heading\n```\n", "no heading", "```\n# no heading\n```\n\n## no heading\n\nnew\n"),
    ],
)
def test_text_goes_to_the_end_of_its_section(document: str, heading: str | None, expected: str) -> None:
    assert append_under(document, "new", heading) == expected
    if heading is not None:  # as agents write it, who have just read the section with its heading
        assert append_under(document, f"## {heading.lstrip('# ')}\n\nnew", heading) == expected


def test_a_section_that_was_read_can_be_written_back() -> None:
    """Agents read a section, with its heading, change it and write it: the heading stood there twice."""
    document = "# Shop\n\n## Money\n\nCents.\n\n### Tax\n\nHalf up.\n\n## Names\n\nShort.\n"
    read = section(document, "money")
    assert read == "## Money\n\nCents.\n\n### Tax\n\nHalf up."
    assert with_section(document, "money", read) == document
    assert with_section(document, "money", "Euro.") == "# Shop\n\n## Money\n\nEuro.\n\n## Names\n\nShort.\n"
    assert without_section(document, "Money") == "# Shop\n\n## Names\n\nShort.\n"
