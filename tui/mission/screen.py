"""The mission room: all of one mission, and everything a person decides about it."""

from __future__ import annotations

from typing import Any

from textual import on, work
from textual.widgets import Button, ContentSwitcher, Input

from ...missions.entities import Session
from ...missions.ids import short_id
from ...missions.rules.criteria import Criterion
from ...workspace import operations
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines
from . import editing
from .changes import messages
from .changes.pane import ChangesPane
from .files import FilesPane
from .flow import FlowPane
from .live import TABS, LiveMission
from .review import ReviewPane
from .session import SessionPane


class MissionScreen(LiveMission):
    """Everything that a person decides about a mission."""

    BINDING_GROUP_TITLE = "Mission"
    BINDINGS = [  # noqa: RUF012
        binding("mission.back", "escape,q", "back", "board", "Back to the board"),
        binding("mission.next_tab", "tab,L", "tab(1)", "next", "The next tab"),
        binding("mission.previous_tab", "shift+tab,H", "tab(-1)", "previous tab", "The previous tab", show=False),
        binding("mission.approve", "a", "approve", "approve", "Approve the stage under review"),
        binding("mission.reject", "x", "reject", "reject", "Send the stage back with feedback"),
        binding("mission.answer", "r", "answer", "answer", "Answer the agent's question"),
        binding("mission.say", "t", "say", "message", "Send a message to the agent while it works"),
        binding(
            "mission.interrupt", "i", "interrupt", "interrupt", "Interrupt the agent; it then waits for your message"
        ),
        binding("mission.stop", "S", "stop", "stop", "Stop the session; its work is kept"),
        binding("mission.ready", "space", "ready", "ready", "Mark the mission ready for an agent, or not ready"),
        binding("mission.edit", "e", "edit", "edit", "Change the mission"),
        binding("mission.part", "w", "part", "next part", "Go to the next part of this tab, such as its list of files"),
        binding("mission.pull_request", "o", "pull_request", "pull request", "Open the pull request"),
        binding("mission.shell", "exclamation_mark", "shell", "shell", "A shell in the worktree", label="!"),
        binding("mission.editor", "O", "editor", "editor", "Your editor on the worktree"),
        binding("mission.undo_landing", "u", "undo_landing", "undo landing", "Remove its work from the target branch"),
        binding("mission.land", "M", "land", "land again", "Try the failed landing again", show=False),
        *(
            binding(f"mission.tab_{name}", str(number), f"go_to('{name}')", name, f"Show {name}", show=False)
            for number, name in enumerate(TABS, 1)
        ),
    ]

    # -- what the panes ask for ----------------------------------------------------------------------------------

    @on(FlowPane.Wished)
    @on(ReviewPane.Edit)
    @on(messages.CommentWished)
    @on(messages.ResolveWished)
    @on(messages.DeleteWished)
    @on(messages.MarkWished)
    @on(messages.AnswerWished)
    @on(messages.RewordWished)
    @on(messages.EditorWished)
    @on(FilesPane.Attach)
    @on(FilesPane.Detach)
    @on(FilesPane.Open)
    @work(group="edits")
    async def _wished(self, event: editing.Wish) -> None:
        await editing.carry_out(self, event)

    @on(Lines.Chosen, "#criteria")
    @work(group="edits")
    async def _turn(self, event: Lines.Chosen) -> None:
        if isinstance(event.row.key, Criterion):
            await editing.turn(self, event.row.key)

    @on(ReviewPane.ToComment)
    async def _to_comment(self, event: ReviewPane.ToComment) -> None:
        await self.action_go_to("changes")
        self.query_one(ChangesPane).go_to(event.comment)

    # -- actions -------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense now is offered."""
        mission, live = (self.data.mission, self.data.live) if self.data else (None, None)
        if action in ("approve", "reject"):
            return mission is not None and mission.review_status == "pending"
        if action == "answer":
            return mission is not None and mission.question is not None
        if action in ("say", "interrupt", "stop"):
            return live is not None
        if action in ("shell", "editor"):
            return self.data is not None and bool(self.data.change.worktree_path)
        if action == "pull_request":
            return self.data is not None and bool(self.data.change.pull_request_url)
        if action == "undo_landing":
            return mission is not None and mission.list == "done" and mission.landed_commit is not None
        if action == "land":
            return mission is not None and mission.landing_status == "failed"
        return True

    def action_back(self) -> None:
        """To the board; first out of the line that is typed on."""
        if isinstance(self.focused, Input):
            for pane in self.query(FilesPane):
                pane.leave_input()
            for session in self.query(SessionPane):
                session.leave_search()
            for changes in self.query(ChangesPane):
                changes.leave_input()
            self._focus_pane()
        else:
            self.dismiss(None)

    @work
    async def action_approve(self) -> None:
        approved = await self.app.write(operations.review.approve, self.ref)
        if approved is not None:
            self.app.tell(
                f"{short_id(approved.number)}: {approved.stage} next"
                if not approved.landing_status
                else "Approved: it lands now"
            )
            self.reload()

    @work
    async def action_reject(self) -> None:
        from ..kit.sheets.write import WriteScreen

        if self.data is None:
            return
        still = [one for one in self.data.comments if one.waits]
        said = "\n".join(f"{one.where}  {one.text}" for one in still)
        nth = len(self.data.rejections) + 1
        why = f"Round {nth} ends. The agent continues the same conversation with your feedback" + (
            f" and answers your {len(still)} {'comment' if len(still) == 1 else 'comments'} on lines:\n{said}"
            if still
            else "."
        )
        sheet = WriteScreen(
            f"Reject the {self.data.mission.stage}",
            draft=f"reject {self.ref}",
            why=why,
            text="Please address my comments on the lines." if still else "",
            button="Reject",
            needed="Say what to change",
            use=lambda feedback: self.app.write(operations.review.reject, self.ref, feedback),
        )
        if await self.app.push_screen_wait(sheet):
            self.app.tell("Sent back with your feedback")
            self.reload()

    @work
    async def action_answer(self) -> None:
        from ..kit.sheets.write import WriteScreen

        question = (self.data.mission.question if self.data else None) or ""
        sheet = WriteScreen(
            "Answer",
            draft=f"answer {self.ref}",
            why=question,
            button="Answer",
            needed="Write an answer",
            use=lambda text: self.app.write(operations.review.answer, self.ref, text),
        )
        if await self.app.push_screen_wait(sheet):
            client = self.data.mission.asked_by if self.data else ""
            self.app.tell(f"Answered; {client} can read it" if client else "Answered; the same conversation continues")
            self.reload()

    async def action_say(self) -> None:
        """Type to the agent."""
        await self.action_go_to("session")
        self.query_one("#say", Input).focus()

    @on(SessionPane.Said)
    @work
    async def _said(self, event: SessionPane.Said) -> None:
        if not await self._ask("say", event.session, {"text": event.text}) and not self.is_gone:
            self.query_one("#say", Input).value = event.text

    @work
    async def action_interrupt(self) -> None:
        if self.data and self.data.live and await self._ask("interrupt_session", self.data.live):
            self.app.tell("Interrupted; say what it should do instead")

    @work
    async def action_stop(self) -> None:
        from ..kit.sheets.confirm import ConfirmScreen

        live = self.data.live if self.data else None
        if live is None:
            return
        question = (
            f"Stop {live.agent_name} at {live.stage}? Its work stays in the worktree, "
            "and the mission will no longer be ready."
        )
        if await self.app.push_screen_wait(ConfirmScreen(question, "Stop it")) and await self._ask(
            "stop_session", live
        ):
            self.app.tell("Asked to stop")

    async def _ask(self, kind: str, session: Session, payload: dict[str, Any] | None = None) -> bool:
        made = await self.app.write(
            operations.workstation.request, kind, mission=self.ref, session=session.id, payload=payload
        )
        return made is not None

    @work
    async def action_ready(self) -> None:
        if (
            self.data
            and await self.app.write(operations.missions.set_ready, self.ref, not self.data.mission.ready) is not None
        ):
            self.reload()

    @work
    async def action_land(self) -> None:
        """Try the landing again."""
        if await self.app.write(operations.landing.retry, self.ref) is not None:
            self.reload()

    @work
    async def action_undo_landing(self) -> None:
        """Take the landing back."""
        from .unlanding import undo_landing

        if await undo_landing(self.app, self.ref):
            self.reload()

    @work
    async def action_edit(self) -> None:
        from .form import MissionForm

        if self.data is None:
            return
        form = MissionForm(self.data.project.id, mission_id=self.data.mission.id)
        if await self.app.push_screen_wait(form) is not None:
            self.reload()

    def action_part(self) -> None:
        """The next part of the tab."""
        switcher = self.query_one(ContentSwitcher)
        inside = [
            widget
            for widget in self.focus_chain
            if switcher.current
            and widget.is_attached
            and switcher.get_child_by_id(switcher.current) in widget.ancestors
            and not isinstance(widget, Input | Button)
        ]
        if inside:
            at = inside.index(self.focused) + 1 if self.focused in inside else 0
            inside[at % len(inside)].focus()

    def action_pull_request(self) -> None:
        """The pull request in the browser."""
        url = self.data.change.pull_request_url if self.data else None
        if url and url.startswith(("https://", "http://")):
            self.app.open_url(url)

    def action_shell(self) -> None:
        from .shell_and_editor import open_shell

        if self.data is not None and self.data.change.worktree_path:
            open_shell(self.app, self._start())

    def action_editor(self) -> None:
        from .shell_and_editor import open_editor

        if self.data is not None and self.data.change.worktree_path:
            open_editor(self.app, self._start(), self.app.settings)

    def _start(self) -> str:
        """Where a person begins in the worktree: in the repository's folder, where it has one."""
        from ...worktrees.repository.folders import shown_start

        folder = self.data.repository.folder if self.data and self.data.repository else ""
        return shown_start((self.data and self.data.change.worktree_path) or "", folder)

    @on(Button.Pressed, "#approve")
    def _approve_pressed(self) -> None:
        self.action_approve()

    @on(Button.Pressed, "#reject")
    def _reject_pressed(self) -> None:
        self.action_reject()

    @on(Lines.Chosen, "#links")
    def _other(self, event: Lines.Chosen) -> None:
        if isinstance(event.row.key, str):
            self.app.push_screen(MissionScreen(event.row.key))
