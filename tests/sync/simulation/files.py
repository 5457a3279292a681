"""The simulated hub's files: announced, sent in pieces, completed, taken off. Their bytes are counted, not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solo_unicorn.sync.replica.messages import Request, Response

from .hub_state import UPLOADS, Document, Effect, copied, error

if TYPE_CHECKING:
    from .hub import SimulatedHub


def file(hub: SimulatedHub, request: Request, parts: list[str], body: Document, mutation: str) -> Response:
    """A file announced, completed, or taken off; its bytes are counted, not kept."""
    state = hub.state
    if hub.plain:
        return error(404, "not_found")
    if parts[-1] == "attachments":
        if body["missionId"] not in state.missions:
            return error(404, "not_found")
        new = {**body, "state": "waiting", "offset": 0, "addedAt": "2026-05-01T00:00:00Z"}
        new["addedBy"] = {"kind": "user"}
        file = state.files.setdefault(body["id"], new)
        return Response(201, {}, {"attachment": file, "uploadUrl": f"{UPLOADS}{body['id']}"})
    file_id = parts[1]
    if file_id not in state.files:
        return error(404, "not_found")
    file = state.files[file_id]
    if request.method == "DELETE":
        del state.files[file_id]
        _told(hub, file, "file_detached")
        return Response(204, {}, None)
    if file["state"] == "waiting":
        return error(409, "conflict")
    if file["state"] == "stored":
        file["state"] = "complete"
        _told(hub, file, "file_attached")
        hub.happened(Effect(mutation, file_id, "file", {}, copied(file)))
    return Response(200, {}, file)


def _told(hub: SimulatedHub, file: Document, kind: str) -> None:
    hub.state.seq += 1
    event = {"seq": hub.state.seq, "missionId": file["missionId"], "kind": kind, "note": ""}
    hub.state.history.append(event)


def piece(hub: SimulatedHub, request: Request) -> Response:
    """Where an upload stands; a piece is taken only where the last one ended."""
    file = hub.state.files.get(request.path.removeprefix(UPLOADS))
    if file is None:
        return error(404, "not_found")
    status = 204
    if request.method == "PUT" and request.piece is not None and file["state"] == "waiting":
        if int(request.headers["upload-offset"]) != file["offset"] or request.piece.start != file["offset"]:
            status = 409
        else:
            file["offset"] += request.piece.length
            file["state"] = "stored" if file["offset"] == file["size"] else "waiting"
    return Response(status, {"upload-offset": str(file["offset"])}, None)
