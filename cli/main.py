"""`solo-unicorn`: finds the command, loads its module, and turns every error into three parts and an exit code.

Nothing is imported here that a command may do without: `--version` and `--help` load this file and table.py alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from io import TextIOWrapper

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (STYLE, Command line); without arguments, that of this process."""
    try:
        return _main(list(sys.argv[1:] if arguments is None else arguments))
    finally:
        if arguments is None:
            import gc

            gc.freeze()  # all that is left goes with the process: the last collections need not look at it


def _main(words: list[str]) -> int:
    _prefer_what_is_installed()
    _settle_homes()
    if os.getpid() == 1:
        from ..system.first_process import attend

        attend()
    _make_streams_safe()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as with `| head`
        _let_go_of_output()
        return 0
    except Exception as error:
        from ..missions.errors import SoloUnicornError
        from .failing import of_system, report, report_defect

        if isinstance(error, OSError):
            error = of_system(error, of_output=isinstance(error, OutputLost)) or error
        if isinstance(error, SoloUnicornError):
            return report(error, as_json="--json" in words)
        return report_defect(error, words)


def _prefer_what_is_installed() -> None:
    """Modules of the directory one stands in, or that PYTHONPATH names, come after ours: a repository may well have an
    mcp/ or a textual.py of its own."""
    given = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]  # noqa: PTH100
    if sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 - as -m puts it there
        given.append(sys.path[0])
    if given:
        last = [entry for entry in sys.path if entry in given]
        sys.path[:] = [entry for entry in sys.path if entry not in given] + last


def _settle_homes() -> None:
    """A relative home is meant from here, also by the programs that are started in other directories; a HOME that is
    empty or relative is not used: the user's own directory is."""
    if "HOME" in os.environ and not os.path.isabs(os.environ["HOME"]):  # noqa: PTH117
        import pwd

        try:
            os.environ["HOME"] = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:  # a user without an entry, as in containers
            del os.environ["HOME"]
    if chosen := os.environ.get("SOLO_UNICORN_HOME"):
        os.environ["SOLO_UNICORN_HOME"] = os.path.abspath(os.path.expanduser(chosen))  # noqa: PTH100, PTH111


def _dispatch(words: list[str]) -> int:
    match words:
        case []:
            _refuse_agents("solo-unicorn")
            from .board import run

            return run()
        case ["-p" | "--project", project]:
            _refuse_agents("solo-unicorn --project")
            from .board import run

            return run(project)
        case ["--version" | "-V"] | ["version"]:
            from .. import __version__

            print(f"solo-unicorn {__version__}")
            return 0
        case ["mcp"]:  # every MCP client pays for its start: no table, no argument parser
            from .machine.bridging import run as bridge

            return bridge()
        case ["--help" | "-h" | "help"]:
            from .table import overview

            print(overview())
            return 0
        case ["help", *rest]:
            return _dispatch([*rest, "--help"])
    from .table import COMMANDS, noun_help

    noun, rest = words[0], words[1:]
    if noun not in COMMANDS:
        whole = [f"`solo-unicorn {one} {noun}`" for one, (_, verbs) in COMMANDS.items() if noun in verbs]
        todo = f"type {' or '.join(whole[:3])}" if whole else "`solo-unicorn --help` lists the commands"
        raise _unknown(noun, COMMANDS, "command", todo)
    verbs = COMMANDS[noun][1]
    first = rest[0] if rest else ""
    if first and first in verbs:
        return _run(noun, first, rest[1:])
    helped = first in ("--help", "-h")
    if "" in verbs and (len(verbs) == 1 or not first or (not helped and (first[:1] == "-" or _takes_words(noun)))):
        return _run(noun, "", rest)
    if not first or helped:
        print(noun_help(noun))
        return 0 if helped else 2
    raise _unknown(first, verbs, f"verb of `solo-unicorn {noun}`", f"`solo-unicorn {noun} --help` lists them")


def _takes_words(noun: str) -> bool:
    """Whether a noun takes words without a verb, as `completion bash` does."""
    from .parsing import load

    _, parser = load(noun, "")
    return any(not action.option_strings for action in parser._actions)


def _run(noun: str, verb: str, words: list[str]) -> int:
    from .parsing import load
    from .table import FOR_AGENTS

    if f"{noun} {verb}" not in FOR_AGENTS and not {"-h", "--help"} & set(words):
        _refuse_agents(f"solo-unicorn {noun} {verb}".rstrip())
    command, parser = load(noun, verb)
    options = parser.parse_args(words)
    from ..config.correlation import correlation, new_correlation

    if not correlation.get():
        new_correlation()
    return int(command.run(options) or 0)


def _refuse_agents(command: str) -> None:
    """Raise NotAllowed when an agent of this home runs a command that is a person's; its mission's history tells it."""
    from ..config.acting import acting_session

    if session_id := acting_session():
        from .agents_refused import refuse

        refuse(session_id, command)


def _unknown(word: str, known: Iterable[str], kind: str, todo: str) -> Exception:
    from ..missions.errors import UsageError
    from ..missions.naming import nearest

    return UsageError(f"{word!r} is not a {kind}", why=nearest(word, known), todo=todo)


def _make_streams_safe() -> None:
    """Open /dev/null where a caller closed a standard stream; escape what the encoding of one does not have.

    Python has None for a closed stream, and its number would be reused.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            import os

            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    import codecs

    if sys.stdout is sys.__stdout__ and type(sys.stdout) is TextIOWrapper and not sys.stdout.isatty():
        sys.stdout = _File(sys.stdout.buffer, sys.stdout.encoding, line_buffering=sys.stdout.line_buffering)
    codecs.register_error("solo_unicorn_escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="solo_unicorn_escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks, and bytes of file names that are not UTF-8, as JSON escapes: `--json` stays JSON."""
    import json

    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


class OutputLost(OSError):
    """Standard output takes no more: a full disk behind `>`."""


class _File(TextIOWrapper):
    """Standard output that is not a terminal: what it refuses is told apart from what other files refuse."""

    def write(self, text: str) -> int:
        return self._tried(lambda: super(_File, self).write(text)) or 0

    def flush(self) -> None:
        """Out of the buffer."""
        self._tried(super().flush)

    def _tried(self, write: Callable[[], int | None]) -> int | None:
        try:
            return write()
        except BrokenPipeError:
            raise
        except OSError as error:
            _let_go_of_output()
            raise OutputLost(error.errno, error.strerror) from error


def _let_go_of_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not complain."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
