"""Who is at the other end of a Unix socket, as the system says."""

from __future__ import annotations

import os
import socket
import struct
import sys

LOCAL, PEER_PID = 0, 2
"""SOL_LOCAL and LOCAL_PEERPID of macOS (sys/un.h)."""


def peer_of(connected: socket.socket) -> int | None:
    """The process id of the other end; None where the system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        return _credentials(connected)[0] or None
    if sys.platform == "darwin":
        return int(connected.getsockopt(LOCAL, PEER_PID)) or None
    return None


def is_ours(connected: socket.socket) -> bool:
    """Whether the other end is our own user's (or root's); where the system cannot tell, the socket's mode says so."""
    return not hasattr(socket, "SO_PEERCRED") or _credentials(connected)[1] in (os.getuid(), 0)


def _credentials(connected: socket.socket) -> tuple[int, int]:
    """(process id, user id), on Linux."""
    found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, user, _ = struct.unpack("3i", found)
    return pid, user
