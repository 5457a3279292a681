"""The static table of commands, and what the modules really hold."""

from __future__ import annotations

import subprocess
from importlib import import_module

import pytest

from solo_unicorn.cli.machine import completion
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


def test_the_completion_of_bash_completes(tmp_path: object) -> None:
    script = completion.bash() + (
        'complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _solo_unicorn; echo "${COMPREPLY[*]}"; }\n'
        "complete_words solo-unicorn mi; complete_words solo-unicorn mission ap\n"
        "complete_words solo-unicorn mission move M-1 rev\n"
        "complete_words solo-unicorn mission list --re; complete_words solo-unicorn completion z\n"
    )
    said = subprocess.run(["bash", "--norc"], input=script, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["mission", "approve", "review", "--ready", "zsh"]
    assert said.stderr == ""


def test_the_completions_of_zsh_and_fish_name_every_command() -> None:
    zsh, fish = completion.zsh(), completion.fish()
    for noun, verb, _ in ALL:
        assert f"'{noun}:" in zsh and f"-a {noun} " in fish
        assert not verb or (f"'{verb}:" in zsh and f"-a {verb} " in fish)
