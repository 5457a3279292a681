"""`inbox list|answer|rules|rule|forget`: what agents ask permission for, and what they need not or must not."""

from __future__ import annotations

import json

from ..missions.entities import InboxItem, JsonObject
from ..missions.ids import short_id
from ..missions.wire import to_wire
from ..sync.workspace import Workspace
from .opening import project_of, workspace
from .output import Output
from .parsing import Command, Options, Parser, takes_project
from .shapes import at


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("-p", "--project", metavar="PROJECT", help="only of this one; default: of all")
    parser.add_argument("--all", action="store_true", help="also those that are answered or that nobody waits for")


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.project(options.project).id if options.project else None
        found = opened.permissions(project, open_only=not options.all)
        told = [_told(opened, item) for item in found]
    output.table(
        ("REQUEST", "MISSION", "SINCE", "ANSWER", "TOOL", "WITH"),
        [
            (str(item.id), str(one["mission"]), at(item.asked_at), item.decision or "-", item.tool, _with(item))
            for item, one in zip(found, told, strict=True)
        ],
        told,
        empty="No agent asks for permission.",
    )


def _answer_arguments(parser: Parser) -> None:
    parser.add_argument("request", type=int, metavar="REQUEST", help="its number, from `inbox list`")
    parser.add_argument("decision", choices=["allow", "deny"])
    parser.add_argument("--always", action="store_true", help="allow the same in this project from now on")
    parser.add_argument("-m", "--message", default="", help="what the agent is told with it")


def _answer(options: Options) -> None:
    with workspace() as opened:
        item = opened.answer_permission(options.request, options.decision, options.message, always=options.always)
        told = _told(opened, item)
    verb = "may" if item.decision == "allow" else "must not"
    Output(options).done(f"The agent on {told['mission']} {verb} use {item.tool}", told)


def _told(opened: Workspace, item: InboxItem) -> JsonObject:
    return to_wire(item) | {"mission": short_id(opened.mission(item.mission_id).number)}


def _with(item: InboxItem) -> str:
    """What a person wants to see of a call first: the command or the file, else all of it."""
    for name in ("command", "file_path", "path", "url"):
        if isinstance(item.input.get(name), str):
            return str(item.input[name])
    return json.dumps(item.input, ensure_ascii=False)


def _rules(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.permission_rules(project_of(opened, options.project).id)
    output.table(
        ("RULE", "EFFECT", "TOOL", "WITH", "SINCE"),
        [(str(one.id), one.effect, one.tool, one.subject or "anything", at(one.made_at)) for one in found],
        [to_wire(one) for one in found],
        empty="Agents of this project work in their worktree and ask for all else.",
    )


def _rule_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("effect", choices=["allow", "ask", "deny"])
    parser.add_argument("tool", metavar="TOOL", help="as the inbox names it, for example Bash or Write; * for any")
    parser.add_argument(
        "subject", nargs="?", default="", metavar="WITH",
        help="a command, a file relative to the worktree, or an address; * stands for anything (default: all)",
    )  # fmt: skip
    parser.add_argument("--exact", action="store_true", help="take * and ? letter for letter")


def _rule(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        made = opened.add_permission_rule(
            project, options.tool, options.subject, options.effect, pattern=not options.exact
        )
    may = {"allow": "may use", "ask": "ask each time before they use", "deny": "must not use"}[made.effect]
    Output(options).done(f"Agents of this project {may} {made.tool} {made.subject}".rstrip(), to_wire(made))


def _forget_arguments(parser: Parser) -> None:
    parser.add_argument("rule", type=int, metavar="RULE", help="its number, from `inbox rules`")


def _forget(options: Options) -> None:
    with workspace() as opened:
        opened.forget_permission_rule(options.rule)
    Output(options).done("You are asked again from now on", {"rule": options.rule})


COMMANDS = {
    "list": Command(_list_arguments, _list),
    "answer": Command(_answer_arguments, _answer),
    "rules": Command(takes_project, _rules),
    "rule": Command(_rule_arguments, _rule),
    "forget": Command(_forget_arguments, _forget),
}
