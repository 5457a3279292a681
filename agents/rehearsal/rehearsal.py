"""One turn of the rehearsal agent: read the mission, play its stage, report, finish."""

from __future__ import annotations

import json
from pathlib import Path

from ...missions.errors import SoloUnicornError
from . import LABEL
from .agent import Agent
from .briefing import Briefing, read_briefing
from .cues import QUESTION, Cues, read_cues
from .hearing import InterruptHeard
from .stages import answer_comments, document, play
from .trouble import StagedTrouble, TurnOver

NEEDED = ("get_context", "get_mission", "update_tasks", "add_note", "attach_solution", "complete_stage")


class Rehearsal:
    """Plays one prompt after the other."""

    def __init__(self, agent: Agent, *, directory: Path, pace: float) -> None:
        """`directory` keeps conversations; `pace` is the usual number of seconds between two steps."""
        self._agent = agent
        self._directory = directory
        self._usual_pace = pace
        self._finished = False

    def turn(self, prompt: str) -> int:
        """Do what the prompt asks for; the exit code a code agent would end with."""
        agent = self._agent
        agent.conversation.begin_turn(prompt)
        outcome, code = "completed", 0
        try:
            self._connect()
            if self._finished:
                self._reply(prompt)
            else:
                self._work()
        except TurnOver as over:
            outcome, code = over.outcome, over.code
        except InterruptHeard:
            outcome = "interrupted"
            agent.speech.interrupted()
            agent.speech.result(
                "interrupted", is_error=True, subtype="error_during_execution", terminal_reason="aborted_tools"
            )
        except SoloUnicornError as error:
            outcome, code = "failed", 1
            agent.speech.text(f"I cannot continue. {error}")
            agent.speech.result(str(error), is_error=True, terminal_reason="error")
        agent.conversation.end_turn(outcome)
        return code

    def _connect(self) -> None:
        agent = self._agent
        problem: SoloUnicornError | None = None
        try:
            agent.client.connect()
        except SoloUnicornError as error:
            problem = error
        tools = agent.client.tools
        status = "failed" if problem else "connected"
        names = ["Write", "Bash", *(agent.tool_name(tool) for tool in tools)]
        agent.speech.begin(str(agent.worktree.path), names, {agent.server: status})
        if problem:
            raise problem
        missing = [tool for tool in NEEDED if tool not in tools]
        if missing:
            raise SoloUnicornError(f"The MCP server offers no {', '.join(missing)}", todo="update Solo Unicorn")

    def _reply(self, prompt: str) -> None:
        said = f"You said {prompt[:200]!r}. I have no model to think about it, and my stage is finished."
        self._agent.speech.text(said)
        self._agent.speech.result(said)

    def _work(self) -> None:
        agent = self._agent
        briefing = agent.read_context()
        agent.conversation.at_stage(briefing.stage)
        cues = read_cues(briefing.title, briefing.description, briefing.stages)
        agent.pace = cues.pace(briefing.stage, self._usual_pace)
        agent.speech.text(self._opening(briefing, cues))
        if briefing.over:
            agent.speech.result(f"{briefing.mission} is in {briefing.list}: nothing to do here.")
            return
        trouble = StagedTrouble(agent, briefing, cues, self._directory)
        trouble.at_start()
        summary = play(agent, briefing, cues, trouble.in_the_middle)
        if cues.find("forget", briefing.stage):
            agent.speech.text("I forget to finish my stage, as the mission asks.")
            agent.speech.result("ended without finishing the stage")
            return
        if (cue := cues.find("wonder", briefing.stage)) and trouble.now(cue):
            agent.speech.text(cue.text or QUESTION)
            agent.speech.result(cue.text or QUESTION)
            return
        answer_comments(agent, briefing)
        self._finish(briefing, summary, "request_review" if cues.find("review", briefing.stage) else "complete_stage")
        trouble.at_end()

    def _opening(self, briefing: Briefing, cues: Cues) -> str:
        words = [f"I am the {LABEL} agent of Solo Unicorn: I act like a code agent, and what I write is made up."]
        earlier = len(self._agent.conversation.turns) - 1
        if earlier:
            words.append(f"This goes on with conversation {self._agent.conversation.id}, turn {earlier + 1}.")
        words.append(f"{briefing.mission} {briefing.title!r} is at stage {briefing.stage}.")
        special = ", ".join(f"{cue.name} {cue.text}".strip() for cue in cues.all)
        if special:
            words.append(f"The mission asks me to rehearse: {special}.")
        return " ".join(words)

    def _finish(self, briefing: Briefing, summary: str, tool: str) -> None:
        branch = briefing.branch or "the branch"
        made = {"clarify": "the note in the history", "plan": "the plan", "research": "the solution"}
        where = made.get(briefing.stage, f"{document(briefing)} and at the commits of {branch}")
        check = f"{LABEL}: look at {where}."
        arguments = {"summary": summary, "to_check": check}
        answer = self._agent.tool(tool, {**arguments}, lambda: self._moved_on(briefing))
        self._finished = True
        self._agent.speech.text(f"{tool}: {_next(answer.text)}")
        self._agent.speech.result(summary)

    def _moved_on(self, briefing: Briefing) -> bool:
        """Whether the stage is finished on the board, seen after a call that had no answer."""
        now = read_briefing(self._agent.ask("get_context", {}))
        return now.over or now.stage != briefing.stage or now.list == "loop"


def _next(answer: str) -> str:
    """What the board says comes next."""
    try:
        facts = json.loads(answer)
    except ValueError:
        return answer
    return str(facts.get("next", "done")) if isinstance(facts, dict) else answer
