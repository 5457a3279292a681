"""What belongs to a connected project beside its missions goes both ways, and nothing is overwritten unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import SYSTEM, Actor, Flow, FlowStage, ProjectRepository
from solo_unicorn.missions.errors import Conflict, NotFound
from solo_unicorn.missions.ids import shared_id
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.sync.replica.exchange import push
from solo_unicorn.sync.replica.messages import Response
from solo_unicorn.workspace import operations, queries

from .pair import FLOW, PROJECT, Machine
from .simulation.hub import SimulatedHub
from .simulation.store import MemoryStore, SilentWorkspace


def test_every_edit_and_removal_arrives_at_the_other_machine(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="tests")
    gone = ann.write(operations.projects.create_actor, PROJECT, "Gone soon")
    flow = ann.write(
        operations.projects.create_flow, PROJECT, "Mine", [FlowStage("plan", True), FlowStage("code", True)]
    )
    repository = ann.write(operations.projects.add_repository, PROJECT, "web", local_path="/here/only")
    both[0].sync()
    both[1].sync()
    assert {one.name for one in bob.read(queries.projects.actors, PROJECT)} == {"Careful", "Gone soon"}
    bob.write(operations.parts.edit, Actor, actor.id, {"focus": "tests and docs", "name": "Thorough"})
    bob.write(operations.parts.remove, Actor, gone.id)
    bob.write(operations.projects.set_stages, flow.id, [FlowStage("plan", True)])
    bob.write(operations.projects.describe_flow, flow.id, name="Ours", description="short")
    bob.write(
        operations.parts.edit,
        ProjectRepository,
        repository.id,
        {"default_branch": "trunk", "local_path": "/there/only"},
    )
    bob.write(operations.projects.edit, PROJECT, {"name": "Renamed", "default_actor_id": actor.id, "paused": True})
    both[1].sync()
    both[0].sync()
    assert [(one.name, one.focus) for one in ann.read(queries.projects.actors, PROJECT)] == [
        ("Thorough", "tests and docs")
    ]
    changed = ann.read(queries.projects.flow, flow.id)
    assert (changed.name, changed.description, len(changed.stage_sequence)) == ("Ours", "short", 1)
    assert ann.read(queries.projects.repository, repository.id).default_branch == "trunk"
    assert ann.read(queries.projects.repository, repository.id).local_path == "/here/only"
    project = ann.read(queries.projects.get, PROJECT)
    assert (project.name, project.default_actor_id, project.paused) == ("Renamed", actor.id, False)
    bob.write(operations.parts.remove, ProjectRepository, repository.id)
    bob.write(operations.parts.remove, Flow, flow.id)
    both[1].sync()
    both[0].sync()
    assert ann.read(queries.projects.repositories, PROJECT) == [] and [
        one.name for one in ann.read(queries.projects.flows, PROJECT)
    ] == ["Standard"]
    assert all(
        one.workspace.read(replica.sync_steps.queued) == [] and one.workspace.read(replica.resolving.list_open) == []
        for one in both
    )


def test_what_somebody_removed_does_not_come_back_with_a_late_answer(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful")
    both[0].send_unanswered()
    both[1].sync()
    bob.write(operations.parts.remove, Actor, actor.id)
    both[1].sync()
    both[0].sync()
    both[0].read()
    assert ann.read(queries.projects.actors, PROJECT) == [] and ann.read(replica.sync_steps.queued) == []


def test_a_try_of_long_ago_does_not_take_back_what_was_changed_since(
    both: tuple[Machine, Machine], hub: SimulatedHub
) -> None:
    ann, bob = (one.workspace for one in both)
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="old")
    both[0].send_unanswered()
    both[1].sync()
    bob.write(operations.parts.edit, Actor, actor.id, {"focus": "of bob"})
    both[1].sync()
    hub.forget_keys()
    both[0].sync()
    assert [one.focus for one in ann.read(queries.projects.actors, PROJECT)] == ["of bob"] and ann.read(
        replica.sync_steps.queued
    ) == []


def test_an_answer_of_after_the_retention_tells_that_the_outcome_is_unknown(
    both: tuple[Machine, Machine], hub: SimulatedHub
) -> None:
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("Lamp"))
    both[0].sync()
    both[1].sync()
    before = hub.now
    ann.write(operations.missions.move, mission.id, "doing")
    both[0].send_unanswered()
    both[1].sync()
    bob.write(operations.missions.move, mission.id, "todo")
    both[1].sync()
    hub.forget_keys()
    (moved,) = ann.read(replica.sync_steps.due, both[0].account.id)
    both[0]._talk(push(ann, moved, both[0].can, before))  # the clock is known from before the long silence only
    both[0].sync()
    (shown,) = ann.read(replica.resolving.list_open)
    assert isinstance(shown.mine, dict) and (shown.kind, shown.mine["list"]) == ("outcome_unknown", "doing")
    assert (
        ann.read(queries.missions.get, mission.id).list == "todo" == hub.state.missions[mission.id]["list"]
        and ann.read(replica.sync_steps.queued) == []
    )


def test_an_edit_survives_a_read_that_comes_before_it_was_sent(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="old")
    both[0].sync()
    both[1].sync()
    bob.write(operations.parts.edit, Actor, actor.id, {"focus": "of bob"})
    ann.write(operations.parts.edit, Actor, actor.id, {"methodology": "of ann"})
    both[0].sync()
    both[1].read()
    (shown,) = bob.read(queries.projects.actors, PROJECT)
    assert (shown.focus, shown.methodology) == ("of bob", "of ann")
    both[1].sync()
    both[0].sync()
    (shown,) = ann.read(queries.projects.actors, PROJECT)
    assert (shown.focus, shown.methodology) == ("of bob", "of ann")


def test_two_who_change_the_same_are_asked(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.projects.edit, PROJECT, {"pr_template": "of ann"})
    bob.write(operations.projects.edit, PROJECT, {"pr_template": "of bob"})
    both[0].sync()
    both[1].sync()
    (conflict,) = bob.read(replica.resolving.list_open)
    assert (conflict.part, conflict.title, conflict.field) == ("project", "Shared", "prTemplate")
    assert (conflict.mine, conflict.theirs) == ("of bob", "of ann")
    assert bob.read(queries.projects.get, PROJECT).pr_template == "of ann"
    assert bob.write(replica.resolving.keep_mine, conflict.id) is None
    both[1].sync()
    both[0].sync()
    assert (
        ann.read(queries.projects.get, PROJECT).pr_template == "of bob" and bob.read(replica.resolving.list_open) == []
    )


def test_removed_here_changed_there_and_the_other_way_round(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    first, second = (
        ann.write(operations.projects.create_actor, PROJECT, "First"),
        ann.write(operations.projects.create_actor, PROJECT, "Second"),
    )
    both[0].sync()
    both[1].sync()
    ann.write(operations.parts.edit, Actor, first.id, {"focus": "changed"})
    ann.write(operations.parts.remove, Actor, second.id)
    bob.write(operations.parts.remove, Actor, first.id)
    bob.write(operations.parts.edit, Actor, second.id, {"focus": "changed too"})
    both[0].sync()
    both[1].sync()
    assert {one.name for one in bob.read(queries.projects.actors, PROJECT)} == {
        "First"
    }  # the deletion is withheld, the edit kept
    kinds = {one.kind: one for one in bob.read(replica.resolving.list_open)}
    assert kinds.keys() == {"deleted_locally", "deleted_remotely"}
    bob.write(replica.resolving.keep_mine, kinds["deleted_locally"].id)
    bob.write(replica.resolving.keep_mine, kinds["deleted_remotely"].id)
    both[1].sync()
    both[0].sync()
    assert [(one.id, one.focus) for one in ann.read(queries.projects.actors, PROJECT)] == [(second.id, "changed too")]


def test_one_name_given_twice_keeps_both(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="of ann")
    bob.write(operations.projects.create_actor, PROJECT, "Careful", focus="of bob")
    both[0].sync()
    both[1].sync()
    both[0].sync()
    wanted = [("Careful", "of ann"), ("Careful (2)", "of bob")]
    for one in (ann, bob):
        assert sorted((actor.name, actor.focus) for actor in one.read(queries.projects.actors, PROJECT)) == wanted


def test_what_the_hub_refuses_is_kept_with_its_words(both: tuple[Machine, Machine], hub: SimulatedHub) -> None:
    ann = both[0].workspace
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="old")
    both[0].sync()
    ann.write(operations.parts.edit, Actor, actor.id, {"focus": "new"})
    hub.refuse = lambda request: Response(403, {}, {"error": {"code": "forbidden", "message": "owners only"}})
    assert both[0].send() == ["parked"]
    (parked,) = ann.read(replica.sync_steps.queued, parked=True)
    assert (parked.error, ann.read(queries.projects.actors, PROJECT)[0].focus) == ("owners only", "old")
    assert not ann.read(replica.sync_steps.mirrored, PROJECT).read_only  # missions may still be written
    hub.refuse = lambda request: None
    ann.write_as(SYSTEM, replica.sync_steps.retry_parked, parked.seq)
    assert ann.read(queries.projects.actors, PROJECT)[0].focus == "new"
    both[0].send()
    assert hub.state.parts["actors"][actor.id]["focus"] == "new"


def test_a_part_goes_only_after_what_named_it(both: tuple[Machine, Machine], hub: SimulatedHub) -> None:
    """A flow that missions used is deleted at the hub when they use another."""
    ann = both[0].workspace
    flow = ann.write(operations.projects.create_flow, PROJECT, "Short", [FlowStage("plan", True)])
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One", flow_id=flow.id))
    both[0].sync()
    ann.write(operations.missions.edit, mission.id, {"flow_id": FLOW["id"]})
    ann.write(operations.parts.remove, Flow, flow.id)
    assert [one.kind for one in ann.read(replica.sync_steps.due, "ann@hub")] == ["patch"]
    both[0].sync()
    assert flow.id not in hub.state.parts["flows"] and hub.state.missions[mission.id]["flowId"] == FLOW["id"]


def test_notes_and_line_comments_come_once_on_both(both: tuple[Machine, Machine], hub: SimulatedHub) -> None:
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    ann.write(operations.missions.add_note, mission.id, "decision", "SQLite it is")
    comment = ann.write(operations.comments.add, mission.id, "a.py", 3, "new", "too long")
    both[0].sync()
    both[1].sync()
    assert [one.text for one in bob.read(queries.comments.of_mission, mission.id)] == ["too long"]
    bob.write(operations.comments.resolve, comment.id)
    bob.write(operations.missions.add_note, mission.id, "progress", "shortened")
    both[1].sync()
    both[0].sync()
    hub.back_up()
    hub.restore()
    both[0].sync()
    for one in (ann, bob):
        told = [
            event.note for event in one.read(queries.missions.history, mission.id) if event.kind.startswith("noted")
        ]
        assert told == ["SQLite it is", "shortened"]
        assert [one.open for one in one.read(queries.comments.of_mission, mission.id)] == [False]
    ann.write(operations.comments.delete, comment.id)
    both[0].sync()
    both[1].sync()
    assert bob.read(queries.comments.of_mission, mission.id) == []


def test_a_plain_server_keeps_missions_only_and_nothing_here_is_lost(home: Path) -> None:
    machine = Machine(SimulatedHub(PROJECT, plain=True), "ann")
    with machine.workspace as ann:
        ann.write(operations.memory.append, PROJECT, "notes", "mine")
        mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
        ann.write(operations.missions.add_note, mission.id, "progress", "mine too")
        machine.sync()
        assert (
            ann.read(queries.memory.get, PROJECT, "notes").text == "mine\n"
            and ann.read(replica.sync_steps.queued) == []
        )
        assert any(event.note == "mine too" for event in ann.read(queries.missions.history, mission.id))
        assert ann.read(queries.projects.flows, PROJECT)


def test_a_project_with_unsent_edits_is_not_deleted_by_mistake(both: tuple[Machine, Machine]) -> None:
    ann = both[0].workspace
    ann.write(operations.projects.edit, PROJECT, {"name": "New name"})
    with pytest.raises(Conflict, match=r"1 edit\(s\) that the hub does not have"):
        ann.write(operations.projects.delete, PROJECT)
    assert ann.read(queries.projects.get, PROJECT).name == "New name" and len(ann.read(replica.sync_steps.queued)) == 1
    ann.write(operations.projects.delete, PROJECT, discard_unsent=True)
    assert ann.read(replica.sync_steps.queued) == [] and ann.read(queries.projects.list_all) == []


def test_disconnected_everything_stays(both: tuple[Machine, Machine]) -> None:
    ann = both[0].workspace
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful")
    ann.write(operations.memory.append, PROJECT, "notes", "mine")
    with pytest.raises(Conflict):
        ann.write(replica.connecting.disconnect, PROJECT)
    ann.write(replica.connecting.disconnect, PROJECT, force=True)
    assert [one.id for one in ann.read(queries.projects.actors, PROJECT)] == [actor.id] and ann.read(
        queries.memory.get, PROJECT, "notes"
    ).text == "mine\n"
    ann.write(operations.parts.edit, Actor, actor.id, {"focus": "local now"})
    assert ann.read(replica.sync_steps.queued) == []


def test_a_published_project_tells_of_everything(home: Path, hub: SimulatedHub) -> None:
    with SilentWorkspace(MemoryStore()) as ann:
        account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
        replica.connecting.put_account(ann, account)
        project = ann.write(operations.projects.create, "Mine")
        actor = ann.write(operations.projects.create_actor, project.id, "Careful")
        ann.write(operations.memory.append, project.id, "notes", "mine")
        ann.write(replica.connecting.publish, project.id, account)
        ann.write(operations.parts.edit, Actor, actor.id, {"focus": "changed at once"})
        assert {one.entity_id for one in ann.read(replica.sync_steps.queued)} == {f"{project.id}/notes", actor.id}
        assert ann.read(replica.sync_steps.part_unsaid, "actor", actor.id)
        assert ann.read(replica.sync_steps.verify_mirror, project.id) == []


def test_both_machines_say_the_same_name_of_a_mission(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    bob.write(
        operations.missions.create,
        bob.write(operations.projects.create, "Of bob alone").id,
        MissionDraft("Another first one"),
    )
    made = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    both[0].sync()
    both[1].sync()
    assert bob.read(queries.missions.get, made.id).number != made.number
    name = shared_id(made.id)
    assert bob.read(queries.missions.get, name).id == ann.read(queries.missions.get, name.lower()).id == made.id
    with pytest.raises(NotFound):
        bob.read(queries.missions.get, "S-00000")


def test_whoever_signs_in_next_does_not_send_what_another_did(both: tuple[Machine, Machine], hub: SimulatedHub) -> None:
    """Rows are of the account that made them: not sent by another, at the same hub or elsewhere, and kept for it."""
    ann = both[0].workspace
    ann.write(operations.projects.edit, PROJECT, {"name": "Of ann"})
    ann.write(operations.missions.create, PROJECT, MissionDraft("Of ann"))
    ann.write(operations.memory.append, PROJECT, "notes", "of ann")
    other = Account("bob@hub", "hub", "https://hub", "bob", "", "token", True, {})
    replica.connecting.set_signed_in(ann, "ann@hub", False)
    replica.connecting.put_account(ann, other)  # takes the profile's name over
    replica.connecting.put_account(
        ann, Account("ann@elsewhere", "elsewhere", "https://elsewhere", "ann", "", "token", True, {})
    )
    assert (
        ann.read(replica.sync_steps.due, "bob@hub")
        == ann.read(replica.sync_steps.due, "bob@hub", files=True)
        == ann.read(replica.sync_steps.due, "ann@elsewhere")
        == []
    )
    assert {one.account for one in ann.read(replica.sync_steps.queued)} == {"ann@hub"} and len(
        ann.read(replica.sync_steps.queued)
    ) == 3
    assert hub.effects == []
    replica.connecting.set_signed_in(ann, "ann@hub", True)
    both[0].sync()
    assert hub.state.project["name"] == "Of ann" and ann.read(replica.sync_steps.queued) == []
