"""No module imports what imports it, also not later, inside a function, or for the types alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = (
    "agents",
    "cli",
    "config",
    "hub",
    "mcp_server",
    "missions",
    "sync",
    "system",
    "tui",
    "workspace",
    "workstation",
    "worktrees",
)
"""Rooms without a circle; this list only grows."""


def package_of(file: Path) -> tuple[str, ...]:
    return file.relative_to(ROOT).parent.parts


def module_of(file: Path) -> str:
    return ".".join(package_of(file) if file.stem == "__init__" else (*package_of(file), file.stem))


def imports_of(file: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules of `known` that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        package = package_of(file)
        base = (*package[: len(package) - node.level + 1], *filter(None, [node.module])) if node.level else ()
        for name in node.names:
            for wanted in (".".join((*base, name.name)), ".".join(base)):
                if base and wanted in known:
                    yield wanted
                    break


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach each other (Tarjan's strongly connected components of more than one module)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in imports.get(name, ()):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for name in imports:
        if name not in order:
            visit(name)
    return found


@pytest.mark.parametrize("room", CLEAN)
def test_no_circle(room: str) -> None:
    known = {module_of(file): file for file in (ROOT / room).rglob("*.py")}
    assert circles({name: set(imports_of(file, known)) for name, file in known.items()}) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]


def test_an_import_counts_wherever_it_stands() -> None:
    file = ROOT / "tui" / "app.py"
    known = {module_of(one): one for one in (ROOT / "tui").rglob("*.py")}
    found = set(imports_of(file, known))
    assert {"tui.kit.application", "tui.board.screen"} <= found, "one at the top, and one inside a function"
