"""How often the search finds what was asked for among its first three hits: golden queries over a made-up project.

    python bench/recall.py [--show]

Each folder of `bench/golden` is a project: `memory/*.md`, `missions.toml`, and HALVES, files with a line for each
query: `memory` or `mission`, the question, and the section (`DOCUMENT › HEADING`, the innermost) or the mission's title
that answers it. `queries.tsv` grew with the search. The queries of `fresh.tsv` were written from the documents alone,
before anybody looked at what the search does with them; so were those of `later.tsv`, after the search was changed for
what `fresh.tsv` missed. `--show` prints what was found instead where nothing fits. The tests ask a hub the same. Exit
code 1 when fewer than AIM of all are found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from solo_unicorn.missions.board import Hit
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

FOLDER = Path(__file__).with_name("golden")
HALVES = ("queries", "fresh", "later")
AIM, AMONG = 0.9, 3


class Query(NamedTuple):
    """A question and what answers it."""

    kind: str
    question: str
    answer: str
    half: str


class Golden(NamedTuple):
    """A project and its queries."""

    documents: dict[str, str]
    missions: list[MissionDraft]
    queries: list[Query]


def golden() -> list[Golden]:
    """Every folder."""
    found = []
    for folder in sorted(one for one in FOLDER.iterdir() if one.is_dir()):
        documents = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("memory/*.md"))}
        missions = tomllib.loads((folder / "missions.toml").read_text(encoding="utf-8"))["mission"]
        halves = [file for half in HALVES if (file := folder / f"{half}.tsv").exists()]
        asked = [query for file in halves for query in _asked(file)]
        found.append(Golden(documents, [MissionDraft(**one) for one in missions], asked))
    return found


def _asked(file: Path) -> list[Query]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Query(*[*line.split("\t"), f"{file.parent.name}/{file.stem}"]) for line in lines if line.strip()]


def missed(asked: Sequence[Query], search: Callable[[Query], Sequence[Hit]]) -> list[tuple[Query, list[str]]]:
    """The queries whose answer is not among the first hits, with what is there."""
    found = []
    for query in asked:
        hits = [name(hit) for hit in search(query)[:AMONG]]
        if query.answer not in hits:
            found.append((query, hits))
    return found


def name(hit: Hit) -> str:
    """What a hit is called in the files of queries."""
    if hit.kind == "mission":
        return hit.title
    return f"{hit.ref} › {hit.heading.rpartition(' › ')[2]}"


def here(project: Golden, workspace: Workspace) -> list[tuple[Query, list[str]]]:
    """What a workspace misses."""
    owner = workspace.write(operations.projects.create, "Golden").id
    for document, text in project.documents.items():
        workspace.write(operations.memory.replace, owner, document, text, 0)
    for draft in project.missions:
        workspace.write(operations.missions.create, owner, draft)

    def search(query: Query) -> Sequence[Hit]:
        if query.kind == "mission":
            return workspace.read(queries.missions.search, query.question, owner, AMONG)
        return workspace.read(queries.memory.search, owner, query.question, AMONG)

    return missed(project.queries, search)


def main(arguments: Sequence[str]) -> int:
    """Print how many are found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print the queries that miss, and their hits")
    options = parser.parse_args(arguments)
    asked: list[Query] = []
    lost: list[tuple[Query, list[str]]] = []
    for number, project in enumerate(golden()):
        with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / f"{number}.db") as workspace:
            lost += here(project, workspace)
        asked += project.queries
    if options.show:
        for query, hits in lost:
            print(f"{query.kind}: {query.question!r}\n  wanted {query.answer}\n  found  {'; '.join(hits) or 'nothing'}")
    for half in dict.fromkeys(query.half for query in asked):
        of = [query for query in asked if query.half == half]
        found = len(of) - sum(query.half == half for query, _ in lost)
        print(f"        {half}: {found / len(of):.2f} of {len(of)}")
    share = 1 - len(lost) / len(asked)
    print(f"{'met   ' if share >= AIM else 'MISSED'}  recall@{AMONG}: {share:.2f} of {len(asked)} queries (aim {AIM})")
    return 0 if share >= AIM else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
