"""Who adds one of a kind is told of each list that names all of that kind: the place that was forgotten fails here."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from solo_unicorn.cli import table
from solo_unicorn.cli.machine import doctor, workspace_file
from solo_unicorn.hub.api import all_endpoints
from solo_unicorn.hub.mcp.access import ON_PROJECTS
from solo_unicorn.mcp_server.tools import listed
from solo_unicorn.missions import errors
from solo_unicorn.missions.connected import SAYS
from solo_unicorn.missions.fields import CHECKS
from solo_unicorn.missions.figures.metrics import AgentFigures, WeekFigures
from solo_unicorn.missions.operations import parts
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.tui.kit import looks
from solo_unicorn.tui.kit.colours.theme import THEMES
from solo_unicorn.workspace.operations import undo
from solo_unicorn.workspace.queries.undo import UNDOABLE

from .operations.cases import OPERATIONS
from .test_circles import CLEAN, ROOT, module_of

TABLE = re.compile(r"^(\w+): (?:Final\[)?(?:dict|Mapping)\[(\w+), ", re.MULTILINE)
SOME_VALUES = {
    "agents.parsers.acp _PASSING",
    "agents.sandbox.choosing GIT",
    "agents.verdict _HOLDS",
    "hub.permissions _SEEN_BY",
    "missions.holds _PAUSES",
}
"""Tables that are asked with `get`, or for some values only."""


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def modules_with(pattern: str, *folders: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Names of modules in these folders, for each place in them where the pattern fits."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for found in re.finditer(pattern, file.read_text(encoding="utf-8"), re.MULTILINE):
                yield module_of(file), found


def values_of(kind: Any) -> set[Any]:
    """The values of a Literal or of a union of them; none for another type."""
    if get_origin(kind) is Literal:
        return set(get_args(kind))
    return set().union(*map(values_of, get_args(kind))) if get_origin(kind) in (Union, UnionType) else set()


def test_a_table_by_the_values_of_a_literal_has_a_line_for_each() -> None:
    whole: set[str] = set()
    partial: set[str] = set()
    for name, found in modules_with(TABLE.pattern, *CLEAN):
        module = vars(import_module(f"solo_unicorn.{name}"))
        wanted = values_of(module.get(found[2]) or vars(builtins)[found[2]])
        if wanted:
            (partial if wanted - set(module[found[1]]) else whole).add(f"{name} {found[1]}")
    assert partial == SOME_VALUES
    assert "missions.connected SAYS" in whole and len(whole) >= 20, "it looks"


def test_a_command_is_in_the_table() -> None:
    modules = {name.removeprefix("cli.") for name, _ in modules_with("^COMMANDS = ", "cli")}
    assert modules == {module for _, verbs in table.COMMANDS.values() for module, _ in verbs.values()}


def test_a_tool_is_listed() -> None:
    known = [tool.name for tool in listed.TOOLS]
    for name, _ in modules_with("^TOOLS = ", "mcp_server/tools"):
        assert {tool.name for tool in import_module(f"solo_unicorn.{name}").TOOLS} <= set(known), name
    assert len(known) == len(set(known))


def test_a_file_with_endpoints_is_listed() -> None:
    files = {f"solo_unicorn.{name}" for name, _ in modules_with(r"^@endpoint\(", "hub/api")}
    assert files <= {module.__name__ for module in all_endpoints.FILES}


def test_doctor_looks_at_all_that_it_knows() -> None:
    looks_there = {
        one
        for module in (doctor, workspace_file)
        for one in vars(module).values()
        if inspect.isfunction(one) and one.__annotations__ == {"return": "Iterator[Finding]"}
    }
    assert looks_there == {*doctor.LOOKS, workspace_file.proved}


def test_an_operation_on_a_project_has_a_right_at_a_hub() -> None:
    """Without one the hub takes what names a project for a mission. No tool makes flows, actors or repositories."""
    on_projects = {one for one in OPERATIONS.values() if list(inspect.signature(one).parameters)[1:2] == ["project"]}
    assert set(ON_PROJECTS) == {one for one in on_projects if one.__module__ != parts.__name__}


def test_a_field_that_people_set_can_be_set_from_the_start() -> None:
    draft = {one.name for one in fields(MissionDraft)}
    assert CHECKS.keys() - draft == {"solution", "tasks_current"}, "those come with the work"
    assert draft - CHECKS.keys() == {"list"}
    options = text("cli/mission/writing.py")
    assert {name for name in draft if not re.search(rf"\b{name}\b", options)} == set()


def test_errors_and_exit_codes_are_told() -> None:
    def below(kind: type[errors.SoloUnicornError]) -> Iterator[type[errors.SoloUnicornError]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    kinds = list(below(errors.SoloUnicornError))
    line = next(line for line in table.overview().splitlines() if line.startswith("exit codes: "))
    assert {0, *(one.exit_code for one in kinds)} == set(map(int, re.findall(r"\d+", line)))
    drawn = errors.__doc__ or ""
    assert {one.__name__ for one in kinds if one.__module__ == errors.__name__ and one.__name__ not in drawn} == set()


def test_a_figure_is_shown() -> None:
    shown = text("cli/project/metrics.py")
    assert {
        one.name for kind in (WeekFigures, AgentFigures) for one in fields(kind) if f".{one.name}" not in shown
    } == set()
    shown = text("tui/project/metrics.py")
    assert {one.name for one in fields(AgentFigures) if f".{one.name}" not in shown} == set()


def test_a_state_of_the_connection_is_explained() -> None:
    page = text("docs/sync.md")
    assert {kind for kind, words in SAYS.items() if f"`{words.short.removesuffix(' {since}')}`" not in page} == set()


def test_the_page_on_real_time_has_the_messages_of_a_hub() -> None:
    sent = {
        found[1]
        for _, found in modules_with(r'(?:\.post\([^"\n]*f?(?:"[^"]*", )?|envelope\(|_say\(\s*)"([\w.]+)"', "hub")
    }
    told = text("docs/realtime.md").partition("## From the hub")[2].partition("## ")[0]
    assert set(re.findall(r'^\{"type": "([\w.]+)"', told, re.MULTILINE)) == sent


def test_a_theme_of_our_own_has_a_name_without_textual() -> None:
    assert tuple(theme.name for theme in THEMES) == looks.OWN


def test_a_step_that_can_be_undone_has_words() -> None:
    assert set(undo.SAID) == UNDOABLE
