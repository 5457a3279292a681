"""Operations on missions and their links: success, side effects, refusals."""

from __future__ import annotations

from solo_unicorn.missions.entities import ProjectRepository, Task
from solo_unicorn.missions.operations import missions, parts, sessions
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.missions.rules.plan import TaskChanges, task_ids

from .carriers import AGENT, Play
from .cases import case, made, one_stage


@case(missions.create)
async def missions_are_created(do: Play) -> None:
    await made(do, "A", "B", priority=5, description="all of it")
    await made(do, "C", list="doing")
    await made(do, "D", is_loop=True)
    await do(parts.create, do.carrier.project, ProjectRepository, "shop", {"default_branch": "trunk"})
    await made(do, "E")
    await do(parts.create, do.carrier.project, ProjectRepository, "shelf", {})
    await made(do, "F", flow_id="Standard", project_repository_id="shelf")
    for wrong in ({"title": " "}, {"title": "x", "list": "nowhere"}, {"title": "x", "priority": 9}, {"title": "a\0b"}):
        await do(missions.create, do.carrier.project, MissionDraft(**wrong))
    await do(missions.create, do.carrier.project, MissionDraft(title="x", flow_id="Nothing"))
    await do(missions.create, do.carrier.project, MissionDraft(title="x", project_repository_id="nothing"))


@case(missions.edit)
async def missions_are_edited(do: Play) -> None:
    await made(do, "A")
    await one_stage(do)
    await do(missions.edit, do.id_of("A"), {"title": "Another", "priority": 1})
    await do(missions.edit, do.id_of("A"), {"title": "Another"})
    await do(missions.edit, do.id_of("A"), {"ready": True})
    await do(missions.edit, do.id_of("A"), {"flow_id": "One stage"})
    await do(missions.edit, do.id_of("A"), {"is_loop": True})
    await do(missions.edit, do.id_of("A"), {"priority": 2}, expected_version=0)
    for wrong in ({"list": "done"}, {"priority": "high"}, {"flow_id": "Nothing"}, {"project_repository_id": "nothing"}):
        await do(missions.edit, do.id_of("A"), wrong)
    await do(missions.edit, do.id_of("X"), {"priority": 1})


@case(missions.move)
async def moved_to_done_they_stand_there_in_the_order_of_the_moves(do: Play) -> None:
    await made(do, "A", "B", "C")
    for name in "ABC":
        await do(missions.move, do.id_of(name), "done")


@case(missions.move)
async def missions_are_moved(do: Play) -> None:
    await made(do, "A", "B", "C", "D")
    await do(missions.move, do.id_of("D"), "todo", before=do.id_of("B"))
    await do(missions.move, do.id_of("A"), "todo", after=do.id_of("C"))
    await do(missions.move, do.id_of("C"), "todo", top=True)
    await do(missions.move, do.id_of("B"), "review")
    await do(missions.move, do.id_of("B"), "done", list_order=3.5)
    await do(missions.move, do.id_of("B"), "todo")
    await do(missions.move, do.id_of("A"), "doing", before=do.id_of("B"))
    await do(missions.move, do.id_of("A"), "nowhere")  # type: ignore[arg-type]  # it is refused
    await do(sessions.take, do.id_of("A"), "s1")
    await do(missions.move, do.id_of("A"), "todo")


@case(missions.set_ready)
async def readiness_is_said(do: Play) -> None:
    await made(do, "A")
    for ready in (True, True, False):
        await do(missions.set_ready, do.id_of("A"), ready)
    await do(missions.move, do.id_of("A"), "done")
    await do(missions.set_ready, do.id_of("A"), True)


@case(missions.delete)
async def missions_are_deleted(do: Play) -> None:
    await made(do, "A", "B", "C")
    await do(missions.link, do.id_of("A"), do.id_of("B"))
    await do(missions.move, do.id_of("A"), "done")
    await do(missions.delete, do.id_of("A"))
    await do(missions.delete, do.id_of("A"))
    await do(sessions.take, do.id_of("C"), "s1")
    await do(missions.delete, do.id_of("C"))


