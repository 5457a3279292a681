"""The invariants of a simulated run."""

from __future__ import annotations

from typing import Any

from solo_unicorn.missions.wire import to_wire
from solo_unicorn.sync import replica
from solo_unicorn.workspace import queries

from .hub import Effect
from .run import PROJECT, VERSIONS, Broken, Edit, Machine, Run


def judge(run: Run, effect: Effect) -> None:
    """I6: a value is replaced only by somebody who saw it (or a value of their own on top of it)."""
    if effect.kind == "patch":
        _judge_field(run, effect, "title")
    elif effect.kind == "part" and effect.before and effect.after:
        for name in ("name", "focus", "defaultBranch", "description"):
            _judge_field(run, effect, name)


def _judge_field(run: Run, effect: Effect, name: str) -> None:
    before, after = effect.before.get(name), effect.after.get(name)
    if before == after or not before:
        return
    seen, grown = {after}, -1
    while len(seen) != grown:  # edits on top of one's own edits may go out as one
        grown = len(seen)
        seen |= {e.shown for e in run.edits if e.mission == effect.mission and e.value in seen and e.shown}
    if not run.plain and before not in seen and any(e.value == after and e.shown for e in run.edits):
        run.unseen = f"{effect.mission}: {after!r} replaced {before!r}, which nobody had seen"


def check_now(run: Run, machine: Machine) -> None:
    if run.unseen:
        raise Broken(f"I6 {run.unseen}")
    if machine.store.connection.total_changes == machine.checked:
        return
    machine.checked = machine.store.connection.total_changes
    wrong = machine.workspace.read(replica.sync_steps.verify_mirror, PROJECT)
    if wrong:
        raise Broken(f"I5 {machine.name} shows something else than base and outbox for {wrong}")
    mirror = machine.workspace.read(replica.sync_steps.mirrored, PROJECT)
    if mirror.epoch == machine.epoch:
        for mission_id, version in machine.store.connection.execute(VERSIONS):
            if version < machine.versions.get(mission_id, 0):
                raise Broken(f"I4 {machine.name}: {mission_id} went back to {version}")
    machine.epoch = mirror.epoch
    machine.versions = dict(machine.store.connection.execute(VERSIONS))


def check_end(run: Run) -> None:
    truth = {one["id"]: _facts(one) for one in run.hub.state.missions.values()}
    for machine in run.machines:
        run.trail.conflicts += len(machine.workspace.read(replica.resolving.list_open, PROJECT))
        shown = {}
        for mission in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items:
            shown[mission.id] = _facts(to_wire(mission))
        parked = {one.entity_id for one in machine.workspace.read(replica.sync_steps.queued, PROJECT, parked=True)}
        differing = {one for one in truth.keys() | shown.keys() if truth.get(one) != shown.get(one)} - parked
        if differing:
            one = min(differing)
            raise Broken(f"I2 {machine.name} differs at {one}: hub {truth.get(one)}, here {shown.get(one)}")
        _check_parts(run, machine)
    _check_effects(run)
    for index, edit in enumerate(run.edits):
        _check_edit(run, index, edit)


def _check_parts(run: Run, machine: Machine) -> None:
    """I2 for what belongs to the project beside its missions."""
    if run.plain:
        return
    workspace, state = machine.workspace, run.hub.state
    parked = {one.entity_id for one in workspace.read(replica.sync_steps.queued, PROJECT, parked=True)}
    shown: dict[str, Any] = {PROJECT: workspace.read(queries.projects.get, PROJECT).name}
    shown |= {one.id: one.focus for one in workspace.read(queries.projects.actors, PROJECT)}
    shown |= {one.id: one.default_branch for one in workspace.read(queries.projects.repositories, PROJECT)}
    shown |= {one.id: one.description for one in workspace.read(queries.projects.flows, PROJECT)}
    shown |= {f"{PROJECT}/{one.name}": one.text for one in workspace.read(queries.memory.list_all, PROJECT)}
    truth: dict[str, Any] = {PROJECT: state.project["name"]}
    truth |= {one["id"]: one.get("focus", "") for one in state.parts["actors"].values()}
    truth |= {one["id"]: one.get("defaultBranch") for one in state.parts["repositories"].values()}
    truth |= {one["id"]: one.get("description") for one in state.parts["flows"].values()}
    truth |= {f"{PROJECT}/{name}": one["text"] for name, one in state.memory.items()}
    differing = {one for one in truth.keys() | shown.keys() if truth.get(one) != shown.get(one)} - parked
    _check_notes(run, machine)
    _check_files(run, machine)
    if run.restores:  # a restored hub may have lost a document that is still here
        differing = {one for one in differing if one in truth or "/" not in one}
    if differing:
        one = min(differing)
        raise Broken(f"I2 {machine.name} differs at {one}: hub {truth.get(one)!r}, here {shown.get(one)!r}")


