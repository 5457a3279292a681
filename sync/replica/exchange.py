"""Conversations with a hub, as generators: they yield requests and are sent the answers.

Nothing here knows of sockets, clocks or threads, so the same code runs in the service, in a command and in the
simulator. Every write to the workspace is a transaction of its own between two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ...missions.entities import SYSTEM, Json, JsonObject
from ...workspace import queries
from ...workspace.sync_state.outbox import OutboxEntry
from ...workspace.workspace import Workspace
from . import connecting, files, restored, sending, sync_steps
from . import history as taking_history
from .capabilities import Capabilities
from .history import NOTES
from .kinds.kind import Outcome
from .messages import Answer, Exchange, NoAnswer, Request, Response, get, mission_in
from .mirror_record import Mirror
from .trouble import Trouble, trouble

EXPIRED = 410
OTHER_HISTORY = ("epoch_changed", "cursor_from_future")
"""Codes of a hub whose data is not what was read before: restored, copied or made anew."""
HISTORY = ",".join(("memory_changed", "file_attached", "file_detached", *NOTES))
"""Kinds of events that a mirror reads."""
ENDLESS = "the hub's answer continues with the page that was asked for"
MISSING = "its content is not on this machine any more: attach it again"


def detect(workspace: Workspace, hub: str) -> Exchange[Capabilities | Trouble]:
    """What a server can do; one that has never heard of it has the specification's endpoints only."""
    answer = yield get("/sync/capabilities")
    if isinstance(answer, Response) and answer.ok:
        sync_steps.set_capabilities(workspace, hub, answer.object)
        return Capabilities.of(answer.object)
    if isinstance(answer, Response) and answer.status in (404, 405, 501):
        known = workspace.read(sync_steps.capabilities, hub)
        if known is not None and known.changes:  # it could do more before: somebody else answers in its place
            return Trouble("unreadable", f"HTTP {answer.status} for what it can do", answer)
        sync_steps.set_capabilities(workspace, hub, {})
        return Capabilities()
    return trouble(answer)


def parts(workspace: Workspace, project_id: str, can: Capabilities, version: int = 0) -> Exchange[Trouble | None]:
    """Read a project itself: its settings, and where the server has them its flows, actors and repositories.

    `version` is what the change feed told of them.
    """
    answer = yield get(f"/projects/{project_id}")
    if isinstance(answer, NoAnswer) or not answer.ok:
        return trouble(answer)
    document = _object(answer.object)
    tag = answer.headers.get("etag", "").strip('"')
    if tag.isdecimal():  # of everything that belongs to the project; what the body says may be older
        document = {**document, "version": int(tag)}
    found: dict[str, list[JsonObject]] = {}
    for name in ("flows", "actors", "repositories") if can.changes else ():
        answer = yield get(f"/projects/{project_id}/{name}", limit="200")
        if isinstance(answer, Response) and answer.ok:
            found[name] = items(answer.body)
        elif not isinstance(answer, Response) or answer.status not in (403, 404):
            return trouble(answer)
    workspace.write_as(SYSTEM, connecting.take_parts, project_id, document, found, version)
    return None


def items(body: Json) -> list[JsonObject]:
    """The objects in a list, bare or below `items` or `data`."""
    if isinstance(body, dict):
        body = body.get("items", body.get("data"))
    return [one for one in body if isinstance(one, dict)] if isinstance(body, list) else []


def _object(body: JsonObject) -> JsonObject:
    data = body.get("data")
    return data if isinstance(data, dict) else body


