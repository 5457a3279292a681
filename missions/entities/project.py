"""A project and what it has (flows, repositories, actors), the people and the workstations."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ..records import field, record
from .mission import Json, JsonObject  # noqa: F401  (a JsonObject is spelled with the name Json)


@record
class FlowStage:
    """One stage of a flow; `prompt` overrides the built-in template of that stage's name."""

    stage: str
    require_review: bool
    # ours
    description: str = ""
    prompt: str | None = None
    model: str = ""
    """The model that agents are asked to use at this stage; empty: the agent's own setting."""
    effort: str = ""
    """How hard they are asked to think there; empty: the agent's own setting."""


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
    max_concurrent_missions: int = 4
    """How many missions may run on it at once; 0 means no limit."""
    folder: str = ""
    """Where agents, scripts and checks start, relative to its top; empty: at the top."""
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
    """The external identity a user signed in with; `provider` is the address of its issuer."""

    provider: str
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
