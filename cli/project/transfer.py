"""`export` and `import`: a project as one JSON file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from ...config import paths
from ...missions.errors import Conflict, NotFound, SoloUnicornError
from ...missions.wire import to_wire
from ...workspace import operations, queries, transfer
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project_first


def _export_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument("--replace", action="store_true", help="replace an existing file")


def _export(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        if output.as_json and options.output in (None, "-"):
            output.text("", opened.read(queries.exports.export_project, project.id))
            return
        if options.output in (None, "-"):
            opened.read(queries.exports.write_project, project.id, sys.stdout.write)
            return
        from ...config.locked_files import is_stream, writing

        path = Path(options.output)
        if path.exists() and not options.replace and not is_stream(path):
            raise Conflict(f"{path} exists already", todo="choose another name, or add --replace")
        with writing(path) as file:
            opened.read(queries.exports.write_project, project.id, file.write)
    if not is_stream(path):
        output.done(f"{project.name} written to {path}", {"file": str(path), "project": project.slug}, name=str(path))


def _import_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="- reads standard input")
    parser.add_argument("--copy", action="store_true", help="import it as a copy with new ids, beside the original")


def _import(options: Options) -> None:
    with _opened(options.file) as file, workspace() as opened:
        project = opened.write(operations.imports.import_project, transfer.of_file(file), copy=options.copy)
    Output(options).done(f"{project.name} was imported as {project.slug}", to_wire(project), name=project.slug)


@contextmanager
def _opened(name: str) -> Iterator[IO[str]]:
    """The file, or what comes on standard input, to be read more than once."""
    if name == "-":
        with TemporaryFile("w+", encoding="utf-8", dir=paths.made_home()) as kept:
            copyfileobj(sys.stdin, kept)
            yield kept
        return
    try:
        file = Path(name).open(encoding="utf-8")  # noqa: SIM115 (closed below)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {name}", todo="give the file that `solo-unicorn export` wrote") from error
    except OSError as error:
        raise SoloUnicornError(f"{name} cannot be read", why=error.strerror or str(error)) from error
    with file:
        yield file


COMMANDS = {"export": Command(_export_arguments, _export), "import": Command(_import_arguments, _import)}
