"""The fields of a project, its repositories and its personas, as the screens show and change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...missions.entities import LISTS, Actor, Flow, Project, ProjectRepository
from ..kit.fields import Field
from ..kit.list_names import NAMES

LIMIT: Final = "wip_limit:"
"""Begins the name of the field of a list's work-in-progress limit."""
SANDBOX: Final = "sandbox"
"""The field that is this machine's and in no project."""
_VISIBILITY = (("private", "private: members only"), ("public", "public: anybody on the hub"))
_WORKSTATIONS = (("hidden", "hidden"), ("status_only", "status only"), ("full_details", "full details"))
_STATUS = (("active", "active"), ("archived", "archived"), ("suspended", "suspended"))
_SANDBOXES = (("off", "as each agent's"), ("guard", "guard"), ("strict", "strict"))
_MODES = (("disabled", "directly"), ("enabled", "by pull request"))


def project_fields(flows: tuple[Flow, ...], actors: tuple[Actor, ...]) -> list[Field]:
    """Every field of a project; those that a hub or the system decides are shown only."""
    flow_choices = tuple((flow.id, flow.name) for flow in flows)
    actor_choices = ((None, "none"), *((actor.id, actor.name) for actor in actors))
    return [
        Field("name", "name", group="Project"),
        Field("slug", "short name", about="in commands and addresses"),
        Field("description", "description", "long"),
        Field("category", "category"),
        Field("tags", "tags", "words", "separated by commas"),
        Field("status", "status", "choice", choices=_STATUS),
        Field("paused", "paused", "flag", "nothing new starts; running sessions continue"),
        Field("default_flow_id", "default flow", "choice", choices=flow_choices, group="Work"),
        Field("default_actor_id", "default actor", "choice", choices=actor_choices),
        Field("memory", "project memory", "long", "given to every agent; longer documents are under Memory"),
        *(Field(f"{LIMIT}{name}", f"limit of {NAMES[name]}", "number", "missions at once; 0: none") for name in LISTS),
        Field("mirror_memory", "memory as files", "flag", ".solo-unicorn/memory in the checkouts, both ways"),
        Field("mirror_documents", "documents as files", "flag", "solutions and tasks in the checkouts"),
        Field("pr_mode_default", "lands", "choice", choices=_MODES, group="Pull requests"),
        Field("pr_require_review", "require a review", "flag", "on GitHub, before they are merged"),
        Field("pr_auto_merge", "merge automatically", "flag", "once checks and reviews agree"),
        Field("pr_delete_branch_after_merge", "delete branch", "flag", "unless it changed after the merge"),
        Field("pr_template", "text", "long", "with {summary} {tasks} {description} {mission} …"),
        Field(
            SANDBOX,
            "least sandbox",
            "choice",
            "of agents, on this machine; the network stays open in each",
            choices=_SANDBOXES,
            group="On this machine",
        ),
        Field("visibility", "visibility", "choice", choices=_VISIBILITY, group="On a hub"),
        Field("public_slug", "public address"),
        Field("featured", "featured", "flag"),
        Field("public_mission_read", "missions are public", "flag"),
        Field("public_memory_read", "memory is public", "flag"),
        Field("public_repository_read", "repositories are public", "flag"),
        Field("contributor_mission_write", "contributors", "flag", "may write missions"),
        Field("collaborator_workstation_read", "collaborators", "flag", "may see workstations"),
        Field("maintainer_mission_execute", "maintainers", "flag", "may run missions"),
        Field("workstation_visibility", "workstations", "choice", choices=_WORKSTATIONS),
        Field("star_count", "stars", "fixed"),
        Field("hub", "hub", "fixed", group="About"),
        Field("organization_id", "organisation", "fixed"),
        Field("id", "id", "fixed"),
        Field("created_at", "created", "fixed"),
        Field("updated_at", "changed", "fixed"),
        Field("archived_at", "archived", "fixed"),
    ]


REPOSITORY: Final = (
    Field("name", "name", group="Repository"),
    Field("folder", "folder", about="where agents start; empty: the root"),
    Field("default_branch", "default branch"),
    Field("max_concurrent_missions", "missions at once", "number", "0: no limit"),
    Field("status", "status", "choice", choices=(("active", "active"), ("inactive", "inactive"), ("error", "error"))),
    Field("pr_mode_enabled", "by pull request", "flag", group="Pull requests"),
    Field("pr_branch_prefix", "branch prefix"),
    Field("pr_target_branch", "into branch"),
    Field("auto_delete_pr_branches", "delete branches", "flag"),
    Field("github_full_name", "on GitHub", "fixed"),
    Field("github_url", "address", "fixed"),
    Field("github_repo_id", "GitHub number", "fixed"),
    Field("local_path", "checkout", "fixed", group="About"),
    Field("remote_url", "remote", "fixed"),
    Field("is_managed_clone", "cloned by us", "fixed"),
    Field("id", "id", "fixed"),
)
ACTOR: Final = (
    Field("name", "name", group="Actor"),
    Field("description", "description", "long"),
    Field("methodology", "methodology", "long", "how it works; goes into the prompt"),
    Field("focus", "focus", "long", "what it pays attention to; goes into the prompt"),
    Field("id", "id", "fixed"),
)


def values_of(entity: Project | ProjectRepository | Actor, fields: Sequence[Field]) -> dict[str, object]:
    """The values of these fields, limits taken apart by list."""
    limits = entity.wip_limits if isinstance(entity, Project) else {}
    return {
        field.name: limits.get(field.name.removeprefix(LIMIT), 0)
        if field.name.startswith(LIMIT)
        else getattr(entity, field.name)
        for field in fields
        if field.name != SANDBOX
    }


def change_of(project: Project, field: Field, value: object) -> dict[str, object]:
    """What an edited field of a project is for `update_project`."""
    if not field.name.startswith(LIMIT):
        return {field.name: value}
    limits = {name: limit for name, limit in project.wip_limits.items() if name != field.name.removeprefix(LIMIT)}
    if value:
        limits[field.name.removeprefix(LIMIT)] = int(str(value))
    return {"wip_limits": limits}
