"""What people do in a simulated run: every change that was acknowledged is written down."""

from __future__ import annotations

from typing import Any

from solo_unicorn.missions.entities import LISTS, USER, Actor, Attachment, Mission, ProjectRepository
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.wire import to_wire
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.files import PIECE
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.rows import dump
from solo_unicorn.workspace.sync_state import outgoing

from .run import PROJECT, Edit, Machine, Run


def edit(run: Run, machine: Machine) -> None:
    workspace, draw = machine.workspace, run.random
    missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
    value = f"{machine.name}{len(run.edits)}"
    kind = draw.random()
    if not missions or (kind < 0.16 and len(missions) < 6):
        made = workspace.write(
            operations.missions.create,
            PROJECT,
            MissionDraft(title=f"new {value}", description=f"top\nmiddle {value}\nend"),
        )
        run.made[made.id] = machine.name
        run.edits.append(Edit(machine.name, made.id, "made", made.title, ""))
        run.trail.edits += 1
        return
    if kind > 0.80 and not run.plain and draw.random() < 0.7:
        _edit_part(run, machine, value)
        return
    mission = draw.choice(missions)
    if kind < 0.50:
        workspace.write(operations.missions.edit, mission.id, {"title": value})
        _said(run, machine, mission, "title", value, mission.title)
    elif kind < 0.65:
        lines = (mission.description or "").split("\n")
        lines.insert(draw.randrange(len(lines) + 1), f"line {value}")
        workspace.write(operations.missions.edit, mission.id, {"description": "\n".join(lines)})
        _said(run, machine, mission, "description", f"line {value}", "")
    elif kind < 0.72:
        workspace.write(operations.missions.edit, mission.id, {"priority": draw.randint(1, 5)})
    elif kind < 0.84:
        _move(run, machine, mission, [one for one in missions if one.id != mission.id])
    elif kind < 0.90:
        _review(run, machine, mission, value)
    elif kind < 0.94 and len(missions) > 1:
        other = draw.choice([one for one in missions if one.id != mission.id])
        _quietly(
            lambda: workspace.write(
                operations.missions.link, mission.id, other.id, draw.choice(("blocks", "relates_to"))
            )
        )
    elif kind < 0.97:
        workspace.write(operations.missions.delete, mission.id)
        run.deleted.append((machine.name, mission.id))
    else:
        _undo(run, machine, {one.id: one for one in missions})


def _said(run: Run, machine: Machine, mission: Mission, name: str, value: str, shown: str) -> None:
    _changed(run, machine, mission.id, name, value, shown)


def _changed(run: Run, machine: Machine, entity_id: str, name: str, value: str, shown: str) -> None:
    run.edits.append(Edit(machine.name, entity_id, name, value, shown))
    run.trail.edits += 1


def _edit_part(run: Run, machine: Machine, value: str) -> None:
    """Settings, personas, flows, repositories and the memory of the project."""
    workspace, draw = machine.workspace, run.random
    kind = draw.randrange(11)
    actors, repositories = (
        workspace.read(queries.projects.actors, PROJECT),
        workspace.read(queries.projects.repositories, PROJECT),
    )
    own_flows = [one for one in workspace.read(queries.projects.flows, PROJECT) if not one.is_system]
    if kind == 0:
        shown = workspace.read(queries.projects.get, PROJECT).name
        workspace.write(operations.projects.edit, PROJECT, {"name": value})
        _changed(run, machine, PROJECT, "name", value, shown)
    elif kind == 1 or not actors:
        name = draw.choice((value, "same"))
        _quietly(
            lambda: _made_part(
                run, machine, workspace.write(operations.projects.create_actor, PROJECT, name, focus=value), value
            )
        )
    elif kind in (2, 3):
        actor = draw.choice(actors)
        if kind == 2:
            workspace.write(operations.parts.edit, Actor, actor.id, {"focus": value})
            _changed(run, machine, actor.id, "focus", value, actor.focus)
        else:
            _quietly(lambda: workspace.write(operations.parts.remove, Actor, actor.id))
            run.deleted.append((machine.name, actor.id))
    elif kind == 4:
        documents = workspace.read(queries.memory.list_all, PROJECT)
        workspace.write(operations.memory.append, PROJECT, draw.choice(("decisions", "notes")), f"line {value}")
        assert len(workspace.read(queries.memory.list_all, PROJECT)) >= len(documents)
        _changed(run, machine, "memory", "text", f"line {value}", "")
    elif kind == 9:
        missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
        if missions:
            mission = draw.choice(missions)
            workspace.write(operations.missions.add_note, mission.id, "progress", f"did {value}")
            _changed(run, machine, mission.id, f"note {value}", f"did {value}", "")
    elif kind == 10:
        _file(run, machine, value)
    elif kind == 5 or not repositories:
        made = workspace.write(operations.projects.add_repository, PROJECT, value)
        run.edits.append(Edit(machine.name, made.id, "made part", value, ""))
    elif kind == 6:
        repository = draw.choice(repositories)
        if draw.random() < 0.3:
            _quietly(lambda: workspace.write(operations.parts.remove, ProjectRepository, repository.id))
            run.deleted.append((machine.name, repository.id))
        else:
            workspace.write(operations.parts.edit, ProjectRepository, repository.id, {"default_branch": value})
            _changed(run, machine, repository.id, "defaultBranch", value, repository.default_branch)
    elif kind == 7 or not own_flows:
        stages = workspace.read(queries.projects.flows, PROJECT)[0].stage_sequence
        made_flow = workspace.write(operations.projects.create_flow, PROJECT, f"flow {value}", stages)
        run.edits.append(Edit(machine.name, made_flow.id, "made part", f"flow {value}", ""))
    else:
        flow = draw.choice(own_flows)
        workspace.write(operations.projects.describe_flow, flow.id, description=f"words {value}")
        _changed(run, machine, flow.id, "description", f"words {value}", flow.description or "")


