"""`config get|set|list|reset`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...config import edit, file_format, loading, settings
from ...config.paths import config_file
from ...config.schema import Setting, SettingsError
from ...missions.entities import Json
from ..output import Output
from ..parsing import Command, Options, Parser, confirmed, takes_yes


def _get_arguments(parser: Parser) -> None:
    parser.add_argument("key", metavar="KEY", help="as in workstation.slots")


def _get(options: Options) -> None:
    output = Output(options)
    row = edit.described(options.key)
    value, source = _in_force(loading.load(), options.key, row, _written())
    output.text(_plain(value), {"key": options.key, "value": _json(value), "source": source})


def _set_arguments(parser: Parser) -> None:
    parser.add_argument("key", metavar="KEY")
    parser.add_argument("value", metavar="VALUE")


def _set(options: Options) -> None:
    output = Output(options)
    if options.key == "ui.theme":
        _check_theme(options.value)
    value = edit.set_value(options.key, options.value)
    output.done(f"{options.key} = {file_format.shown(value)}", {"key": options.key, "value": _json(value)})
    row = edit.described(options.key)
    if row.variable and os.environ.get(row.variable) is not None:
        output.note(f"{row.variable} is set and overrides it here.")


def _check_theme(name: str) -> None:
    from difflib import get_close_matches

    from textual.theme import BUILTIN_THEMES

    from ...tui.kit.looks import OWN

    known = [*OWN, *BUILTIN_THEMES]
    if name and name not in known:
        raise SettingsError(
            "ui.theme",
            f"{name!r} is not the name of a theme",
            why="".join(f"did you mean {one}?" for one in get_close_matches(name, known, n=1))
            or "no theme has that name",
            todo="F2 on the board shows all themes, and saves the one you choose",
        )


def _list_arguments(parser: Parser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="in the format of docs/configuration.md")
    form.add_argument("--changed", action="store_true", help="only settings that differ from their defaults")


def _list(options: Options) -> None:
    output = Output(options)
    if options.markdown:
        from ...config.reference import markdown

        output.text(markdown(), markdown())
        return
    loaded, written = loading.load(), _written()
    rows: list[tuple[str, object, str, Setting]] = []
    for row in settings.SCHEMA:
        for key in _keys(row, loaded):
            value, source = _in_force(loaded, key, row, written)
            if source != "default" or not options.changed:
                rows.append((key, value, source, row))
    output.table(
        ("KEY", "VALUE", "FROM", "MEANING"),
        [(key, _plain(value) or "-", source, row.about) for key, value, source, row in rows],
        [
            {
                "key": key,
                "value": _json(value),
                "source": source,
                "default": _json(row.default),
                "about": row.about,
                "takes": row.takes,
                "variable": row.variable,
            }
            for key, value, source, row in rows
        ],
        meta={"file": str(config_file())},
    )


def _keys(row: Setting, loaded: settings.Settings) -> list[str]:
    """The keys a row stands for: one, or one per agent or binding that is set; the pattern itself when none is."""
    if row.name.startswith("agents."):
        return [row.name.replace("<name>", name) for name in loaded.agents] or [row.name]
    if row.name.startswith("keys."):
        return [f"keys.{binding}" for binding in loaded.keys] or [row.name]
    return [row.name]


def _in_force(loaded: settings.Settings, key: str, row: Setting, written: Mapping[str, object]) -> tuple[object, str]:
    """The value of a key, and where it comes from."""
    match key.split("."):
        case ["agents", name, last]:
            value: object = getattr(loaded.agent(name), last)
        case ["keys", *binding]:
            value = loaded.keys.get(".".join(binding), row.default)
        case [section, last]:
            value = getattr(getattr(loaded, section), last)
        case _:
            value = getattr(loaded, key)
    if key in loading.from_environment(written, os.environ):
        return value, "environment"
    return value, "file" if key in written else "default"


def _written() -> Mapping[str, object]:
    """What the file says, by key."""
    from ...config import parsing

    file = config_file()
    if not file.exists():
        return {}
    text = parsing.text_of(file)
    return parsing.values(parsing.parse(text, file), text, file)


def _reset_arguments(parser: Parser) -> None:
    parser.add_argument("key", nargs="?", metavar="KEY", help="a setting or a section; default: everything")
    takes_yes(parser)


def _reset(options: Options) -> int | None:
    if options.key is None and not confirmed(options, f"Remove every setting from {config_file()}?"):
        return 1
    gone = edit.reset(options.key)
    told = f"reset to the default: {', '.join(gone)}" if gone else "it already had its default"
    Output(options).done(told, {"reset": [*gone]})
    return None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else file_format.shown(value)


def _json(value: object) -> Json:
    return value if isinstance(value, bool | int | float | str) else str(value)


COMMANDS = {
    "get": Command(_get_arguments, _get),
    "set": Command(_set_arguments, _set),
    "list": Command(_list_arguments, _list),
    "reset": Command(_reset_arguments, _reset),
}
