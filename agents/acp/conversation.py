"""One conversation with an agent: opened or loaded, prompted until nobody says more, cancelled on request."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, spawn_agent_process, text_block
from acp.client.connection import ClientSideConnection
from acp.exceptions import RequestError
from acp.schema import (
    ClientCapabilities,
    HttpHeader,
    HttpMcpServer,
    Implementation,
    InitializeResponse,
    McpServerStdio,
    PromptResponse,
    SessionConfigOptionSelect,
)

from ... import __version__
from ...missions.entities import JsonObject
from ...missions.rules.permissions import PermissionRule
from ..mcp_files import SERVER
from ..speech import said_by_person
from .client import Listener, plain, tell
from .inbox import Inbox

LINE_LIMIT = 64 << 20
EXIT_SECONDS = 5.0
AUTH_REQUIRED = -32000
REFUSALS = 3
"""So often it is told to go on when it ended its turn over a refusal, as OpenCode does."""
GO_ON = "That was refused: {reason}. Nothing else is wrong: go on without it, and stay inside the worktree."
RUNTIME = ("SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    command: tuple[str, ...]
    worktree: Path
    mcp_file: Path | None = None
    resume: str = ""
    model: str = ""
    mode: str = ""
    allow_all: bool = False
    rules: tuple[PermissionRule, ...] = ()


class Unwilling(Exception):
    """The agent cannot do what it is asked for; `kind` is one of events.ErrorKind."""

    def __init__(self, text: str, kind: str = "other") -> None:
        super().__init__(text)
        self.kind = kind


async def checked(command: tuple[str, ...]) -> str:
    """The name and version with which the agent introduces itself; raises when it does not speak the protocol."""
    listener = Listener(Path.cwd(), allow_all=False)
    async with _spawned(listener, command, Path.cwd(), quiet=True) as (connection, _):
        info = (await _introduced(connection)).agent_info
        return f"{info.name} {info.version}" if info is not None else "an ACP agent"


async def held(wanted: Wanted) -> int:
    """The whole of it; the exit code."""
    words: asyncio.Queue[str | None] = asyncio.Queue()
    talk = Talk(wanted)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_listen(words, talk))
        try:
            return await talk.run(words)
        finally:
            reading.cancel()


class Talk:
    """The turns of one session."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        inbox = Inbox(wanted.mcp_file) if wanted.mcp_file is not None else None
        self._listener = Listener(wanted.worktree, allow_all=wanted.allow_all, inbox=inbox, rules=wanted.rules)
        self._connection: ClientSideConnection | None = None
        self._session = ""
        self._prompting = False

    async def run(self, words: asyncio.Queue[str | None]) -> int:
        """Prompt the agent with what is said until nothing more comes; 1 when a turn ended with an error."""
        try:
            async with _spawned(self._listener, self._wanted.command, self._wanted.worktree) as (connection, process):
                self._connection = connection
                ending = asyncio.create_task(process.wait())
                try:
                    return await self._turns(connection, words, ending)
                finally:
                    ending.cancel()
        except OSError as error:
            tell("result", ok=False, error={"message": f"{self._wanted.command[0]} cannot be started: {error}"})
            return 1

    async def cancel(self) -> None:
        """Break off the turn; the agent ends it itself and lives on."""
        if self._connection is not None and self._prompting:
            await self._connection.cancel(session_id=self._session)

    async def _turns(
        self, connection: ClientSideConnection, words: asyncio.Queue[str | None], ending: asyncio.Task[int]
    ) -> int:
        code = 0
        try:
            await _unless(ending, self._open(connection))
            while (text := await words.get()) is not None:
                answer = await self._turn(connection, text, ending)
                for _ in range(REFUSALS):
                    if answer.stop_reason != "end_turn" or not self._listener.refused:
                        break
                    tell("turn", usage=_used(answer))
                    answer = await self._turn(connection, GO_ON.format(reason=self._listener.refused), ending)
                usage = _used(answer)
                ok = answer.stop_reason == "end_turn"
                code = 0 if ok else 1
                tell("result", ok=ok, stopReason=answer.stop_reason, usage=usage)
        except RequestError as error:
            told = error.data if isinstance(error.data, dict | str) else None
            tell("result", ok=False, error={"code": error.code, "message": str(error), "data": told})
            code = 1
        except Unwilling as error:
            tell("result", ok=False, error={"kind": error.kind, "message": str(error)})
            code = 1
        return code

    async def _turn(self, connection: ClientSideConnection, text: str, ending: asyncio.Task[int]) -> PromptResponse:
        self._listener.refused = ""
        self._prompting = True
        try:
            asked = connection.prompt(session_id=self._session, prompt=[text_block(text)])
            answer: PromptResponse = await _unless(ending, asked)
        finally:
            self._prompting = False
        return answer

    async def _open(self, connection: ClientSideConnection) -> None:
        wanted = self._wanted
        about = await _introduced(connection)
        capable = about.agent_capabilities
        over_http = bool(capable and capable.mcp_capabilities and capable.mcp_capabilities.http)
        servers = _servers(wanted.mcp_file, over_http=over_http)
        found: Any
        if wanted.resume:
            if not (capable and capable.load_session):
                raise Unwilling("it cannot load an earlier conversation", "conversation_unknown")
            self._listener.replaying = True
            try:
                found = await connection.load_session(
                    cwd=str(wanted.worktree), session_id=wanted.resume, mcp_servers=servers
                )
            except RequestError as error:
                kind = "conversation_unknown" if error.code != AUTH_REQUIRED else "signed_out"
                raise Unwilling(f"it could not load the conversation: {error}", kind) from error
            self._listener.replaying = False
            self._session = wanted.resume
        else:
            found = await connection.new_session(cwd=str(wanted.worktree), mcp_servers=servers)
            self._session = found.session_id
        info = plain(about.agent_info) if about.agent_info is not None else {}
        tell("session", sessionId=self._session, agent=info, resumed=bool(wanted.resume))
        await self._choose(connection, found)

    async def _choose(self, connection: ClientSideConnection, found: Any) -> None:
        """The mode and the model a person set; one that the agent does not have ends the session with its name."""
        wanted = self._wanted
        if wanted.mode:
            modes = [mode.id for mode in found.modes.available_modes] if found and found.modes else []
            if wanted.mode not in modes:
                raise Unwilling(f"it has no mode {wanted.mode!r} (it has {', '.join(modes) or 'none'})")
            await connection.set_session_mode(session_id=self._session, mode_id=wanted.mode)
        if wanted.model:
            options = found.config_options if found and found.config_options else []
            models = [one for one in options if isinstance(one, SessionConfigOptionSelect) and one.category == "model"]
            if not models:
                raise Unwilling(f"it cannot be asked for the model {wanted.model!r}: set it in its own settings")
            await connection.set_config_option(config_id=models[0].id, session_id=self._session, value=wanted.model)