def pull(workspace: Workspace, project_id: str, can: Capabilities) -> Exchange[int | Trouble]:
    """Bring the mirror of a project up to date; returns how many missions were news (0 for a plain server)."""
    mirror, news = workspace.read(sync_steps.mirrored, project_id), 0
    if not can.changes or mirror.resync is not None or mirror.cursor is None:
        done = yield from _resync(workspace, project_id, can)
        if isinstance(done, Trouble):
            return done
        if not can.changes:
            return 0
        mirror, news = workspace.read(sync_steps.mirrored, project_id), done
    compared = False
    while True:
        known = workspace.read(sync_steps.known, project_id)
        place = {"cursor": mirror.cursor, "known": None if known is None else str(known)}
        answer = yield get(f"/projects/{project_id}/changes", **place, limit=str(can.page))
        if isinstance(answer, Response) and answer.status == EXPIRED:
            if compared:
                return Trouble("unreadable", "the hub refuses the cursor that it gave just now", answer)
            compared = True
            workspace.write_as(
                SYSTEM, sync_steps.begin_resync, project_id, anew=answer.error.get("code") in OTHER_HISTORY
            )
            done = yield from _resync(workspace, project_id, can)
            if isinstance(done, Trouble):
                return done
            mirror, news = workspace.read(sync_steps.mirrored, project_id), news + done
            continue
        if isinstance(answer, NoAnswer) or not answer.ok:
            return trouble(answer)
        page = _page(answer)
        if not isinstance(page.get("changes"), list) or not isinstance(page.get("cursor"), str):
            return Trouble("unreadable", "the hub's answer is not a page of changes", answer)
        if page.get("hasMore") and page["cursor"] == mirror.cursor:
            return Trouble("unreadable", ENDLESS, answer)
        told = page.get("projectVersion")
        if isinstance(told, int) and told != mirror.parts:  # a mission may name a flow that is new
            stopped = yield from parts(workspace, project_id, can, told)
            if stopped is not None:
                return stopped
        if page["changes"] or page["cursor"] != mirror.cursor:
            news += workspace.write_as(SYSTEM, sync_steps.take_changes, project_id, page)
        mirror = workspace.read(sync_steps.mirrored, project_id)
        if not page.get("hasMore"):
            break
    if can.history and mirror.history != mirror.seq:
        stopped = yield from history(workspace, project_id)
        if stopped is not None:
            return stopped
    return news


def history(workspace: Workspace, project_id: str) -> Exchange[Trouble | None]:
    """Read what was written into the history since: notes, line comments, which documents and files changed.

    The first time all of the memory is read; a document that is named again and again is read once.
    """
    before = workspace.read(sync_steps.mirrored, project_id)
    after, changed, attached = before.history or 0, set[str](), set[str]()
    while True:
        answer = yield get(f"/projects/{project_id}/events", after=str(after), kinds=HISTORY, limit="500")
        if isinstance(answer, NoAnswer) or not answer.ok:
            return trouble(answer)
        events = items(answer.body)
        changed |= {str(one.get("note")) for one in events if one.get("kind") == "memory_changed"}
        attached |= {str(one.get("missionId")) for one in events if str(one.get("kind")).startswith("file_")}
        workspace.write_as(SYSTEM, taking_history.take_notes, project_id, events)
        following = answer.object.get("nextAfter")
        if following is None:
            break
        if not str(following).isdecimal() or int(str(following)) == after:
            return Trouble("unreadable", ENDLESS, answer)
        after = int(str(following))
    for name in sorted(changed):
        answer = yield get(f"/projects/{project_id}/memory/{name}")
        if isinstance(answer, Response) and answer.ok:
            taking_history.take_memory(workspace, project_id, name, answer.object)
        elif not isinstance(answer, Response) or answer.status not in (403, 404):
            return trouble(answer)
    for mission_id in sorted(attached):
        answer = yield get(f"/missions/{mission_id}/attachments")
        if isinstance(answer, Response) and answer.ok:
            workspace.write_as(SYSTEM, files.take_files, project_id, mission_id, items(answer.body))
        elif not isinstance(answer, Response) or answer.status not in (403, 404, 410):
            return trouble(answer)
    workspace.write_as(SYSTEM, taking_history.mark_history, project_id, before.seq)
    return None


def _resync(workspace: Workspace, project_id: str, can: Capabilities) -> Exchange[int | Trouble]:
    """Read everything, page by page; what is not met any more is swept at the end. Returns how many were met."""
    if workspace.read(sync_steps.mirrored, project_id).resync is None:
        workspace.write_as(SYSTEM, sync_steps.begin_resync, project_id)
    met = 0
    while True:
        mirror = workspace.read(sync_steps.mirrored, project_id)
        after = cast("JsonObject", mirror.resync or {}).get("after") or None
        answer = yield _list(mirror, can, None if after is None else str(after))
        if isinstance(answer, NoAnswer) or not answer.ok:
            return trouble(answer)
        page: JsonObject = {"items": answer.body} if isinstance(answer.body, list) else _page(answer)
        found = next((page[name] for name in ("items", "missions", "data") if isinstance(page.get(name), list)), None)
        if found is None:
            return Trouble("unreadable", "the hub's answer is not a list of missions", answer)
        if after is not None and str(page.get("nextAfter") or page.get("nextCursor")) == str(after):
            return Trouble("unreadable", ENDLESS, answer)
        met += len(cast("list[Json]", found))
        taken_back: frozenset[str] | Trouble = frozenset()
        if (mirror.resync or {}).get("anew"):
            taken_back = yield from _taken_back(workspace, project_id, items(found))
        if isinstance(taken_back, Trouble):
            return taken_back
        if workspace.write_as(SYSTEM, sync_steps.take_snapshot, project_id, page, taken_back):
            return met


