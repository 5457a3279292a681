"""The board's process behind a browser: `python -m solo_unicorn.tui.web.served [--project=NAME]`."""

from __future__ import annotations

import sys
from pathlib import Path

from ...config import loading, log
from ...missions.errors import SoloUnicornError
from ..app import SoloUnicornApp
from ..board.data import opening


def main() -> int:
    """Show the board until the person or the connection closes it."""
    project = next((word.removeprefix("--project=") for word in sys.argv[1:] if word.startswith("--project=")), None)
    try:
        directory: Path | None = Path.cwd()
    except OSError:  # the directory is gone
        directory = None
    try:
        chosen = loading.load()
        first = opening(None, project, directory)
    except SoloUnicornError as error:
        print(error, file=sys.stderr)
        return 1
    log.setup("board", level=chosen.log.level)
    app = SoloUnicornApp(lambda: first, settings=chosen, directory=directory)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
