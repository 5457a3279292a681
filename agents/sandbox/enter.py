"""The last program before the agent's own, run by its path with the standard library alone.

`enter.py [POLICY | --sockets] -- …`

Signals that the sandbox's own process ignores are as usual for the agent again. With a POLICY (a file of a view) the
process restricts itself by Landlock first, with --sockets to its own abstract sockets; it ends with 126 when it cannot.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path


def main(words: list[str]) -> None:
    """Becomes the program; 127 when there is none, as a shell would say."""
    cut = words.index("--")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    if words[:cut]:
        sys.path.insert(0, str(Path(__file__).parent))
        try:
            landlock = import_module("landlock")
            if words[0] == "--sockets":
                landlock.close_abstract_sockets()
            else:
                landlock.restrict(words[0])
        except OSError as error:
            sys.exit(_failed(f"the sandbox could not be entered: {error}", 126))
    program = words[cut + 1 :]
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.exit(_failed(f"{program[0]} cannot be started: {error.strerror}", 127))


def _failed(what: str, code: int) -> int:
    print(what, file=sys.stderr)
    return code


if __name__ == "__main__":
    main(sys.argv[1:])
