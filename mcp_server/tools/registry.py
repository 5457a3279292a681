"""What a tool is, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ...missions.access import MissionAccess
from ...missions.entities import JsonObject
from ..caller import McpCaller
from .arguments import Arguments, parse, schema

Toolset = Literal["missions", "work", "memory"]
Effect = Literal["read", "add", "set", "replace"]
"""read: changes nothing. add: only adds. set: may be repeated without further effect; what was there stays in the
history. replace: as set, and clients should ask their person first (Codex refuses it where it may ask nobody)."""


Face = Literal["both", "run", "person"]


@dataclass(frozen=True, slots=True)
class Data:
    """An answer of facts: compact JSON as text, and the same as structured content."""

    value: JsonObject


@dataclass(frozen=True, slots=True)
class Markdown:
    """An answer to be read: text only. Its first line is `head` as compact JSON, with ids and versions."""

    head: JsonObject
    text: str


Reply = Data | Markdown


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that somebody still has to give.

    `look` is asked after every change of the workspace until it has one, `late` when `seconds` have passed.
    """

    look: Callable[[MissionAccess], Reply | None]
    late: Callable[[MissionAccess], Reply]
    seconds: float


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked by their own client: `put` into the inbox, shown by the client, answered once."""

    text: str
    options: tuple[str, ...]
    put: Callable[[MissionAccess], object]
    elsewhere: Callable[[MissionAccess], Reply | None]
    """The answer that was given somewhere else; None as long as it waits."""
    answered: Callable[[MissionAccess, str], Reply]
    waiting: Callable[[MissionAccess], Reply]
    """What is said when the client shows nothing, or what it showed was closed or declined."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: its words for the model, its arguments, its effect, and the function that does it."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[MissionAccess, McpCaller, Any], Reply | Later | Question]
    toolset: Toolset
    effect: Effect
    always_load: bool = False
    """Clients that hide tools behind a search load this one at once."""
    face: Face = "both"
    """Who sees it: a run that is bound to a mission, the person's own agent, or both."""

    def allows(self, caller: McpCaller) -> bool:
        """Whether this caller may see and call it."""
        if caller.read_only and self.effect != "read":
            return False
        if caller.toolsets is not None and self.toolset not in caller.toolsets:
            return False
        return self.face in ("both", "person" if caller.mission_id is None else "run")

    def listing(self, caller: McpCaller) -> JsonObject:
        """As `tools/list` shows it to a caller. Hints are written where they differ from the protocol's defaults.

        No tool has an output schema (docs/protocols.md, Answers and errors): some clients hold refusals to it too.

        A run is not told of arguments that have one value for it: its project, and the mission that it changes.
        """
        hints: JsonObject = {"openWorldHint": False}
        if self.effect == "read":
            hints["readOnlyHint"] = True
        else:
            if self.effect != "replace":
                hints["destructiveHint"] = False
            if self.effect != "add":
                hints["idempotentHint"] = True
        shown: JsonObject = {
            "name": self.name,
            "description": self.description,
            "inputSchema": schema(self.arguments, self._settled(caller)),
            "annotations": hints,
        }
        if self.always_load:
            shown["_meta"] = {"anthropic/alwaysLoad": True}
        return shown

    def _settled(self, caller: McpCaller) -> tuple[str, ...]:
        if caller.mission_id is None:
            return ()
        return ("project",) if self.effect == "read" else ("project", "mission")

    def call(self, access: MissionAccess, caller: McpCaller, given: JsonObject) -> Reply | Later | Question:
        """Check the arguments, then do it. Raises from `missions.errors`."""
        return self.run(access, caller, parse(self.arguments, given))
