"""A hub that was restored has lost what is newer than its backup: all of it comes back, or a person is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from solo_unicorn.missions.entities import Actor
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.sync import replica
from solo_unicorn.sync.replica.conflicts import SyncConflict
from solo_unicorn.sync.replica.connecting import Account
from solo_unicorn.workspace import operations, queries

from .pair import PROJECT, Machine
from .simulation.hub import SimulatedHub
from .simulation.store import MemoryStore, SilentWorkspace

Both = tuple[Machine, Machine]
NOTED = "noted_decision"


def settled(machines: Both) -> None:
    for one in (*machines, *machines):
        one.sync()


def undecided(workspace: SilentWorkspace) -> list[SyncConflict]:
    return workspace.read(replica.resolving.list_open)


def notes(machine: Machine, mission: str) -> list[str]:
    return [event.note for event in machine.workspace.read(queries.missions.history, mission) if event.kind == NOTED]


def test_notes_and_comments_are_sent_again_by_who_wrote_them(both: Both, hub: SimulatedHub) -> None:
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    ann.write(operations.missions.add_note, mission.id, "decision", "kept")
    settled(both)
    hub.back_up()
    ann.write(operations.missions.add_note, mission.id, "decision", "of ann")
    bob.write(operations.missions.add_note, mission.id, "decision", "of bob")
    comment = ann.write(operations.comments.add, mission.id, "a.py", 3, "new", "too long")
    settled(both)
    hub.restore()
    settled(both)
    at_hub = [event for event in hub.state.history if event["kind"] in (NOTED, "commented")]
    assert sorted(event["note"] for event in at_hub if event["kind"] == NOTED) == ["kept", "of ann", "of bob"]
    assert [event["data"]["id"] for event in at_hub if event["kind"] == "commented"] == [comment.id]
    for one in both:
        assert sorted(notes(one, mission.id)) == ["kept", "of ann", "of bob"], "and each is there once"


def test_notes_of_a_mission_that_was_lost_come_back_with_it(both: Both, hub: SimulatedHub) -> None:
    ann = both[0].workspace
    hub.back_up()
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    ann.write(operations.missions.add_note, mission.id, "decision", "sent before")
    settled(both)
    ann.write(operations.missions.add_note, mission.id, "decision", "waits")
    hub.restore()
    both[0].sync()
    (conflict,) = undecided(ann)
    assert conflict.kind == "lost_remotely" and ann.read(replica.sync_steps.queued) == []
    ann.write(replica.resolving.keep_mine, conflict.id)
    settled(both)
    assert [event["note"] for event in hub.state.history if event["kind"] == NOTED] == ["sent before", "waits"]
    assert notes(both[1], mission.id)[-1] == "waits"


def test_what_was_on_a_mission_that_both_deleted_goes_there_when_it_is_back(
    both: Both, hub: SimulatedHub, tmp_path: Path
) -> None:
    """It was not sent before the mission was gone, and stayed on one machine for ever."""
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    settled(both)
    hub.back_up()
    ann.write(operations.missions.add_note, mission.id, "decision", "unsent")
    (tmp_path / "unsent.txt").write_text("of ann")
    operations.attachments.attach(ann, mission.id, tmp_path / "unsent.txt")
    for one in (bob, ann):
        one.write(operations.missions.delete, mission.id)
    both[1].sync()
    settled(both)
    both[0].send_files()
    assert not hub.state.files and not any(event["kind"] == NOTED for event in hub.state.history)
    hub.restore()
    settled(both)
    both[0].send_files()
    assert [event["note"] for event in hub.state.history if event["kind"] == NOTED] == ["unsent"]
    assert [one["name"] for one in hub.state.files.values()] == ["unsent.txt"]


def test_a_note_on_a_mission_that_somebody_deleted_is_set_aside(both: Both, hub: SimulatedHub) -> None:
    """It was acknowledged, and vanished without a word."""
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    settled(both)
    bob.write(operations.missions.delete, mission.id)
    both[1].send()
    ann.write(operations.missions.add_note, mission.id, "decision", "unseen")
    assert both[0].send() == ["parked"]
    (parked,) = ann.read(replica.sync_steps.queued, parked=True)
    assert parked.patch["text"] == "unseen" and "deleted" in str(parked.error)


def test_files_are_sent_again_and_none_goes_here(both: Both, hub: SimulatedHub, tmp_path: Path) -> None:
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    settled(both)

    def attached(name: str) -> None:
        (tmp_path / name).write_text(name)
        operations.attachments.attach(ann, mission.id, tmp_path / name)
        both[0].send_files()
        settled(both)

    attached("before")
    hub.back_up()
    attached("after")
    hub.restore()
    settled(both)
    both[0].send_files()
    settled(both)
    assert sorted(one["name"] for one in hub.state.files.values() if one["state"] == "complete") == ["after", "before"]
    for one in (ann, bob):
        assert sorted(file.name for file in one.read(queries.attachments.of_mission, mission.id)) == ["after", "before"]
        assert "file_detached" not in [event.kind for event in one.read(queries.missions.history, mission.id)]


def test_a_file_that_was_removed_and_is_there_again_is_removed_again(
    both: Both, hub: SimulatedHub, tmp_path: Path
) -> None:
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    settled(both)
    (tmp_path / "plan.txt").write_text("plan")
    operations.attachments.attach(ann, mission.id, tmp_path / "plan.txt")
    both[0].send_files()
    settled(both)
    hub.back_up()
    ann.write(operations.attachments.detach, mission.id, "plan.txt")
    both[0].send_files()
    settled(both)
    hub.restore()
    assert hub.state.files
    settled(both)
    both[0].send_files()
    settled(both)
    assert not hub.state.files
    for one in (ann, bob):
        assert not one.read(queries.attachments.of_mission, mission.id)
    assert "file_attached" not in [e.kind for e in ann.read(queries.missions.history, mission.id)][-1:]
    settled(both)
    assert ann.read(replica.sync_steps.queued) == []


def test_settings_and_personas_are_asked_about(both: Both, hub: SimulatedHub) -> None:
    ann, bob = (one.workspace for one in both)
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="before")
    settled(both)
    hub.back_up()
    ann.write(operations.parts.edit, Actor, actor.id, {"focus": "after"})
    ann.write(operations.projects.edit, PROJECT, {"description": "after"})
    later = ann.write(operations.projects.create_actor, PROJECT, "Later", focus="on it")
    settled(both)
    hub.restore()
    settled(both)
    for one in (ann, bob):
        found = {(each.part, each.kind, each.field): (each.mine, each.theirs) for each in undecided(one)}
        assert found.pop(("actor", "lost_remotely", ""))[1] is None
        assert found == {
            ("actor", "field", "focus"): ("after", "before"),
            ("project", "field", "description"): ("after", None),
        }
    for conflict in undecided(ann):
        ann.write(replica.resolving.keep_mine, conflict.id)
    settled(both)
    assert hub.state.parts["actors"][actor.id]["focus"] == "after"
    assert hub.state.parts["actors"][later.id]["focus"] == "on it"
    assert hub.state.project["description"] == "after"
    assert not [each for each in undecided(bob) if each.kind == "lost_remotely"], "it is there for everybody again"
    assert [one.focus for one in bob.read(queries.projects.actors, PROJECT)] == ["after", "on it"]


def test_restored_twice_before_anybody_decided_every_value_is_asked_about(both: Both, hub: SimulatedHub) -> None:
    """The second restore's conflict took the place of the first one's, with the value that waited in it."""
    ann = both[0].workspace
    actor = ann.write(operations.projects.create_actor, PROJECT, "Careful", focus="before")
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("before"))
    settled(both)
    hub.back_up()
    for value in ("first", "second"):
        ann.write(operations.parts.edit, Actor, actor.id, {"focus": value})
        ann.write(operations.missions.edit, mission.id, {"title": value})
        settled(both)
        hub.restore()
        settled(both)
    for one in both:
        found = [(each.field, str(each.mine)) for each in undecided(one.workspace)]
        assert sorted(found) == [("focus", "first"), ("focus", "second"), ("title", "first"), ("title", "second")]
    for conflict in undecided(ann):
        ann.write(replica.resolving.keep_mine, conflict.id)
        settled(both)
    stands = {hub.state.parts["actors"][actor.id]["focus"], hub.state.missions[mission.id]["title"]}
    assert stands == {"second"}


def test_memory_that_only_grew_is_put_back_and_a_rewritten_one_is_asked_about(both: Both, hub: SimulatedHub) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.memory.append, PROJECT, "decisions", "before")
    ann.write(operations.memory.replace, PROJECT, "style", "tabs\n", 0)
    settled(both)
    hub.back_up()
    ann.write(operations.memory.append, PROJECT, "decisions", "after")
    ann.write(operations.memory.append, PROJECT, "new", "lost")
    ann.write(operations.memory.replace, PROJECT, "style", "spaces\n", 1)
    settled(both)
    hub.restore()
    settled(both)
    for one in (ann, bob):
        assert [each.mine for each in undecided(one)] == ["spaces\n"]
        assert one.read(queries.memory.get, PROJECT, "decisions").text == "before\n\nafter\n"
        assert one.read(queries.memory.get, PROJECT, "new").text == "lost\n"
    assert {name: document["text"] for name, document in hub.state.memory.items()} == {
        "decisions": "before\n\nafter\n",
        "new": "lost\n",
        "style": "tabs\n",
    }


@pytest.mark.parametrize("field", ["title", "description"])
def test_what_is_edited_after_a_restore_hides_nothing_that_was_lost(both: Both, hub: SimulatedHub, field: str) -> None:
    """The hub's newer number was taken for news, and the value that it had lost was gone without a word."""
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One", description="before"))
    settled(both)
    hub.back_up()
    bob.write(operations.missions.edit, mission.id, {field: "of bob, then lost"})
    settled(both)
    hub.restore()
    ann.write(operations.missions.edit, mission.id, {"priority": 5})
    both[0].sync()
    both[1].sync()
    shown = [(one.field, one.mine) for one in undecided(bob)]
    assert (field, "of bob, then lost") in shown


