"""`solo-unicorn`: open the board.

The first screenful is read from the workspace while Textual is still being imported, so that the board is painted
with its cards at once; whatever else there is to read comes after that.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from ..missions.errors import UsageError

if TYPE_CHECKING:
    from .data import Snapshot


def open_board(*, project: str | None = None, directory: Path | None = None, serve: bool = True) -> int:
    """Show the board until the person closes it; returns the exit code.

    Raises SoloUnicornError before anything is painted when settings or workspace cannot be read.
    """
    import gc

    if not sys.__stderr__ or not sys.__stderr__.isatty():
        raise UsageError(
            "The board cannot be painted",
            why="it is painted on standard error, which is not the terminal",
            todo="leave out the `2>` redirection; the log is in the logs folder of the home directory",
        )
    gc.disable()  # nothing that start-up makes is garbage; the board enables it once it is painted
    os.environ.setdefault("ESCDELAY", "25")
    first = read_ahead(None, project, directory)

    from ..config import log, settings

    chosen = settings.load()
    from .app import SoloUnicornApp

    snapshot = first.result()
    log.setup("board", level=chosen.log.level)
    app = SoloUnicornApp(lambda: snapshot, settings=chosen, directory=directory, serve=serve)
    app.run()
    return app.return_code or 0


def read_ahead(path: Path | None, project: str | None, directory: Path | None) -> Future[Snapshot]:
    """Begin to read the first screenful in a thread of its own."""
    future: Future[Snapshot] = Future()

    def read() -> None:
        try:
            from .data import opening

            future.set_result(opening(path, project, directory))
        except BaseException as error:
            future.set_exception(error)

    Thread(target=read, name="first screenful", daemon=True).start()
    return future
