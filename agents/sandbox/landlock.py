"""Linux without user namespaces: Landlock, by which a process gives up rights of its own. Standard library only.

A rule opens a directory with all that is in it; nothing can be closed within. So a directory that holds a place with
less access is opened entry by entry: what is made directly in it later cannot be reached, and all names in it can be
listed. Sockets can be connected to wherever they are. enter.py restricts itself by this module, and becomes the agent.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
from collections.abc import Iterator, Mapping

CREATE, ADD, RESTRICT = 444, 445, 446
OLDEST_ABI = 2
"""The first that lets a file be moved from one directory to another."""
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
ALL = {2: REFER * 2 - 1, 3: TRUNCATE * 2 - 1, 5: IOCTL_DEV * 2 - 1}
"""By the ABI that knows them first."""
ABSTRACT_SOCKETS, SIGNALS = 1, 2
SCOPES_SINCE = 6
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
NO_NEW_PRIVILEGES = 38
RANK = {"hidden": 0, "read": 1, "write": 2}


def abi() -> int:
    """The version of Landlock that this system has; 0: none, or it is switched off."""
    return max(0, int(_libc().syscall(CREATE, None, 0, 1)))


def unable() -> str:
    """Why it cannot be used on this machine; empty when it can."""
    found = abi()
    if found >= OLDEST_ABI:
        return ""
    return f"Landlock is too old (version {found})" if found else "this kernel has no Landlock, or it is switched off"


def restrict(policy: str) -> None:
    """Give up all that a view (a file made by choosing.py) does not allow, for good. Raises OSError."""
    with open(policy, encoding="utf-8") as file:  # noqa: PTH123 - nothing else is loaded here
        view = json.load(file)
    version = abi()
    handled = max(rights for since, rights in ALL.items() if since <= version)
    scopes = ABSTRACT_SOCKETS | SIGNALS if version >= SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", handled, 0, scopes)
    size = len(attributes) if scopes else 8
    ruleset = _checked(_libc().syscall(CREATE, attributes, size, 0))
    rights = {"list": READ_DIR, "read": EXECUTE | READ_FILE | READ_DIR, "write": handled}
    for path, access in opened(view["base"], view["places"]):
        _open(ruleset, path, rights[access] & handled)
    _checked(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(_libc().syscall(RESTRICT, ruleset, 0))
    os.close(ruleset)


def close_abstract_sockets() -> None:
    """Where the kernel can (Linux 6.12): no socket without a file can be reached but one's own. Raises OSError.

    Those of the session bus and of X11 would start programs outside, and no mount hides them.
    """
    if abi() >= SCOPES_SINCE:
        ruleset = _checked(_libc().syscall(CREATE, struct.pack("=QQQ", 0, 0, ABSTRACT_SOCKETS), 24, 0))
        _checked(_libc().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(_libc().syscall(RESTRICT, ruleset, 0))
        os.close(ruleset)


def opened(base: str, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(path, access) for a rule each: a directory as a whole, unless a place in it has less access than it has."""
    yield from _opened("/", base, places)


def _opened(path: str, access: str, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    within = {place: given for place, given in places.items() if _inside(place, path)}
    rank = RANK[access]
    if access != "hidden" and all(RANK[given] >= rank for given in within.values()):
        yield path, access
        for place, given in within.items():
            if RANK[given] > rank:
                yield place, given
        return
    if access != "hidden":
        yield path, "list"
    for entry in _entries(path) if access != "hidden" else _towards(path, within):
        yield from _opened(entry, within.get(entry, access), within)


def _entries(path: str) -> list[str]:
    """What is in a directory; links are reached by what they lead to."""
    try:
        return [entry.path for entry in os.scandir(path) if not entry.is_symlink()]
    except OSError:
        return []


def _towards(path: str, within: Mapping[str, str]) -> set[str]:
    """The entries of a hidden directory below which something is open."""
    prefix = path.rstrip("/") + "/"
    return {prefix + place[len(prefix) :].partition("/")[0] for place in within}


def _inside(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def _open(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # it has gone meanwhile, or is not for us
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= ON_A_FILE
        attributes = struct.pack("=Qi", rights, handle)
        if _libc().syscall(ADD, ruleset, 1, attributes, 0) and ctypes.get_errno() != errno.EINVAL:
            raise OSError(ctypes.get_errno(), f"{path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(handle)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