def _check_notes(run: Run, machine: Machine) -> None:
    """Each note of a mission that is here stands in its history, once."""
    here = {one.id for one in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items}
    for mission_id in here:
        told = [one for one in run.hub.state.history if one["missionId"] == mission_id]
        wanted = sorted(one["note"] for one in told if one["kind"].startswith("noted_"))
        events = machine.workspace.read(queries.missions.history, mission_id, 10_000)
        shown = sorted(event.note for event in events if event.kind.startswith("noted_"))
        missing = [note for note in wanted if note not in shown]
        if missing or len(shown) != len(set(shown)):
            raise Broken(f"I2 {machine.name}: notes of {mission_id} are {shown}, the hub has {wanted}")


def _check_files(run: Run, machine: Machine) -> None:
    """I2 for files: those of missions that are here; what a restored hub lost is still here."""
    here = [one.id for one in machine.workspace.read(queries.missions.page, PROJECT, limit=500).items]
    shown = {
        file.id for mission_id in here for file in machine.workspace.read(queries.attachments.of_mission, mission_id)
    }
    complete = [one for one in run.hub.state.files.values() if one["state"] == "complete"]
    truth = {one["id"] for one in complete if one["missionId"] in here}
    if truth != shown and not run.restores:
        raise Broken(f"I2 {machine.name} has the files {sorted(shown)}, the hub {sorted(truth)}")


def _check_effects(run: Run) -> None:
    seen: dict[tuple[str, str], Effect] = {}
    for effect in run.hub.effects:
        key = (effect.mutation, effect.mission)
        if key in seen and effect.mutation != "none":
            raise Broken(f"I3 {effect.mutation} took effect twice: {seen[key].kind} and {effect.kind}")
        seen[key] = effect


def _check_edit(run: Run, index: int, edit: Edit) -> None:
    if edit.field == "given up":
        return
    later = run.edits[index + 1 :]
    if any(e.machine == edit.machine and e.mission == edit.mission and e.field == edit.field for e in later):
        return
    about = (edit.mission, run.mission_of.get(edit.mission))
    if any(name == edit.machine and mission in about for name, mission in run.deleted):
        return
    name = {"made": "title", "made part": "name"}.get(edit.field, edit.field).split(" ")[0]
    for effect in (*run.hub.effects, *run.hub.lost):
        same = effect.mission == edit.mission or (edit.mission == "memory" and "/" in effect.mission)
        if same and edit.value in str(effect.after.get(name) or ""):
            return
    if edit.field == "made" and any(e.machine == edit.machine and e.mission == edit.mission for e in later):
        return  # made and changed before it was sent: the later edit is looked for
    machine = next(one for one in run.machines if one.name == edit.machine)
    rows = machine.store.connection.execute(
        "SELECT mine FROM conflict WHERE mission_id = ?1 OR part = ?1 UNION ALL "
        "SELECT patch FROM outbox WHERE entity_id = ?1 OR json_extract(patch, '$.table') = ?1",
        (edit.mission,),
    ).fetchall()
    if any(edit.value in row[0] for row in rows):
        return
    if run.restores and any(edit.mission in (e.mission) for e in run.hub.lost):
        return
    raise Broken(f"I1 {edit.machine}'s {edit.field} {edit.value!r} of {edit.mission} is nowhere")


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    names = (
        "title",
        "description",
        "priority",
        "list",
        "listOrder",
        "stage",
        "reviewStatus",
        "reviewFeedback",
        "ready",
    )
    return {name: document.get(name) for name in names}
