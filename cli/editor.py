"""Long texts in the person's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..missions.errors import SoloUnicornError


@contextmanager
def edited(text: str, *, suffix: str = ".md") -> Iterator[str]:
    """The text as the person left it in the editor, for a block that does something with it.

    SoloUnicornError when the editor fails. Then, and when the block is refused, the text stays in its file, which the
    error names.
    """
    from ..config.loading import load

    command = load().editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    descriptor, name = tempfile.mkstemp(prefix="solo-unicorn-", suffix=suffix)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        code = subprocess.run([*shlex.split(command), name], check=False).returncode
    except (OSError, ValueError) as error:
        raise _failed(command, str(error), name) from error
    if code != 0:
        raise _failed(command, f"it exited with {code}", name)
    try:
        yield Path(name).read_text(encoding="utf-8")
    except SoloUnicornError as error:
        error.todo = "; ".join(part for part in (error.todo, f"your text is in {name}") if part)
        raise
    Path(name).unlink()


def _failed(command: str, why: str, name: str) -> SoloUnicornError:
    return SoloUnicornError(
        f"The editor {command!r} did not finish",
        why=why,
        todo=f"nothing was changed; your text is in {name}; "
        "`solo-unicorn config set editor NAME` chooses another editor",
    )
