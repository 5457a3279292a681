"""The entities of the product, name for name as the specification has them (snake_case here, camelCase on the wire).

Frozen dataclasses: a change makes a new value (`dataclasses.replace`). Times are timezone-aware UTC. Fields below a
line `# ours` are this product's additions; every other field is the specification's. Where a default stands, it is
the one of domain.md, "Creating".
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Literal

from .records import record

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]

ListName = Literal["todo", "doing", "review", "done", "loop"]
LISTS: tuple[ListName, ...] = ("todo", "doing", "review", "done", "loop")
"""The columns in the order in which the board shows them."""

AgentSessionStatus = Literal["INACTIVE", "PUSHING", "ACTIVE"]
PrMode = Literal["disabled", "enabled", "auto"]
MergeStrategy = Literal["merge", "squash", "rebase"]
ReviewStatus = Literal["pending", "approved", "rejected"]
LandingStatus = Literal["queued", "landing", "pull_request", "failed"]
"""`pull_request`: the work waits in an open pull request."""
PullRequestState = Literal["open", "merged", "closed"]
Checks = Literal["none", "pending", "passed", "failed"]
PullRequestReview = Literal["none", "approved", "changes_requested"]
Outcome = Literal[
    "completed", "failed", "timeout", "cancelled", "rate_limited", "auth_failed", "needs_input", "unknown"
]
OUTCOMES: tuple[Outcome, ...] = (
    "completed", "failed", "timeout", "cancelled", "rate_limited", "auth_failed", "needs_input", "unknown",
)  # fmt: skip
AuthorKind = Literal["user", "agent", "system"]
Relation = Literal["blocks", "relates_to"]
NoteKind = Literal["progress", "decision", "blocker", "question", "clarification"]

TITLE_MAX = 500
"""The longest title, in characters (domain.md, Creating)."""


@record
class Task:
    """One step of a mission's own plan."""

    title: str


@record
class LoopSchedule:
    """How often a loop mission may run; None means no limit."""

    max_per_day: int | None = None
    max_per_hour: int | None = None


@record
class StageConfig:
    """What one mission changes about one stage of its flow; None keeps the flow's own value."""

    enabled: bool | None = None
    require_review: bool | None = None


@record
class FlowConfig:
    """What one mission changes about its flow, by stage name (domain.md, Creating)."""

    stages: dict[str, StageConfig] = field(default_factory=dict)


@record
class ReviewComment:
    """One unresolved comment of a pull request; `path` is empty for one on the whole."""

    author: str
    text: str
    path: str = ""
    line: int | None = None
    url: str = ""


@record
class PullRequest:
    """What was last seen of a mission's pull request."""

    state: PullRequestState = "open"
    draft: bool = False
    head: str = ""
    """The commit it asks to be merged."""
    merge_commit: str | None = None
    mergeable: bool | None = None
    """None: GitHub has not worked it out yet."""
    checks: Checks = "none"
    failing: tuple[str, ...] = ()
    """Names of the checks that failed."""
    review: PullRequestReview = "none"
    review_id: int | None = None
    """The newest review that approves or asks for changes."""
    reviewers: tuple[str, ...] = ()
    """Who says what `review` says."""
    comments: tuple[ReviewComment, ...] = ()
    """Those that are not resolved."""


