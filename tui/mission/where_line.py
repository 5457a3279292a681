"""Where a mission's work stands, on one line: pull request, branch with commits ahead and behind."""

from __future__ import annotations

from pathlib import Path

from textual import getters, work
from textual.strip import Strip

from ...missions.errors import SoloUnicornError
from ...missions.rules.change_state import ChangeState
from ..kit.application import Application
from ..kit.drawing import Line
from ..kit.marks import Marks
from ..kit.paint import Drawn
from .data import MissionData


class WhereLine(Drawn):
    """Drawn from what is recorded; a child process measures it anew with git when the work has moved on."""

    app = getters.app(Application)

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="where")
        self.marks = marks
        self.change: ChangeState | None = None
        self._seen: tuple[object, ...] = ()

    def show(self, data: MissionData) -> None:
        """Show a mission's place; nothing at all before it has one."""
        mission, change = data.mission, data.change
        self.change = change
        self.display = bool(change.branch or change.worktree_path or change.pull_request_number)
        seen = (change.worktree_path, mission.stage, mission.list, mission.tasks_current, data.live is None)
        if seen != self._seen:
            self._seen = seen
            if change.worktree_path and Path(change.worktree_path).is_dir():
                self._measure(mission.id)
        self.refresh()

    @work(exclusive=True, group="where")
    async def _measure(self, ref: str) -> None:
        try:
            await self.app.commands.ask("mission", "show", ref)  # it keeps what it measures, and that is news
        except SoloUnicornError as error:
            self.log.warning(str(error))  # Changes tells the person what is wrong with a worktree, and what to do

    def render_line(self, y: int) -> Strip:
        """The line; what matters least is cut first."""
        parts = where_parts(self.change, self.marks) if self.change is not None else []
        return self.draw(parts, self.size.width, ellipsis=self.marks.ellipsis)


def where_parts(change: ChangeState, marks: Marks) -> Line:
    """Pull request, branch, distance; the worktree where it has no branch."""
    line: Line = [(" ", "")]
    if change.pull_request_number:
        line += [(f"{marks.branch} #{change.pull_request_number} ", link_role(change)), *request_parts(change, marks)]
        line.append(("   ", ""))
    if change.branch:
        line.append((f"{change.branch}  ", "number"))
    if (measured := change.measured) is not None:
        target = change.target_branch or "its target"
        line.append((f"{measured.ahead} ahead of {target}", "good" if measured.ahead else "faint"))
        line.append((f", {measured.behind} behind", "wait" if measured.behind else "faint"))
        if measured.uncommitted:
            line.append((f", {measured.uncommitted} not committed", "wait"))
        line.append(("  ", ""))
    if change.worktree_path and not change.branch:
        line.append((f" {change.worktree_path}", "faint"))
    return line


def link_role(change: ChangeState) -> str:
    """The role of what leads to the pull request: a hyperlink of the terminal, where it has an address."""
    url = change.pull_request_url or ""
    return f"link {url}" if url.startswith(("https://", "http://")) and url.isprintable() and " " not in url else "link"


def request_parts(change: ChangeState, marks: Marks) -> Line:
    """State, checks and review of the pull request."""
    request = change.pull_request
    if request is None:
        return []
    line: Line = [(request.state, {"open": "run", "merged": "good"}.get(request.state, "bad"))]
    if request.checks != "none":
        role = {"passed": "good", "failed": "bad"}.get(request.checks, "wait")
        mark = {"passed": marks.done, "failed": marks.attention}.get(request.checks, marks.running)
        failing = f" ({', '.join(request.failing)})" if request.failing else ""
        line.append((f", {mark} checks {request.checks}{failing}", role))
    if request.review != "none":
        role = "good" if request.review == "approved" else "wait"
        line.append((f", {request.review.replace('_', ' ')}", role))
    return line
