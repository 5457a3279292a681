"""What the rehearsal agent can do, each act in sight: use the board's tools, write files, run git."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from ...missions.entities import JsonObject
from ...missions.errors import SoloUnicornError
from ..mcp_client import McpAnswer, McpClient
from . import LABEL
from .briefing import Briefing, read_briefing
from .conversation import RehearsalConversation
from .hearing import Hearing
from .speech import Speech
from .worktree import RehearsalWorktree

SHORT = 100
"""Characters of a line that is fit for a commit message."""


class Agent:
    """Its voice, its ears, the board and the worktree, with a pause before each step."""

    def __init__(
        self,
        *,
        speech: Speech,
        hearing: Hearing,
        client: McpClient,
        server: str,
        conversation: RehearsalConversation,
        worktree: RehearsalWorktree,
    ) -> None:
        self.speech = speech
        self.hearing = hearing
        self.client = client
        self.server = server
        self.conversation = conversation
        self.worktree = worktree
        self.pace = 0.0

    def pause(self) -> None:
        """The time between two steps; raises Interrupted when a person stops the turn."""
        self.hearing.wait(self.pace)

    # the board

    def tool_name(self, tool: str) -> str:
        """The name under which a code agent shows a tool of this server."""
        return f"mcp__{self.server}__{tool}"

    def tool(self, tool: str, arguments: JsonObject, took_effect: Callable[[], bool] | None = None) -> McpAnswer:
        """Use a tool of the board. SoloUnicornError when it refuses."""
        self.pause()
        used = self.speech.tool_use(self.tool_name(tool), arguments)
        answer = self.client.call(tool, arguments, took_effect)
        self.speech.tool_result(used, answer.text, is_error=answer.is_error)
        if answer.is_error:
            raise SoloUnicornError(f"The board refused {tool}", why=answer.text)
        return answer

    def ask(self, tool: str, arguments: JsonObject) -> str:
        """Read from the board without a word about it."""
        return self.client.call(tool, arguments).text

    def read_context(self) -> Briefing:
        """The mission as it is now."""
        try:
            return read_briefing(self.tool("get_context", {}).text)
        except ValueError as error:
            raise SoloUnicornError("get_context answered something else than a mission", why=str(error)) from error

    def note(self, briefing: Briefing, kind: str, text: str) -> None:
        """A note that is written once, also when this conversation is resumed or the connection breaks."""
        step = f"{briefing.mission} {briefing.stage} note {sha256(text.encode()).hexdigest()[:16]}"
        if self.conversation.has_done(step):
            return
        said = {"kind": kind, "text": text}
        self.tool("add_note", {**said}, lambda: text in self.ask("get_mission", {"include": ["notes"]}))
        self.conversation.done(step)

    # the worktree

    def write(self, name: str, content: str) -> None:
        """Write a file of the worktree."""
        self.pause()
        file = self.worktree.file(name)
        used = self.speech.tool_use("Write", {"file_path": str(file), "content": content})
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
        self.speech.tool_result(used, f"File written: {file}")

    def commit(self, message: str, name: str) -> None:
        """Commit a file; says so where there is nothing new in it."""
        self.pause()
        command = f"git commit -m {message!r} -- {name}"
        used = self.speech.tool_use("Bash", {"command": command, "description": "Commit"})
        commit = self.worktree.commit(message, name)
        said = f"[{self.worktree.branch()} {commit}] {message}" if commit else "nothing to commit"
        self.speech.tool_result(used, said)

    def merge(self, branch: str) -> str:
        """Merge a branch and keep both sides of what conflicts; what came of it, in a few words."""
        self.pause()
        used = self.speech.tool_use("Bash", {"command": f"git merge {branch}", "description": "Merge the target"})
        files = self.worktree.merge(branch)
        said = f"kept both sides of {', '.join(files)}" if files else "merged without a conflict"
        self.speech.tool_result(used, f"{LABEL}: {said}")
        return said

    def files(self) -> list[str]:
        """The files git knows."""
        self.pause()
        used = self.speech.tool_use("Bash", {"command": "git ls-files", "description": "Look around"})
        listed = self.worktree.git("ls-files").stdout
        self.speech.tool_result(used, listed[:4_000])
        return listed.splitlines()


def short(text: str) -> str:
    """One line of a text, fit for a commit message."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"
