"""`mission undo|redo|undo-landing`: taking back what a person did last, a landing included."""

from __future__ import annotations

from ...missions.entities import Mission
from ...missions.errors import Conflict
from ...missions.rules.landing import check_undoable
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project
from ..shapes import mission_json, ref


def _takes_mission(parser: Parser) -> None:
    parser.add_argument("mission", metavar="REF")


def _undo(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        landed = opened.read(queries.undo.landing_on_top, project)
        if landed is None:
            told = opened.write(operations.undo.undo, project)
        else:
            told, _ = undo_landing(opened, opened.read(queries.missions.get, landed))
    Output(options).done(told, {"undone": told})


def _redo(options: Options) -> None:
    with workspace() as opened:
        told = opened.write(operations.undo.redo, project_of(opened, options.project).id)
    Output(options).done(told, {"redone": told})


def _undo_landing(options: Options) -> None:
    with workspace() as opened:
        told, mission = undo_landing(opened, opened.read(queries.missions.get, options.mission))
    Output(options).done(told, mission_json(mission) | {"undone": told})


def undo_landing(opened: Workspace, mission: Mission) -> tuple[str, Mission]:
    """Take a mission's work off its target branch, and the mission back to review; what was done, in a sentence."""
    from ...worktrees.landing.recovery import undo_landing as take_off

    commit = check_undoable(mission)
    if mission.project_repository_id is None:
        raise Conflict(f"The landing of {ref(mission)} cannot be undone", why="its repository is no longer linked here")
    repository = opened.read(queries.projects.repository, mission.project_repository_id)
    target = mission.target_branch or repository.default_branch
    entry = take_off(repository.local_path, target=target, commit=commit)
    after = opened.write(operations.landing.undone, mission.id)
    told = (
        f"{target} is at {entry.old[:10]} again, without {ref(mission)}; "
        f"its work is on {entry.branch}, and it waits in Review"
    )
    return told, after


COMMANDS = {
    "undo": Command(takes_project, _undo),
    "redo": Command(takes_project, _redo),
    "undo-landing": Command(_takes_mission, _undo_landing),
}