@case(missions.restore, machine_only=True)
async def a_deleted_one_comes_back(do: Play) -> None:
    """A hub never gives the id of a deleted mission out again."""
    await made(do, "A")
    await do(missions.delete, do.id_of("A"))
    await do(missions.restore, do.id_of("A"))


@case(missions.link, missions.unlink)
async def missions_are_linked(do: Play) -> None:
    await made(do, "A", "B", "C")
    a, b, c = (do.id_of(name) for name in "ABC")
    await do(missions.link, a, b)
    await do(missions.link, a, b, "blocks")
    await do(missions.link, b, c)
    await do(missions.link, c, a)
    await do(missions.link, a, a)
    await do(missions.link, a, c, "relates_to")
    await do(missions.link, c, a, "relates_to")
    await do(missions.link, a, b, "knows")  # type: ignore[arg-type]  # it is refused
    await do(missions.link, a, do.id_of("X"))
    await do(missions.move, a, "done")
    await do(missions.move, a, "todo")
    await do(missions.unlink, c, a, "relates_to")
    await do(missions.unlink, c, a, "relates_to")
    await do(missions.unlink, a, b)
    await do(missions.delete, b)
    await do(missions.unlink, b, c)


@case(missions.set_links)
async def links_are_set_together(do: Play) -> None:
    await made(do, "A", "B", "C", "D")
    a, b, c, d = (do.id_of(name) for name in "ABCD")
    await do(missions.set_links, d, blocked_by=[a, b], relates_to=[c])
    await do(missions.set_links, d, blocked_by=[b, c])
    await do(missions.set_links, b, blocked_by=[d])
    await do(missions.set_links, d, relates_to=[])
    await do(missions.set_links, d, blocked_by=[do.id_of("X")])
    await do(missions.set_links, d, blocked_by=[str(number) for number in range(201)])


@case(missions.change_tasks, missions.update_tasks)
async def single_tasks_are_changed(do: Play) -> None:
    await made(do, "A")
    a = do.id_of("A")
    await do(missions.update_tasks, a, ["read", "write", "write"], 1)
    second = task_ids((Task("write"), Task("write")))[1]
    await do(missions.change_tasks, a, TaskChanges(add=("test", "read"), check=(second,)))
    await do(missions.change_tasks, a, TaskChanges(uncheck=("READ",), order=("test",)))
    await do(missions.change_tasks, a, TaskChanges(check=("wri",)))
    await do(missions.change_tasks, a, TaskChanges(check=("paint",)))
    await do(missions.change_tasks, a, TaskChanges(add=(" ",)))
    await do(missions.change_tasks, a, TaskChanges(add=("x",)), expected_version=99)


@case(missions.update_tasks, missions.attach_solution, missions.add_note)
async def agents_report(do: Play) -> None:
    await made(do, "A")
    a, do.by = do.id_of("A"), AGENT
    await do(missions.update_tasks, a, ["read", " write "], 1)
    await do(missions.update_tasks, a, ["read", "write"], 1)
    await do(missions.update_tasks, a, ["read"], 2)
    await do(missions.update_tasks, a, [""], 0)
    await do(missions.update_tasks, a, ["read"], 0, expected_version=0)
    await do(missions.attach_solution, a, "# Done\n")
    await do(missions.attach_solution, a, "  ")
    await do(missions.attach_solution, a, "x", expected_version=0)
    await do(missions.add_note, a, "decision", " SQLite it is ")
    await do(missions.add_note, a, "progress", "half", note_id=do.id_of("N"))
    await do(missions.add_note, a, "progress", " ")
    await do(missions.add_note, a, "progress", "a\0b")
    await do(missions.add_note, a, "gossip", "x")  # type: ignore[arg-type]  # it is refused
