"""Operations on reviews, landings, sessions, parts, comments and memory: success, side effects, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from solo_unicorn.missions.entities import Actor, CodeAgent, Flow, FlowStage, ProjectRepository
from solo_unicorn.missions.operations import comments, landing, memory, missions, parts, review, sessions

from .carriers import AGENT, ANN, START, Play
from .cases import case, made, one_stage

# ---- review ------------------------------------------------------------------------------------------------------


@case(review.complete_stage, review.request_review, review.approve, review.reject)
async def stages_are_reviewed(do: Play) -> None:
    await made(do, "A", list="doing")
    a = do.id_of("A")
    await do(review.approve, a)
    do.by = AGENT
    await do(review.complete_stage, a, "Clear now", "the second paragraph")
    await do(review.complete_stage, a, "Again")
    await do(review.approve, a)
    await do(review.reject, a, "no")
    do.by = ANN
    await do(review.reject, a, " ")
    await do(review.reject, a, "a\0b")
    await do(review.reject, a, "Name the fees", reviewer="ann")
    do.by = AGENT
    await do(review.request_review, a, " ")
    await do(review.request_review, a, "Named them")
    do.by = ANN
    await do(review.approve, a, reviewer="ann")


@case(review.ask_question, review.answer)
async def a_clients_question_starts_no_run(do: Play) -> None:
    await made(do, "A")
    a = do.id_of("A")
    await do(review.ask_question, a, "Which bank?", client="claude-code")
    await do(review.ask_question, a, "Which bank?", client="claude-code")
    await do(review.ask_question, a, "Which river?", client="codex")
    do.by = AGENT
    await do(review.answer, a, "The near one")
    do.by = ANN
    await do(review.answer, a, "The near one")
    await do(review.ask_question, a, "And now?", client="claude-code")


@case(review.ask_question, review.answer)
async def questions_are_answered(do: Play) -> None:
    await made(do, "A", list="doing")
    a = do.id_of("A")
    await do(review.answer, a, "yes")
    do.by = AGENT
    await do(review.ask_question, a, "")
    await do(review.ask_question, a, "Which bank?")
    await do(review.answer, a, "Any")
    do.by = ANN
    await do(review.answer, a, " ")
    await do(review.answer, a, "The near one ")


# ---- landing -----------------------------------------------------------------------------------------------------


@case(landing.started, landing.landed, landing.failed, landing.retry)
async def work_is_landed(do: Play) -> None:
    await one_stage(do)
    await made(do, "A", "B", flow_id="One stage", list="doing")
    await made(do, "L", flow_id="One stage", is_loop=True)
    a, b, loop = (do.id_of(name) for name in "ABL")
    await do(landing.started, a)
    await do(sessions.take, loop, "s1")
    await do(sessions.give_back, loop, "no slot")
    for one in (a, b, loop):
        await do(review.complete_stage, one, "Built")
        await do(landing.started, one)
    await do(landing.failed, a, "the hook said no")
    await do(landing.retry, a)
    await do(landing.retry, a)
    await do(landing.landed, a, "c" * 40)
    await do(landing.landed, b, None)
    await do(landing.landed, b, None)
    await do(landing.landed, loop, "d" * 40)


@case(landing.conflicted)
async def a_person_is_asked_after_three_conflicts(do: Play) -> None:
    await one_stage(do)
    await made(do, "A", flow_id="One stage", list="doing")
    a, do.by = do.id_of("A"), AGENT
    for _ in range(2):
        await do(landing.conflicted, a, ["a.py", "b.py"])
    do.by = ANN
    await do(missions.edit, a, {"priority": 1})
    do.by = AGENT
    for _ in range(3):
        await do(landing.conflicted, a, ["a.py"])


# ---- sessions ----------------------------------------------------------------------------------------------------


@case(sessions.take, sessions.give_back, sessions.finish)
async def missions_are_taken_and_given_back(do: Play) -> None:
    await made(do, "A", "B")
    await made(do, "L", is_loop=True)
    a, b, loop = (do.id_of(name) for name in "ABL")
    await do(sessions.take, a, "s1", note="claude")
    await do(sessions.take, a, "s2")
    await do(sessions.take, loop, "s3")
    await do(sessions.give_back, a, "no agent")
    await do(sessions.take, a, "s4")
    await do(sessions.finish, a, "failed", "it crashed")
    await do(sessions.finish, a, "failed")
    await do(sessions.take, b, "s5")
    await do(sessions.finish, b, "rate_limited", reset_at=START + timedelta(hours=2))
    await do(sessions.take, b, "s6")
    await do(sessions.finish, b, "unknown", "nobody heard of it", resume=True)
    await do(missions.move, b, "done")
    await do(sessions.take, b, "s7")


@case(sessions.claim, sessions.begin, sessions.progress, sessions.end, sessions.release, machine_only=True)
async def a_session_runs(do: Play) -> None:
    await made(do, "A", ready=True)
    agent = CodeAgent("claude", "claude")
    run: dict[str, Any] = {"agent": agent, "workstation_id": "w1", "why_not": lambda mission: None}
    a = do.id_of("A")
    await do(sessions.claim, a, session_id="s1", **run)
    await do(sessions.release, "s1", "no slot")
    await do(sessions.claim, a, session_id="s2", **run)
    await do(sessions.begin, "s2", host_pid=1, worktree_path=None, branch=None, base_commit=None)
    await do(sessions.progress, "s2", activity="reads")
    await do(sessions.end, "s2", "completed")


# ---- parts -------------------------------------------------------------------------------------------------------


@case(parts.create, parts.edit, parts.remove)
async def parts_are_made_changed_and_removed(do: Play) -> None:
    project = do.carrier.project
    await one_stage(do)
    await do(parts.create, project, Flow, "One stage", {})
    await do(parts.create, project, Flow, " ", {})
    await do(parts.create, project, Flow, "Empty", {"stage_sequence": ()})
    await made(do, "A", flow_id="One stage")
    two = {"stage_sequence": (FlowStage("draft", False), FlowStage("build", True))}
    await do(parts.edit, Flow, "One stage", two, project=project)
    await do(parts.edit, Flow, "One stage", two, project=project)
    await do(parts.edit, Flow, "One stage", {"name": "Standard"}, project=project)
    await do(parts.edit, Flow, "Standard", {"name": "Mine"}, project=project)
    await do(parts.edit, Flow, "One stage", {"id": "x"}, project=project)
    await do(parts.remove, Flow, "Standard", project=project)
    await do(parts.remove, Flow, "One stage", project=project)
    await do(missions.delete, do.id_of("A"))
    await do(parts.remove, Flow, "One stage", project=project)
    await do(parts.remove, Flow, "One stage", project=project)


@case(parts.create, parts.edit, parts.remove)
async def actors_and_repositories(do: Play) -> None:
    project = do.carrier.project
    actor = await do(parts.create, project, Actor, "Careful", {"focus": "tests"})
    await do(parts.create, project, Actor, "Long", {"focus": "x" * 50_001})
    await do(parts.edit, Actor, "careful", {"focus": "tests first"}, project=project)
    await do(parts.create, project, ProjectRepository, "shop", {"max_concurrent_missions": 2})
    await do(parts.edit, ProjectRepository, "shop", {"max_concurrent_missions": -1}, project=project)
    await made(do, "A", actor_id=actor.id if actor else None, list="doing")
    await do(parts.remove, Actor, "Careful", project=project)
    await do(parts.remove, ProjectRepository, "shop", project=project)
    await do(missions.move, do.id_of("A"), "done")
    await do(parts.remove, Actor, "Careful", project=project)
    await do(parts.remove, ProjectRepository, "shop", project=project)
    await do(parts.remove, ProjectRepository, "nothing", project=project)


@case(landing.undone)
async def a_landing_is_undone(do: Play) -> None:
    await one_stage(do)
    for name in ("A", "B"):
        await made(do, name, flow_id="One stage", list="doing", is_loop=name == "B")
        await do(landing.undone, do.id_of(name))
        await do(review.complete_stage, do.id_of(name), "Done")
        await do(landing.started, do.id_of(name))
        await do(landing.landed, do.id_of(name), "c" * 40)
    do.by = AGENT
    await do(landing.undone, do.id_of("A"))
    do.by = ANN
    await do(landing.undone, do.id_of("B"))
    await do(landing.undone, do.id_of("A"))
    await do(landing.undone, do.id_of("A"))
    await do(review.approve, do.id_of("A"))


# ---- comments and memory -----------------------------------------------------------------------------------------


@case(comments.add, comments.resolve, comments.delete)
async def lines_are_commented(do: Play) -> None:
    await made(do, "A")
    a = do.id_of("A")
    first = await do(comments.add, a, "lamp.py", 3, "new", " too bright ")
    second = await do(comments.add, a, "lamp.py", 1, "old", "why?")
    assert first is not None and second is not None
    await do(comments.resolve, first.id)
    await do(comments.resolve, first.id)
    await do(comments.resolve, first.id[-10:].lower(), resolved=False)
    await do(comments.delete, second.id)
    await do(comments.delete, second.id)
    await do(comments.add, a, "lamp.py", 0, "new", "x")
    await do(comments.add, a, "/etc/passwd", 1, "new", "x")
    await do(comments.add, a, "lamp.py", 1, "middle", "x")
    await do(comments.add, a, "lamp.py", 1, "new", " ")


@case(comments.add, comments.edit, comments.answer, comments.resolve)
async def comments_are_answered(do: Play) -> None:
    await made(do, "A", "B", description="one\ntwo\nthree")
    a = do.id_of("A")
    first = await do(comments.add, a, "lamp.py", 3, "new", "Too bright", until=5)
    text = await do(comments.add, a, "", 2, "new", "Which two?", about="description")
    assert first is not None and text is not None
    await do(comments.add, a, "lamp.py", 3, "new", "x", until=2)
    await do(comments.add, a, "", 4, "new", "x", about="description")
    await do(comments.edit, first.id, " Far too bright ")
    await do(comments.edit, first.id, "Far too bright")
    await do(comments.edit, first.id, " ")
    do.by = AGENT
    await do(comments.edit, first.id, "x")
    await do(comments.answer, a, first.id, "Dimmed")
    do.by = ANN
    await do(comments.answer, a, first.id, "Still too bright")
    await do(comments.resolve, first.id)
    do.by = AGENT
    await do(comments.answer, a, first.id, "How dim?", handled=False)
    await do(comments.answer, a, first.id, " ")
    await do(comments.answer, do.id_of("B"), first.id, "x")


@case(comments.propose_tour, comments.answer)
async def a_tour_is_proposed(do: Play) -> None:
    await made(do, "A")
    a = do.id_of("A")
    do.by = AGENT
    first = [comments.TourStop("lamp.py", 3, "The rule"), comments.TourStop("a.py", 1, "Its use", 4)]
    await do(comments.propose_tour, a, first)
    tour = await do(comments.propose_tour, a, [comments.TourStop("lamp.py", 5, "The rule")])
    assert tour
    do.by = ANN
    await do(comments.answer, a, tour[0].id, "x")
    do.by = AGENT
    await do(comments.propose_tour, a, [comments.TourStop("/etc/passwd", 5, "x")])
    await do(comments.propose_tour, a, [comments.TourStop("a.py", 1, "x")] * 101)
    await do(comments.propose_tour, a, [])


@case(memory.append, memory.replace)
async def documents_are_written(do: Play) -> None:
    project = do.carrier.project
    await do(memory.append, project, "notes", "The lens is French.")
    await do(memory.append, project, "notes", "It is old.", "Lens")
    await do(memory.append, project, "notes", " ")
    await do(memory.append, project, "No Name", "x")
    await do(memory.replace, project, "plan", "# Plan\n", 0)
    await do(memory.replace, project, "plan", "# Another\n", 0)
    await do(memory.replace, project, "plan", "a\0b")
    await do(memory.replace, project, "plan", "# Last\n")


@case(memory.edit, memory.delete, memory.rename, memory.move)
async def documents_are_tidied(do: Play) -> None:
    project = do.carrier.project
    await do(memory.replace, project, "notes", "# Notes\n\nOne.\n\n## Lens\n\nFrench.\n\n## Box\n\nOak.\n")
    await do(memory.edit, project, "notes", "French", "German")
    await do(memory.edit, project, "notes", "nowhere", "x")
    await do(memory.edit, project, "notes", "One.", "One.")
    await do(memory.edit, project, "notes", "n", "x")
    await do(memory.edit, project, "nothing", "a", "b")
    await do(memory.move, project, "notes", "Lens", "optics")
    await do(memory.move, project, "notes", "Box", "optics", "Lens")
    await do(memory.move, project, "notes", "Box", "optics")
    await do(memory.move, project, "optics", "Lens", "optics")
    await do(memory.rename, project, "optics", "glass")
    await do(memory.rename, project, "glass", "notes")
    await do(memory.rename, project, "glass", "No Name")
    await do(memory.delete, project, "glass", "Lens", 999_999)
    await do(memory.delete, project, "glass", "Nowhere")
    await do(memory.delete, project, "notes")
    await do(memory.delete, project, "notes")
    await do(memory.edit, project, "notes", "One", "Two")
    await do(memory.replace, project, "notes", "# Again\n", 0)
    await do(memory.move, project, "notes", "Again", "glass")
