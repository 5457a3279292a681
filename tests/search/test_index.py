"""The index of the search follows every write, in the workspace and at a hub, and both rank alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, delete, select

from solo_unicorn.bench import recall
from solo_unicorn.hub.identity import SCOPES, Caller
from solo_unicorn.hub.mcp.reads import HubReads
from solo_unicorn.hub.records import passages as hub_passages
from solo_unicorn.hub.storage.tables import passages as hub_table
from solo_unicorn.missions.board import Hit
from solo_unicorn.missions.operations import memory, missions
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.search import ranking
from solo_unicorn.missions.search.passages import LONGEST, of_document
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.reindex import reindex
from solo_unicorn.workspace.store import APPLICATION_ID
from solo_unicorn.workspace.workspace import Workspace

from ..hub.rest.world import World
from ..operations.carriers import AGENT, ANN, START, Hosted

FIRST = Path(__file__).parents[1] / "workspace" / "first_format.sql"


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened


@pytest.fixture
def project(workspace: Workspace) -> str:
    return workspace.write(operations.projects.create, "Shop").id


def found(workspace: Workspace, project: str, question: str) -> list[str]:
    return [recall.name(hit) for hit in workspace.read(queries.memory.search, project, question)]


def test_golden_queries_are_answered_in_the_first_three(workspace: Workspace) -> None:
    every = recall.golden()
    assert sum(len(golden.queries) for golden in every) >= 100
    for golden in every:
        lost = recall.here(golden, workspace)
        assert len(lost) <= (1 - recall.AIM) * len(golden.queries), lost


async def test_a_hub_answers_the_golden_queries_too(hub: World) -> None:
    every, lost = list[recall.Query](), list[object]()
    for number, golden in enumerate(recall.golden()):
        made = await hub.project(f"Golden {number}")
        board = Hosted(hub, str(made["id"]))

        def fill(change: object, golden: recall.Golden = golden, project: str = board.project) -> None:
            for name, text in golden.documents.items():
                memory.replace(change, project, name, text, 0)  # type: ignore[arg-type]
            for draft in golden.missions:
                missions.create(change, project, draft)  # type: ignore[arg-type]

        await board.run(START, ANN, fill)

        asked = golden.queries[::2]
        told: dict[recall.Query, Sequence[Hit]] = {}
        for query in asked:
            told[query] = await hub.hub.database.read(partial(_hits, hub, board.project, query))
        every += asked
        lost += recall.missed(asked, told.__getitem__)
        first = next(iter(golden.documents))
        headings = await hub.hub.database.read(partial(_nearest, hub, board.project, f"zzz {first}"))
        assert headings[0].startswith(first)
    assert len(lost) <= (1 - recall.AIM) * len(every), lost


def _reads(hub: World, at: Connection) -> HubReads:
    owner = Caller("personal", user_id=hub.ids["owner"], email="owner@example.com", scopes=frozenset(SCOPES))
    return HubReads(hub.hub, at, owner)


def _hits(hub: World, project: str, query: recall.Query, at: Connection) -> Sequence[Hit]:
    reads = _reads(hub, at)
    if query.kind == "mission":
        return reads.search(query.question, project, recall.AMONG)
    return reads.search_memory(project, query.question, recall.AMONG)


def _nearest(hub: World, project: str, question: str, at: Connection) -> Sequence[str]:
    return _reads(hub, at).nearest_headings(project, question)


async def test_a_hub_says_who_wrote_a_section(hub: World) -> None:
    made = await hub.project("Lighthouse")
    board = Hosted(hub, str(made["id"]))
    texts = (
        (ANN, "# Lamp\n\nOil it weekly.\n"),
        (AGENT, "# Lamp\n\nOil it weekly.\n\n# Lens\n\nPolish it daily.\n"),
        (ANN, "# Door\n\nIt squeaks.\n\n# Lamp\n\nOil it weekly.\n\n# Lens\n\nPolish it daily.\n"),
    )
    for by, text in texts:
        await board.run(START, by, partial(memory.replace, project=board.project, name="house", text=text))

    def read(at: Connection) -> list[tuple[str, str]]:
        reads = _reads(hub, at)
        asked = ("polish the lens", "oil the lamp")
        return [(hit.heading, hit.source) for one in asked for hit in reads.search_memory(board.project, one)[:1]]

    found = await hub.hub.database.write(read)
    assert found == [("Lens", "by the agent claude, 2026-05-01"), ("Lamp", "by a person, 2026-05-01")]


def test_a_slip_a_beginning_and_another_word_for_it_find_the_section(workspace: Workspace, project: str) -> None:
    text = "# Database\n\n## Choice\n\nPostgreSQL for everything.\n\n## Naming\n\nTables are plural.\n"
    workspace.write(operations.memory.append, project, "database", text)
    for question in ("postgresq", "postgerSQL", "pg", "chioce of the databse"):
        assert found(workspace, project, question)[:1] == ["database › Choice"], question


@pytest.mark.parametrize("written", ["work tree", "worktree", "Work-Tree"])
@pytest.mark.parametrize("asked", ["worktree", "worktrees", "work tree", "work-trees"])
def test_a_word_may_be_written_as_two(workspace: Workspace, project: str, written: str, asked: str) -> None:
    others = "".join(f"## Work {number}\n\nThe tree works.\n\n" for number in range(3))
    text = f"# Notes\n\n{others}## Last\n\nEach {written} is deleted at the end of its mission, and not before.\n"
    workspace.write(operations.memory.append, project, "notes", text)
    assert "notes › Last" in found(workspace, project, asked)[: 1 if asked.startswith("worktree") else 4]


async def test_a_hub_finds_a_word_that_is_written_as_two(hub: World) -> None:
    made = await hub.project("Lighthouse")
    board = Hosted(hub, str(made["id"]))
    others = "".join(f"## Time {number}\n\nThe web and its sockets. Out.\n\n" for number in range(3))
    text = f"# Notes\n\n{others}## Limits\n\nA time out is an hour.\n\n## Sockets\n\nEach websocket.\n"
    await board.run(START, ANN, partial(memory.replace, project=board.project, name="notes", text=text))

    def read(at: Connection) -> list[str]:
        reads = _reads(hub, at)
        return [
            hit.heading for asked in ("timeouts", "web sockets") for hit in reads.search_memory(board.project, asked)
        ]

    assert {"Notes › Limits", "Notes › Sockets"} <= {*await hub.hub.database.write(read)}


def test_a_whole_question_is_answered_by_the_heading_that_asks_it(workspace: Workspace, project: str) -> None:
    text = "# Privacy\n\n## Roles\n\nAdmins are asked twice.\n"
    workspace.write(operations.memory.append, project, "privacy", text)
    deciding = "# The shop\n\n## Who decides\n\nMoney goes to Ida, privacy to Noor.\n"
    workspace.write(operations.memory.append, project, "index", deciding)
    assert found(workspace, project, "ask about privacy")[0] == "privacy › Roles"
    assert found(workspace, project, "who do I ask about privacy")[0] == "index › Who decides"
    assert found(workspace, project, "who do I ask about pancakes") == [], "a hint alone finds nothing"


def test_a_hit_names_its_section_and_version(workspace: Workspace, project: str) -> None:
    text = "# Money\n\nCents.\n\n## Rounding\n\nHalf up.\n"
    workspace.write(operations.memory.append, project, "money", text)
    workspace.write(operations.memory.append, project, "money", "Each line.", "Rounding")
    (hit,) = workspace.read(queries.memory.search, project, "round lines")
    assert (hit.ref, hit.heading, hit.version) == ("money", "Money › Rounding", 2)
    assert hit.excerpt == "Half up. Each [line]."
    mission = workspace.write(operations.missions.create, project, MissionDraft("Round it", spec="As the tax office."))
    (hit,) = workspace.read(queries.missions.search, "tax office", project)
    assert (hit.ref, hit.heading, hit.version) == ("M-1", "Specification", mission.version)


def test_nothing_found_shows_the_nearest_headings(workspace: Workspace, project: str) -> None:
    workspace.write(
        operations.memory.append, project, "money", "# Money\n\n## Rounding\n\nHalf up.\n\n## Tax\n\n20 %.\n"
    )
    assert found(workspace, project, "roundabout") == []
    assert workspace.read(queries.memory.nearest_headings, project, "roundabout")[0] == "money › Money › Rounding"


def test_the_index_is_what_a_fresh_one_would_be(workspace: Workspace, project: str) -> None:
    """Whatever was written before: only what changed is written, and nothing is left behind."""

    def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
        connection.execute("INSERT INTO passage_word (passage_word, rank) VALUES ('integrity-check', 1)")
        wanted = "SELECT kind, project_id, ref, place, heading, head, body, digest FROM passage ORDER BY 1, 2, 3, 4"
        return connection.execute(wanted).fetchall()

    def anew(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
        reindex(connection)
        return rows(connection)

    first = "# A\n\none\n\n# B\n\nsame\n\n# B\n\nsame\n"
    for text in (first, "# New\n\nzero\n\n" + first, "# B\n\nsame\n", "x " * 2 * LONGEST):
        workspace.write(operations.memory.replace, project, "notes", text)
    for title in ("Pay", "Ship", "Return"):
        workspace.write(operations.missions.create, project, MissionDraft(title, description="words " * 700))
    workspace.write(operations.missions.edit, "M-1", {"title": "Paid", "description": None})
    workspace.write(operations.missions.delete, "M-2")
    held = workspace.write(lambda change: rows(change.connection))
    assert {row[2] for row in held if row[0] == "mission"} == {
        workspace.read(queries.missions.get, ref).id for ref in ("M-1", "M-3")
    }
    assert held == workspace.write(lambda change: anew(change.connection))
    workspace.write(operations.projects.delete, project)
    assert workspace.write(lambda change: rows(change.connection)) == []


def test_an_append_writes_the_passages_that_changed(workspace: Workspace, project: str) -> None:
    sections = "\n".join(f"## S{number}\n\nText {number}.\n" for number in range(50))
    workspace.write(operations.memory.append, project, "long", sections)

    def numbers(connection: sqlite3.Connection) -> set[int]:
        return {rid for (rid,) in connection.execute("SELECT rid FROM passage")}

    before = workspace.read(numbers)
    workspace.write(operations.memory.append, project, "long", "More.", "S7")
    assert len(workspace.read(numbers) - before) == 1


def test_a_workspace_of_before_is_indexed_when_it_is_opened(workspace: Workspace, project: str, tmp_path: Path) -> None:
    workspace.write(operations.missions.create, project, MissionDraft("Retry payments"))
    workspace.write(operations.memory.append, project, "bank", "It allows three charges.")
    old = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    old.executescript(FIRST.read_text(encoding="utf-8"))
    old.execute("PRAGMA user_version = 1")
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("ATTACH ? AS now", (str(workspace._store.path),))
    for table in ("project", "flow", "mission", "memory"):
        old.execute(f"INSERT INTO main.{table} SELECT * FROM now.{table}")
    old.close()
    with Workspace.open(tmp_path / "old.db") as opened:
        assert [hit.ref for hit in opened.read(queries.missions.search, "retries", project)] == ["M-1"]
        assert [hit.ref for hit in opened.read(queries.memory.search, project, "charge")] == ["bank"]


async def test_a_hub_writes_only_passages_that_changed(hub: World) -> None:
    def ids(at: Connection) -> set[str]:
        return set(at.execute(select(hub_table.c.id).where(hub_table.c.ref == "notes")).scalars())

    def put(text: str) -> object:
        wanted = of_document("notes", text)
        return hub.hub.database.write(lambda at: hub_passages.put(at, "memory", "P", "notes", wanted))

    await put("# A\n\none\n\n# B\n\ntwo\n")  # type: ignore[misc]
    before = await hub.hub.database.read(ids)
    await put("# New\n\nzero\n\n# A\n\none\n\n# B\n\ntwo\n")  # type: ignore[misc]
    after = await hub.hub.database.read(ids)
    assert len(after) == 3 and before < after
    await put("# B\n\ntwo\n")  # type: ignore[misc]
    index = await hub.hub.database.read(lambda at: hub_passages.Passages(at, "memory", ["P"]).vocabulary())
    assert set(index) == {"b", "note", "two"}
    await hub.hub.database.write(lambda at: at.execute(delete(hub_table)))


def test_a_word_of_every_passage_does_not_hide_a_rare_one() -> None:
    """The candidates are few; the best is chosen by the rare word."""
    many = [ranking.Candidate(f"m{number}", 0, "", "order", "order paid") for number in range(200)]
    rare = ranking.Candidate("rare", 0, "", "order", "order refund")
    index = SimpleNamespace(
        candidates=lambda beginnings, limit: [*many, rare],
        count=lambda: 201,
        known=lambda words: set(),
        vocabulary=lambda: {"order"},
    )
    assert ranking.search(index, "orders refunded", 3)[0].ref == "rare"
