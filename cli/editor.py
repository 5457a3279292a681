"""Long texts in the person's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from ..missions.errors import SoloUnicornError


def edited(text: str, *, suffix: str = ".md") -> str:
    """The text as the person left it in the editor; SoloUnicornError when the editor fails, and then the text stays
    in its file.
    """
    from ..config.settings import load

    command = load().editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    descriptor, name = tempfile.mkstemp(prefix="solo-unicorn-", suffix=suffix)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        code = subprocess.run([*shlex.split(command), name], check=False).returncode
    except (OSError, ValueError) as error:
        raise _failed(command, str(error), name) from error
    if code != 0:
        raise _failed(command, f"it ended with {code}", name)
    written = Path(name).read_text(encoding="utf-8")
    Path(name).unlink()
    return written


def _failed(command: str, why: str, name: str) -> SoloUnicornError:
    return SoloUnicornError(
        f"The editor {command!r} did not finish",
        why=why,
        todo=f"nothing was changed, your text is in {name}; `solo-unicorn config set editor NAME` chooses another",
    )
