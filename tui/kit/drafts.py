"""What somebody types on a sheet is kept while they type: it comes back after a terminal, a board or a machine died.

A draft is a small file in the home, for its owner alone, of the fields that differ from what the sheet began with. It
goes when what was typed is saved, when it is taken back, or when the person throws it away.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from textual import on
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input, TextArea

from ...config import paths
from ...missions.errors import SoloUnicornError
from ...system import strict_json
from ...system.locks import Lock
from .leaving import PlaceScreen

BREATH: Final = 0.5
"""Seconds between two writes while somebody types: what may be lost."""
OLDEST: Final = 30 * 24 * 3600
"""Seconds after which a draft that nobody came back to goes."""

BACK: Final = "Your earlier text was restored"

Typed = dict[str, tuple[str, str]]
"""By the id of a field: what it began with, and what it says."""


def file_of(name: str) -> Path:
    """Where the draft of a sheet is; names may be anything."""
    digest = blake2b(name.encode(), digest_size=6).hexdigest()
    return paths.home() / "drafts" / f"{re.sub(r'[^A-Za-z0-9]+', '-', name)[:60]}-{digest}.json"


def read(name: str) -> Typed:
    """The draft of a sheet, empty when there is none that can be read."""
    try:
        return {
            field: (begun, typed) for field, (begun, typed) in strict_json.loads(file_of(name).read_bytes()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep(name: str, typed: Typed) -> None:
    """Write a draft, or take it away when nothing differs; SoloUnicornError or OSError when that cannot be."""
    file = file_of(name)
    if not typed:
        file.unlink(missing_ok=True)
        return
    new = paths.drafts_dir() / f"{file.name}.new"
    new.touch(mode=0o600)
    new.write_text(json.dumps(typed), encoding="ascii")
    new.replace(file)
    for other in file.parent.iterdir():
        if other.stat().st_mtime < time.time() - OLDEST:
            other.unlink(missing_ok=True)


def hold(name: str) -> Lock | None:
    """Take a draft until the lock is released; None when another board has it open.

    SoloUnicornError or OSError when that cannot be.
    """
    lock = Lock(paths.drafts_dir() / f"{file_of(name).name}.lock")
    if lock.take():
        return lock
    lock.release()
    return None


class DraftedSheet(PlaceScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """A sheet whose fields come back. `draft` names what is written: one sheet, one subject."""

    def __init__(self, draft: str) -> None:
        super().__init__(classes="sheet")
        self.draft = draft
        self._held: Lock | None = None
        self._began: dict[str, str] | None = None
        self._says: dict[str, str] = {}
        self._waits = False

    def begin_draft(self) -> None:
        """Say, once the fields are filled, that what they differ in from now on is the person's; it comes back."""
        with suppress(OSError, SoloUnicornError):  # nothing can be kept either
            self._held = hold(self.draft)
            if self._held is None:  # open on another board: that one's words stay there
                self.draft += f" {os.getpid()}"
        self._began = self._fields()
        self._says = dict(self._began)
        kept = {field: both for field, both in read(self.draft).items() if self._began.get(field, both[1]) != both[1]}
        if not kept:
            return
        for name, (_, typed) in kept.items():
            field = self._typing()[name]
            if isinstance(field, Input):
                field.value = typed
            else:
                field.text = typed
        if all(self._began[name] == begun for name, (begun, _) in kept.items()):
            self.notify("It was not saved or sent.", title=BACK, timeout=5)
        else:
            why = "The saved text has changed since; the field has your text, and saving replaces the other."
            self.notify(why, title=BACK, severity="warning", timeout=8)

    def forget_draft(self) -> None:
        """Discard the draft: its text was saved, or thrown away on purpose."""
        self._began = None
        with suppress(OSError):  # it would come back, which is better than an error about it
            keep(self.draft, {})

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the sheet; its draft stays unless it was discarded."""
        if self.app.screen is self:
            self._says |= self._fields()
            self._keep()
        return super().dismiss(result)

    def on_unmount(self) -> None:
        """It was left, or the board ends with the sheet open."""
        self._keep()
        if self._held is not None:
            self._held.release()
            self._held = None

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _typed(self, event: Input.Changed | TextArea.Changed) -> None:
        self._says[event.control.id or ""] = _said(event.control)
        if not self._waits:
            self._waits = True
            self.set_timer(BREATH, self._keep)

    def _typing(self) -> dict[str, Input | TextArea]:
        return {field.id or "": field for field in (*self.query(Input), *self.query(TextArea))}

    def _fields(self) -> dict[str, str]:
        return {name: _said(field) for name, field in self._typing().items()}

    def _keep(self) -> None:
        self._waits = False
        if self._began is None:
            return
        differs = {name: (began, self._says[name]) for name, began in self._began.items() if self._says[name] != began}
        with suppress(OSError, SoloUnicornError):  # a full disk stands at the top of the board
            keep(self.draft, differs)


def _said(field: Input | TextArea) -> str:
    return field.value if isinstance(field, Input) else field.text
