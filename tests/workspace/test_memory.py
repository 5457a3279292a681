"""Project memory: documents, headings, versions, search."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import Author, Project
from solo_unicorn.missions.errors import InvalidValue, NotFound, VersionConflict
from solo_unicorn.missions.memory import append_under
from solo_unicorn.missions.sections import section, with_section, without_section
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
