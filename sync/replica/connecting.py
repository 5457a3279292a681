"""Projects become connected, published and local again; accounts; and the sync state that is always in sight."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Literal

from ...missions.entities import SYSTEM, Actor, Flow, Json, JsonObject, Mission, Project, ProjectRepository
from ...missions.errors import Conflict, NotFound
from ...missions.field_kinds import OF_THIS_MACHINE, memory_id, shared_part, shared_project
from ...missions.records import record, replace
from ...missions.wire import from_wire, to_wire
from ...system import strict_json
from ...workspace import rows
from ...workspace.change import Change
from ...workspace.links import told_to_hub
from ...workspace.sync_state import outgoing
from ...workspace.workspace import Workspace
from .files import queue_all
from .history import queue_history
from .mirror_record import mirror
from .project_parts import LISTED, put_base, take_list

Kind = Literal["session", "token", "organization"]


@record
class Account:
    """Somebody's sign-in at a hub. The tokens are in the keychain under its id, never here."""

    id: str
    profile: str
    hub: str
    user_id: str
    email: str
    kind: Kind
    signed_in: bool
    doc: JsonObject


def accounts(connection: sqlite3.Connection) -> list[Account]:
    """Who is (or was) signed in where, by profile."""
    found = connection.execute(
        "SELECT id, profile, hub, user_id, email, kind, signed_in, doc FROM account ORDER BY profile"
    ).fetchall()
    return [
        Account(account_id, profile, hub, user, email, kind, bool(signed_in), strict_json.loads(doc))
        for account_id, profile, hub, user, email, kind, signed_in, doc in found
    ]


def account(connection: sqlite3.Connection, ref: str) -> Account:
    """By id or profile; NotFound."""
    found = next((one for one in accounts(connection) if ref in (one.id, one.profile)), None)
    if found is None:
        raise NotFound(f"Nobody is signed in as {ref!r}", todo="`solo-unicorn auth login` signs in")
    return found


def put_account(workspace: Workspace, account: Account) -> None:
    """Keep a sign-in; the profile belongs to it from now on, what another account has queued stays that one's."""
    if account not in workspace.read(accounts):
        workspace.write_as(SYSTEM, _put_account, account)


def _put_account(change: Change, account: Account) -> None:
    change.connection.execute(
        "UPDATE account SET profile = profile || ' (' || user_id || ')' WHERE profile = ? AND id <> ?",
        (account.profile, account.id),
    )
    change.connection.execute(
        "INSERT INTO account (id, profile, hub, user_id, email, kind, signed_in, doc) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, "
        "hub = excluded.hub, email = excluded.email, kind = excluded.kind, signed_in = excluded.signed_in, "
        "doc = excluded.doc",
        (
            account.id,
            account.profile,
            account.hub,
            account.user_id,
            account.email,
            account.kind,
            account.signed_in,
            rows.dump(account.doc),
        ),
    )
    change.event("", "account_changed", note=account.profile)


def set_signed_in(workspace: Workspace, account_id: str, signed_in: bool) -> None:
    """The hub accepts this account's tokens, or does not any more; what is queued stays queued."""
    if any(one.signed_in != signed_in for one in workspace.read(accounts) if one.id == account_id):
        workspace.write_as(SYSTEM, _set_signed_in, account_id, signed_in)


def _set_signed_in(change: Change, account_id: str, signed_in: bool) -> None:
    changed = change.connection.execute(
        "UPDATE account SET signed_in = ?1 WHERE id = ?2 AND signed_in <> ?1", (signed_in, account_id)
    ).rowcount
    if changed:
        change.event("", "account_changed", note=account_id)


def forget_account(change: Change, account_id: str) -> None:
    """Forget a sign-in; Conflict while projects are mirrored with it."""
    used = change.connection.execute("SELECT 1 FROM mirror WHERE account = ?", (account_id,)).fetchone()
    if used:
        raise Conflict("Projects are connected with this account", todo="`solo-unicorn project disconnect` first")
    change.connection.execute("DELETE FROM account WHERE id = ?", (account_id,))
    change.event("", "account_changed", note=account_id)


