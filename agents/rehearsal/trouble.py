"""What goes wrong on purpose, because the mission asks to see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ...missions.errors import SoloUnicornError
from . import LABEL
from .agent import Agent, short
from .briefing import Briefing
from .conversation import Rehearsed
from .cues import LIMIT_SECONDS, QUESTION, Cue, Cues

HANG_SECONDS = 900
"""A rehearsal that hangs leaves by itself after this time, in case nobody kills it."""


class TurnOver(Exception):
    """The turn ends here; its result has been said."""

    def __init__(self, outcome: str, code: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.code = code


class StagedTrouble:
    """The cues of one turn."""

    def __init__(self, agent: Agent, briefing: Briefing, cues: Cues, directory: Path) -> None:
        self._agent = agent
        self._briefing = briefing
        self._cues = cues
        self._rehearsed = Rehearsed(directory, briefing.mission)
        self._met = False

    def at_start(self) -> None:
        """Before any work: signed out, refused; a question, or going on with its answer."""
        agent, briefing = self._agent, self._briefing
        if cue := self._due("signed-out"):
            self._happened(cue)
            self._refused("Not logged in · this is a rehearsal", "authentication_failed", 401)
        if cue := self._due("overloaded"):
            self._happened(cue)
            self._refused("API Error: 529 Overloaded · this is a rehearsal", "overloaded", 529)
        if cue := self._due("no-credit"):
            self._happened(cue)
            self._refused("Credit balance is too low · this is a rehearsal", "billing_error", 400)
        if briefing.answer:
            agent.note(briefing, "decision", f"{LABEL}: going on with your answer {short(briefing.answer)!r}.")
        elif cue := self._due("ask"):
            question = f"{cue.text or QUESTION} ({LABEL})"
            agent.tool("ask_user", {"question": question}, lambda: '"question":true' in agent.ask("get_mission", {}))
            self._happened(cue)
            agent.speech.result(f"asked: {question}")
            raise TurnOver("asked", 0)

    def in_the_middle(self) -> None:
        """After the first piece of work, once in a turn: a limit, a crash, an error, silence."""
        if self._met:
            return
        self._met = True
        speech = self._agent.speech
        if cue := self._due("limit"):
            self._happened(cue)
            if cue.text != "unknown":
                speech.limit(int(time.time() + (LIMIT_SECONDS if cue.seconds is None else cue.seconds)) + 1)
            self._refused("You've hit your usage limit · this is a rehearsal", "rate_limit", 429)
        if cue := self._due("crash"):
            self._happened(cue)
            speech.half_a_line()
            print(f"{LABEL}: crashing, as the mission asks", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if cue := self._due("fail"):
            self._happened(cue)
            raise SoloUnicornError("I fail, as the mission asks", todo="take `fail` out of it to see it succeed")
        if self._due("silent"):
            self._agent.hearing.wait(None)

    def at_end(self) -> None:
        """After the result: never leave, with a child in the same process group, deaf to signals."""
        if self._due("hang"):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            nothing = subprocess.DEVNULL
            command = [sys.executable, "-I", "-S", "-c", f"import time; time.sleep({HANG_SECONDS})"]
            subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing).wait()

    def now(self, cue: Cue) -> bool:
        """Whether this cue is to happen now; noted, where it happens once."""
        if self._due(cue.name) is None:
            return False
        self._happened(cue)
        return True

    def _due(self, name: str) -> Cue | None:
        cue = self._cues.find(name, self._briefing.stage)
        return None if cue is None or (cue.once and self._rehearsed.has(_key(cue))) else cue

    def _happened(self, cue: Cue) -> None:
        if cue.once:
            self._rehearsed.add(_key(cue))

    def _refused(self, text: str, error: str, status: int) -> None:
        """End as a code agent does when its provider refuses it."""
        self._agent.speech.text(text, error=error, api_error_status=status)
        self._agent.speech.result(text, is_error=True, terminal_reason="api_error", api_error_status=status)
        raise TurnOver(error, 1)


def _key(cue: Cue) -> str:
    return f"{cue.stage or '*'} {cue.name} {cue.text}".replace("\n", " ")
