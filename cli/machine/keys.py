"""`keys list`: every command on screen with its keys, and what is wrong with `[keys]` of the settings."""

from __future__ import annotations

from ..output import Output
from ..parsing import Command, Options, Parser


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("--place", metavar="WORD", help="only those of this screen: board, mission, list …")


def _list(options: Options) -> int:
    from ...config.loading import load
    from ...tui.all_keys import known_bindings
    from ...tui.kit.keyboard.keys import clashes, key_name

    output = Output(options)
    settings = load()
    known = known_bindings()
    rows = []
    for name, one in known.items():
        keys = settings.keys.get(name) or one.binding.key
        if options.place in (None, name.partition(".")[0]):
            rows.append((name, " ".join(key_name(key.strip()) for key in keys.split(",")), one.binding.tooltip))
    wrong = clashes(settings.keys, {name: one.binding for name, one in known.items()})
    output.table(
        ("COMMAND", "KEYS", "WHAT IT DOES"),
        rows,
        [{"id": name, "keys": [*keys.split(" ")], "about": about} for name, keys, about in rows],
        meta={"clashes": [*wrong]},
    )
    for sentence in wrong:
        output.note(f"{sentence}.")
    return 1 if wrong else 0


COMMANDS = {"list": Command(_list_arguments, _list)}