def connect(
    change: Change,
    account: Account,
    project: JsonObject,
    parts: Mapping[str, Sequence[JsonObject]],
    *,
    lists: Sequence[str] | None = None,
    days: int | None = None,
) -> Project:
    """Mirror a hub's project from now on; its missions come with the first sync.

    `parts` are its flows, actors and repositories. Conflict when a project of that id is here already.
    """
    project_id = str(project.get("id"))
    row = change.connection.execute("SELECT doc FROM project WHERE id = ?", (project_id,)).fetchone()
    if row is not None:
        here = rows.load(Project, row[0])
        raise Conflict(
            f"{here.name} is already in this workspace",
            why=f"it is mirrored from {here.hub}" if here.hub else "it is a local project here",
            todo="`solo-unicorn sync` fetches what is new"
            if here.hub
            else f"`solo-unicorn project publish {here.slug}` connects it; differences become conflicts",
        )
    take_project(change, account.hub, project, parts)
    _insert_mirror(change, project_id, account, lists, days)
    change.event(project_id, "project_connected", note=account.hub)
    return change.project(project_id)


def publish(change: Change, ref: str, account: Account) -> Project:
    """Make a local project a connected one, ids kept: everything in it is queued for the hub."""
    project = change.project(ref)
    if project.hub is not None:
        raise Conflict(f"{project.name} is already connected", why=f"it is mirrored from {project.hub}")
    after = replace(project, hub=account.hub, updated_at=change.now, version=project.version + 1)
    rows.put_project(change.connection, after)
    _insert_mirror(change, project.id, account, None, None)
    _said_at_publishing(change, after)
    docs = change.connection.execute(
        "SELECT doc FROM mission WHERE project_id = ? AND deleted = 0 ORDER BY number", (project.id,)
    ).fetchall()
    missions = [rows.load(Mission, doc) for (doc,) in docs]
    for mission in missions:
        outgoing.queue_mission(change, None, mission)
    for mission in missions:
        for name in ("blockedBy", "relatesTo"):
            outgoing.queue_links(
                change, mission.id, project.id, name, [], told_to_hub(change.connection, mission.id, name)
            )
    queue_history(change, project.id)
    queue_all(change, project.id)
    change.event(project.id, "project_published", note=account.hub)
    return after


def disconnect(change: Change, ref: str, *, force: bool = False) -> Project:
    """Make a mirror a local project that keeps everything shown now.

    Conflict while edits wait to be sent, or something is undecided, unless `force`: they stay here alone then.
    """
    project = change.project(ref)
    mirror(change.connection, project.id)
    waiting = change.connection.execute("SELECT count(*) FROM outbox WHERE project_id = ?", (project.id,)).fetchone()[0]
    undecided = change.connection.execute(
        "SELECT count(*) FROM conflict WHERE project_id = ? AND state = 'open'", (project.id,)
    ).fetchone()[0]
    if (waiting or undecided) and not force:
        raise Conflict(
            f"{project.name} has {waiting} edit(s) that the hub does not have and {undecided} open conflict(s)",
            todo="`solo-unicorn sync --once` sends them; with --force they stay only on this machine",
        )
    change.connection.execute("DELETE FROM outbox WHERE project_id = ?", (project.id,))
    change.connection.execute("DELETE FROM base WHERE project_id = ?", (project.id,))
    change.connection.execute("DELETE FROM sent WHERE project_id = ?", (project.id,))
    change.connection.execute("DELETE FROM mirror WHERE project_id = ?", (project.id,))
    after = replace(project, hub=None, updated_at=change.now, version=project.version + 1)
    rows.put_project(change.connection, after)
    change.event(project.id, "project_disconnected", note=project.hub or "")
    return after


def select_missions(change: Change, ref: str, *, lists: Sequence[str] | None, days: int | None) -> None:
    """Choose which missions of a connected project are mirrored; everything is read again."""
    project = change.project(ref)
    mirror(change.connection, project.id)
    change.connection.execute(
        "UPDATE mirror SET lists = ?, days = ?, cursor = NULL, history = NULL WHERE project_id = ?",
        (None if lists is None else rows.dump(list(lists)), days, project.id),
    )
    # what the hub said is forgotten, so that each mission is judged anew; the outbox stays
    change.connection.execute("UPDATE base SET version = -1 WHERE project_id = ? AND kind = 'mission'", (project.id,))
    change.event(project.id, "project_changed", note="selection")


