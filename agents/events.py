"""What an agent does, in one vocabulary for every agent.

A parser (`parsers/`) turns one line of an agent's output into events; what it does not know is kept as `Raw`.
`activity` says in a few words what the agent does now, `UsageMeter` adds up what it used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Literal

from ..missions.entities import Usage
from ..missions.figures.usage import credible

ToolKind = Literal["read", "search", "edit", "run", "fetch", "mission", "delegate", "plan", "other"]
"""`mission` is a call to one of our own tools (update_tasks, complete_stage …)."""
ErrorKind = Literal[
    "limit",
    "requests",
    "signed_out",
    "billing",
    "overloaded",
    "interrupted",
    "turns",
    "budget",
    "conversation_unknown",
    "other",
]
ChangeKind = Literal["add", "edit", "delete", "move"]
StepState = Literal["pending", "active", "done"]
Span = Literal["message", "turn", "conversation"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that a tool call touched; counts are None when the agent does not tell them."""

    path: str
    change: ChangeKind = "edit"
    added: int | None = None
    removed: int | None = None
    diff: str = ""
    """Lines that begin with `+`, `-`, a space or `@@`; empty when the agent does not tell them."""


@dataclass(frozen=True, slots=True)
class McpServer:
    """One MCP server as the agent sees it at its start."""

    name: str
    connected: bool
    status: str = ""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the agent's own plan."""

    title: str
    state: StepState = "pending"


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The agent is up: its own id of the conversation, and which MCP servers it reached."""

    conversation_id: str | None
    model: str = ""
    agent_version: str = ""
    mcp_servers: tuple[McpServer, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageText:
    """Text of the agent, or (`author` you) text that reached it from a person."""

    text: str
    author: Literal["agent", "you"] = "agent"
    partial: bool = False
    """A piece of a message: the next piece belongs to the same one."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """What the agent shows of its reasoning; may be empty."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The agent uses a tool; `summary` is one line such as `npm test` or `src/pay.py`."""

    id: str
    name: str
    kind: ToolKind = "other"
    summary: str = ""
    files: tuple[FileChange, ...] = ()
    detail: str = ""
    """The whole input, for a reader who opens the entry."""
    within: str = ""
    """The id of the call by which it was delegated to a sub-agent; empty for the agent's own."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """The agent put a summary in the place of what came before in its conversation."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the tool call with that id gave back."""

    id: str
    ok: bool = True
    text: str = ""
    files: tuple[FileChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanUpdate:
    """The agent's own plan, whole."""

    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """What was used: by one message (provisional), by the turn that just ended, or by the conversation so far."""

    usage: Usage
    span: Span = "turn"
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class ContextUsed:
    """How much of the model's context the conversation fills, in tokens; 0: not told."""

    used: int
    size: int
    cost_usd: float | None = None
    """What this session has cost so far, where the agent tells it like this."""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A usage limit refuses further work; `reset_at` None when the agent does not tell it."""

    reset_at: datetime | None
    scope: str = ""
    """The agent's own name of the limit: five_hour, seven_day …; `requests` for a plain 429."""
    text: str = ""
    reset_clock: datetime | time | None = None
    """The minute of the reset as a clock of this machine shows it (naive); a time alone is of the day it was told."""


@dataclass(frozen=True, slots=True)
class LimitNear:
    """A usage limit comes near; work goes on. `used` is the share from 0 to 1."""

    used: float | None
    reset_at: datetime | None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Retrying:
    """The agent's service refused a request; the agent tries again by itself."""

    attempt: int
    of: int
    """0: without end; verdict.py gives up for it."""
    seconds: float
    error: str = ""
    kind: ErrorKind = "overloaded"


@dataclass(frozen=True, slots=True)
class PermissionAsked:
    """The agent waits for a permission; the answer names `id`."""

    id: str
    tool: str
    summary: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """A tool call was refused, by a rule or because nobody could be asked."""

    tool: str
    call_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """The agent waits for an answer in words; the answer names `id`."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The agent met an error it did not (yet) end its turn with."""

    error: ErrorKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class BackgroundWork:
    """What it still has running beside its turn, whole; nothing when all of it is over."""

    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignInAsked:
    """It waits for a person to sign in and will not go on without."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a reader of the transcript should know, as a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The turn was broken off from outside."""


@dataclass(frozen=True, slots=True)
class Result:
    """The agent's own word that its turn is over: well (`ok`) or with an error."""

    ok: bool
    text: str = ""
    error: ErrorKind | None = None
    denials: int = 0
    """How many tool calls were refused in this turn."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A line that no parser knows, kept as it is."""

    text: str


Event = (
    SessionStarted
    | MessageText
    | Thinking
    | ToolCall
    | Compacted
    | ToolResult
    | PlanUpdate
    | UsageUpdate
    | ContextUsed
    | LimitReached
    | LimitNear
    | Retrying
    | PermissionAsked
    | PermissionDenied
    | QuestionAsked
    | Failure
    | BackgroundWork
    | SignInAsked
    | Notice
    | Interrupted
    | Result
    | Raw
)

Parser = Callable[[str], tuple[Event, ...]]
"""One line of an agent's standard output, without its line end, to events; never raises."""


def is_answer(event: Event) -> bool:
    """Whether it proves that the agent's model answers."""
    match event:
        case MessageText(author="agent") | Thinking() | ToolCall():
            return True
    return False


def activity(event: Event) -> str | None:
    """What the agent does now, in a few words; None when the event does not tell."""
    match event:
        case SessionStarted():
            return "starting"
        case Thinking():
            return "thinking"
        case MessageText(author="agent"):
            return "writing"
        case ToolCall(kind=kind, summary=summary, name=name):
            return _short(f"{_DOING[kind]} {summary or name}")
        case Retrying(attempt=attempt, of=of):
            return f"waiting for its service, attempt {attempt} of {of}" if of else "waiting for its service"
        case LimitReached():
            return "limit reached"
        case PermissionAsked(tool=tool):
            return f"asks to use {tool}"
        case QuestionAsked():
            return "asks a question"
        case Result():
            return "finished"
    return None


_DOING: dict[ToolKind, str] = {
    "read": "reading",
    "search": "searching",
    "edit": "editing",
    "run": "running",
    "fetch": "fetching",
    "mission": "reporting",
    "delegate": "delegating",
    "plan": "planning",
    "other": "using",
}


def _short(text: str, width: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


class UsageMeter:
    """Adds up what one session used.

    Messages count at once and are replaced by the total of their turn when it comes; an agent that reports totals of
    its conversation is measured from `before`, what the conversation had used when this session began.
    """

    def __init__(self, before: Usage | None = None) -> None:
        self._before = before or Usage()
        self._settled = Usage()
        self._messages: dict[str, Usage] = {}
        self._cost: float | None = None
        self.context: ContextUsed | None = None  # the agent does not tell

    def feed(self, event: Event) -> bool:
        """Take in one event; True when the total changed."""
        if isinstance(event, ContextUsed):
            known = self.context or event
            self.context = replace(event, used=event.used or known.used, size=event.size or known.size)
            cost = credible(Usage(cost_usd=event.cost_usd)).cost_usd
            self._cost = self._cost if cost is None else cost
            return cost is not None
        if not isinstance(event, UsageUpdate):
            return False
        usage = credible(event.usage)
        if event.span == "message":
            if self._messages.get(event.message_id) == usage:
                return False
            self._messages[event.message_id] = usage
            return True
        self._messages.clear()
        self._settled = added(self._settled, usage) if event.span == "turn" else _since(self._before, usage)
        return True

    @property
    def total(self) -> Usage:
        """What the session used so far."""
        total = self._settled
        for usage in self._messages.values():
            total = added(total, usage)
        return credible(total if self._cost is None else replace(total, cost_usd=self._cost))


def added(one: Usage, other: Usage) -> Usage:
    """The sum of two usages; a cost that neither reports stays None."""
    cost = None if one.cost_usd is None and other.cost_usd is None else (one.cost_usd or 0.0) + (other.cost_usd or 0.0)
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost_usd=cost,
        turns=one.turns + other.turns,
    )


def _since(before: Usage, total: Usage) -> Usage:
    return replace(
        total,
        input_tokens=max(0, total.input_tokens - before.input_tokens),
        output_tokens=max(0, total.output_tokens - before.output_tokens),
        cached_tokens=max(0, total.cached_tokens - before.cached_tokens),
    )
