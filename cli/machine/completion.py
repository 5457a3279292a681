"""`completion bash|zsh|fish`: scripts made from the table of commands and from their parsers."""

from __future__ import annotations

import argparse

from ...missions.errors import UsageError
from ..parsing import Command, Options, Parser, load
from ..table import COMMANDS as TABLE

SHELLS = ("bash", "zsh", "fish")

BASH = """\
# solo-unicorn completion for bash; use it with:  eval "$(solo-unicorn completion bash)"
_solo_unicorn() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{cases}
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then words="{nouns} --help --version"; fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [ ${{#COMPREPLY[@]}} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _solo_unicorn solo-unicorn
"""

ZSH = """\
#compdef solo-unicorn
# solo-unicorn completion for zsh; use it with:  source <(solo-unicorn completion zsh)
_solo_unicorn() {{
    local -a found
    if (( CURRENT == 2 )); then
        found=({nouns})
        _describe command found
        return
    fi
    case "$words[2]" in
{nouns_cases}
    esac
}}
compdef _solo_unicorn solo-unicorn
"""


def _arguments(parser: Parser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def _run(options: Options) -> None:
    if options.json:
        raise UsageError("A completion script is no data", todo="leave --json out")
    print({"bash": bash, "zsh": zsh, "fish": fish}[options.shell](), end="")


def switches(noun: str, verb: str) -> list[tuple[str, str]]:
    """The options of one command with what they mean."""
    _, parser = load(noun, verb)
    return [
        (max(action.option_strings, key=len), action.help or "")
        for action in parser._actions
        if action.option_strings and action.help is not argparse.SUPPRESS
    ]


def choices(noun: str, verb: str) -> list[str]:
    """The words that positional arguments of one command take."""
    _, parser = load(noun, verb)
    return [str(word) for action in parser._actions if not action.option_strings for word in action.choices or ()]


def bash() -> str:
    """The script for bash."""
    cases = []
    for noun, (_, verbs) in TABLE.items():
        named = [verb for verb in verbs if verb]
        for verb in named:
            words = " ".join([*choices(noun, verb), *(name for name, _ in switches(noun, verb))])
            cases.append(f'        "{noun} {verb}") words="{words}" ;;')
        alone = [*choices(noun, ""), *(name for name, _ in switches(noun, ""))] if "" in verbs else ["--help"]
        cases.append(f'        "{noun} "*) words="{" ".join([*named, *alone])}" ;;')
    return BASH.format(cases="\n".join(cases), nouns=" ".join(TABLE))


def zsh() -> str:
    """The script for zsh."""
    lines = []
    for noun, (_, verbs) in TABLE.items():
        lines.append(f"        {noun})")
        if list(verbs) == [""]:
            lines.append(f"            _arguments {' '.join(_zsh_options(noun, ''))} '*:file:_files' ;;")
            continue
        lines.append("            if (( CURRENT == 3 )); then")
        described = " ".join(_zsh_quoted(f"{verb}:{about}") for verb, (_, about) in verbs.items() if verb)
        lines.append(f"                found=({described}); _describe verb found; return")
        lines.append('            fi\n            case "$words[3]" in')
        for verb in filter(None, verbs):
            lines.append(f"                {verb}) _arguments {' '.join(_zsh_options(noun, verb))} '*:file:_files' ;;")
        lines.append("            esac ;;")
    nouns = " ".join(_zsh_quoted(f"{noun}:{sentence}") for noun, (sentence, _) in TABLE.items())
    return ZSH.format(nouns=nouns, nouns_cases="\n".join(lines))


def fish() -> str:
    """The script for fish."""
    lines = [
        "# solo-unicorn completion for fish; use it with:  solo-unicorn completion fish | source",
        "complete -c solo-unicorn -n __fish_use_subcommand -l version -d 'Print the version'",
    ]
    for noun, (sentence, verbs) in TABLE.items():
        lines.append(f"complete -c solo-unicorn -n __fish_use_subcommand -f -a {noun} -d {_fish_quoted(sentence)}")
        names = " ".join(filter(None, verbs))
        for verb, (_, about) in verbs.items():
            here = f"__fish_seen_subcommand_from {noun}"
            if verb:
                lines.append(
                    f"complete -c solo-unicorn -n '{here}; and not __fish_seen_subcommand_from {names}' -f -a {verb} "
                    f"-d {_fish_quoted(about)}"
                )
                here += f"; and __fish_seen_subcommand_from {verb}"
            for word in choices(noun, verb):
                lines.append(f"complete -c solo-unicorn -n '{here}' -f -a {word}")
            for name, meaning in switches(noun, verb):
                lines.append(f"complete -c solo-unicorn -n '{here}' -l {name.lstrip('-')} -d {_fish_quoted(meaning)}")
    return "\n".join(lines) + "\n"


def _zsh_options(noun: str, verb: str) -> list[str]:
    found = [
        _zsh_quoted(f"{name}[{about.replace('[', '(').replace(']', ')')}]") for name, about in switches(noun, verb)
    ]
    return found + [
        _zsh_quoted(f"1:value:({' '.join(words)})") for words in [choices(noun, verb)] if words and not verb
    ]


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


COMMANDS = {"completion": Command(_arguments, _run)}
