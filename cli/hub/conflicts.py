"""`conflicts list|show|resolve`: where two people changed the same thing, and a person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...missions.entities import Json, JsonObject
from ...missions.errors import UsageError
from ...missions.ids import short_id
from ...sync import replica
from ..opening import workspace
from ..output import Output
from ..parsing import Command, Options, Parser, may_take_project, text_from

if TYPE_CHECKING:
    from ...sync.replica.conflicts import SyncConflict
    from ...workspace.workspace import Workspace


def _list(options: Options) -> None:
    with workspace() as opened:
        found = opened.read(replica.resolving.list_open, options.project)
    Output(options).table(
        ("CONFLICT", "MISSION", "WHAT", "MINE", "THEIRS"),
        [(one.id[-8:], _name(one), said(one), _short(one.mine), _short(one.theirs)) for one in found],
        [_shape(one) for one in found],
        empty="No conflicts.",
    )


def _takes_one(parser: Parser) -> None:
    parser.add_argument("conflict", metavar="CONFLICT", help="its id, or the end of it, as shown in the list")


def _show(options: Options) -> None:
    with workspace() as opened:
        one = opened.read(replica.resolving.get, options.conflict)
    pairs = [("mission", _name(one)), ("title", one.title), ("what", said(one)), ("since", f"{one.at:%Y-%m-%d %H:%M}")]
    parts = [
        f"--- {name}\n{_long(value)}"
        for name, value in (("base", one.base), ("mine", one.mine), ("theirs", one.theirs))
    ]
    output, seen = Output(options), replica.resolving.mark(one)
    shape = {**_shape(one), "seen": seen}
    output.record(pairs, shape, name=one.id, body="\n\n".join(parts))
    output.note(f"Keep yours: `solo-unicorn conflicts resolve {one.id[-8:]} --mine --seen {seen}`")


def _resolve_arguments(parser: Parser) -> None:
    _takes_one(parser)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--mine", action="store_true", help="keep your version")
    way.add_argument("--theirs", action="store_true", help="keep the hub's version")
    way.add_argument("--merge", action="store_true", help="merge both texts in your editor")
    way.add_argument("--text", metavar="TEXT", help="the merged text itself; - reads it from a pipe")
    parser.add_argument(
        "--seen",
        metavar="MARK",
        help="the version of the hub's text that you saw, from `show`; default: the one at the time of the conflict",
    )


def _resolve(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        one = opened.read(replica.resolving.get, options.conflict)
        if options.theirs:
            opened.write(replica.resolving.keep_theirs, one.id)
            output.done(f"{_name(one)}: kept theirs", _shape(one))
            return
        noticed = opened.read(replica.resolving.recorded, one.id)
        seen = options.seen or replica.resolving.mark(noticed)
        if options.merge:
            _merge(opened, one)
        else:
            text = None if options.text is None else text_from(options.text)
            opened.write(replica.resolving.keep_mine, one.id, text=text, seen=seen)
    kept = "the merged text" if options.merge or options.text is not None else "mine"
    output.done(f"{_name(one)}: kept {kept}", _shape(one))


def _merge(opened: Workspace, one: SyncConflict) -> None:
    from ...sync.replica.conflict_marks import MARKS, marked
    from ..editor import edited

    mine, theirs = one.mine, one.theirs
    if not isinstance(mine, str) or not (theirs is None or isinstance(theirs, str)):
        raise UsageError("There is no text to merge here", todo="choose --mine or --theirs")
    with edited(marked(mine, theirs or "")) as text:
        if any(mark.strip() in text.splitlines() for mark in MARKS):
            raise UsageError(
                "The conflict marks are still in the text",
                why="nothing was changed",
                todo="remove them from the file and pass it with `--text - < FILE`",
            )
        opened.write(replica.resolving.keep_mine, one.id, text=text, seen=replica.resolving.mark(one))


def said(one: SyncConflict) -> str:
    """What it is about, in a few words."""
    from ...sync.replica.conflicts import SAYS

    return SAYS[one.kind].format(field=one.field)


def _name(one: SyncConflict) -> str:
    if one.part:
        return f"{one.part} {one.title}"
    return short_id(one.number) if one.number else one.title or one.mission_id


def _short(value: Json) -> str:
    if isinstance(value, dict):
        value = value.get("title") or ", ".join(f"{name} {_short(inner)}" for name, inner in value.items() if inner)
    text = "" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _long(value: Json) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {inner}" for name, inner in value.items() if inner is not None)
    return "" if value is None else str(value)


def _shape(one: SyncConflict) -> JsonObject:
    from ...missions.wire import to_wire

    return to_wire(one)


COMMANDS = {
    "list": Command(may_take_project, _list),
    "show": Command(_takes_one, _show),
    "resolve": Command(_resolve_arguments, _resolve),
}
