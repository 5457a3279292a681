"""The board ends with its terminal. The kernel tells the leader of the session, which may be another program (make)."""

from __future__ import annotations

import os
import select
import signal
import threading


def end_with(terminal: int) -> None:
    """From now on the program ends as if it were hung up on when that terminal is gone.

    Everything that was done is in the workspace by then, and what is only typed is a draft (drafts.py).
    """
    threading.Thread(target=_wait, args=(terminal,), name="terminal", daemon=True).start()


def _wait(terminal: int) -> None:
    watched = select.poll()
    watched.register(terminal, 0)  # nothing but its end is asked for
    ((_, what),) = watched.poll()
    if what & (select.POLLHUP | select.POLLERR):
        os.kill(os.getpid(), signal.SIGHUP)
        os._exit(128 + signal.SIGHUP)  # hang-ups are ignored here: there is nobody left to paint for all the same
