"""`completion bash|zsh|fish`: scripts that ask `completion suggest` what may come next, so that all know the same.

What is suggested comes from the table of commands, from their parsers, and from the workspace: ids and titles of
missions, names of projects, flows, agents, actors, repositories, documents and settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Final

from ...missions.errors import UsageError
from ..parsing import Command, Options, Parser, load
from ..table import COMMANDS as TABLE
from .known_names import known

Suggestion = tuple[str, str]
"""A word and what it means."""

BASH: Final = """\
# solo-unicorn completion for bash; use it with:  eval "$(solo-unicorn completion bash)"
_solo_unicorn() {
    local word meaning
    COMPREPLY=()
    while IFS=$'\\t' read -r word meaning; do
        COMPREPLY+=("$(printf %q "$word")")
    done < <(solo-unicorn completion suggest -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ ${#COMPREPLY[@]} -eq 0 ]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")); fi
}
complete -F _solo_unicorn solo-unicorn
"""

ZSH: Final = """\
#compdef solo-unicorn
# solo-unicorn completion for zsh; use it with:  source <(solo-unicorn completion zsh)
_solo_unicorn() {
    local -a found
    local word meaning
    while IFS=$'\\t' read -r word meaning; do
        found+=("${word//:/\\\\:}:$meaning")
    done < <(solo-unicorn completion suggest -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( $#found )); then _describe -V solo-unicorn found; else _files; fi
}
compdef _solo_unicorn solo-unicorn
"""

FISH: Final = """\
# solo-unicorn completion for fish; use it with:  solo-unicorn completion fish | source
function __solo_unicorn_suggest
    set -l typed (commandline -opc)
    set -e typed[1]
    set -l found (solo-unicorn completion suggest -- $typed (commandline -ct | string collect -a) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c solo-unicorn -f -a '(__solo_unicorn_suggest)'
"""
SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def _arguments(parser: Parser) -> None:
    parser.add_argument("shell", choices=SCRIPTS)


def _run(options: Options) -> None:
    if options.json:
        raise UsageError("A completion script has no JSON form", todo="leave out --json")
    print(SCRIPTS[options.shell], end="")


def _suggest_arguments(parser: Parser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="WORDS", help="after `--`: the words typed so far, the last one unfinished"
    )


def _suggest(options: Options) -> None:
    words = options.words or [""]
    for word, meaning in suggestions(words[:-1], words[-1]):
        print(f"{word}\t{' '.join(meaning.split())}")


def suggestions(before: Sequence[str], current: str) -> list[Suggestion]:
    """What may stand where `current` begins, after the words before it; nothing where a file or a text is wanted."""
    return [(word, about) for word, about in _all(before) if word.lower().startswith(current.lower())]


def _all(before: Sequence[str]) -> Iterator[Suggestion]:
    if not before:
        yield from ((noun, sentence) for noun, (sentence, _) in TABLE.items())
        yield from (("--help", "Show all commands"), ("--version", "Print the version"))
        yield from (("--project", "Open the board of this project"),)
        return
    noun, *rest = before
    if noun in ("-p", "--project") and not rest:
        yield from known("projects", "")
    if noun not in TABLE:
        return
    verbs = TABLE[noun][1]
    if not rest:
        yield from ((verb, about) for verb, (_, about) in verbs.items() if verb)
    verb = rest[0] if rest and rest[0] in verbs else ""
    if verb in verbs:
        yield from _of_command(noun, verb, rest[1:] if verb else rest)


def _of_command(noun: str, verb: str, typed: Sequence[str]) -> Iterator[Suggestion]:
    """Values of the option that stands last, else those of the argument that is due, and the options."""
    _, parser = load(noun, verb)
    options = {name: action for action in parser._actions for name in action.option_strings}
    due = [action for action in parser._actions if not action.option_strings]
    words = iter(typed)
    project, wanted = "", None
    for word in words:
        if action := options.get(word):
            if action.nargs != 0:
                value = next(words, None)
                wanted = action if value is None else None
                project = value or project if action.dest == "project" else project
        elif due and due[0].nargs not in ("*", "+"):
            due.pop(0)
    if wanted is not None:
        yield from _values(noun, wanted, project)
        return
    if due:
        yield from _values(noun, due[0], project)
    for action in parser._actions:
        if action.option_strings and action.help is not argparse.SUPPRESS:
            yield max(action.option_strings, key=len), action.help or ""


KINDS: Final = {
    "REF": "missions",
    "PROJECT": "projects",
    "REPOSITORY": "repositories",
    "AGENT": "agents",
    "DOCUMENT": "documents",
    "KEY": "settings",
}
"""What stands for an argument in help, and what is suggested for it."""
OPTIONS: Final = {"flow": "flows", "agent": "agents", "actor": "actors", "repo": "repositories", "project": "projects"}
NAMED: Final = {"agent": "agents", "actor": "actors", "filter": "filters", "repo": "repositories"}
"""What a NAME is of, by the noun of its command."""


def _values(noun: str, action: argparse.Action, project: str) -> Iterator[Suggestion]:
    if action.choices is not None:
        yield from ((str(word), "") for word in action.choices)
        return
    kind = KINDS.get(str(action.metavar)) or (OPTIONS.get(action.dest) if action.option_strings else None)
    if kind is None and action.metavar == "NAME" and not action.option_strings:
        kind = NAMED.get(noun)
    if kind is not None:
        yield from known(kind, project)


COMMANDS = {"completion": Command(_arguments, _run), "suggest": Command(_suggest_arguments, _suggest)}