def take_parts(
    change: Change, project_id: str, project: JsonObject, parts: Mapping[str, Sequence[JsonObject]], version: int | None
) -> None:
    """Take in what the hub says of a project itself: its settings, flows, actors and repositories."""
    known = mirror(change.connection, project_id)
    take_project(change, known.hub, project, parts)
    change.connection.execute("UPDATE mirror SET parts = ? WHERE project_id = ?", (version, project_id))
    change.event(project_id, "project_changed", note="from the hub")


def take_project(change: Change, hub: str, document: JsonObject, parts: Mapping[str, Sequence[JsonObject]]) -> None:
    """Write a hub's project with its parts; what each machine keeps for itself stays."""
    from ...workspace.operations.projects import free_slug

    project_id = str(document.get("id"))
    row = change.connection.execute("SELECT doc FROM project WHERE id = ?", (project_id,)).fetchone()
    own: JsonObject = {}
    if row is not None:
        own = {name: value for name, value in strict_json.loads(row[0]).items() if name in OF_THIS_MACHINE}
    now = rows.stamp(change.now)
    merged: dict[str, Json] = {
        "createdAt": now,
        "updatedAt": now,
        "slug": project_id.lower(),
        **{name: value for name, value in document.items() if value is not None},
        **own,
        "hub": hub,
    }
    project = from_wire(Project, merged)
    if row is None:
        slug = str(document.get("slug") or project.name)
        project = replace(project, slug=free_slug(change.connection, slug, project_id), paused=False)
    flows: list[Flow] = []
    if not parts.get("flows") and row is None:  # a plain server knows of no flows: the system's own
        from ...missions.rules.flows import system_flows

        flows = list(system_flows(project_id, change.new_id, change.now))
    if row is None:
        rows.put_project(change.connection, project)
    for flow in flows:
        rows.put_part(change.connection, "flow", flow)
    version = document.get("version")
    before = version if isinstance(version, int) else None
    for name, part in LISTED.items():
        if name in parts and (part != "flow" or parts[name]):
            take_list(change, project_id, part, [(str(one["id"]), _number(one), one) for one in parts[name]], before)
    if document.get("defaultFlowId") is None:
        chosen = next((flow for flow in _flows(change, project_id) if flow.is_default), None)
        if chosen is not None:
            document = {**document, "defaultFlowId": chosen.id}
    take_list(change, project_id, "project", [(project_id, _number(document), document)], before)


def _flows(change: Change, project_id: str) -> list[Flow]:
    docs = change.connection.execute("SELECT doc FROM flow WHERE project_id = ? ORDER BY id", (project_id,)).fetchall()
    return [rows.load(Flow, doc) for (doc,) in docs]


def _number(item: JsonObject) -> int:
    version = item.get("version")
    return version if isinstance(version, int) else 0


def _said_at_publishing(change: Change, project: Project) -> None:
    """Seed the base with what was just published, so that the first read can compare; queue documents."""
    connection = change.connection
    for part in LISTED.values():
        for part_id, doc in connection.execute(f"SELECT id, doc FROM {part} WHERE project_id = ?", (project.id,)):
            put_base(connection, project.id, part, str(part_id), 0, strict_json.loads(doc))
    put_base(connection, project.id, "project", project.id, 0, to_wire(project))
    remembered = "SELECT name, text FROM memory WHERE project_id = ? AND text <> ''"
    documents = connection.execute(remembered, (project.id,)).fetchall()
    for name, text in documents:
        outgoing.queue_fields(change, "memory", project.id, memory_id(project.id, name), {"text": text}, {"text": None})


def _insert_mirror(
    change: Change, project_id: str, account: Account, lists: Sequence[str] | None, days: int | None
) -> None:
    change.connection.execute(
        "INSERT INTO mirror (project_id, account, hub, lists, days) VALUES (?, ?, ?, ?, ?)",
        (project_id, account.id, account.hub, None if lists is None else rows.dump(list(lists)), days),
    )


def published(
    project: Project, flows: Sequence[Flow], actors: Sequence[Actor], repositories: Sequence[ProjectRepository]
) -> tuple[JsonObject, dict[str, list[JsonObject]]]:
    """What a hub is told of a local project that is published: nothing that belongs to this machine."""
    return shared_project(project), {
        "flows": [shared_part(flow) for flow in flows],
        "actors": [shared_part(actor) for actor in actors],
        "repositories": [shared_part(repository) for repository in repositories],
    }
