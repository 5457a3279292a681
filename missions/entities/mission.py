"""A mission, all that belongs to it, and the words its fields are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from ..records import field, record

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]

ListName = Literal["todo", "doing", "review", "done", "loop"]
LISTS: tuple[ListName, ...] = get_args(ListName)
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
    "completed",
    "failed",
    "timeout",
    "cancelled",
    "rate_limited",
    "unavailable",
    "auth_failed",
    "needs_input",
    "unknown",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
AuthorKind = Literal["user", "agent", "system"]
Relation = Literal["blocks", "relates_to"]
NoteKind = Literal["progress", "decision", "blocker", "question", "clarification"]


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
    work_branch: str = ""
    """The name that a person chose for its own branch; empty: the repository's template names it."""
    agent_model: str = ""
    """The model its agents are asked to use; empty: the stage's, else the agent's own setting."""
    agent_effort: str = ""
    """How hard they are asked to think, in the agent's own word; empty: the stage's, else the agent's own setting."""
    agent_budget: float | None = None
    """What its sessions may cost in all, in US dollars; None: what `budget.mission_usd` says."""
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
    asked_by: str = ""
    """The person's own client that asked it and reads the answer; empty: a run did, and goes on with the answer."""
    asked: str | None = None
    """The question that `answer` answers."""
    answer: str | None = None
    """The person's answer, handed to the agent when its conversation goes on."""
    landing_status: LandingStatus | None = None
    landing_error: str | None = None
    landing_message: str | None = None
    """Of the commit that lands its work, instead of the one that the project's template makes."""
    landed_commit: str | None = None
    pull_request: PullRequest | None = None
    worktree_path: str | None = None
    deleted_at: datetime | None = None
