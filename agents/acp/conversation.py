"""One conversation with an agent: opened, prompted until nobody says more, cancelled on request."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from ...missions.entities import Json, JsonObject
from ...system import strict_json
from ..adapter import Wanted, listen, tell
from ..speech import said_by_person
from .client import AcpClient
from .inbox import Inbox
from .opening import announces, introduced, opened
from .program import EXIT_SECONDS, Program
from .refusals import refused
from .unwilling import Unwilling
from .wire import AgentGone, AgentRefused, Wire

CANCEL_SECONDS: Final = 3.0
"""How long a turn that is broken off by a stop may take to say that it ended."""
REFUSALS: Final = 3
"""So often it is told to go on when it ended its turn over a refusal, as OpenCode does."""
GO_ON: Final = "That was refused: {reason}. Everything else is fine: go on without it, and stay inside the worktree."

Words = list[Json]
"""Content blocks of the protocol."""


async def checked(command: tuple[str, ...]) -> str:
    """The name and version with which the agent introduces itself; raises when it does not speak the protocol."""
    listener = AcpClient(Path.cwd(), allow_all=False)
    async with _connected(listener, command, Path.cwd(), quiet=True) as (wire, program):
        match (await _unless(program, introduced(wire))).get("agentInfo"):
            case {"name": str() as name, **rest}:
                return f"{name} {rest.get('version') or ''}".strip()
    return "an ACP agent"


async def held(wanted: Wanted) -> int:
    """Hold the conversation from start to end; returns the exit code."""
    words: asyncio.Queue[Words | None] = asyncio.Queue()
    talk = Talk(wanted)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(listen(words.put_nowait, talk.cancel, _blocks))
        try:
            return await talk.run(words)
        finally:
            reading.cancel()


class Talk:
    """The turns of one session."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        inbox = Inbox(wanted.mcp_file) if wanted.mcp_file is not None else None
        self._listener = AcpClient(
            wanted.worktree,
            allow_all=wanted.allow_all,
            inbox=inbox,
            rules=wanted.rules,
            readable=(Path(wanted.directory),) if wanted.directory else (),
            when_asked=self.cancel,
            start=wanted.start,
        )
        self._wire: Wire | None = None
        self._about: JsonObject = {}
        self._session = ""
        self._lost = False
        self._turn_ended: asyncio.Event | None = None

    async def run(self, words: asyncio.Queue[Words | None]) -> int:
        """Prompt the agent with what is said until nothing more comes; 1 when a turn ended with an error."""
        try:
            async with _connected(self._listener, self._wanted.command, self._wanted.cwd) as (wire, program):
                self._wire = wire
                try:
                    return await self._turns(wire, program, words)
                except asyncio.CancelledError:
                    await self._leave(wire)
                    raise
        except OSError as error:
            tell("result", ok=False, error={"message": f"{self._wanted.command[0]} cannot be started: {error}"})
            return 1

    def cancel(self) -> None:
        """Break off the turn; the agent ends it itself and lives on."""
        if self._wire is not None and self._turn_ended is not None:
            self._listener.cancel()
            self._wire.tell("session/cancel", {"sessionId": self._session})

    async def _leave(self, wire: Wire) -> None:
        """A stop: the turn is broken off and the conversation closed as the protocol has it, in bounded time."""
        await asyncio.sleep(0)  # what was asked beside the turns is taken back first
        with suppress(TimeoutError, AgentRefused, AgentGone):
            async with asyncio.timeout(CANCEL_SECONDS):
                if self._turn_ended is not None:
                    self.cancel()
                    await self._turn_ended.wait()
                if self._session and announces(self._about, "sessionCapabilities", "close"):
                    await wire.ask("session/close", {"sessionId": self._session})

    async def _turns(self, wire: Wire, program: Program, words: asyncio.Queue[Words | None]) -> int:
        code = 0
        try:
            await _unless(program, self._open(wire))
            while (said := await words.get()) is not None:
                answer = await self._turn(wire, program, self._sent(said))
                for _ in range(REFUSALS):
                    if answer.get("stopReason") != "end_turn" or not self._listener.refused or self._listener.asked:
                        break
                    tell("turn", usage=_used(answer))
                    going_on = GO_ON.format(reason=self._listener.refused)
                    answer = await self._turn(wire, program, [{"type": "text", "text": going_on}])
                reason = answer.get("stopReason")
                ok = reason == "end_turn" or bool(self._listener.asked)
                code = 0 if ok else 1
                tell("result", ok=ok, stopReason=str(reason or "it gave no reason"), usage=_used(answer))
        except AgentRefused as error:
            data = error.data if isinstance(error.data, dict | str) else None
            tell("result", ok=False, error={"code": error.code, "message": str(error), "data": data})
            code = 1
        except Unwilling as error:
            tell("result", ok=False, error={"kind": error.kind, "message": str(error)})
            code = 1
        return code

    async def _turn(self, wire: Wire, program: Program, prompt: Words) -> JsonObject:
        self._listener.begin_turn()
        self._turn_ended = ended = asyncio.Event()
        asking = asyncio.ensure_future(wire.ask("session/prompt", {"sessionId": self._session, "prompt": prompt}))

        def over(task: asyncio.Task[JsonObject]) -> None:
            ended.set()
            if not task.cancelled():
                task.exception()  # read here, too: after a stop nobody else does

        asking.add_done_callback(over)
        try:  # shielded: a stop leaves the request open, and `_leave` waits for the agent's own word
            return await _unless(program, asyncio.shield(asking))
        finally:
            if ended.is_set():
                self._turn_ended = None
            self._listener.end_turn()

    async def _open(self, wire: Wire) -> None:
        self._about = about = await introduced(wire)
        self._listener.opening(resumes=bool(self._wanted.resume))
        found = await opened(wire, about, self._wanted)
        self._session, self._lost = found.session, bool(found.lost)
        if found.lost:
            self._listener.begins_anew()
        info = about.get("agentInfo")
        resumed = bool(self._wanted.resume) and not found.lost
        told = {"resumed": resumed, "lost": found.lost, "model": found.model}
        tell("session", sessionId=found.session, agent=info or {}, **told)

    def _sent(self, said: Words) -> Words:
        """The words as this agent can take them, and as this conversation needs them: a new one has to be told all."""
        if self._lost:
            self._lost = False
            said = [{"type": "text", "text": self._wanted.fresh}, *(one for one in said if _is_image(one))]
        if announces(self._about, "promptCapabilities", "image"):
            return said
        return [one for one in said if not _is_image(one)]


