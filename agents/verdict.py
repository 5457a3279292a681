"""What a session came to: exactly one outcome, from the agent's own events and from how its process ended.

Source: domain.md, Running. An exit code alone is not a success. A limit, a sign-out and a question are told apart from
a failure by the agent's protocol, not by its words; what nothing proves is `unknown`.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ..missions.entities import HoldKind, Outcome
from .events import (
    ErrorKind,
    Event,
    Failure,
    Interrupted,
    LimitReached,
    MessageText,
    PermissionDenied,
    QuestionAsked,
    Result,
    Retrying,
    SessionStarted,
    SignInAsked,
    is_answer,
)
from .handle import HostOutcome
from .mcp_files import SERVER

NO_TOOLS: Final = "it could not reach Solo Unicorn's tools: no request with its token arrived"
ENDLESS_RETRIES: Final = 6
"""So many vain tries in a row of an agent that would try for ever; Codex waits longer before each, minutes in all."""
LONGEST_LIMIT: Final = timedelta(days=40)
"""What would reset later was misread."""
_BY_PERSON: Final = {"stop", "kill", "cancel", "cancelled"}
_HOLDS: Final[dict[ErrorKind, HoldKind]] = {
    "limit": "limit",
    "requests": "requests",
    "billing": "credit",
    "overloaded": "service",
    "signed_out": "sign_in",
}
_TIMEOUTS: Final = {
    "stall": "it was silent for too long and was stopped",
    "total_time": "it exceeded its time limit and was stopped",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One outcome with its reason, a sentence that begins small; empty when it completed."""

    outcome: Outcome
    reason: str = ""
    reset_at: datetime | None = None
    """When the limit resets that was met, whatever the outcome; None when not told."""
    question: str | None = None
    hold: HoldKind | None = None
    """What refused work: the agent is to be held for it, whatever became of the mission."""
    answered: bool = False
    """Its model answered in this session."""
    words: str = ""
    """What it said last."""
    nudged: bool = False
    """It ended its turn, but not its stage: it is told so once, in the same conversation."""
    final: bool = False
    """Another attempt would fail in the same way: a person is asked at once."""
    no_chance: bool = False
    """It was without our tools, or could not be started: no attempt counts. Without a `reset_at` a person is asked."""
    conversation_lost: bool = False
    """The agent does not know the conversation any more: the next session begins a new one, and no attempt counts."""


