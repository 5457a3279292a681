"""A hub in memory that keeps to the protocol, remembers every effect, and can be hurt on purpose.

With `plain=True` it has the specification's endpoints only: no change feed, no ETags, no idempotency keys.
"""

from __future__ import annotations

import copy
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from solo_unicorn.sync.replica.messages import API, Request, Response

from . import files as uploads
from .hub_state import EPOCH, KINDS, RETENTION, UPLOADS, Document, Effect, State, copied, error


class SimulatedHub:
    """One project on one hub."""

    def __init__(self, project_id: str, *, plain: bool = False) -> None:
        self.project_id = project_id
        self.plain = plain
        self.state = State(project={"id": project_id, "name": "Shared"})
        self.now = EPOCH
        self.effects: list[Effect] = []
        self.lost: list[Effect] = []
        """Effects that a restore took back."""
        self.refuse: Callable[[Request], Response | None] = lambda request: None
        """A refusal of the hub's own, such as 403 or 422."""
        self.on_effect: Callable[[Effect], None] = lambda effect: None
        self._backup: tuple[State, int] | None = None

    # -- answering

    def handle(self, request: Request) -> Response:
        """What a request does, and its answer."""
        answer = self._handle(request)
        if self.plain and isinstance(answer.body, dict) and "id" in answer.body:
            answer = Response(answer.status, answer.headers, _plain(answer.body))
        return Response(
            answer.status, {**answer.headers, "date": formatdate(self.now, usegmt=True)}, copied(answer.body)
        )

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(UPLOADS):
            return uploads.piece(self, request)
        if not request.path.startswith(API):
            return error(404, "not_found")
        parts = request.path.removeprefix(API).strip("/").split("/")
        match request.method, parts:
            case "GET", ["sync", "capabilities"]:
                if self.plain:
                    return error(404, "not_found")
                return Response(
                    200,
                    {},
                    {
                        "epoch": self.state.epoch,
                        "changes": True,
                        "idempotencyRetentionSec": RETENTION,
                        "ifMatch": True,
                        "maxPage": 4,
                        "minClient": "0",
                        "history": True,
                    },
                )
            case "GET", ["projects", _, "missions"]:
                return self._list(request)
            case "GET", ["projects", _, "changes"] if not self.plain:
                return self._changes(request)
            case "GET", ["projects", _]:
                tag = {} if self.plain else {"etag": f'"{self.state.project_version}"'}
                return Response(200, tag, _plain(self.state.project) if self.plain else self.state.project)
            case "GET", ["projects", _, kind] if kind in KINDS and not self.plain:
                return Response(200, {}, {"items": list(self.state.parts[kind].values()), "nextAfter": None})
            case "GET", ["projects", _, "memory", name] if not self.plain:
                found = self.state.memory.get(name)
                return error(404, "not_found") if found is None else Response(200, self._etag(found), found)
            case "GET", ["projects", _, "events"] if not self.plain:
                return self._history(request)
            case "GET", ["missions", mission_id, "attachments"] if not self.plain:
                files = [one for one in self.state.files.values() if one["missionId"] == mission_id]
                return Response(200, {}, {"items": [one for one in files if one["state"] == "complete"]})
            case "GET", ["missions", mission_id]:
                found = self.state.missions.get(mission_id)
                return error(404, "not_found") if found is None else Response(200, self._etag(found), found)
            case _:
                return self._write(request, parts)

    def _list(self, request: Request) -> Response:
        state, after = self.state, request.query.get("after") or request.query.get("cursor") or ""
        ids = sorted(one for one in state.missions if one > after)
        limit = min(int(request.query.get("limit", 100)), 4)
        items: list[Any] = [state.missions[one] for one in ids[:limit]]
        following = ids[limit - 1] if len(ids) > limit else None
        if self.plain:
            return Response(200, {}, {"data": [_plain(one) for one in items], "meta": {"nextCursor": following}})
        return Response(
            200,
            {},
            {
                "items": items,
                "nextAfter": following,
                "snapshotCursor": _cursor(state.epoch, state.seq),
                "epoch": state.epoch,
                "seq": state.seq,
            },
        )

    def _changes(self, request: Request) -> Response:
        state = self.state
        epoch, seq = _position(request.query.get("cursor") or _cursor(state.epoch, 0))
        if epoch != state.epoch:
            return error(410, "epoch_changed")
        if seq > state.seq:
            return error(410, "cursor_from_future")
        if seq < state.pruned:
            return error(410, "cursor_expired")
        if "known" in request.query and not self._stands(int(request.query["known"])):
            return error(410, "epoch_changed")
        entries: list[tuple[int, Document]] = [(one["version"], one) for one in state.missions.values()]
        entries += [
            (version, {"id": one, "deleted": True, "version": version}) for one, version in state.tombstones.items()
        ]
        later = sorted((entry for entry in entries if entry[0] > seq), key=lambda entry: entry[0])
        limit = min(int(request.query.get("limit", 500)), 4)
        page = later[:limit]
        reached = page[-1][0] if len(later) > limit else state.seq
        return Response(
            200,
            {},
            {
                "changes": [one for _, one in page],
                "cursor": _cursor(state.epoch, reached),
                "epoch": state.epoch,
                "seq": reached,
                "hasMore": len(later) > limit,
                "projectVersion": state.project_version,
            },
        )

    def _stands(self, number: int) -> bool:
        return self.state.start < number <= self.state.seq or any(number in one for one in self.state.earlier)

    def _history(self, request: Request) -> Response:
        after, kinds = int(request.query.get("after", "0")), request.query.get("kinds", "").split(",")
        later: list[Any] = [one for one in self.state.history if one["seq"] > after and one["kind"] in kinds]
        more = len(later) > 3
        return Response(200, {}, {"items": later[:3], "nextAfter": str(later[2]["seq"]) if more else None})

    def _write(self, request: Request, parts: list[str]) -> Response:
        refused = self.refuse(request)
        if refused is not None:
            return refused
        key = None if self.plain else request.headers.get("idempotency-key")
        said = json.dumps([request.method, request.path, request.body], sort_keys=True)
        if key is not None and (known := self.state.keys.get(key)) is not None:
            if known[0] != said:
                return error(422, "idempotency_mismatch")
            return Response(known[1], {"idempotent-replayed": "true"}, known[2])
        answer = self._effect(request, parts, (key or request.headers.get("x-mutation", "none")).rsplit(".", 1)[0])
        if key is not None and answer.ok:
            self.state.keys[key] = (said, answer.status, copied(answer.body), self.now)
        return answer

    def _effect(self, request: Request, parts: list[str], mutation: str) -> Response:
        state = self.state
        body: Document = request.body if isinstance(request.body, dict) else {}
        if request.method == "POST" and parts[0] == "projects" and parts[2:] == ["missions"]:
            mission_id = body["id"]
            if mission_id in state.dead:
                return error(410, "deleted")
            if mission_id in state.missions:
                details = {"creatorMutationId": state.creators[mission_id], "current": state.missions[mission_id]}
                return error(409, "exists", {} if self.plain else details)
            made = self._stored({**body, "projectId": self.project_id})
            state.creators[mission_id] = mutation
            self.happened(Effect(mutation, mission_id, "create", {}, copied(made)))
            return Response(201, self._etag(made), made)
        if parts[-1] == "attachments" or parts[0] == "attachments":
            return uploads.file(self, request, parts, body, mutation)
        if parts[0] == "projects" or parts[0] in KINDS or parts[2:] == ["notes"]:
            return self._beside(request, parts, body, mutation)
        mission_id = parts[1]
        if mission_id in state.dead:
            return error(410, "deleted")
        found = state.missions.get(mission_id)
        if found is None:
            return error(404, "not_found")
        if not self.plain and "if-match" not in request.headers and self.wants_if_match:
            return error(428, "precondition_required")
        if "if-match" in request.headers and request.headers["if-match"] != f'"{found["version"]}"':
            return error(412, "outdated", {"current": found})
        before = copied(found)
        if request.method == "DELETE":
            state.seq += 1
            del state.missions[mission_id]
            state.dead.add(mission_id)
            state.tombstones[mission_id] = state.seq
            self.happened(Effect(mutation, mission_id, "delete", before, {}))
            return Response(204, self._etag({"version": state.seq}), None)
        after = self._stored({k: v for k, v in {**found, **body}.items() if v is not None})
        self.happened(Effect(mutation, mission_id, "patch", before, copied(after)))
        return Response(200, self._etag(after), after)

    def _beside(self, request: Request, parts: list[str], body: Document, mutation: str) -> Response:
        """What belongs to the project beside its missions."""
        state = self.state
        if self.plain:
            return error(404, "not_found")
        match request.method, parts:
            case "POST", ["missions", mission_id, "notes"]:
                if mission_id not in state.missions:
                    return error(410 if mission_id in state.dead else 404, "deleted")
                if any(one.get("noteId") == body["id"] for one in state.history):
                    return Response(200, {}, {})
                state.seq += 1
                event = {
                    "seq": state.seq,
                    "missionId": mission_id,
                    "kind": body["kind"],
                    "note": body["text"],
                    "noteId": body["id"],
                    "data": body.get("data"),
                    "at": body["at"],
                    "author": body["author"],
                }
                state.history.append(event)
                self.happened(Effect(mutation, mission_id, "note", {}, copied(event)))
                return Response(201, {}, event)
            case "POST", ["projects", _, kind]:
                part_id, store = body["id"], state.parts[kind]
                taken = next((one["id"] for one in store.values() if one["name"] == body["name"]), None)
                if part_id in store or taken:
                    return error(409, "already_exists", {"id": part_id if part_id in store else taken})
                return self._kept_part(store, part_id, {}, {**body, "projectId": self.project_id}, mutation)
            case "PATCH", ["projects", _]:
                if request.headers.get("if-match") != f'"{state.project_version}"':
                    return error(412, "outdated", {"current": state.project, "version": state.project_version})
                before = copied(state.project)
                state.seq += 1
                state.project_version = state.seq
                state.project = {**{k: v for k, v in {**before, **body}.items() if v is not None}, "version": state.seq}
                self.happened(Effect(mutation, self.project_id, "part", before, copied(state.project)))
                return Response(200, {"etag": f'"{state.seq}"'}, state.project)
            case "PUT", ["projects", _, "memory", name]:
                found = state.memory.get(name)
                if request.headers.get("if-match") != f'"{found["version"] if found else 0}"':
                    details = {"current": found, "version": found["version"] if found else 0}
                    return error(412, "outdated", details)
                before = copied(found or {})
                state.seq += 1
                state.memory[name] = {"name": name, "text": body["text"], "version": state.seq}
                state.history.append({"seq": state.seq, "missionId": None, "kind": "memory_changed", "note": name})
                self.happened(Effect(mutation, f"{self.project_id}/{name}", "part", before, copied(state.memory[name])))
                return Response(200, self._etag(state.memory[name]), state.memory[name])
            case _, [kind, part_id]:
                store = state.parts[kind]
                found = store.get(part_id)
                if found is None:
                    return error(404, "not_found")
                if request.headers.get("if-match") != f'"{found["version"]}"' and self.wants_if_match:
                    return error(412, "outdated", {"current": found, "version": found["version"]})
                if request.method == "DELETE":
                    del store[part_id]
                    state.seq += 1
                    state.project_version = state.seq
                    self.happened(Effect(mutation, part_id, "part", copied(found), {}))
                    return Response(204, self._etag({"version": state.seq}), None)
                if any(one["name"] == body.get("name") and one["id"] != part_id for one in store.values()):
                    return error(409, "already_exists", {"id": "another"})
                return self._kept_part(store, part_id, copied(found), {**found, **body}, mutation)
        return error(404, "not_found")

    def _kept_part(
        self, store: dict[str, Document], part_id: str, before: Document, after: Document, mutation: str
    ) -> Response:
        self.state.seq += 1
        self.state.project_version = self.state.seq
        store[part_id] = {**after, "version": self.state.seq}
        self.happened(Effect(mutation, part_id, "part", before, copied(store[part_id])))
        return Response(200 if before else 201, self._etag(store[part_id]), store[part_id])

    wants_if_match = True

    def _stored(self, document: Document) -> Document:
        self.state.seq += 1
        at = datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", "Z")
        stored = {**document, "version": self.state.seq, "updatedAt": at}
        self.state.missions[stored["id"]] = stored
        return stored

    def happened(self, effect: Effect) -> None:
        self.effects.append(effect)
        self.on_effect(effect)

    def _etag(self, document: Document) -> dict[str, str]:
        return {} if self.plain else {"etag": f'"{document["version"]}"'}

    # -- being hurt

    def prune(self) -> None:
        """Forget bodies of tombstones; older cursors get 410. Dead ids are kept."""
        self.state.tombstones.clear()
        self.state.pruned = self.state.seq

    def forget_keys(self) -> None:
        """Time passes beyond the retention of idempotency keys."""
        self.now += RETENTION + 60
        self.state.keys = {key: kept for key, kept in self.state.keys.items() if self.now - kept[3] < RETENTION}

    def back_up(self) -> None:
        """Take a backup."""
        self._backup = (copy.deepcopy(self.state), len(self.effects))

    def restore(self) -> bool:
        """Come back as the backup was: a new epoch, every row stamped anew above all that was. False without one."""
        if self._backup is None:
            return False
        epoch = self.state.epoch + 1
        self.state, kept = copy.deepcopy(self._backup[0]), self._backup[1]
        self.lost += self.effects[kept:]
        del self.effects[kept:]
        self.state.epoch = epoch
        self.state.earlier += (range(self.state.start + 1, self.state.seq + 1),)
        self.state.start = self.state.seq = epoch * 2**40
        self.state.pruned = 0
        for mission_id in sorted(self.state.missions):
            self.state.seq += 1
            self.state.missions[mission_id]["version"] = self.state.seq
        for mission_id in sorted(self.state.tombstones):
            self.state.seq += 1
            self.state.tombstones[mission_id] = self.state.seq
        for document in self.state.memory.values():
            self.state.seq += 1
            document["version"] = self.state.seq
        self.state.seq += 1
        self.state.project_version = self.state.project["version"] = self.state.seq
        return True


def _plain(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "version"}


def _cursor(epoch: int, seq: int) -> str:
    return urlsafe_b64encode(f"{epoch}:{seq}".encode()).decode()


def _position(cursor: str) -> tuple[int, int]:
    epoch, seq = urlsafe_b64decode(cursor).decode().split(":")
    return int(epoch), int(seq)
