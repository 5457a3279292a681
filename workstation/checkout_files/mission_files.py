"""Solutions and tasks as files: `solo-unicorn-docs/missions/<id>/solution.md` and `tasks.md` in a checkout, one way."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...missions.entities import Mission
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...workspace import queries
from ...workspace.workspace import Workspace
from .memory_files import put

FOLDER = Path("solo-unicorn-docs") / "missions"
SHOWN = frozenset({"solution", "tasks", "tasksCurrent", "title"})
"""Fields of a mission that its files show."""
PAGE = 200
Files = dict[str, str | None]
"""Path below the checkout to its text; None: there is nothing to write any more."""


def changed(workspace: Workspace, project_id: str, since: int | None) -> tuple[Files, int]:
    """What is to be written of the missions that changed after event `since` (None: of all), and the newest event."""
    newest = workspace.read(queries.board.last_seq)
    missions = _all(workspace, project_id) if since is None else _touched(workspace, project_id, since)
    files: Files = {}
    for mission in missions:
        folder = FOLDER / mission.id
        files[str(folder / "solution.md")] = _ended(mission.solution) if mission.solution else None
        files[str(folder / "tasks.md")] = _tasks(mission) if mission.tasks else None
    return files, newest


def write(checkout: Path, files: Files) -> int:
    """Write what differs; returns how many files did. What a mission no longer has is removed."""
    if any((checkout / part).is_symlink() for part in (FOLDER, FOLDER.parent)):
        return 0
    written = 0
    for name, text in files.items():
        file = checkout / name
        if file.parent.is_symlink() or (text is None and not file.exists()):
            continue
        written += 1
        if text is None:
            file.unlink()
        elif not file.exists() or file.read_bytes() != text.encode():
            file.parent.mkdir(parents=True, exist_ok=True)
            put(file, text)
        else:
            written -= 1
    return written


def _all(workspace: Workspace, project_id: str) -> Iterable[Mission]:
    cursor = None
    while True:
        page = workspace.read(queries.missions.page, project_id, limit=PAGE, cursor=cursor)
        yield from (mission for mission in page.items if mission.solution or mission.tasks)
        cursor = page.next_cursor
        if cursor is None:
            return


def _touched(workspace: Workspace, project_id: str, since: int) -> Iterable[Mission]:
    seen: set[str] = set()
    while events := workspace.read(queries.missions.events_since, since):
        since = events[-1].seq
        for event in events:
            if event.project_id != project_id or event.mission_id is None or event.mission_id in seen:
                continue
            if event.kind == "created" or event.changes.keys() & SHOWN:
                seen.add(event.mission_id)
                try:
                    yield workspace.read(queries.missions.get, event.mission_id)
                except NotFound:
                    continue


def _tasks(mission: Mission) -> str:
    lines = [f"- [{'x' if n < mission.tasks_current else ' '}] {task.title}" for n, task in enumerate(mission.tasks)]
    return f"# {short_id(mission.number)} {mission.title}\n\n" + "\n".join(lines) + "\n"


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
