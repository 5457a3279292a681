"""Long texts in the person's own editor, while the application steps aside."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from ...config.settings import Settings


def edit_in_editor(app: App[Any], text: str, settings: Settings | None) -> str | None:
    """The text as the editor left it; None when it could not be edited, which the person is told."""
    chosen = (settings.editor if settings else "") or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="solo-unicorn-") as directory:
        file = Path(directory) / "text.md"
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                code = subprocess.call([*shlex.split(chosen), str(file)])
        except SuspendNotSupported:
            app.notify("An editor cannot be opened here: there is no terminal.", severity="warning")
            return None
        except (OSError, ValueError) as error:
            app.notify(
                f"{chosen!r} cannot be started: {error}. Set `editor` in the settings.", severity="error", markup=False
            )
            return None
        finally:
            app.refresh()
        if code:
            app.notify(f"{chosen} exited with {code}; the text is unchanged.", severity="warning", markup=False)
            return None
        return file.read_text(encoding="utf-8")