def _used(answer: PromptResponse) -> JsonObject | None:
    return plain(answer.usage) if answer.usage is not None else None


async def _introduced(connection: ClientSideConnection) -> InitializeResponse:
    return await connection.initialize(
        protocol_version=PROTOCOL_VERSION,
        client_capabilities=ClientCapabilities(),
        client_info=Implementation(name="solo-unicorn", title="Solo Unicorn", version=__version__),
    )


def _spawned(listener: Listener, command: tuple[str, ...], cwd: Path, *, quiet: bool = False) -> Any:
    """The agent as our child; what it writes to its standard error is ours, and so the host's."""
    errors = asyncio.subprocess.DEVNULL if quiet else None
    options = {"limit": LINE_LIMIT, "stderr": errors, "shutdown_timeout": EXIT_SECONDS}
    client: Any = listener
    return spawn_agent_process(
        client, command[0], *command[1:], env=dict(os.environ), cwd=cwd, transport_kwargs=options
    )


def _servers(mcp_file: Path | None, *, over_http: bool) -> list[Any]:
    """Our server for this session: by HTTP with its token, else by a bridge that reads the token from the file."""
    if mcp_file is None:
        return []
    found: JsonObject = json.loads(mcp_file.read_text(encoding="utf-8"))
    if over_http:
        header = HttpHeader(name="Authorization", value=f"Bearer {found['token']}")
        return [HttpMcpServer(type="http", name=SERVER, url=str(found["url"]), headers=[header])]
    ours = ["-P", "-m", "solo_unicorn", "mcp", "--token-file", str(mcp_file)]
    environment: Any = [{"name": name, "value": value} for name in RUNTIME if (value := os.environ.get(name))]
    return [McpServerStdio(name=SERVER, command=sys.executable, args=ours, env=environment)]


async def _unless(ending: asyncio.Task[int], asked: Any) -> Any:
    """The agent's answer; Unwilling when it ends without one."""
    answering = asyncio.ensure_future(asked)
    try:
        await asyncio.wait([answering, ending], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            with suppress(ConnectionError, EOFError):
                return answering.result()
        await asyncio.wait([ending], timeout=EXIT_SECONDS)
        if ending.done():
            raise Unwilling(f"it ended in the middle of a turn (exit code {ending.result()})")
        raise Unwilling("it closed its output in the middle of a turn")
    finally:
        answering.cancel()


async def _listen(words: asyncio.Queue[str | None], talk: Talk) -> None:
    """A person's words and requests to break off, from our standard input until it ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        text = line.decode("utf-8", "replace")
        if '"control_request"' in text and said_by_person(text) is None:
            await talk.cancel()
        elif (said := said_by_person(text)) is not None:
            words.put_nowait(said)
    words.put_nowait(None)
