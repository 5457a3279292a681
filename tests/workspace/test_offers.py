"""Feedback and repeated questions are offered to the memory as rules; a person takes or leaves each."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.entities import Author, Mission, Project
from solo_unicorn.missions.errors import NotAllowed, NotFound
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.workspace import Workspace

AGENT = Author("agent", "claude")


def reviewed(workspace: Workspace, project: Project, title: str, feedback: str) -> Mission:
    mission = workspace.write(operations.missions.create, project.id, MissionDraft(title))
    workspace.write_as(AGENT, operations.review.request_review, mission.id, "Done.")
    return workspace.write(operations.review.reject, mission.id, feedback)


def answered(workspace: Workspace, project: Project, title: str, question: str, answer: str) -> None:
    mission = workspace.write(operations.missions.create, project.id, MissionDraft(title))
    workspace.write_as(AGENT, operations.review.ask_question, mission.id, question)
    workspace.write(operations.review.answer, mission.id, answer)


def test_feedback_becomes_a_rule_when_a_person_takes_it(workspace: Workspace, project: Project) -> None:
    reviewed(workspace, project, "Pay", "Amounts are\nintegers.")
    reviewed(workspace, project, "Ship", "Wrong branch.")
    first, second = workspace.read(queries.offers.offers, project.id)
    assert (first.text, first.why, first.mission.title) == ("Amounts are integers.", "rejected", "Pay")
    with pytest.raises(NotAllowed):
        workspace.write_as(AGENT, operations.offers.take, first.event)
    workspace.write(operations.offers.take, first.event)
    workspace.write(operations.offers.leave, second.event)
    assert workspace.read(queries.offers.offers) == []
    rules = workspace.read(queries.memory.get, project.id, "rules").text
    assert rules == "## From reviews\n\n- Amounts are integers. (M-1, 2026-03-01)\n"
    for decide in (operations.offers.take, operations.offers.leave):
        with pytest.raises(NotFound):
            workspace.write(decide, first.event)


def test_the_answer_to_a_question_that_was_asked_before_is_offered(workspace: Workspace, project: Project) -> None:
    answered(workspace, project, "Pay", "Which currency do invoices have?", "Euro.")
    assert workspace.read(queries.offers.offers) == []
    answered(workspace, project, "Ship", "Which colour has the box?", "Brown.")
    assert workspace.read(queries.offers.offers) == []
    answered(workspace, project, "Return", "What is the currency of the invoices?", "Euro, always.")
    (offer,) = workspace.read(queries.offers.offers)
    assert (offer.why, offer.text) == ("asked again", "What is the currency of the invoices? – Euro, always.")
    workspace.write(operations.offers.take, offer.event)
    assert "## From answers\n\n- What is" in workspace.read(queries.memory.get, project.id, "rules").text