@record
class Mission:
    """One piece of work on the board."""

    id: str
    project_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    agent_session_status_changed_at: datetime
    description: str | None = None
    spec: str | None = None
    priority: int = 3
    list: ListName = "todo"
    list_order: float = 0.0
    stage: str = ""
    flow_id: str | None = None
    flow_config: FlowConfig | None = None
    current_flow_task: int = 0
    """Position of `stage` among the enabled stages of the flow, from 0."""
    requires_review: bool = False
    """Whether finishing the current stage waits for a person."""
    repository_id: int | None = None
    project_repository_id: str | None = None
    target_branch: str = ""
    actor_id: str | None = None
    pr_mode: PrMode = "auto"
    pr_created: bool = False
    github_pr_number: int | None = None
    github_pr_url: str | None = None
    pr_branch_name: str | None = None
    pr_merge_strategy: MergeStrategy = "merge"
    is_loop: bool = False
    loop_schedule: LoopSchedule | None = None
    ready: bool = False
    agent_session_status: AgentSessionStatus = "INACTIVE"
    code_agent_type: str | None = None
    code_agent_name: str | None = None
    last_code_agent_session_id: str | None = None
    """The agent's own conversation id, to resume the same conversation."""
    solution: str | None = None
    tasks: tuple[Task, ...] = ()
    tasks_current: int = 0
    """How many of `tasks`, from the first, are finished."""
    review_status: ReviewStatus | None = None
    review_feedback: str | None = None
    review_requested_at: datetime | None = None
    review_completed_at: datetime | None = None
    reviewed_by_user_id: str | None = None
    dependency_count: int = 0
    """Unresolved blockers."""
    # ours
    number: int = 0
    """Short human id within the workspace: shown as M-42."""
    version: int = 0
    """Grows with every change; replacing writes name the version they saw."""
    session_id: str | None = None
    """The running or last session."""
    last_code_agent_name: str | None = None
    """Name of the agent that holds the conversation `last_code_agent_session_id`."""
    stage_summary: str | None = None
    """What the agent said it did in the stage it finished last."""
    to_check: str | None = None
    """What the agent asks the reviewer to check."""
    start_from: str = ""
    """The branch, `remote/branch` or commit its own branch is made from; empty: the one it lands on."""
    attempts: int = 0
    """Failed attempts in a row at the current stage."""
    limit_hits: int = 0
    """Times in a row that the agent met its limit without saying when it resets."""
    retry_at: datetime | None = None
    """Not dispatched before this time: backing off after a failure, or parked until a limit resets."""
    attention: str | None = None
    """Why the mission waits for a person, in one sentence; None when it does not."""
    question: str | None = None
    """The agent's open question (outcome `needs_input`)."""
    asked: str | None = None
    """The question that `answer` answers."""
    answer: str | None = None
    """The person's answer, handed to the agent when its conversation goes on."""
    landing_status: LandingStatus | None = None
    landing_error: str | None = None
    landed_commit: str | None = None
    pull_request: PullRequest | None = None
    worktree_path: str | None = None
    deleted_at: datetime | None = None


@record
class FlowStage:
    """One stage of a flow; `prompt` overrides the built-in template of that stage's name."""

    stage: str
    require_review: bool
    # ours
    description: str = ""
    prompt: str | None = None


@record
class Flow:
    """A sequence of stages."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    stage_sequence: tuple[FlowStage, ...] = ()
    is_default: bool = False
    is_system: bool = False
    missions_using_count: int = 0


@record
class Project:
    """A board with its repositories, flows, members and memory."""

    id: str
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime
    organization_id: str = "local"
    description: str | None = None
    visibility: Literal["private", "public"] = "private"
    public_slug: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    featured: bool = False
    star_count: int = 0
    public_mission_read: bool = False
    public_memory_read: bool = False
    public_repository_read: bool = False
    contributor_mission_write: bool = False
    collaborator_workstation_read: bool = False
    maintainer_mission_execute: bool = False
    workstation_visibility: Literal["hidden", "status_only", "full_details"] = "hidden"
    default_flow_id: str | None = None
    default_actor_id: str | None = None
    memory: str | None = None
    pr_mode_default: Literal["disabled", "enabled"] = "disabled"
    pr_require_review: bool = True
    pr_auto_merge: bool = False
    pr_delete_branch_after_merge: bool = True
    pr_template: str | None = None
    status: Literal["active", "archived", "suspended"] = "active"
    archived_at: datetime | None = None
    # ours
    paused: bool = False
    """A paused project dispatches nothing; running sessions go on."""
    wip_limits: dict[str, int] = field(default_factory=dict)
    """Work-in-progress limit by list name; a list that is not named has none."""
    hub: str | None = None
    """Base URL of the hub this project is mirrored from; None for a local project."""
    is_sample: bool = False
    """The sample shown at first start, which one key removes."""
    mirror_memory: bool = False
    """Keep the memory's documents as files in the checkouts too, both ways."""
    mirror_documents: bool = False
    """Write each mission's solution and tasks into the checkouts."""
    version: int = 0


