"""Single bits flipped in the files of workspaces: none may change an answer while `doctor --deep` is silent.

    python -m solo_unicorn.tests.workspace.integrity.flips [--stores 100] [--flips 10000] [--seed 1]

Half of the stores were closed, half are as a crash leaves them, with their newest part in the `-wal`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from solo_unicorn.cli.machine import findings, workspace_file
from solo_unicorn.missions.entities import LISTS, SYSTEM, CodeAgent, service_of
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

FILES = ("workspace.db", "workspace.db-wal")
AGENT = CodeAgent(type="claude", name="claude", title="Claude Code", slots=9, state="ready")
WORDS = ("gateway", "retry", "payment", "invoice", "search", "colour", "token", "Straße", "日本", "limit", "answer")


@dataclass
class Flip:
    """One bit, what the answers did, and whether the doctor told."""

    file: str
    byte: int
    bit: int
    changed: str
    """The first answer that is another now; empty when all are as before."""
    told: bool
    fault: str
    """An error that is not one of ours; empty when there was none."""

    @property
    def silent(self) -> bool:
        """Whether an answer changed and nobody said so."""
        return bool(self.changed) and not self.told


def build(home: Path, seed: int, *, crashed: bool) -> None:
    """A workspace in `home` with some of everything; `crashed`: not folded, as if its process had been killed."""
    drawn = random.Random(seed)
    making = home.with_name(f"{home.name}.making")
    os.environ["SOLO_UNICORN_HOME"] = str(making)

    def text(words: int) -> str:
        return " ".join(drawn.choices(WORDS, k=words))

    with Workspace.open() as workspace:
        project = workspace.write(operations.projects.create, f"Shop {seed}", description=text(9))
        workspace.write(operations.projects.add_repository, project.id, "web", local_path="/somewhere")
        workspace.write_as(SYSTEM, operations.workstation.set_agents, [AGENT])
        made = [
            workspace.write(
                operations.missions.create, project.id, MissionDraft(title=text(4), description=text(60), list=where)
            )
            for where in drawn.choices(("todo", "doing", "review", "done"), k=8)
        ]
        if crashed:
            workspace.checkpoint()
        for number, mission in enumerate(made):
            workspace.write(operations.missions.edit, mission.id, {"title": text(5), "priority": number % 5 + 1})
            workspace.write(operations.missions.add_note, mission.id, "decision", text(12))
        workspace.write(operations.missions.link, made[0].id, made[1].id)
        workspace.write(operations.missions.delete, made[2].id)
        for name in ("index", "rules", "index"):
            workspace.write(operations.memory.append, project.id, name, text(200), "Notes")
        workspace.write(operations.filters.save, project.id, "urgent", "priority:5")
        running = workspace.write(operations.missions.create, project.id, MissionDraft(title=text(3)))
        workspace.write(operations.missions.set_ready, running.id, True)
        claimed = workspace.write_as(
            SYSTEM, operations.dispatch.claim, running.id, session_id="S1", agent=AGENT, workstation_id="W1"
        )
        by = service_of(claimed.id)
        workspace.write_as(
            by, operations.sessions.begin, "S1", host_pid=1, worktree_path="/w", branch="b", base_commit="c", unheld=""
        )
        if crashed:
            shutil.copytree(making, home)
    if not crashed:
        shutil.copytree(making, home)
    shutil.rmtree(making)


def answers(home: Path) -> Iterator[tuple[str, str]]:
    """What board, list, show, search and export say, each with its name."""
    os.environ["SOLO_UNICORN_HOME"] = str(home)
    with Workspace.open() as opened:
        for project in opened.read(queries.projects.list_all):
            for name in LISTS:
                yield "board", repr(opened.read(queries.board.cards, project.id, name))
            yield "counts", repr(opened.read(queries.board.list_counts, project.id))
            page = opened.read(queries.missions.page, project.id).items
            yield "list", repr(page)
            yield "search", repr(opened.read(queries.missions.search, "payment gateway", project.id))
            for mission in page:
                yield "show", repr(opened.read(queries.missions.get, mission.id))
                yield "history", repr(opened.read(queries.missions.history, mission.id))
                yield "dependencies", repr(opened.read(queries.missions.dependencies, mission.id))
            written: list[str] = []
            opened.read(queries.exports.write_project, project.id, written.append)
            yield "export", "".join(written)
        yield "waiting", repr(opened.read(queries.board.waiting_count))


def asked(home: Path) -> tuple[list[tuple[str, str]], str]:
    """All answers, and the error that ended them if it is not one of ours."""
    said: list[tuple[str, str]] = []
    try:
        for one in answers(home):
            said.append(one)
    except SoloUnicornError as error:
        said.append(("error", error.what))
    except Exception as error:
        said.append(("error", str(error)))
        return said, "".join(traceback.format_exception(error)[-4:])
    return said, ""


def told(home: Path) -> tuple[bool, str]:
    """Whether `doctor --deep` finds something wrong, and the error that ended it if it is not one of ours."""
    os.environ["SOLO_UNICORN_HOME"] = str(home)
    try:
        looks = [one for look in (workspace_file.workspace, workspace_file.proved) for one in findings.found(look)]
    except Exception as error:
        return True, "doctor: " + "".join(traceback.format_exception(error)[-4:])
    return any(one.state in ("error", "warning") for one in looks), ""


def flip(sound: Path, before: list[tuple[str, str]], drawn: random.Random) -> Flip:
    """Flip one bit of a copy of a home, ask for everything, and the doctor."""
    home = sound.with_name(f"{sound.name}.flipped")
    shutil.copytree(sound, home)
    file = drawn.choice([name for name in FILES if (home / name).exists() and (home / name).stat().st_size])
    byte, bit = drawn.randrange((home / file).stat().st_size), drawn.randrange(8)
    with (home / file).open("r+b") as opened:
        opened.seek(byte)
        value = opened.read(1)[0] ^ 1 << bit
        opened.seek(byte)
        opened.write(bytes([value]))
    again = home.with_name(f"{home.name}.asked")
    shutil.copytree(home, again)  # closing folds a log: the doctor looks at what the flip left
    after, fault = asked(again)
    said, wrong = told(home)
    shutil.rmtree(home)
    shutil.rmtree(again)
    changed = next((one[0] for one, other in zip(after, before, strict=False) if one != other), "")
    if not changed and len(after) != len(before):
        changed = "length"
    return Flip(file, byte, bit, changed, said, fault or wrong)


def run(folder: Path, *, stores: int, flips: int, seed: int) -> Iterator[Flip]:
    """`flips` flips over `stores` workspaces; checks first that nothing is said of a sound one."""
    for number in range(stores):
        home = folder / f"store-{number}"
        build(home, seed * 1000 + number, crashed=number % 2 == 1)
        sound = folder / f"sound-{number}"
        shutil.copytree(home, sound)
        assert told(sound) == (False, ""), "a sound workspace is called damaged"
        before, fault = asked(sound)
        assert not fault, fault
        shutil.rmtree(sound)
        drawn = random.Random(f"{seed} {number}")
        for _ in range(flips // stores):
            yield flip(home, before, drawn)
        shutil.rmtree(home)


def main() -> int:
    """Run them, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--stores", type=int, default=100)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for one in run(Path(folder), stores=wanted.stores, flips=wanted.flips, seed=wanted.seed):
            counted["flips"] += 1
            counted["changed an answer"] += bool(one.changed)
            counted["told by doctor --deep"] += one.told
            if one.silent or one.fault:
                counted["silent" if one.silent else "faults"] += 1
                print(one, file=sys.stderr, flush=True)
            if counted["flips"] % 500 == 0:
                print(dict(counted), flush=True)
    print(", ".join(f"{name}: {number}" for name, number in counted.items()))
    return 1 if counted["silent"] or counted["faults"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
