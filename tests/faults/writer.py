"""One person's program that writes and writes: `python -m solo_unicorn.tests.faults.writer SEED PROJECT`.

A line of JSON for each write, once it has returned: `["saved", what, id, text]`, `["refused", what, why]`, or, for what
is not an error of ours, `["fault", what, why]`. It ends with its standard input.
"""

from __future__ import annotations

import json
import random
import select
import sys
import time

from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.missions.rules.creating import MissionDraft
from solo_unicorn.workspace import operations
from solo_unicorn.workspace.workspace import Workspace

PAUSE_SECONDS = 0.01


def main() -> int:
    """Write until told to end."""
    seed, project = sys.argv[1:]
    drawn, known = random.Random(seed), list[str]()
    workspace = _opened()
    for number in range(1_000_000):
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            break
        what = drawn.choice(("create", "create", "note", "edit")) if known else "create"
        text = f"{what} {seed}-{number}"
        try:
            about = _written(workspace, project, what, text, drawn.choice(known or [""]))
        except SoloUnicornError as error:
            _say("refused", what, str(error))
            if error.code in ("damaged", "replaced") or workspace.read_only:
                workspace.close()
                workspace = _opened()
        except Exception as error:
            _say("fault", what, f"{type(error).__name__}: {error}")
        else:
            known = [*known[-50:], about]
            _say("saved", what, about, text)
    workspace.close()
    return 0


def _written(workspace: Workspace, project: str, what: str, text: str, about: str) -> str:
    match what:
        case "note":
            return workspace.write(operations.missions.add_note, about, "decision", text).id
        case "edit":
            return workspace.write(operations.missions.edit, about, {"description": text}).id
    return workspace.write(operations.missions.create, project, MissionDraft(title=text)).id


def _opened() -> Workspace:
    while True:
        try:
            return Workspace.open()
        except SoloUnicornError as error:
            _say("refused", "open", str(error))
            time.sleep(PAUSE_SECONDS * 10)


def _say(*words: str) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
