"""What a person sees when a command fails: what happened, why, and what to do next."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

from ..missions.errors import SoloUnicornError


def report(error: SoloUnicornError, *, as_json: bool) -> int:
    """Tell the three parts on standard error; returns the exit code."""
    if as_json:
        import json

        print(json.dumps({"error": error.to_wire()}, ensure_ascii=False), file=sys.stderr)
        return error.exit_code
    print(f"solo-unicorn: {error.what}", file=sys.stderr)
    if error.why:
        print(f"  why: {error.why}", file=sys.stderr)
    if error.todo:
        print(f"  now: {error.todo}", file=sys.stderr)
    return error.exit_code


def of_system(error: OSError, *, of_output: bool = False) -> SoloUnicornError | None:
    """An error of the operating system in three parts; None for one that is a fault of ours.

    `of_output`: it is standard output that could not be written.
    """
    if of_output:
        return SoloUnicornError(
            "The output could not be written",
            why=error.strerror or str(error),
            todo="free some space, or write to another place; the command's changes are saved",
        )
    todo = _REMEDIES.get(error.errno or 0)
    if todo is None:
        return None
    where = f" ({error.filename})" if error.filename else ""
    return SoloUnicornError(
        f"{error.strerror or error}{where}",
        why="the operating system refused the operation",
        todo=f"{todo}; nothing else was changed",
    )


_REMEDIES = {
    errno.ENOSPC: "free some space, then try again",
    errno.EDQUOT: "free some space, then try again",
    errno.EROFS: "choose a file system that can be written to",
    errno.EACCES: "check the owner and permissions of the file and its directory",
    errno.EPERM: "check the owner and permissions of the file and its directory",
    errno.EMFILE: "close other programs, or raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close other programs",
    errno.ENOTDIR: "name a directory",
}


def report_defect(error: Exception, words: Sequence[str]) -> int:
    """A fault of this program: the traceback goes to the log, the person gets a sentence; returns the exit code."""
    from ..config.redaction import redact

    where = "the details could not be written to the log"
    try:
        from ..config import log, paths

        log.setup("cli")
        log.logger("cli").error("command failed", exc_info=error, extra={"command": " ".join(words[:2])})
        where = f"the details are in {paths.logs_dir() / log.FILE}"
    except SoloUnicornError:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    return report(
        SoloUnicornError(
            "This command failed because of an error in solo-unicorn itself",
            why=redact(f"{type(error).__name__}: {error}"),
            todo=f"please report it; {where}",
        ),
        as_json="--json" in words,
    )