class Verdict:
    """Fed with every event of a session, in order; asked once when its host has ended."""

    def __init__(self) -> None:
        self.conversation_id: str | None = None
        self._server_missing: str | None = None
        self._limit: LimitReached | None = None
        self._failure: Failure | None = None
        self._result: Result | None = None
        self._interrupted = False
        self._question: str | None = None
        self._denied: list[str] = []
        self._retries = 0
        self._retrying: Retrying | None = None
        """Its last word was that its service refused a request, which it tries again."""
        self._unanswered: Retrying | None = None
        """The refusal after which it was given up."""
        self._sign_in: SignInAsked | None = None
        self._started = False
        self.words = ""
        """What it said last."""
        self._in_pieces = False
        self.answered = False
        """Whether its model was heard of."""

    def feed(self, event: Event) -> None:
        """Take in one event."""
        if not isinstance(event, Retrying):
            self._retries, self._retrying = 0, None
        if is_answer(event):
            self.answered = True
            self._failure = None  # it went on
        match event:
            case MessageText(author="agent", text=text, partial=partial):
                self.words = self.words + text if partial and self._in_pieces else text
                self._in_pieces = partial
            case Result(text=text) if text:
                self.words = text
        if not isinstance(event, MessageText):
            self._in_pieces = False
        match event:
            case SessionStarted(conversation_id=id_, mcp_servers=servers):
                self.conversation_id = id_ or self.conversation_id
                self._started = True
                broken = [server for server in servers if server.name == SERVER and not server.connected]
                self._server_missing = broken[0].status if broken else None
            case LimitReached():
                self._limit = event
            case Retrying(of=of):
                self._retries, self._retrying = self._retries + 1, event
                if of == 0 and self._retries >= ENDLESS_RETRIES:
                    self._unanswered = event
            case Failure():
                self._failure = event
            case SignInAsked():
                self._sign_in = event
            case Interrupted():
                self._interrupted = True
            case QuestionAsked(text=text):
                self._question = text
            case PermissionDenied(tool=tool):
                self._denied.append(tool)
            case Result():
                self._result = event
                if event.ok:
                    self._failure = self._limit = None
                    self._interrupted = False

    @property
    def turn_ended(self) -> bool:
        """Whether it said that a turn is over."""
        return self._result is not None

    @property
    def abort_reason(self) -> str | None:
        """Why it should be stopped now, by `stop(reason="mcp")`: it lacks our tools, its model or an account."""
        if self._sign_in is not None:
            return _sentence("it is signed out", self._sign_in.text)
        if self._unanswered is not None:
            return _sentence("its service cannot be reached", self._unanswered.error)
        if self._server_missing is None:
            return None
        return f"it could not reach Solo Unicorn's tools ({self._server_missing})"

    def decide(self, host: HostOutcome | None, *, stage_finished: bool, question: str | None = None) -> Judgement:
        """The outcome.

        `host` None: the host died without a word, so nothing proves how the agent ended. `stage_finished`: it finished
        its stage through our tool in this session. `question`: what it asked through our tool and nobody has answered.
        """
        found = Judgement("completed") if stage_finished else self._judged(host, question)
        hold = found.hold or self._hold()
        reset_at = _reset(self._limit, host) if hold == "limit" else None
        return replace(found, hold=hold, reset_at=reset_at, answered=self.answered, words=self.words.strip())

    def _judged(self, host: HostOutcome | None, question: str | None) -> Judgement:
        if host is None:
            return Judgement("unknown", "the machine or the session host died while it worked")
        if host.sealed:
            return Judgement("unknown", "no agent was started")
        if host.start_error:
            return Judgement("failed", host.start_error)
        stop = host.stop.reason if host.stop else None
        if self._sign_in is not None and self._result is None:
            return self._failed("signed_out", self._sign_in.text, host)
        if stop in _BY_PERSON:
            return Judgement("cancelled", "it was stopped by a person")
        if asked := question or self._question:
            return Judgement("needs_input", "it asked a question", question=asked)
        match stop:
            case None:
                return self._by_protocol(host, ended_by_us=False)
            case "after_result":
                return self._by_protocol(host, ended_by_us=True)
            case "stall" | "mcp" if (refusal := self._unanswered or self._retrying) is not None:
                return self._failed(refusal.kind, refusal.error, host)
            case "stall" if self._started and not self.answered:
                return self._failed("overloaded", "it printed nothing at all", host)
            case _ if stop in _TIMEOUTS:
                return Judgement("timeout", _TIMEOUTS[stop])
            case "superseded":
                return Judgement("cancelled", "another workstation took the mission over")
            case "shutdown":
                return Judgement("unknown", "the machine was shut down or its user signed out while it worked")
            case "home":
                return Judgement("unknown", "the home was replaced, moved or removed while it worked")
            case "mcp" if (error := self._error())[0] in _HOLDS and self._server_missing is None:
                return self._failed(error[0] or "other", error[1], host)
            case "mcp":
                return Judgement("failed", self.abort_reason or NO_TOOLS, no_chance=True)
        return Judgement("cancelled", stop)

    def _by_protocol(self, host: HostOutcome, *, ended_by_us: bool) -> Judgement:
        result = self._result
        if result is None or not result.ok:
            kind, text = self._error()
            if kind is not None:
                return self._failed(kind, text, host)
        if result is None and host.exit_meaning is not None:
            return self._failed(host.exit_meaning, _last_words(host).removeprefix(": "), host)
        if result is None:
            return Judgement("failed", f"it ended without a result ({_exit(host)}){_last_words(host)}")
        if self._server_missing is not None:
            return Judgement("failed", self.abort_reason or "", no_chance=True)
        if host.exit_code != 0 and not ended_by_us:
            return Judgement("failed", f"it reported a result and then went wrong ({_exit(host)}){_last_words(host)}")
        return Judgement("completed")

    def _failed(self, kind: ErrorKind, text: str, host: HostOutcome) -> Judgement:
        match kind:
            case "limit":
                return Judgement("rate_limited", _sentence("its usage limit is reached", text), hold="limit")
            case "requests":
                return Judgement("unavailable", _sentence("it made too many requests", text), hold="requests")
            case "billing":
                return Judgement("unavailable", _sentence("its account has no credit", text), hold="credit")
            case "signed_out":
                return Judgement("auth_failed", _sentence("it is signed out", text), hold="sign_in")
            case "interrupted":
                return Judgement("cancelled", "it was interrupted")
            case "conversation_unknown":
                return Judgement("failed", "it does not know the conversation any more", conversation_lost=True)
            case "turns":
                return Judgement("failed", "it used up the turns it was given")
            case "budget":
                return Judgement("failed", "it used up the budget it was given")
            case "overloaded":
                return Judgement("unavailable", _sentence("its service did not answer", text), hold="service")
        denied = f" after {len(self._denied)} refused tool calls" if self._denied else ""
        return Judgement("failed", _sentence(f"it reported an error{denied} ({_exit(host)})", text))

    def _error(self) -> tuple[ErrorKind | None, str]:
        """The kind of the error that ended it: the result's own word, made precise by the failure before it."""
        result, failure = self._result, self._failure
        if result is not None and result.error not in (None, "other"):
            kind = "limit" if result.error == "requests" and self._limit is not None else result.error
            return kind, result.text
        if self._limit is not None:
            return "limit", (result.text if result else "") or self._limit.text
        if failure is not None:
            return failure.error, (result.text if result else "") or failure.text
        if self._interrupted:
            return "interrupted", ""
        return ("other", result.text) if result is not None else (None, "")

    def _hold(self) -> HoldKind | None:
        """What refused its last request, however the session ended."""
        kind, _ = self._error() if self._result is None or not self._result.ok else (None, "")
        return None if kind is None else _HOLDS.get(kind)


def _reset(limit: LimitReached | None, host: HostOutcome | None) -> datetime | None:
    """When the limit resets, as far as the agent told it: by the second, or by the minute on this machine's clock."""
    if limit is None or limit.reset_at is not None or limit.reset_clock is None or host is None or host.ended is None:
        return limit.reset_at if limit else None
    told = datetime.fromtimestamp(host.ended)
    clock = limit.reset_clock
    reset = clock if isinstance(clock, datetime) else datetime.combine(told.date(), clock)
    reset += timedelta(minutes=1)  # its seconds were left out
    return reset.astimezone(UTC) if told < reset < told + LONGEST_LIMIT else None


def _sentence(what: str, text: str) -> str:
    words = " ".join(text.split())
    return f"{what}: {words[:300]}" if words else what


def _exit(host: HostOutcome) -> str:
    if host.signal is not None:
        try:
            return f"killed by {signal.Signals(host.signal).name}"
        except ValueError:
            return f"killed by signal {host.signal}"
    return f"exit code {host.exit_code}"


def _last_words(host: HostOutcome) -> str:
    lines = [line for line in host.stderr_tail.splitlines() if line.strip()]
    return f": {lines[-1].strip()[:300]}" if lines else ""
