"""Every error of Solo Unicorn, as one tree.

    SoloUnicornError            exit 1   something failed
    ├── UsageError              exit 2   the request itself is wrong
    │   └── InvalidValue                 a field or setting has a value the rules refuse
    ├── NotFound                exit 3   nothing answers to that name or id
    ├── Conflict                exit 4   the request met a newer or contradicting state
    │   ├── VersionConflict              the record changed since it was read
    │   ├── AlreadyExists                something has that name or id
    │   ├── AlreadyClaimed               another claimant holds the mission
    │   └── NotAllowed                   the rules keep this for somebody else (a person's gate)
    ├── SignedOut               exit 5   a sign-in is needed
    ├── Offline                 exit 6   the other side cannot be reached
    └── TryAgain                exit 75  locked, newer store, busy: nothing was changed

An error has three parts: what happened, why, and what to do next (docs/design.md, Errors). Between processes it
travels as JSON (`to_wire`) and arrives as an error of the same class (`from_wire`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

_BYTE = "[\ud800-\udfff]"
_WORD = r"[a-z]+(?![\w.:=/-])"


def printable(text: str) -> str:
    """Text with bytes that are not UTF-8 (names of files, what git says) as they are often written: `caf\\xe9.txt`."""
    if text.isascii() or not re.search(_BYTE, text):
        return text
    return re.sub(_BYTE, lambda found: _shown(found[0]), text)


def _shown(half: str) -> str:
    return f"\\x{ord(half) - 0xDC00:02x}" if "\udc80" <= half <= "\udcff" else "\ufffd"


def sentences(*parts: str) -> str:
    """Parts of a message, one sentence each; a name at the start of one, such as `ui.theme`, stays as it is."""
    trimmed = (part.strip().rstrip(".") for part in parts)
    return " ".join(
        (part[0].upper() if re.match(_WORD, part) else part[0]) + part[1:] + "." for part in trimmed if part
    )


class SoloUnicornError(Exception):
    """What happened, why, and what the person can do about it: a sentence and two clauses, without full stops."""

    exit_code = 1
    code = "failed"
    """Stable name of the kind of error. A class without one of its own shares that of its base."""
    wired: ClassVar[tuple[str, ...]] = ()
    """Further attributes that travel with the error."""

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def __str__(self) -> str:
        """The three parts as one paragraph."""
        return printable(f"{self.what.rstrip('.')}. {sentences(self.why, self.todo)}".rstrip())

    def to_wire(self) -> dict[str, str | int]:
        """The error as a JSON object: code, what, why, todo, exitCode and what its class adds."""
        said = {"what": self.what, "why": self.why, "todo": self.todo}
        parts: dict[str, str | int] = {"code": self.code, **{name: printable(text) for name, text in said.items()}}
        return parts | {"exitCode": self.exit_code} | {name: getattr(self, name) for name in self.wired}


def from_wire(wire: object) -> SoloUnicornError:
    """The error in a JSON object that `to_wire` made.

    Its class is the one that has its code, among those that are imported; else the class of its exit code. What is not
    such an object becomes a SoloUnicornError that quotes it.
    """
    match wire:
        case {"code": str(code), "what": str(what), **parts}:
            pass
        case _:
            return SoloUnicornError(
                "The other process sent an answer that this version does not understand", why=repr(wire)[:200]
            )
    exit_code = parts.get("exitCode")
    classes = list(_tree(SoloUnicornError))
    found = next((one for one in classes if vars(one).get("code") == code), None)
    found = found or next((one for one in classes if vars(one).get("exit_code") == exit_code), SoloUnicornError)
    error = found.__new__(found)
    SoloUnicornError.__init__(error, what, why=str(parts.get("why") or ""), todo=str(parts.get("todo") or ""))
    error.code = code
    if isinstance(exit_code, int):
        error.exit_code = exit_code
    for name in found.wired:
        setattr(error, name, parts.get(name))
    return error


def _tree(root: type[SoloUnicornError]) -> Iterator[type[SoloUnicornError]]:
    yield root
    for below in root.__subclasses__():
        yield from _tree(below)


class UsageError(SoloUnicornError):
    """The request itself is wrong."""

    exit_code = 2
    code = "invalid"


class InvalidValue(UsageError):
    """A field or a setting has a value that the rules refuse; `field` names it."""

    wired = ("field",)

    def __init__(self, field: str, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.field = field


class NotFound(SoloUnicornError):
    """Nothing answers to that name or id."""

    exit_code = 3
    code = "not_found"


class Conflict(SoloUnicornError):
    """The request met a newer or contradicting state; nothing was changed."""

    exit_code = 4
    code = "conflict"


class VersionConflict(Conflict):
    """The record changed since it was read; `current` is its version now."""

    code = "version_conflict"
    wired = ("current",)

    def __init__(self, what: str, *, current: int, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.current = current


class AlreadyExists(Conflict):
    """Something has that name or id already; `id` names it."""

    code = "already_exists"

    def __init__(self, what: str, *, id: str, why: str = "", todo: str = "") -> None:  # noqa: A002 (the field's name)
        super().__init__(what, why=why, todo=todo)
        self.id = id


class AlreadyClaimed(Conflict):
    """Another claimant holds the mission; `holder` names it (domain.md, Running)."""

    code = "already_claimed"
    wired = ("holder",)

    def __init__(self, what: str, *, holder: str, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.holder = holder


class NotAllowed(Conflict):
    """The rules keep this step for somebody else, for instance a person's review."""

    code = "not_allowed"


class SignedOut(SoloUnicornError):
    """A sign-in is needed first."""

    exit_code = 5
    code = "signed_out"


class Offline(SoloUnicornError):
    """The other side cannot be reached."""

    exit_code = 6
    code = "offline"


class TryAgain(SoloUnicornError):
    """Locked, busy or written by a newer version: nothing was changed, a later try may work."""

    exit_code = 75
    code = "try_again"
