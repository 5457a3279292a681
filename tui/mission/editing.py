"""What the tabs of the mission room change about the mission itself: stages, checks, landing, comments, files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

from ...missions.comments import LineComment
from ...missions.entities import Attachment, Mission
from ...missions.errors import SoloUnicornError
from ...missions.rules.criteria import Criterion, ticked
from ...workspace import operations
from ...workspace.workspace import Workspace
from .changes import messages
from .files import FilesPane
from .flow import FlowPane
from .live import LiveMission
from .review import ReviewPane

FETCH_SECONDS = 60.0
"""How long a file is waited for that the service brings from the hub."""
Wish = FlowPane.Wished | ReviewPane.Edit | messages.Wish | FilesPane.Attach | FilesPane.Detach | FilesPane.Open
"""What the panes ask for."""


async def carry_out(room: LiveMission, wish: Wish) -> None:
    """Do what a pane asked for, and read the mission again."""
    match wish:
        case FlowPane.Wished(config=config, stage=stage):
            await _edit(room, {"flow_config": config} | ({"stage": stage} if stage is not None else {}))
        case ReviewPane.Edit(changes=changes):
            await _edit(room, changes)
        case messages.CommentWished():
            await _comment(room, wish)
        case messages.AnswerWished(comment=one):
            await _answer(room, one)
        case messages.RewordWished(comment=one):
            await _reword(room, one)
        case messages.EditorWished(file=file, line=line):
            open_editor_at(room, file, line)
        case messages.ResolveWished(comment=one):
            if await room.app.write(operations.comments.resolve, one.id, resolved=one.open) is not None:
                room.app.tell("Resolved" if one.open else "Open again")
                room.reload()
        case messages.DeleteWished(comment=one):
            if await room.app.write(operations.comments.delete, one.id) is not None:
                room.app.tell("The comment was deleted; the history keeps its text")
                room.reload()
        case messages.MarkWished(runs=runs, reviewed=reviewed):
            if await room.app.write(operations.review_marks.mark, room.ref, runs, reviewed=reviewed) is not None:
                room.reload()
        case FilesPane.Attach(path=path):
            made = await room.app.perform(operations.attachments.attach, room.ref, _path_of(room, path))
            if made is not None:
                room.app.tell(f"{made.name} attached")
                room.reload()
        case FilesPane.Detach(name=name):
            await _detach(room, name)
        case FilesPane.Open(name=name):
            await _open(room, name)


async def turn(room: LiveMission, criterion: Criterion) -> None:
    """Check a criterion, or take its check away."""
    if room.data is not None:
        try:
            text = ticked(room.data.mission, criterion)
        except SoloUnicornError as error:
            room.app.complain(error)
            return
        await _edit(room, {criterion.field: text})


async def _edit(room: LiveMission, changes: dict[str, object]) -> Mission | None:
    """Change the mission as it was read; news are read in any case."""
    if room.data is None:
        return None
    version = room.data.mission.version
    done = await room.app.write(operations.missions.edit, room.ref, changes, expected_version=version)
    room.reload()
    return done


async def _comment(room: LiveMission, wish: messages.CommentWished) -> None:
    """On one line or several; a suggestion begins with these very lines."""
    from ..kit.sheets.write import WriteScreen

    place = f"{wish.file}:{wish.line}" + (f"-{wish.until}" if wish.until else "")
    lines = "\n".join((wish.anchor.content, *wish.anchor.more)) if wish.anchor else ""
    sheet = WriteScreen(
        f"{'Suggest' if wish.suggest else 'Comment on'} {place}",
        draft=f"{'suggest' if wish.suggest else 'comment'} {room.ref} {place} {wish.side}",
        why="The agent replaces these lines with the block." if wish.suggest else lines,
        text=f"```suggestion\n{lines}\n```\n" if wish.suggest else "",
        button="Comment",
        needed="Write a comment",
        use=lambda text: room.app.write(
            operations.comments.add,
            room.ref,
            wish.file,
            wish.line,
            wish.side,
            text,
            anchor=wish.anchor,
            until=wish.until,
            about=wish.about,
        ),
    )
    if await room.app.push_screen_wait(sheet):
        room.app.tell(f"Commented on {place}; the agent gets it when you reject")
        room.reload()


async def _answer(room: LiveMission, one: LineComment) -> None:
    from ..kit.sheets.write import WriteScreen

    said = [one.text, *(f"{answer.author.name or 'you'}: {answer.text}" for answer in one.answers)]
    sheet = WriteScreen(
        f"Answer on {one.where}",
        draft=f"answer comment {one.id}",
        why="\n".join(said),
        button="Answer",
        needed="Write an answer",
        use=lambda text: room.app.write(operations.comments.answer, room.ref, one.id, text),
    )
    if await room.app.push_screen_wait(sheet):
        room.app.tell("Answered; it is open for the agent again")
        room.reload()


async def _reword(room: LiveMission, one: LineComment) -> None:
    from ..kit.sheets.write import WriteScreen

    sheet = WriteScreen(
        f"Comment on {one.where}",
        draft=f"reword {one.id}",
        text=one.text,
        button="Change it",
        needed="Write a comment",
        use=lambda text: room.app.write(operations.comments.edit, one.id, text),
    )
    if await room.app.push_screen_wait(sheet):
        room.reload()


def open_editor_at(room: LiveMission, file: str, line: int) -> None:
    """The person's editor on a file of the worktree, at a line."""
    from .shell_and_editor import open_editor

    if room.data is not None and room.data.change.worktree_path:
        open_editor(room.app, room.data.change.worktree_path, room.app.settings, file, line)


def _path_of(room: LiveMission, typed: str) -> Path:
    """What a person typed as a path: `~` is their home, a relative one begins where the board was opened."""
    path = Path(typed).expanduser()
    return path if path.is_absolute() or room.app.directory is None else room.app.directory / path


async def _detach(room: LiveMission, name: str) -> None:
    from ..kit.sheets.confirm import ConfirmScreen

    question = ConfirmScreen(f"Remove {name} from this mission? The stored copy will be deleted.", "Remove it")
    if (
        await room.app.push_screen_wait(question)
        and await room.app.write(operations.attachments.detach, room.ref, name) is not None
    ):
        room.reload()


async def _fetch(room: LiveMission, one: Attachment) -> None:
    """Have the service bring a file that is at the hub only; raises what stood in the way."""
    from ...workspace.queries.attachments import content_path, failure

    workspace = room.app.workspace
    await workspace.run(Workspace.set_meta, failure(one.id), "")
    await workspace.write(
        operations.workstation.request, "fetch_file", mission=one.mission_id, payload={"name": one.name}
    )
    room.app.tell(f"{one.name} is being fetched …")
    until = monotonic() + FETCH_SECONDS
    while not content_path(one).exists():
        if why := await workspace.run(Workspace.meta, failure(one.id)):
            raise SoloUnicornError(f"{one.name} could not be fetched", why=why)
        if monotonic() > until:
            raise SoloUnicornError(f"{one.name} is not here yet", todo="check again in a moment")
        await asyncio.sleep(0.1)


async def _open(room: LiveMission, name: str) -> None:
    from ...workspace.queries.attachments import content_path, shown_path

    one = next((one for one in room.data.attachments if one.name == name), None) if room.data else None
    if one is None:
        return
    try:
        if not content_path(one).exists():
            await _fetch(room, one)
        await room.app.commands.open_outside(str(shown_path(one)))
    except SoloUnicornError as error:
        room.app.complain(error)