@record
class ProjectRepository:
    """A git repository that missions of a project work in."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    github_repo_id: int | None = None
    github_owner: str = ""
    github_name: str = ""
    github_full_name: str = ""
    github_url: str = ""
    default_branch: str = "main"
    pr_mode_enabled: bool = False
    pr_branch_prefix: str = "solo-unicorn/"
    pr_target_branch: str | None = None
    auto_delete_pr_branches: bool = True
    max_concurrent_missions: int = 1
    """How many missions may run on it at once; 0 means no limit."""
    status: Literal["active", "inactive", "error"] = "active"
    last_accessed_at: datetime | None = None
    last_mission_pushed_at: datetime | None = None
    last_pr_sync_at: datetime | None = None
    github_webhook_id: str | None = None
    github_permissions: JsonObject | None = None
    # ours
    local_path: str = ""
    """The user's checkout, or our clone, on this workstation. Never on any wire."""
    remote_url: str | None = None
    is_managed_clone: bool = False
    """True when we cloned it, so we may remove it."""


@record
class Actor:
    """A persona whose methodology and focus are added to the prompt."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    methodology: str = ""
    focus: str = ""
    is_default: bool = False


@record
class AvailableCodeAgent:
    """One code agent as a workstation's presence reports it (domain.md, Presence)."""

    type: str
    name: str
    available: bool
    rate_limited: bool = False
    rate_limit_reset_at: datetime | None = None
    # ours
    slots_used: int = 0
    slots_total: int = 1


@record
class RealtimeMemberKey:
    """Who a presence entry belongs to."""

    workstation_id: str
    user_id: str


@record
class Workstation:
    """A machine that runs code agents for its owner."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    organization_id: str = "local"
    hostname: str | None = None
    os: str | None = None
    arch: str | None = None
    platform_version: str | None = None
    cli_version: str | None = None
    registration_token: str | None = None
    last_ip_address: str | None = None
    last_user_agent: str | None = None
    status: Literal["online", "offline", "suspended"] = "offline"
    last_seen_at: datetime | None = None
    last_heartbeat_at: datetime | None = None
    available_code_agents: tuple[AvailableCodeAgent, ...] = ()
    realtime_member_key: RealtimeMemberKey | None = None
    realtime_presence_meta: JsonObject | None = None
    dev_server_enabled: bool = False
    dev_server_port: int | None = None
    dev_server_public_url: str | None = None
    deleted_at: datetime | None = None


@record
class Organization:
    """Who owns projects and workstations on a hub."""

    id: str
    name: str
    slug: str
    owner_email: str
    created_at: datetime
    updated_at: datetime
    domain: str | None = None
    api_key: str | None = None
    api_key_created_at: datetime | None = None
    api_key_expires_at: datetime | None = None
    default_flow_id: str | None = None
    auto_invite_to_projects: bool = False
    deleted_at: datetime | None = None


@record
class MonsterAuthIdentity:
    """The external identity a user signed in with."""

    provider: Literal["google", "email"]
    monster_auth_entity: JsonObject | None = None


@record
class User:
    """A person on a hub."""

    id: str
    email: str
    created_at: datetime
    updated_at: datetime
    last_active_at: datetime
    name: str | None = None
    avatar: str | None = None
    timezone: str = "UTC"
    email_verified: bool = False
    status: Literal["active", "suspended", "deleted"] = "active"
    monster_auth: MonsterAuthIdentity | None = None


# ---- ours: what the specification leaves to each side ------------------------------------------------------------


@record
class Author:
    """Who makes a change: a person, an agent (with its session), or the system."""

    kind: AuthorKind
    name: str = ""
    session_id: str | None = None


USER = Author("user")
SYSTEM = Author("system")


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
    """What a session used so far; cost in US dollars where the agent reports it."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    turns: int = 0


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
    branch: str | None = None
    base_commit: str | None = None
    host_pid: int | None = None
    activity: str = ""
    """What the agent does now, in a few words: thinking, editing src/pay.py, running npm test."""
    usage: Usage = Usage()
    transcript_offset: int = 0
    """Bytes of transcript.jsonl that have been taken in."""
    last_event_at: datetime | None = None
    ended_at: datetime | None = None
    stage_finished: bool = False
    """The agent finished its stage through the MCP tool in this session."""
    unasked: bool = False
    """The agent was started so that it asks nobody before it does anything (`skip_permissions`)."""


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
    rate_limit_reset_at: datetime | None = None
    """Parked until then; None when not limited."""
    checked_at: datetime | None = None


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
