"""`approve`: Claude Code asks here (`--permission-prompt-tool mcp__solo__approve`) before it uses a tool of its own.

The question goes into the inbox and the call waits for the person. The answer is text only, in the form that Claude
Code reads: `{"behavior": "allow", "updatedInput": …}` or `{"behavior": "deny", "message": …}`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from ...missions.access import MissionAccess
from ...missions.entities import SYSTEM, InboxItem, JsonObject
from ...missions.errors import Conflict, NotAllowed
from ...system import strict_json
from ..caller import McpCaller
from . import guards
from .arguments import Arguments, Heading, Ref, TooMuch
from .registry import Later, Markdown, Reply, Tool

PATIENCE_SECONDS = 480.0
"""The longest wait for a person."""
SHARE_OF_SILENCE = 0.8
"""Of the silence after which a session counts as stalled: an agent that waits for a person is silent."""
INPUT_MAX = 4_000_000
DENIED = "A person denied it. Find another way, or ask_user."
NOBODY = "Nobody answered in time. Go on without it, or call ask_user with what you need and end your turn."


class Approve(Arguments):
    tool_name: Annotated[Heading, Field(description="What it wants to use")]
    input: Annotated[dict[str, JsonValue], Field(description="With what")]
    tool_use_id: Annotated[Ref, Field(description="The same asks once")] | None = None


def approve(access: MissionAccess, caller: McpCaller, given: Approve) -> Later:
    """Ask the person, and wait; the same `tool_use_id` asks once, so a call may be repeated after a lost connection."""
    size = len(strict_json.dumps(given.input))
    if size > INPUT_MAX:
        raise TooMuch(f"`input` has {size} characters of JSON, more than {INPUT_MAX}", todo="do it in smaller steps")
    mission = guards.writable(access, caller, None)
    session = guards.live_session(access, caller, mission)
    assert session is not None  # only runs see this tool
    wanted: JsonObject = strict_json.loads(strict_json.dumps(given.input))
    asked = access.ask_permission(session.id, given.tool_name, wanted, call_id=given.tool_use_id, by=caller.author)
    return Later(
        look=lambda later: _answer(later.permission(asked.id), given) if _live(later, session.id) else None,
        late=lambda later: _closed(later, asked.id, given),
        seconds=patience(),
    )


def patience() -> float:
    """Seconds to wait for a person."""
    from ...config.loading import load

    return min(PATIENCE_SECONDS, SHARE_OF_SILENCE * load().sessions.stall_minutes * 60)


def _live(access: MissionAccess, session_id: str) -> bool:
    """Whether the session still waits; NotAllowed once it has ended."""
    if access.session(session_id).phase == "ended":
        raise NotAllowed("The session has ended", todo="stop working; nothing more is taken from this session")
    return True


def _answer(item: InboxItem, given: Approve) -> Reply | None:
    if item.decision is None:
        return None
    if item.decision == "allow":
        return Markdown({"behavior": "allow", "updatedInput": strict_json.loads(strict_json.dumps(given.input))}, "")
    return Markdown({"behavior": "deny", "message": item.message or DENIED}, "")


def _closed(access: MissionAccess, item_id: int, given: Approve) -> Reply:
    """Nobody came: denied, unless the answer came this very moment."""
    try:
        item = access.answer_permission(item_id, "deny", NOBODY, by=SYSTEM)
    except Conflict:
        item = access.permission(item_id)
    return _answer(item, given) or Markdown({"behavior": "deny", "message": NOBODY}, "")


TOOLS = (
    Tool(
        "approve",
        "For the agent program itself: asks a person whether it may use one of its tools, and waits.",
        Approve,
        approve,
        "work",
        "add",
        face="run",
    ),
)
