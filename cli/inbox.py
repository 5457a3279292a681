"""`inbox list|answer|rules|rule|forget`: what agents ask for, and what they need not or must not."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple, get_args

from ..missions.board import Waiting
from ..missions.entities import Decision, InboxItem, JsonObject
from ..missions.errors import InvalidValue
from ..missions.ids import short_id
from ..missions.wire import to_wire
from ..workspace import operations, queries
from ..workspace.workspace import Workspace
from .opening import project_of, workspace
from .output import Output
from .parsing import Command, Options, Parser, may_take_project, takes_project
from .shapes import at


def _list_arguments(parser: Parser) -> None:
    may_take_project(parser)
    parser.add_argument(
        "--all", action="store_true", help="also answered requests, and those that no agent waits for any more"
    )


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = opened.read(queries.projects.get, options.project).id if options.project else None
        found = [
            _Line(str(item.id), item.asked_at, item.decision or "-", item.tool, _with(item), _told(opened, item))
            for item in opened.read(queries.inbox.items, project, open_only=not options.all)
        ]
        questions = [one for one in opened.read(queries.missions.waiting, project) if one.kind == "question"]
    found += [_question(one) for one in questions]
    found.sort(key=lambda line: line.since)
    output.table(
        ("REQUEST", "MISSION", "SINCE", "ANSWER", "TOOL", "WITH"),
        [(one.request, str(one.told["mission"]), at(one.since), one.answer, one.tool, one.text) for one in found],
        [one.told for one in found],
        empty="There are no requests from agents.",
    )


class _Line(NamedTuple):
    """One row of the list."""

    request: str
    since: datetime
    answer: str
    tool: str
    text: str
    told: JsonObject


def _question(one: Waiting) -> _Line:
    """A question is answered by its mission's number."""
    name = short_id(one.mission.number)
    told: JsonObject = {
        "kind": "question",
        "id": name,
        "mission": name,
        "question": one.text,
        "askedAt": one.since.isoformat(),
    }
    return _Line(name, one.since, "-", "a question", one.text, told)


def _answer_arguments(parser: Parser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="its number, from `inbox list`; M-12 for a question")
    parser.add_argument("answer", nargs="+", metavar="allow|deny|TEXT", help="the decision; to a question, the answer")
    parser.add_argument("--always", action="store_true", help="allow the same in this project from now on")
    parser.add_argument("-m", "--message", default="", help="a message to the agent")


def _answer(options: Options) -> None:
    if not options.request.isdecimal():
        _answer_question(options)
        return
    decision = next((one for one in get_args(Decision) if options.answer == [one]), None)
    if decision is None:
        raise InvalidValue("decision", f"{' '.join(options.answer)!r} is not a valid decision", todo="allow or deny")
    with workspace() as opened:
        item = opened.write(
            operations.inbox.answer, int(options.request), decision, options.message, always=options.always
        )
        told = _told(opened, item)
    verb = "may" if item.decision == "allow" else "must not"
    Output(options).done(f"The agent on {told['mission']} {verb} use {item.tool}", told)


def _answer_question(options: Options) -> None:
    if options.always or options.message:
        raise InvalidValue("request", "A question takes only a text as its answer", todo="leave out the options")
    with workspace() as opened:
        mission = opened.write(operations.review.answer, options.request, " ".join(options.answer))
    name = short_id(mission.number)
    reads = f"{mission.asked_by} can read your answer to {name}"
    Output(options).done(reads if mission.asked_by else f"{name} goes on with your answer", to_wire(mission))


def _told(opened: Workspace, item: InboxItem) -> JsonObject:
    return to_wire(item) | {
        "kind": "permission",
        "mission": short_id(opened.read(queries.missions.get, item.mission_id).number),
    }


def _with(item: InboxItem) -> str:
    """What a person wants to see of a call first: the command or the file, else all of it."""
    for name in ("command", "file_path", "path", "url"):
        if isinstance(item.input.get(name), str):
            return str(item.input[name])
    return json.dumps(item.input, ensure_ascii=False)


def _rules(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.inbox.rules, project_of(opened, options.project).id)
    output.table(
        ("RULE", "EFFECT", "TOOL", "WITH", "SINCE"),
        [(str(one.id), one.effect, one.tool, one.subject or "anything", at(one.made_at)) for one in found],
        [to_wire(one) for one in found],
        empty="There are no rules: agents work in their worktrees and ask for everything else.",
    )


def _rule_arguments(parser: Parser) -> None:
    takes_project(parser)
    parser.add_argument("effect", choices=["allow", "ask", "deny"])
    parser.add_argument("tool", metavar="TOOL", help="as shown in the inbox, such as Bash or Write; * for any")
    parser.add_argument(
        "subject",
        nargs="?",
        default="",
        metavar="WITH",
        help="a command, a file relative to the worktree, or an address; * matches anything (default: all)",
    )
    parser.add_argument("--exact", action="store_true", help="treat * and ? literally")


def _rule(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        made = opened.write(
            operations.inbox.add_rule, project, options.tool, options.subject, options.effect, pattern=not options.exact
        )
    may = {"allow": "may use", "ask": "ask each time before they use", "deny": "must not use"}[made.effect]
    output = Output(options)
    output.done(f"Agents of this project {may} {made.tool} {made.subject}".rstrip(), to_wire(made))
    if made.effect != "allow" and (loose := not_held()):
        output.note(f"Not enforced for: {'; '.join(loose)}.")


def not_held() -> list[str]:
    """The agents of this machine that rules which ask or deny do not hold, each with what does."""
    from ..agents import catalogue
    from ..agents.guard import unheld
    from ..config.loading import load
    from ..config.paths import agents_dir

    entries, settings = catalogue.load(own=agents_dir()), load()
    with workspace() as opened:
        agents = [one for one in opened.read(queries.workstation.agents) if one.enabled and one.state != "missing"]
    loose = []
    for one in agents:
        if one.type in entries:
            wanted = settings.agent(one.name)
            entry = catalogue.door(entries[one.type], one.agent_version, plain=wanted.plain_mode)
            if why := unheld(entry, wanted, rules=True):
                loose.append(f"{one.name} {why}")
    return loose


def _forget_arguments(parser: Parser) -> None:
    parser.add_argument("rule", type=int, metavar="RULE", help="its number, from `inbox rules`")


def _forget(options: Options) -> None:
    with workspace() as opened:
        opened.write(operations.inbox.forget_rule, options.rule)
    Output(options).done("From now on you are asked again", {"rule": options.rule})


COMMANDS = {
    "list": Command(_list_arguments, _list),
    "answer": Command(_answer_arguments, _answer),
    "rules": Command(takes_project, _rules),
    "rule": Command(_rule_arguments, _rule),
    "forget": Command(_forget_arguments, _forget),
}
