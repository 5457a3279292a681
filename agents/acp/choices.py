"""The model, effort and mode that a person chose for an agent, told to it when its conversation is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...missions.entities import Json, JsonObject
from .unwilling import Unwilling
from .wire import Wire

SHOWN: Final = 12
"""So many values are named to who chose one that there is not."""
OLDER: Final = {
    "model": ("models", "availableModels", "session/set_model", "modelId"),
    "mode": ("modes", "availableModes", "session/set_mode", "modeId"),
}
"""Where agents without config options have theirs, and the method that chooses one."""


async def choose(wire: Wire, session: str, found: JsonObject, *, model: str, effort: str, mode: str) -> str:
    """Set what is not empty; Unwilling, with what the agent has, for what it does not have. Returns the model it uses.

    `found` is its answer to the opening of the session. A choice may change what else there is to choose from, so each
    answer is the state for the next (the protocol's Session Config Options).
    """
    options = _options(found)
    wanted = (("model", "model", model), ("effort", "thought_level", effort), ("mode", "mode", mode))
    for noun, category, value in wanted:
        if not value:
            continue
        option = next((one for one in options if category in (one.get("category"), one.get("id"))), None)
        if option is not None:
            chosen = _one_of(noun, value, option.get("options"))
            given: JsonObject = {"sessionId": session, "configId": option["id"], "value": chosen}
            options = _options(await wire.ask("session/set_config_option", given)) or options
            continue
        key, list_key, method, parameter = OLDER.get(noun, ("", "", "", ""))
        state = found.get(key)
        if not isinstance(state, dict) or not state.get(list_key):
            raise Unwilling(f"its {noun} cannot be set to {value!r}: choose it in the agent's own settings")
        await wire.ask(method, {"sessionId": session, parameter: _one_of(noun, value, state[list_key])})
    return model or _current(options, found)


def _current(options: list[JsonObject], found: JsonObject) -> str:
    """The model that it uses by itself; empty where it does not tell."""
    for one in options:
        if "model" in (one.get("category"), one.get("id")):
            return str(one.get("currentValue") or "")
    match found.get("models"):
        case {"currentModelId": str() as current}:
            return current
    return ""


def _options(found: JsonObject) -> list[JsonObject]:
    given = found.get("configOptions")
    known = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return [one for one in known if isinstance(one.get("id"), str) and isinstance(one.get("options"), list)]


def _one_of(noun: str, wanted: str, values: Json) -> str:
    """The value as the agent writes it, by itself or by its name."""
    known = dict(_values(values))
    if wanted in known:
        return wanted
    for value, name in known.items():
        if name.casefold() == wanted.casefold():
            return value
    named = ", ".join(list(known)[:SHOWN]) + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
    raise Unwilling(f"it has no {noun} {wanted!r} (it has {named or 'none'})")


def _values(given: Json) -> Iterator[tuple[str, str]]:
    for one in given if isinstance(given, list) else ():
        match one:
            case {"options": list() as group}:
                yield from _values(group)
            case {"value": str() as value, **rest} | {"modelId": str() as value, **rest}:
                yield value, str(rest.get("name") or value)
            case {"id": str() as value, **rest}:
                yield value, str(rest.get("name") or value)
