"""The static table of commands, and what the modules really hold."""

from __future__ import annotations

from importlib import import_module

import pytest

from solo_unicorn.cli.parsing import load
from solo_unicorn.cli.table import COMMANDS, noun_help, overview

ALL = [(noun, verb, module) for noun, (_, verbs) in COMMANDS.items() for verb, (module, _) in verbs.items()]


@pytest.mark.parametrize(("noun", "verb"), [(noun, verb) for noun, verb, _ in ALL])
def test_every_command_of_the_table_is_there_and_explains_its_options(noun: str, verb: str) -> None:
    _, parser = load(noun, verb)
    assert {"--json", "-q"} <= {name for action in parser._actions for name in action.option_strings}
    parser.format_help()


def test_no_module_holds_a_command_that_the_table_does_not_name() -> None:
    named: dict[str, set[str]] = {}
    for noun, verb, module in ALL:
        named.setdefault(module, set()).add(verb or noun)
    for module, verbs in named.items():
        assert set(import_module(f"solo_unicorn.cli.{module}").COMMANDS) == verbs, module


def test_help_names_every_noun_and_verb() -> None:
    shown = overview()
    for noun, verb, _ in ALL:
        assert noun in shown and verb in shown
        assert not verb or verb in noun_help(noun)
    assert max(map(len, shown.splitlines())) <= 110
