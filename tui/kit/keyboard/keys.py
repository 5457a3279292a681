"""Bindings: each has an id to rebind it by, a word for the footer, and a sentence for help and palette."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen

from ....missions.records import record

SYMBOLS: Final = {
    "enter": "⏎",
    "space": "space",
    "escape": "esc",
    "tab": "tab",
    "shift+tab": "⇧tab",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "backspace": "backspace",
}


def binding(
    id: str,  # noqa: A002 (Textual's own word)
    key: str,
    action: str,
    description: str,
    tooltip: str,
    *,
    show: bool = True,
    priority: bool = False,
    label: str | None = None,
) -> Binding:
    """A binding with what footer, help, palette and `[keys]` of the settings need; `label` is its footer key."""
    return Binding(key, action, description, show=show, key_display=label, priority=priority, tooltip=tooltip, id=id)


def key_name(key: str) -> str:
    """A key as people read it: ⏎, esc, H, +, ctrl+p, ⇧←."""
    if key in SYMBOLS:
        return SYMBOLS[key]
    if key.startswith("shift+") and key[6:] in SYMBOLS:
        return "⇧" + SYMBOLS[key[6:]]
    *held, name = key.split("+")
    return "+".join([*held, format_key(name)])


@record
class KeyEntry:
    """A binding that works now: its owner, its keys as people read them, and whether it is enabled."""

    node: DOMNode
    binding: Binding
    keys: tuple[str, ...]
    enabled: bool


def entries(screen: Screen[Any]) -> list[KeyEntry]:
    """Every binding that works on a screen now, once; the focused widget's first, as their owner declares them."""
    found: dict[tuple[int, str], tuple[DOMNode, Binding, list[str], bool]] = {}
    for key, active in screen.active_bindings.items():
        if active.binding.system or not active.binding.description or not active.binding.id:
            continue
        place = (id(active.node), active.binding.action)
        found.setdefault(place, (active.node, active.binding, [], active.enabled))[2].append(key_name(key))
    made = [KeyEntry(node, bound, tuple(keys), enabled) for node, bound, keys, enabled in found.values()]
    nodes = list(dict.fromkeys(id(entry.node) for entry in made))
    return sorted(made, key=lambda entry: (nodes.index(id(entry.node)), _declared(entry)))


def _declared(entry: KeyEntry) -> int:
    """The place of a binding among those that its owner declares: the most important stand first."""
    classes = [owner for owner in reversed(type(entry.node).__mro__) if "BINDINGS" in vars(owner)]
    declared = [getattr(bound, "id", None) for owner in classes for bound in vars(owner)["BINDINGS"]]
    return declared.index(entry.binding.id) if entry.binding.id in declared else len(declared)


def clashes(keymap: Mapping[str, str], known: Mapping[str, Binding]) -> list[str]:
    """What is wrong with `[keys]` of the settings: unknown commands, and keys that two commands share where both work:
    in one place, or in any place and everywhere.
    """
    said = [f"keys.{name} names no command; the palette lists them" for name in keymap if name not in known]
    taken: dict[tuple[str, str], str] = {}
    for name, bound in sorted(known.items(), key=lambda one: not one[0].startswith("app.")):
        place = name.partition(".")[0]
        for key in (keymap.get(name) or bound.key).split(","):
            other = taken.get(("app", key.strip())) or taken.setdefault((place, key.strip()), name)
            if other != name and (name in keymap or other in keymap):
                said.append(f"keys.{name} and {other} both want {key.strip()}")
    return said
