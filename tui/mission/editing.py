"""What the tabs of the mission room change about the mission itself: stages, checks, landing, comments, files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

from textual import on, work

from ...missions.criteria import Criterion, ticked
from ...missions.entities import Attachment, Mission
from ...missions.errors import SoloUnicornError
from ...workspace.workspace import Workspace
from ..kit.lines import Lines
from .changes import ChangesPane
from .files import FilesPane
from .flow import FlowPane
from .live import LiveMission
from .review import ReviewPane

FETCH_SECONDS = 60.0
"""How long a file is waited for that the service brings from the hub."""


class MissionEditing(LiveMission):
    """Answers the wishes of the panes."""

    async def _edit(self, changes: dict[str, object]) -> Mission | None:
        """Change the mission as it was read; news are read in any case."""
        if self.data is None:
            return None
        version = self.data.mission.version
        done = await self.app.perform(Workspace.edit_mission, self.ref, changes, expected_version=version)
        self.reload()
        return done

    @on(FlowPane.Wished)
    @work(group="edits")
    async def _flow(self, event: FlowPane.Wished) -> None:
        changes: dict[str, object] = {"flow_config": event.config}
        if event.stage is not None:
            changes["stage"] = event.stage
        await self._edit(changes)

    @on(ReviewPane.Edit)
    @work(group="edits")
    async def _landing(self, event: ReviewPane.Edit) -> None:
        await self._edit(event.changes)

    @on(Lines.Chosen, "#criteria")
    @work(group="edits")
    async def _turn(self, event: Lines.Chosen) -> None:
        if self.data is not None and isinstance(event.row.key, Criterion):
            try:
                text = ticked(self.data.mission, event.row.key)
            except SoloUnicornError as error:
                self.app.complain(error)
                return
            await self._edit({event.row.key.field: text})

    @on(ReviewPane.ToComment)
    async def _to_comment(self, event: ReviewPane.ToComment) -> None:
        await self.action_go_to("changes")
        self.query_one(ChangesPane).go_to(event.comment)

    # -- comments ------------------------------------------------------------------------------------------------

    @on(ChangesPane.CommentWished)
    @work(group="edits")
    async def _comment(self, event: ChangesPane.CommentWished) -> None:
        from ..kit.sheets.write import WriteScreen

        place = f"{event.file}:{event.line}"
        sheet = WriteScreen(
            f"Comment on {place}",
            draft=f"comment {self.ref} {place} {event.side}",
            why=event.content,
            button="Comment",
            needed="Write a comment",
            use=lambda text: self.app.perform(
                Workspace.add_comment, self.ref, event.file, event.line, event.side, text, anchor=event.anchor
            ),
        )
        if await self.app.push_screen_wait(sheet):
            self.app.tell(f"Commented on {place}; rejecting hands it over")
            self.reload()

    @on(ChangesPane.ResolveWished)
    @work(group="edits")
    async def _resolve(self, event: ChangesPane.ResolveWished) -> None:
        one = event.comment
        if await self.app.perform(Workspace.resolve_comment, one.id, resolved=one.open) is not None:
            self.app.tell("Resolved" if one.open else "Open again")
            self.reload()

    @on(ChangesPane.DeleteWished)
    @work(group="edits")
    async def _delete_comment(self, event: ChangesPane.DeleteWished) -> None:
        if await self.app.perform(Workspace.delete_comment, event.comment.id) is not None:
            self.app.tell("The comment is gone; the history keeps its words")
            self.reload()

    # -- files ---------------------------------------------------------------------------------------------------

    @on(FilesPane.Attach)
    @work(group="edits")
    async def _attach_file(self, event: FilesPane.Attach) -> None:
        made = await self.app.perform(Workspace.add_attachment, self.ref, self._path_of(event.path))
        if made is not None:
            self.app.tell(f"{made.name} attached")
            self.reload()

    def _path_of(self, typed: str) -> Path:
        """What a person typed as a path: `~` is their home, a relative one begins where the board was opened."""
        path = Path(typed).expanduser()
        return path if path.is_absolute() or self.app.directory is None else self.app.directory / path

    @on(FilesPane.Detach)
    @work(group="edits")
    async def _detach_file(self, event: FilesPane.Detach) -> None:
        from ..kit.sheets.confirm import ConfirmScreen

        question = ConfirmScreen(f"Take {event.name} off this mission? Our copy of it goes.", "Take it off")
        if (
            await self.app.push_screen_wait(question)
            and await self.app.perform(Workspace.remove_attachment, self.ref, event.name) is not None
        ):
            self.reload()

    async def _fetched(self, one: Attachment) -> None:
        """Have the service bring a file that is at the hub only; raises what stood in the way."""
        from ...workspace.attachments import content_path, failure

        workspace = self.app.workspace
        await workspace.run(Workspace.set_meta, failure(one.id), "")
        await workspace.run(Workspace.request, "fetch_file", mission=one.mission_id, payload={"name": one.name})
        self.app.tell(f"{one.name} is being fetched …")
        until = monotonic() + FETCH_SECONDS
        while not content_path(one).exists():
            if why := await workspace.run(Workspace.meta, failure(one.id)):
                raise SoloUnicornError(f"{one.name} could not be fetched", why=why)
            if monotonic() > until:
                raise SoloUnicornError(f"{one.name} is not here yet", todo="look again in a moment")
            await asyncio.sleep(0.1)

    @on(FilesPane.Open)
    @work(group="edits")
    async def _open_file(self, event: FilesPane.Open) -> None:
        from ...workspace.attachments import content_path, shown_path

        one = next((one for one in self.data.attachments if one.name == event.name), None) if self.data else None
        if one is None:
            return
        try:
            if not content_path(one).exists():
                await self._fetched(one)
            await self.app.commands.open_outside(str(shown_path(one)))
        except SoloUnicornError as error:
            self.app.complain(error)
