"""Defects put in on purpose. A simulation that does not fail with one of them does not look at what that one breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from solo_unicorn.sync.replica import applying, sending, sync_steps
from solo_unicorn.sync.replica.kinds import kind, missions, parts
from solo_unicorn.sync.replica.threeway import MergeVerdict
from solo_unicorn.workspace import mission_view
from solo_unicorn.workspace.sync_state import outbox, outgoing

from .hub import SimulatedHub

Defect = Callable[[], Any]


@contextmanager
def _without_header(name: str) -> Iterator[None]:
    headers = kind.Kind.headers

    def altered(*arguments: Any) -> dict[str, str]:
        sent = headers(*arguments)
        kept = {key: value for key, value in sent.items() if key != name}
        if name == "idempotency-key" and name in sent:
            kept["x-mutation"] = sent[name]  # for the judge alone, the hub does not look at it
        return kept

    with patch.object(kind.Kind, "headers", altered), patch.object(SimulatedHub, "wants_if_match", False):
        yield


@contextmanager
def _new_key_per_try() -> Iterator[None]:
    tries = iter(range(10**9))
    freeze = sending.freeze

    def altered(*arguments: Any) -> Any:
        request = freeze(*arguments)
        if request is None or "idempotency-key" not in request.headers:
            return request
        key = request.headers["idempotency-key"]
        return replace(request, headers={**request.headers, "idempotency-key": f"{key}-{next(tries)}"})

    with patch.object(sending, "freeze", altered):
        yield


@contextmanager
def _no_three_way() -> Iterator[None]:
    with patch.object(missions, "check", lambda mine, seen, now: MergeVerdict(dict(mine), ())):
        yield


@contextmanager
def _cursor_before_data() -> Iterator[None]:
    take = sync_steps.take_changes

    def altered(change: Any, project_id: str, page: Any) -> int:
        take(change, project_id, {**page, "changes": []})
        return take(change, project_id, page)

    with patch.object(sync_steps, "take_changes", altered):
        yield


@contextmanager
def _no_version_check() -> Iterator[None]:
    take = applying.ReplicaWriter.take

    def altered(self: Any, item: Any, **options: Any) -> bool:
        self.change.connection.execute(
            "UPDATE base SET version = -1 WHERE kind = 'mission' AND id = ?", (item.get("id"),)
        )
        return take(self, item, **options)

    with patch.object(applying.ReplicaWriter, "take", altered):
        yield


@contextmanager
def _resync_drops_the_outbox() -> Iterator[None]:
    begin = sync_steps.begin_resync

    def altered(change: Any, project_id: str) -> None:
        begin(change, project_id)
        change.connection.execute("DELETE FROM outbox WHERE project_id = ?", (project_id,))
        for (mission_id,) in change.connection.execute("SELECT id FROM mission").fetchall():
            mission_view.MissionView(change, project_id).refold(mission_id)

    with patch.object(sync_steps, "begin_resync", altered):
        yield


@contextmanager
def _edit_and_outbox_apart() -> Iterator[None]:
    """The edit is committed before its outbox entry is written."""
    queue = outgoing.queue_mission

    def altered(change: Any, before: Any, saved: Any) -> None:
        change.connection.execute("COMMIT")
        change.connection.execute("BEGIN IMMEDIATE")
        queue(change, before, saved)

    with patch.object(outgoing, "queue_mission", altered):
        yield


@contextmanager
def _not_refolded_after_a_pull() -> Iterator[None]:
    with patch.object(mission_view.MissionView, "refold", lambda self, mission_id, *known, quiet=False: None):
        yield


@contextmanager
def _refusals_forgotten() -> Iterator[None]:
    """A conflict is counted as done instead of being kept for a person."""
    with patch.object(missions.Missions, "conflict", lambda *arguments: None):
        yield


@contextmanager
def _merges_into_what_is_sent() -> Iterator[None]:
    """A new edit joins a row that is on its way already."""
    with patch.object(outbox, "_joins", lambda last, patch, origin: last.kind == "patch"):
        yield


@contextmanager
def _acknowledged_at_once() -> Iterator[None]:
    """A row leaves the outbox when it is sent, not when it is answered."""
    freeze = sending.freeze

    def altered(change: Any, seq: int, *rest: Any) -> Any:
        request = freeze(change, seq, *rest)
        change.connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
        return request

    with patch.object(sending, "freeze", altered):
        yield


@contextmanager
def _forgotten_by_the_hub() -> Iterator[None]:
    """A restored hub does not stamp its rows anew."""
    restore = SimulatedHub.restore

    def altered(self: Any) -> bool:
        if self._backup is None:
            return False
        versions = {one: document["version"] for one, document in self._backup[0].missions.items()}
        seq = self._backup[0].seq
        done = restore(self)
        for mission_id, version in versions.items():
            self.state.missions[mission_id]["version"] = version
        self.state.seq = seq
        self.state.epoch -= 1
        return done

    with patch.object(SimulatedHub, "restore", altered):
        yield


@contextmanager
def _resync_without_sweep() -> Iterator[None]:
    with patch.object(applying.ReplicaWriter, "sweep", lambda self, generation: None):
        yield


@contextmanager
def _parts_not_judged() -> Iterator[None]:
    """Settings, personas and the memory are sent whatever the hub has by now."""
    with patch.object(parts, "check", lambda part, fields, seen, now: MergeVerdict(dict(fields), ())):
        yield


DEFECTS: dict[str, Defect] = {
    "no idempotency key": lambda: _without_header("idempotency-key"),
    "a new key per try": _new_key_per_try,
    "no If-Match": lambda: _without_header("if-match"),
    "no three-way check": _no_three_way,
    "cursor before data": _cursor_before_data,
    "no version check": _no_version_check,
    "resync drops the outbox": _resync_drops_the_outbox,
    "edit and outbox apart": _edit_and_outbox_apart,
    "not refolded after a pull": _not_refolded_after_a_pull,
    "conflicts forgotten": _refusals_forgotten,
    "joins what is on its way": _merges_into_what_is_sent,
    "acknowledged at once": _acknowledged_at_once,
    "restored without new stamps": _forgotten_by_the_hub,
    "resync without sweep": _resync_without_sweep,
    "parts are not judged": _parts_not_judged,
}