def _file(run: Run, machine: Machine, value: str) -> None:
    """A file attached (its bytes are not there), or taken off."""
    workspace, draw = machine.workspace, run.random
    missions = list(workspace.read(queries.missions.page, PROJECT, limit=50).items)
    if not missions:
        return
    mission = draw.choice(missions)
    files = workspace.read(queries.attachments.of_mission, mission.id)
    if files and draw.random() < 0.3:
        gone = draw.choice(files)
        with workspace._change(USER) as change:
            change.connection.execute("DELETE FROM attachment WHERE id = ?", (gone.id,))
            outgoing.queue_file_removal(change, gone)
        run.deleted.append((machine.name, gone.id))
        return
    size = draw.choice((1, PIECE, PIECE * 2 + 7))
    with workspace._change(USER) as change:
        made = Attachment(
            run.new_id(), PROJECT, mission.id, f"{value}.txt", "text/plain", size, f"{size:064x}", change.now, USER
        )
        change.connection.execute(
            "INSERT INTO attachment (id, project_id, mission_id, name, sha256, doc) VALUES (?, ?, ?, ?, ?, ?)",
            (made.id, PROJECT, mission.id, made.name, made.sha256, dump(to_wire(made))),
        )
        outgoing.queue_file(change, made)
    run.edits.append(Edit(machine.name, made.id, "name", made.name, ""))
    run.mission_of[made.id] = mission.id


def _made_part(run: Run, machine: Machine, actor: Any, value: str) -> None:
    _changed(run, machine, actor.id, "focus", value, "")


def _move(run: Run, machine: Machine, mission: Mission, others: list[Mission]) -> None:
    to_list = run.random.choice(LISTS[:4])
    there = [one for one in others if one.list == to_list]
    before = run.random.choice(there).id if there and run.random.random() < 0.6 else None
    machine.workspace.write(operations.missions.move, mission.id, to_list, before=before)


def _review(run: Run, machine: Machine, mission: Mission, value: str) -> None:
    workspace = machine.workspace
    if mission.review_status != "pending":
        _quietly(lambda: workspace.write(operations.review.request_review, mission.id, f"did {value}"))
    elif run.random.random() < 0.5:
        _quietly(lambda: workspace.write(operations.review.approve, mission.id))
    else:
        workspace.write(operations.review.reject, mission.id, f"no {value}")
        _said(run, machine, mission, "reviewFeedback", f"no {value}", "")


def _undo(run: Run, machine: Machine, before: dict[str, Mission]) -> None:
    _quietly(lambda: machine.workspace.write(operations.undo.undo, PROJECT))
    machine.store.connection.left = -1
    after = {one.id: one for one in machine.workspace.read(queries.missions.page, PROJECT, limit=50).items}
    for mission_id in before.keys() | after.keys():
        was, now = before.get(mission_id), after.get(mission_id)
        if was == now:
            continue
        for edit in run.edits:  # taken back on purpose
            if edit.machine == machine.name and edit.mission == mission_id:
                edit.field = "given up"
        if was is None and now is not None:
            run.made[now.id] = machine.name
            run.edits.append(Edit(machine.name, now.id, "made", now.title, ""))
        elif was is not None and now is None:
            run.deleted.append((machine.name, mission_id))
        elif was is not None and now is not None and was.title != now.title:
            _said(run, machine, now, "title", now.title, was.title)


