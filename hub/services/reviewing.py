"""Review on the hub: approve and reject (domain.md, Finishing a stage)."""

from __future__ import annotations

from ...missions import review
from ...missions.errors import InvalidValue
from ..api.endpoint import Answer, Call
from ..errors import HubError
from . import preconditions
from .change import Change
from .mission_writes import project_of, version_of


def approve(call: Call, mission_id: str) -> Answer:
    """The mission's stage approved: next stage, or landing after the last."""
    change = Change(call, project_of(call, mission_id), "write missions")
    reviewer = _person(call)
    row, before = change.row(mission_id)
    preconditions.check(call, row.seq, row.doc)
    after = review.approve(before, change.flow(before.flow_id), reviewer=reviewer, now=change.now)
    text = change.save(before, after, "approved")
    return Answer(text.encode(), version=version_of(text))


def reject(call: Call, mission_id: str) -> Answer:
    """The mission sent back with feedback, ready to go on."""
    change = Change(call, project_of(call, mission_id), "write missions")
    reviewer = _person(call)
    feedback = call.body.get("feedback")
    if not isinstance(feedback, str):
        raise InvalidValue("feedback", "feedback is missing", todo="Say what to change")
    if "\0" in feedback:
        raise InvalidValue("feedback", "feedback has a NUL character", todo="Remove it")
    row, before = change.row(mission_id)
    preconditions.check(call, row.seq, row.doc)
    after = review.reject(before, feedback=feedback, reviewer=reviewer, now=change.now)
    text = change.save(before, after, "rejected", note=feedback)
    return Answer(text.encode(), version=version_of(text))


def _person(call: Call) -> str:
    if call.caller.user_id is None:
        raise HubError("forbidden", "A review is a person's", why="an organisation key is nobody's own", todo="sign in")
    return call.caller.user_id
