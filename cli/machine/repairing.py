"""`doctor --repair`: records that cannot be read, and what is not as it was written, taken as they are when agreed."""

from __future__ import annotations

from ...config import paths
from ...missions.entities import SYSTEM, Json
from ...missions.errors import TryAgain
from ...workspace import operations, queries
from ...workspace.failures import StoreDamaged, TextDamaged
from ...workspace.integrity import salvage
from ...workspace.integrity.proof import Touched
from ...workspace.workspace import Workspace
from ..output import Output
from ..parsing import Options, confirmed

SHOWN = 20


def repair(options: Options, output: Output) -> int:
    """Show what is wrong, ask, and mend it; 1 when a person did not agree."""
    try:
        return _repair(options, output)
    except TextDamaged:
        raise
    except StoreDamaged as error:
        output.note(f"{error.what}: {error.why}")
        return _rebuild(options, output)


def _repair(options: Options, output: Output) -> int:
    with output.progress("reading the workspace"), Workspace.open() as opened:
        if opened.read_only:
            raise TryAgain(
                f"Nothing was repaired: {opened.path} is open read-only",
                why=opened.read_only,
                todo="update solo-unicorn, then try again",
            )
        damaged = opened.read(salvage.damaged)
        unreadable = {(one.table, one.id) for one in damaged}
        touched = [one for one in opened.touched() if (one.place, one.key) not in unreadable]
        broken = [one.why for one in touched if one.place == "file"]
        loss = opened.loss()
        names = names_of(opened, touched)
    for one in damaged:
        output.note(f"{one.table} {one.name}: {one.why}")
    for said in [*told(touched, names), *([loss.said] if loss else [])]:
        output.note(said)
    shown: list[Json] = [{"record": one.name, "why": one.why} for one in damaged]
    accepted: list[Json] = list(told(touched, names, limit=None))
    if broken:
        return _rebuild(options, output)
    if not damaged and not touched and loss is None:
        output.done("Every record is readable and as written", {"damaged": [], "kept": [], "accepted": []})
        return 0
    folder = paths.home() / "quarantine"
    if damaged:
        output.note(f"Each original is kept in {folder}; its readable part replaces it, marked not ready.")
    if touched or loss:
        output.note(
            "Records that are not as written are accepted as they are now; `workspace restore DIR` would restore them."
        )
    if not confirmed(options, f"Repair {len(damaged)} record(s)?" if damaged else "Accept the workspace as it is?"):
        return 1
    folder.mkdir(mode=0o700, exist_ok=True)
    with Workspace.open() as opened:
        kept = opened.write_as(SYSTEM, operations.repair.repair, folder)
        if touched or loss:
            opened.accept(folder)
    output.done(
        f"{len(kept)} record(s) repaired" if kept else "The workspace is accepted as it is",
        {"damaged": shown, "kept": list[Json](str(path) for path in kept), "accepted": accepted},
    )
    return 0


def _rebuild(options: Options, output: Output) -> int:
    """What can be read of a file that is damaged itself goes into a new one."""
    from ...workspace.rebuilding import rebuild

    output.note(
        "The file itself is damaged. What can be read of it would be put into a new one; it is kept beside that."
    )
    output.note("A backup may have what cannot be read: `solo-unicorn workspace restore DIR`.")
    if not confirmed(options, "Make a new file of what can be read?"):
        return 1
    folder = paths.home() / "quarantine"
    folder.mkdir(mode=0o700, exist_ok=True)
    done = rebuild(paths.workspace_db(), folder, lock=paths.service_lock())
    lost = f"; something is missing of: {', '.join(done.damaged)}" if done.damaged else "; nothing is missing"
    output.done(
        f"A new workspace was made of {done.taken} rows that could be read{lost}. The damaged one is {done.aside}",
        {"taken": done.taken, "incomplete": list[Json](done.damaged), "kept": [str(done.aside)]},
    )
    return 0


def names_of(opened: Workspace, touched: list[Touched]) -> dict[str, str]:
    """`M-3 Retry payments` for the missions of what was touched, by their ids."""
    return opened.read(queries.missions.names, {one.mission for one in touched if one.mission})


def told(touched: list[Touched], names: dict[str, str], limit: int | None = SHOWN) -> list[str]:
    """A line for each thing that is not as it was written, or for the first of them and how many more there are."""
    lines = [
        f"{names.get(one.mission, one.mission) or 'workspace'}: {one.place} {one.key}: {one.why}"
        if one.key
        else f"{one.place}: {one.why}"
        for one in touched
    ]
    if limit is None or len(lines) <= limit:
        return lines
    named = sorted({names.get(one.mission, one.mission) for one in touched[limit:] if one.mission})
    return [*lines[:limit], f"and {len(lines) - limit} more{': ' + ', '.join(named) if named else ''}"]