def _taken_back(
    workspace: Workspace, project_id: str, missions: Sequence[JsonObject]
) -> Exchange[frozenset[str] | Trouble]:
    """Missions with a newer version at the hub whose version that was known here is not in its history."""
    lost = set[str]()
    for mission_id, version in workspace.read(restored.known_before, project_id, missions):
        answer = yield get(f"/projects/{project_id}/changes", known=str(version), limit="1")
        if isinstance(answer, Response) and answer.status == EXPIRED:
            lost.add(mission_id)
        elif isinstance(answer, NoAnswer) or not answer.ok:
            return trouble(answer)
    return frozenset(lost)


def _list(mirror: Mirror, can: Capabilities, after: str | None) -> Request:
    name = "after" if can.changes else "cursor"
    return get(f"/projects/{mirror.project_id}/missions", **{name: after}, limit=str(min(can.page, 200)))


def push(
    workspace: Workspace, entry: OutboxEntry, can: Capabilities, server_now: float | None
) -> Exchange[Outcome | Trouble]:
    """Send one row of the outbox; returns what became of it."""
    seq, content = entry.seq, queries.attachments.queued_content(entry) if entry.kind == "file" else ""
    if content is None:
        workspace.write_as(SYSTEM, sync_steps.park, seq, "missing", MISSING)
        return "parked"
    stopped = yield from _look(workspace, entry, can)
    if stopped is not None:
        return stopped
    request = workspace.write_as(SYSTEM, sending.freeze, seq, can, server_now)
    if request is None:
        return "done"
    if entry.about == "file":
        answer = yield from files.talk(request, entry, content)
        if isinstance(answer, Trouble):
            return answer
    else:
        answer = believed((yield request), entry, can)
    outcome = workspace.write_as(SYSTEM, sending.settle, seq, answer, can, server_now)
    if outcome in ("later", "signed_out"):
        return trouble(answer)
    silent = isinstance(answer, Response) and answer.ok and not mission_in(answer.body)
    if silent and request.method != "DELETE" and entry.about == "mission":
        answer = yield get(f"/missions/{entry.entity_id}")  # done, but not told what it is now
        if isinstance(answer, Response) and answer.ok and (item := mission_in(answer.body)):
            workspace.write_as(SYSTEM, sync_steps.take_mission, entry.project_id, item)
    return outcome


def _look(workspace: Workspace, entry: OutboxEntry, can: Capabilities) -> Exchange[Trouble | None]:
    """Read what is there now where the server will not compare it, so that the check is made on that."""
    project_id, about = entry.project_id, entry.entity_id
    match entry.about:
        case "file":
            return None
        case "mission" | "note":
            if can.if_match:
                return None
            answer = yield get(f"/missions/{about}")
            if isinstance(answer, Response) and answer.ok and (item := mission_in(answer.body)):
                workspace.write_as(SYSTEM, sync_steps.take_mission, project_id, item)
            elif isinstance(answer, Response) and answer.status in (404, 410):
                workspace.write_as(SYSTEM, sync_steps.mark_gone, project_id, about)
            else:
                return trouble(answer)
        case part:
            if not can.if_match or workspace.read(sync_steps.part_unsaid, part, about):
                return (yield from parts(workspace, project_id, can))
    return None


def believed(answer: Answer, entry: OutboxEntry, can: Capabilities) -> Answer:
    """A success that is the hub's own; what a network in between says instead (a sign-in page) proves nothing.

    A hub with a change feed tells what a mission is now with every success, or says nothing at all (204) of a deletion.
    """
    if isinstance(answer, NoAnswer) or not answer.ok or answer.status == 204 or not can.changes:
        return answer
    if entry.about == "mission":
        proven = (mission_in(answer.body) or {}).get("id") == entry.entity_id
    else:
        proven = isinstance(answer.body, dict)
    if proven:
        return answer
    return NoAnswer(f"HTTP {answer.status} with something that is not the hub's", answer.status, "unreadable")


def _page(answer: Response) -> JsonObject:
    """The page in a body: bare, or with what belongs to it below `meta`."""
    body = answer.object
    meta = body.get("meta")
    return {**meta, **body} if isinstance(meta, dict) else body