def settle(run: Run, machine: Machine) -> None:
    found = machine.workspace.read(replica.resolving.list_open, PROJECT)
    if not found:
        return
    run.trail.settled += 1
    conflict = run.random.choice(found)
    if run.random.random() < 0.5:
        machine.workspace.write(replica.resolving.keep_theirs, conflict.id)
        _given_up(run, machine, conflict)
        return
    if conflict.part:
        _settle_part(run, machine, conflict)
        return
    shown = ""
    if conflict.field == "title":
        shown = next(
            (
                one.title
                for one in machine.workspace.read(queries.missions.page, PROJECT).items
                if one.id == conflict.mission_id
            ),
            "",
        )
    try:
        made = machine.workspace.write(replica.resolving.keep_mine, conflict.id)
    except SoloUnicornError:
        return
    if conflict.kind == "field" and conflict.field == "title" and made is not None:
        _said(run, machine, made, "title", str(conflict.mine), shown)
        _said(run, machine, made, "title", str(conflict.mine), str(conflict.theirs))  # and that was decided on
    elif conflict.kind == "field":
        _given_up(run, machine, conflict)  # replaced by what was decided
    elif conflict.kind in ("deleted_remotely", "id_taken") and made is not None:
        run.made[made.id] = machine.name
        run.edits.append(Edit(machine.name, made.id, "made", made.title, ""))
        _given_up(run, machine, conflict)
    elif conflict.kind == "deleted_locally":
        run.deleted.append((machine.name, conflict.mission_id))
    elif conflict.kind in ("outcome_unknown", "progress"):
        mine: Any = conflict.mine
        theirs: Any = conflict.theirs or {}
        for name, value in mine.items():
            if made is not None and name in ("title", "reviewFeedback") and value:
                _said(run, machine, made, name, value, str(theirs.get(name) or made.title))
        _given_up(run, machine, conflict)


def _settle_part(run: Run, machine: Machine, conflict: Any) -> None:
    try:
        machine.workspace.write(replica.resolving.keep_mine, conflict.id)
    except SoloUnicornError:
        return
    if conflict.kind == "field" and conflict.part != "memory":
        for shown in (str(conflict.theirs or ""), _shown_of(machine, conflict)):
            _changed(run, machine, conflict.mission_id, conflict.field, str(conflict.mine), shown)
    elif conflict.kind == "deleted_locally":
        run.deleted.append((machine.name, conflict.mission_id))
    elif conflict.kind == "deleted_remotely":
        for name in ("focus", "defaultBranch", "description"):
            if conflict.mine.get(name):
                _changed(run, machine, conflict.mission_id, name, conflict.mine[name], "")
        run.edits.append(Edit(machine.name, conflict.mission_id, "made part", conflict.mine["name"], ""))


def _given_up(run: Run, machine: Machine, conflict: Any) -> None:
    """What a person let go of on purpose need not be found again."""
    for edit in run.edits:
        same = edit.machine == machine.name and edit.mission == _entity(conflict)
        if same and conflict.field in ("", "progress", edit.field):
            edit.field = "given up"


def _quietly(action: Any) -> None:
    """A rule may refuse it; a person would see why."""
    try:
        action()
    except SoloUnicornError:
        return


def _entity(conflict: Any) -> str:
    return "memory" if conflict.part == "memory" else str(conflict.mission_id)


def _shown_of(machine: Machine, conflict: Any) -> str:
    """What stands there now on the machine."""
    workspace, part_id = machine.workspace, conflict.mission_id
    found: list[Any] = [
        *workspace.read(queries.projects.actors, PROJECT),
        *workspace.read(queries.projects.repositories, PROJECT),
        *workspace.read(queries.projects.flows, PROJECT),
    ]
    names = {"focus": "focus", "defaultBranch": "default_branch", "description": "description", "name": "name"}
    entity = next((one for one in found if one.id == part_id), workspace.read(queries.projects.get, PROJECT))
    return str(getattr(entity, names.get(conflict.field, "id"), "") or "")
