"""What the specification leaves to each side: who does what, sessions, agents, worktrees, files, the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..records import field, record
from .mission import AuthorKind, Json, JsonObject, Outcome, Relation


@record
class Author:
    """Who makes a change: a person, an agent (with its session), or the system."""

    kind: AuthorKind
    name: str = ""
    session_id: str | None = None


USER = Author("user")
SYSTEM = Author("system")


def service_of(session_id: str) -> Author:
    """The service of a workstation, in what it records of one session."""
    return Author("system", session_id=session_id)


@record
class MissionEvent:
    """One change, appended and never altered (domain.md, Board)."""

    seq: int
    """Grows by one with every event of the workspace."""
    project_id: str
    mission_id: str | None
    kind: str
    """A verb in the past tense: created, edited, moved, claimed, stage_completed, approved, noted, landed …"""
    author: Author
    at: datetime
    changes: dict[str, tuple[Json, Json]] = field(default_factory=dict)
    """Wire field name -> (before, after)."""
    note: str = ""
    """Text that belongs to the event: a note, a summary, feedback, a reason."""
    correlation_id: str = ""


@record
class Dependency:
    """`mission_id` blocks (or relates to) `other_id`."""

    mission_id: str
    other_id: str
    relation: Relation


@record
class Usage:
    """What a session used so far; cost in US dollars, None where neither the agent tells it nor a price is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    turns: int = 0
    estimated: bool = False
    """The cost was worked out from the tokens and list prices (agents/prices.py)."""


@record
class Session:
    """One run of a code agent on one mission at one stage, in one worktree."""

    id: str
    mission_id: str
    project_id: str
    workstation_id: str
    agent_type: str
    agent_name: str
    stage: str
    started_at: datetime
    phase: Literal["preparing", "running", "ended"] = "preparing"
    outcome: Outcome | None = None
    reason: str = ""
    """Why it ended so, in one sentence; empty while it runs or when it completed."""
    conversation_id: str | None = None
    """The agent's own id of the conversation."""
    resumed: bool = False
    worktree_path: str | None = None
    folder: str | None = None
    """The folder of the worktree that its agent was started in; None: nobody wrote it down."""
    branch: str | None = None
    base_commit: str | None = None
    host_pid: int | None = None
    activity: str = ""
    """What the agent does now, in a few words: thinking, editing src/pay.py, running npm test."""
    usage: Usage = Usage()
    context_used: int = 0
    """Tokens of its model's context that the conversation fills; 0: not told."""
    context_size: int = 0
    """How many there are room for; 0: not told."""
    waits_for: str = ""
    """What it waits for a person to allow, in a few words; empty when for nothing."""
    transcript_offset: int = 0
    """Bytes of transcript.jsonl that have been taken in."""
    last_event_at: datetime | None = None
    ended_at: datetime | None = None
    stage_finished: bool = False
    """The agent finished its stage through the MCP tool in this session."""
    reviewed_commit: str | None = None
    """What its branch pointed at when its finished stage was looked at: what a review shows."""
    unasked: bool = False
    """The agent is not held to all that a person decided; `unheld` says to what."""
    unheld: str = ""
    """As a sentence without its subject: asks for no permissions."""
    sandbox: str = ""
    """What the agent is held in, and by what: guard (bubblewrap)."""


HoldKind = Literal["limit", "requests", "service", "credit", "sign_in"]


@record
class Hold:
    """What a run met that concerns its agent as a whole (missions/holds.py)."""

    kind: HoldKind
    """A usage limit, too many requests, a service that does not answer, no credit, a refused sign-in."""
    since: datetime
    times: int = 1
    """Tries in a row that were refused."""
    until: datetime | None = None
    """Nothing is given to the agent before; None: before a person or a check says that it works."""
    why: str = ""
    """The agent's words."""


@record
class CodeAgent:
    """A code agent of this workstation: what is configured and what the last check found."""

    type: str
    """Catalogue entry: claude, codex, rehearsal …"""
    name: str
    """Unique on the workstation; equals the type unless a person added several of one type."""
    title: str = ""
    enabled: bool = True
    slots: int = 1
    binary: str | None = None
    agent_version: str | None = None
    state: Literal["ready", "missing", "signed_out", "broken", "too_old"] = "missing"
    detail: str = ""
    """What is wrong and what to do, in one sentence; empty when ready."""
    sandbox: str = ""
    """The level that it is set to: off, guard or strict; `none` where the machine has nothing to hold it with."""
    hold: Hold | None = None
    """None when nothing holds it, and its last run heard from its model."""
    checked_at: datetime | None = None

    @property
    def rate_limit_reset_at(self) -> datetime | None:
        """Parked until then; None when not parked, or without an end."""
        return self.hold.until if self.hold else None


@record
class Worktree:
    """A slot of the worktree pool; `mission_id` None means vacant."""

    id: str
    repository_id: str
    path: str
    branch: str
    created_at: datetime
    last_used_at: datetime
    mission_id: str | None = None
    base_commit: str | None = None


@record
class Attachment:
    """A file that belongs to a mission; its bytes are kept once per content, by their SHA-256."""

    id: str
    project_id: str
    mission_id: str
    name: str
    """As the person called it; no folder in it."""
    mime: str
    size: int
    """Bytes."""
    sha256: str
    added_at: datetime
    added_by: Author


@record
class MemoryDocument:
    """A Markdown document of the project memory."""

    project_id: str
    name: str
    text: str
    version: int
    updated_at: datetime
    updated_by: Author


Decision = Literal["allow", "deny"]


@record
class InboxItem:
    """What an agent asks permission for in the middle of its work, and what was answered."""

    id: int
    project_id: str
    mission_id: str
    session_id: str
    tool: str
    """The agent's own tool: Bash, Write …"""
    input: JsonObject
    """What it would be called with; long ones are cut."""
    asked_at: datetime
    decision: Decision | None = None
    """None while it is open."""
    message: str = ""
    """What the person adds for the agent."""
    answered_at: datetime | None = None
    answered_by: AuthorKind | None = None
    """`system`: nobody answered in time."""
