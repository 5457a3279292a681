"""A transcript as the screen shows it: one display entry for each thing that happened, in order.

Pure and light (the board imports it). Feed it with what `transcript.read` returns, as it comes; the list only grows
and its last entries change while they are going on (a tool call gets its result, reads in a row become one).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from ..missions.entities import Usage
from .events import (
    Event,
    Failure,
    FileChange,
    Interrupted,
    LimitNear,
    LimitReached,
    MessageText,
    Notice,
    Parser,
    PermissionAsked,
    PermissionDenied,
    PlanStep,
    PlanUpdate,
    QuestionAsked,
    Raw,
    Result,
    Retrying,
    SessionStarted,
    SignInAsked,
    Thinking,
    ToolCall,
    ToolKind,
    ToolResult,
    UsageMeter,
)
from .speech import said_by_person
from .transcript import TranscriptEntry

DisplayKind = Literal[
    "started",
    "message",
    "you",
    "thinking",
    "tool",
    "plan",
    "limit",
    "retry",
    "permission",
    "question",
    "notice",
    "error",
    "result",
    "raw",
]
_CONTROLS = re.compile(
    r"""
      \x1b \] [^\x07\x1b]* (?: \x07 | \x1b\\ )?     # operating system commands: titles, the clipboard
    | \x1b \[ [0-?]* [ -/]* [@-~]                    # colours, cursor
    | \x1b [@-Z\\-_]
    | [\x00-\x08\x0b-\x1f\x7f-\x9f]
    """,
    re.VERBOSE,
)
_VERBS: dict[ToolKind, str] = {
    "read": "Read",
    "search": "Search",
    "edit": "Edit",
    "run": "Run",
    "fetch": "Fetch",
    "mission": "Mission",
    "delegate": "Delegate",
    "plan": "Plan",
    "other": "Use",
}
RAW_CAP = 2000


@dataclass(slots=True)
class DisplayEntry:
    """One thing that happened. Texts hold no control characters; `text` is one line or a message with line ends."""

    at: float
    """Unix time; 0 when unknown."""
    kind: DisplayKind
    text: str
    detail: str = ""
    """What unfolds below it: a command's output, a tool's input."""
    ok: bool | None = None
    """How a tool call or the turn ended; None while it goes on, or when there is nothing to tell."""
    tool: ToolKind | None = None
    files: tuple[FileChange, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    seconds: float | None = None
    """How long the tool call took."""
    members: list[str] = field(default_factory=list)
    """What reads in a row were of: paths."""

    @property
    def added(self) -> int:
        """Lines added by this entry's file changes."""
        return sum(change.added or 0 for change in self.files)

    @property
    def removed(self) -> int:
        """Lines removed by this entry's file changes."""
        return sum(change.removed or 0 for change in self.files)


class TranscriptView:
    """Builds the list of display entries, entry by entry."""

    def __init__(self, parse: Parser, *, worktree: str = "", before: Usage | None = None) -> None:
        self.entries: list[DisplayEntry] = []
        self._parse = parse
        self._root = worktree.rstrip("/") + "/" if worktree else ""
        self._meter = UsageMeter(before)
        self._calls: dict[str, tuple[DisplayEntry, float, int]] = {}
        self._first_changed = 0

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        return self._meter.total

    def feed(self, entries: Iterable[TranscriptEntry]) -> int:
        """Take in transcript entries; returns the index of the first display entry that is new or changed."""
        self._first_changed = len(self.entries)
        for entry in entries:
            match entry:
                case TranscriptEntry(part=part) if part:
                    if part == 1:
                        self._add(entry.at, "raw", "a line too long to be shown", clean(entry.line[:RAW_CAP]))
                case TranscriptEntry(stream="out"):
                    for event in self._parse(entry.line):
                        self._show(entry.at, event)
                case TranscriptEntry(stream="in"):
                    if words := said_by_person(entry.line):
                        self._add(entry.at, "you", clean(words))
                case TranscriptEntry(stream="err"):
                    if entry.line.strip():
                        self._add(entry.at, "raw", clean(entry.line[:RAW_CAP]))
                case TranscriptEntry(stream="host"):
                    self._add(entry.at, "notice", clean(entry.line))
        return self._first_changed

    def _show(self, at: float, event: Event) -> None:
        self._meter.feed(event)
        match event:
            case SessionStarted(model=model):
                if not any(entry.kind == "started" for entry in self.entries):
                    self._add(at, "started", f"Started with {model}" if model else "Started")
            case MessageText():
                self._message(at, event)
            case Thinking(text=text):
                if text.strip():
                    self._add(at, "thinking", clean(text))
            case ToolCall(kind=kind) if kind != "plan":
                self._call(at, event)
            case ToolResult():
                self._result(at, event)
            case PlanUpdate(steps=steps):
                done = sum(step.state == "done" for step in steps)
                self._add(at, "plan", f"Plan: {done} of {len(steps)} done", steps=steps)
            case LimitReached(reset_at=reset_at, scope=scope):
                self._add(at, "limit", f"Usage limit reached{_until(reset_at)}", detail=scope, ok=False)
            case LimitNear(used=used, reset_at=reset_at):
                share = f", {used:.0%} used" if used is not None else ""
                self._add(at, "limit", f"Usage limit is near{share}{_until(reset_at)}")
            case Retrying(attempt=attempt, of=of, error=error):
                self._retry(at, f"Its service refused ({error or 'no answer'}), attempt {attempt} of {of}")
            case PermissionAsked(tool=tool, summary=summary, detail=detail):
                self._add(at, "permission", clean(f"Asks to use {tool}: {summary}", one_line=True), clean(detail))
            case PermissionDenied(tool=tool, reason=reason):
                self._add(at, "permission", f"Was refused {tool}", clean(reason), ok=False)
            case QuestionAsked(text=text):
                self._add(at, "question", clean(text))
            case Failure(text=text, error=error):
                self._add(at, "error", clean(text) or error, ok=False)
            case SignInAsked(text=text):
                self._add(at, "error", clean(text) or "It needs a sign-in", ok=False)
            case Notice(text=text):
                self._add(at, "notice", clean(text))
            case Interrupted():
                self._add(at, "notice", "Interrupted")
            case Result(ok=ok, text=text):
                self._add(at, "result", "Turn finished" if ok else "Turn ended with an error", clean(text), ok=ok)
            case Raw(text=text):
                self._add(at, "raw", clean(text[:RAW_CAP]))

    def _message(self, at: float, event: MessageText) -> None:
        kind: DisplayKind = "you" if event.author == "you" else "message"
        last = self.entries[-1] if self.entries else None
        if event.partial and last is not None and last.kind == kind and last.ok is None and last.detail == "partial":
            last.text += clean(event.text)
            self._touch(len(self.entries) - 1)
            return
        self._add(at, kind, clean(event.text), "partial" if event.partial else "")

    def _call(self, at: float, event: ToolCall) -> None:
        subject = clean(self._short(event.summary), one_line=True)
        last = self.entries[-1] if self.entries else None
        if event.kind == "read" and last is not None and last.tool == "read" and last.ok is not False:
            last.members.append(subject)
            last.text = f"Read {len(last.members)} files"
            last.detail = "\n".join(last.members)
            self._touch(len(self.entries) - 1)
            self._calls[event.id] = (last, at, len(self.entries) - 1)
            return
        verb = _VERBS[event.kind] if event.kind not in ("other", "mission") else event.name
        shown = self._add(at, "tool", clean(f"{verb} {subject}".strip(), one_line=True), clean(event.detail))
        shown.tool = event.kind
        shown.files = tuple(self._shortened(change) for change in event.files)
        shown.members = [subject] if event.kind == "read" else []
        self._calls[event.id] = (shown, at, len(self.entries) - 1)

    def _result(self, at: float, event: ToolResult) -> None:
        found = self._calls.pop(event.id, None)
        if found is None:
            return
        shown, began, index = found
        shown.ok = event.ok if shown.ok is not False else False
        shown.seconds = max(0.0, at - began) if at and began else None
        if event.files:
            shown.files = tuple(self._shortened(change) for change in event.files)
        if event.text and (shown.tool != "read" or not event.ok):
            shown.detail = "\n".join(filter(None, (shown.detail, clean(event.text))))
        self._touch(index)

    def _retry(self, at: float, text: str) -> None:
        if self.entries and self.entries[-1].kind == "retry":
            self.entries[-1].text = clean(text)
            self._touch(len(self.entries) - 1)
        else:
            self._add(at, "retry", clean(text))

    def _add(
        self,
        at: float,
        kind: DisplayKind,
        text: str,
        detail: str = "",
        *,
        ok: bool | None = None,
        steps: tuple[PlanStep, ...] = (),
    ) -> DisplayEntry:
        made = DisplayEntry(at, kind, text, detail, ok, steps=steps)
        self.entries.append(made)
        return made

    def _touch(self, index: int) -> None:
        self._first_changed = min(self._first_changed, index)

    def _short(self, path: str) -> str:
        return path.removeprefix(self._root) if self._root else path

    def _shortened(self, change: FileChange) -> FileChange:
        diff = clean(change.diff)
        return FileChange(clean(self._short(change.path)), change.change, change.added, change.removed, diff)


def clean(text: str, *, one_line: bool = False) -> str:
    """The text without control characters and terminal sequences: what an agent prints cannot steer the screen."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n"))
    return " ".join(plain.split()) if one_line else plain


def _until(reset_at: datetime | None) -> str:
    return f", until {reset_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if reset_at else ""