def _is_image(block: Json) -> bool:
    return isinstance(block, dict) and block.get("type") == "image"


def _used(answer: JsonObject) -> JsonObject | None:
    """The tokens of a turn: the protocol's draft of it, or Gemini CLI's."""
    match answer:
        case {"usage": dict() as usage}:
            return usage
        case {"_meta": {"quota": {"token_count": dict() as counts}}}:
            return {"inputTokens": counts.get("input_tokens"), "outputTokens": counts.get("output_tokens")}
    return None


@asynccontextmanager
async def _connected(
    listener: AcpClient, command: tuple[str, ...], cwd: Path, *, quiet: bool = False
) -> AsyncIterator[tuple[Wire, Program]]:
    """The agent as our child, and the wire to it; it is ended in the end, in order."""
    program = Program(command, cwd, own_group=not quiet, quiet=quiet, complained=_heard)
    await program.connect()
    note = (lambda _: None) if quiet else _note
    wire = Wire(program.write, answer=listener.answer, hear=listener.hear, note=note)
    reading = asyncio.create_task(wire.run(program.reader))
    try:
        yield wire, program
    finally:
        try:
            await program.end()
        finally:
            reading.cancel()


def _heard(line: str) -> None:
    """What is said beside the protocol; most of it is for people."""
    if (words := refused(line)) is not None:
        tell("retrying", error=words)


def _note(text: str) -> None:
    """On standard error, which the session host keeps."""
    print(" ".join(text.split()), file=sys.stderr, flush=True)


async def _unless(program: Program, asked: Awaitable[JsonObject | None]) -> JsonObject:
    """The agent's answer; Unwilling when it ends without one."""
    answering = asyncio.ensure_future(asked)
    ending = asyncio.ensure_future(program.ended.wait())
    try:
        await asyncio.wait([answering, ending], return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            await asyncio.wait([answering], timeout=EXIT_SECONDS)  # what it wrote before it ended is read
        if answering.done():
            with suppress(AgentGone):
                return answering.result() or {}
        await asyncio.wait([ending], timeout=EXIT_SECONDS)
        if program.exit_code is not None:
            raise Unwilling(f"it ended in the middle of a turn (exit code {program.exit_code})")
        raise Unwilling("it closed its output in the middle of a turn")
    finally:
        answering.cancel()
        ending.cancel()


def _blocks(line: str) -> Words | None:
    """What a person said (speech.py), images with it; None for what is not a message."""
    said = said_by_person(line)
    if said is None:
        return None
    blocks: Words = [{"type": "text", "text": said}]
    with suppress(ValueError):
        match strict_json.heard(line):
            case {"message": {"content": list() as content}}:
                for one in content:
                    match one:
                        case {"type": "image", "source": {"media_type": str() as kind, "data": str() as data}}:
                            blocks.append({"type": "image", "mimeType": kind, "data": data})
    return blocks
