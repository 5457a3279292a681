"""Pages of missions: board order, filters and cursors, whatever the number of projects and lists."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from solo_unicorn.missions.entities import LISTS, ListName, Mission
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

FILTERS: tuple[tuple[ListName, ...] | None, ...] = (None, ("doing",), ("loop", "todo"), ())


def read_all(workspace: Workspace, project: str | None, limit: int, **filters: object) -> tuple[list[Mission], int]:
    """Every page after another."""
    found: list[Mission] = []
    cursor = None
    while True:
        page = workspace.read(queries.missions.page, project, limit=limit, cursor=cursor, **filters)  # type: ignore[arg-type]
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found, page.total


def test_pages_are_board_order_cut_into_pieces(home: Path) -> None:
    with Workspace.open() as workspace:
        projects = [workspace.write(operations.projects.create, name).id for name in ("One", "Two")]
        for number, (project, name) in enumerate(product(projects * 3, LISTS)):
            made = workspace.write(
                operations.missions.create, project, MissionDraft(f"word {number}", ready=number % 2 == 0)
            )
            workspace.write(operations.missions.move, made.id, name, top=number % 3 == 0)
        everything = [workspace.read(queries.missions.get, str(number)) for number in range(1, 31)]
        ordered = sorted(everything, key=lambda m: (m.project_id, LISTS.index(m.list), m.list_order, m.id))
        for wanted, lists, ready, text, limit in product(
            (None, *projects), FILTERS, (None, True, False), (None, "word"), (1, 4, 50)
        ):
            expected = [
                one
                for one in ordered
                if (wanted is None or one.project_id == wanted)
                and (lists is None or one.list in lists)
                and (ready is None or one.ready == ready)
            ]
            found, total = read_all(workspace, wanted, limit, lists=lists, ready=ready, text=text)
            assert [one.number for one in found] == [one.number for one in expected]
            assert total == len(expected)


def test_a_word_of_every_title_finds_the_best_with_their_excerpts(home: Path) -> None:
    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, "Shop").id
        for number in range(30):
            workspace.write(
                operations.missions.create,
                project,
                MissionDraft(f"Payment {number}", description=f"retry payment {number}"),
            )
        workspace.write(
            operations.missions.create, project, MissionDraft("Payment", description="payment payment payment")
        )
        hits = workspace.read(queries.missions.search, "payment", project, limit=5)
        assert len(hits) == 5
        assert hits[0].title == "Payment"
        assert all("[" in hit.excerpt for hit in hits)
