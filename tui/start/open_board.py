"""`solo-unicorn`: open the board.

Its first frame is drawn from the workspace before Textual is imported, and Textual paints the same frame over it. Where
that cannot be (first start, a workspace to be migrated or in trouble, an unknown terminal), the first screenful is read
while Textual is being imported, and Textual paints first.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...config import loading, paths
from ...missions.errors import SoloUnicornError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ...config.settings import Settings
    from ..board.data import Snapshot
    from ..board.rows.card import Density


def open_board(*, project: str | None = None, directory: Path | None = None, serve: bool = True) -> int:
    """Show the board until the person closes it; returns the exit code.

    Raises SoloUnicornError before anything is painted when settings or workspace cannot be read.
    """
    import gc

    if not sys.__stderr__ or not sys.__stderr__.isatty():
        raise UsageError(
            "The board cannot be drawn",
            why="it is drawn on standard error, which is not a terminal",
            todo="remove the `2>` redirection; the log is in the logs folder of the home directory",
        )
    gc.disable()  # nothing that start-up makes is garbage; the board enables it once it is painted
    os.environ.setdefault("ESCDELAY", "25")
    chosen = loading.load()
    with ExitStack() as stack:
        snapshot = glimpse(stack, project, directory)
        frame = first_frame(snapshot, chosen) if snapshot is not None else None
        early = None
        if frame is not None:
            from .early_screen import EarlyScreen

            early = stack.enter_context(EarlyScreen(frame))
        reading = None if snapshot is not None else read_ahead(None, project, directory)

        from ..app import SoloUnicornApp

        first = snapshot or (reading.result() if reading else None)
        assert first is not None
        from ...config import log

        log.setup("board", level=chosen.log.level)
        app = SoloUnicornApp(lambda: first, settings=chosen, directory=directory, serve=serve)
        if not os.environ.get("TEXTUAL_DRIVER"):
            from .driver import driver_after

            asks = not chosen.ui.theme and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "linux"
            app.driver_class = driver_after(early, ask_background=asks)
            if sys.__stdin__ and sys.__stdin__.isatty():
                from .hangup import end_with

                end_with(sys.__stdin__.fileno())
        app.run()
        return app.return_code or 0


def glimpse(stack: ExitStack, project: str | None, directory: Path | None) -> Snapshot | None:
    """The first screenful, when the workspace can be read at once and has something to show.

    The connection stays open until the stack is closed: were it the last one, closing would fold the log into the file.
    """
    from ...workspace.store import DatabaseError
    from ...workspace.workspace import Workspace
    from ..board.data import look

    workspace = Workspace.glimpse()
    if workspace is None:
        return None
    stack.callback(workspace.close)
    try:
        read = look(workspace, project, directory)
    except (SoloUnicornError, DatabaseError):  # opening it for good says what is wrong
        return None
    return read if read.summary.project is not None else None


def first_frame(snapshot: Snapshot, chosen: Settings, *, now: datetime | None = None) -> str | None:
    """The first frame for this terminal as what it obeys; None where it had better be left to Textual."""
    from ... import __version__
    from ..board.view import BoardView
    from ..kit.looks import find
    from ..kit.marks import marks_for
    from .early_screen import size_of
    from .first_frame import LEAST_HEIGHT, LEAST_WIDTH, painted, rows

    if not sys.__stdin__ or not sys.__stdin__.isatty() or os.environ.get("TEXTUAL_DRIVER"):
        return None
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return None
    try:
        size = size_of()
    except OSError:
        return None
    looks = find(chosen.ui.theme, chosen.keys, paths.home(), __version__)
    if snapshot.view != BoardView():  # looked at in another way than the plain board: no frame is the better one
        return None
    if looks is None or size[0] < LEAST_WIDTH or size[1] < LEAST_HEIGHT:
        return None
    drawn = rows(
        snapshot,
        looks,
        marks_for(os.environ),
        size,
        now or datetime.now().astimezone(),
        slots=chosen.workstation.slots,
        density=cast("Density", chosen.board.density),
    )
    return painted(drawn, looks)


def read_ahead(path: Path | None, project: str | None, directory: Path | None) -> Future[Snapshot]:
    """Begin to read the first screenful in a thread of its own."""
    from concurrent.futures import Future
    from threading import Thread

    future: Future[Snapshot] = Future()

    def read() -> None:
        try:
            from ..board.data import opening

            future.set_result(opening(path, project, directory))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=read, name="first screenful", daemon=True).start()
    return future