@pytest.mark.parametrize("edited", [False, True], ids=["as it was", "edited since"])
def test_a_mission_that_was_deleted_and_is_there_again_is_asked_about(
    both: Both, hub: SimulatedHub, edited: bool
) -> None:
    """Each of its fields was a conflict with nothing, and keeping one's own was refused by the hub."""
    ann, bob = (one.workspace for one in both)
    mission = ann.write(operations.missions.create, PROJECT, MissionDraft("One"))
    settled(both)
    hub.back_up()
    bob.write(operations.missions.delete, mission.id)
    settled(both)
    hub.restore()
    if edited:
        found = hub.state.missions[mission.id]
        hub._stored({**found, "title": "By somebody else"})
    settled(both)
    for one in (ann, bob):
        assert [(each.kind, each.mine) for each in undecided(one)] == [("deleted_locally", None)]
        assert one.read(queries.missions.get, mission.id).title == ("By somebody else" if edited else "One")
    bob.write(replica.resolving.keep_mine, undecided(bob)[0].id)
    settled(both)
    assert mission.id not in hub.state.missions


def test_a_published_project_brings_its_notes_and_comments(home: Path) -> None:
    with SilentWorkspace(MemoryStore()) as ann:
        account = Account("ann@hub", "hub", "https://hub", "ann", "", "token", True, {})
        replica.connecting.put_account(ann, account)
        project = ann.write(operations.projects.create, "Mine")
        mission = ann.write(operations.missions.create, project.id, MissionDraft("One"))
        ann.write(operations.missions.add_note, mission.id, "decision", "SQLite it is")
        comment = ann.write(operations.comments.add, mission.id, "a.py", 3, "new", "too long")
        ann.write(replica.connecting.publish, project.id, account)
        sent = [one.patch for one in ann.read(replica.sync_steps.queued) if one.kind == "note"]
        assert [(one["kind"], one["text"]) for one in sent] == [(NOTED, "SQLite it is"), ("commented", "too long")]
        assert sent[1]["data"]["id"] == comment.id  # type: ignore[index, call-overload]
