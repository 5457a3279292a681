"""The envelopes of `/ws/v1` and the names of its channels: one JSON object, or an array of them, in a text frame.

    {"type": "mission.update", "channel": "mission:01J…", "seq": 1718, "payload": {…}}

`seq` grows by one in a channel; `changes` has none, because only the newest counts. docs/realtime.md has every message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import orjson

from ...missions.entities import JsonObject
from ...missions.errors import InvalidValue

Kind: TypeAlias = Literal["workstation", "workstations", "mission", "project"]

CLOSE_SIGNED_OUT: Final = 4401
CLOSE_TOO_MANY: Final = 4429
CLOSE_TOO_SLOW: Final = 4008
CLOSE_RESTART: Final = 1012
LARGEST_BYTES: Final = 64 * 1024
"""Of one frame from a client."""

_CHANNEL: Final = re.compile(
    r"(?:(?P<kind>workstation|mission|project):(?P<id>[0-9A-HJKMNP-TV-Z]{26}))(?P<tail>:workstations)?"
)


@dataclass(frozen=True, slots=True)
class Channel:
    """A parsed channel name."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        """As on the wire."""
        return f"project:{self.id}:workstations" if self.kind == "workstations" else f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted to a channel, before it has a number."""

    channel: str
    type: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message with its place in its channel."""

    channel: str
    seq: int
    type: str
    payload: JsonObject

    def text(self) -> str:
        return envelope(self.type, self.payload, channel=self.channel, seq=self.seq)


def parse_channel(name: object) -> Channel:
    """`mission:ID`, `workstation:ID`, `project:ID`, `project:ID:workstations`; InvalidValue for anything else."""
    found = _CHANNEL.fullmatch(name) if isinstance(name, str) else None
    if found is None or (found["tail"] and found["kind"] != "project"):
        raise InvalidValue(
            "channel", f"{str(name)[:80]!r} is not a valid channel", todo="join mission:ID, project:ID …"
        )
    kind: Kind = "workstations" if found["tail"] else found["kind"]  # type: ignore[assignment]
    return Channel(kind, found["id"])


def envelope(
    kind: str, payload: JsonObject, *, channel: str | None = None, seq: int | None = None, ref: object = None
) -> str:
    """One envelope as text; absent parts are left out."""
    parts: dict[str, object] = {"type": kind}
    if channel is not None:
        parts["channel"] = channel
    if seq is not None:
        parts["seq"] = seq
    if ref is not None:
        parts["ref"] = ref
    parts["payload"] = payload
    return orjson.dumps(parts).decode()


def frame(envelopes: list[str]) -> str:
    """Several envelopes as one frame: an array; a single one goes as it is."""
    return envelopes[0] if len(envelopes) == 1 else f"[{','.join(envelopes)}]"


def parse(text: str) -> JsonObject:
    """A client's frame; InvalidValue when it is not a JSON object with a type."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidValue("frame", "The frame is not JSON", why=str(error)) from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InvalidValue("type", "An envelope must be an object with a type")
    if not isinstance(found.get("payload", {}), dict):
        raise InvalidValue("payload", "The payload of an envelope must be an object")
    return found
