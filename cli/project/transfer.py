"""`export` and `import`: a project as one JSON file."""

from __future__ import annotations

import sys
from pathlib import Path

from ...missions.entities import JsonObject
from ...missions.errors import Conflict, InvalidValue, NotFound, SoloUnicornError
from ...missions.wire import to_wire
from ...system import strict_json
from ...workspace import operations, queries
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project_first


def _export_arguments(parser: Parser) -> None:
    takes_project_first(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    parser.add_argument("--replace", action="store_true", help="replace a file that is there")


def _export(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        found = opened.read(queries.exports.export_project, project.id)
    if options.output in (None, "-"):
        output.text(strict_json.dumps(found, indent=1), found)
        return
    from ...config.replacing import is_stream, write

    path = Path(options.output)
    if path.exists() and not options.replace and not is_stream(path):
        raise Conflict(f"{path} exists already", todo="choose another name, or add --replace")
    write(path, strict_json.dumps(found, indent=1) + "\n")
    if is_stream(path):
        return
    output.done(f"{project.name} written to {path}", {"file": str(path), "project": project.slug}, name=str(path))


def _import_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="- reads standard input")
    parser.add_argument("--copy", action="store_true", help="as a copy with new ids, beside the original")


def _import(options: Options) -> None:
    exported = _read(options.file)
    with workspace() as opened:
        project = opened.write(operations.imports.import_project, exported, copy=options.copy)
    Output(options).done(f"{project.name} is here as {project.slug}", to_wire(project), name=project.slug)


def _read(name: str) -> JsonObject:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        found = strict_json.loads(text)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {name}", todo="give the file that `solo-unicorn export` wrote") from error
    except OSError as error:
        raise SoloUnicornError(f"{name} cannot be read", why=error.strerror or str(error)) from error
    except ValueError as error:
        raise InvalidValue(
            "file", f"{name} is not JSON", why=str(error), todo="give the file that `solo-unicorn export` wrote"
        ) from error
    if not isinstance(found, dict):
        raise InvalidValue("file", f"{name} holds no project", todo="give the file that `solo-unicorn export` wrote")
    return found


COMMANDS = {"export": Command(_export_arguments, _export), "import": Command(_import_arguments, _import)}
