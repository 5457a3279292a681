"""`filter list|save|delete`: the queries that a project keeps by name."""

from __future__ import annotations

from ...workspace import operations, queries
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.projects.saved_filters, project_of(opened, options.project).id)
    output.table(
        ("NAME", "QUERY"),
        [(f"@{name}", query) for name, query in found.items()],
        [{"name": name, "query": query} for name, query in found.items()],
        empty="There are no filters. `solo-unicorn filter save NAME QUERY` adds one.",
    )


def _save_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="its name; @NAME in a query stands for it")
    parser.add_argument("query", metavar="QUERY", help="as in `mission list --query`")
    takes_project(parser)


def _save(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        opened.write(operations.filters.save, project.id, options.name, options.query)
    name = options.name.removeprefix("@").lower()
    output.done(f"@{name} saved", {"name": name, "query": options.query}, name=name)


def _delete_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    takes_project(parser)


def _delete(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        opened.write(operations.filters.delete, project_of(opened, options.project).id, options.name)
    name = options.name.removeprefix("@").lower()
    output.done(f"@{name} deleted", {"name": name}, name=name)


COMMANDS = {
    "list": Command(takes_project, _list),
    "save": Command(_save_arguments, _save),
    "delete": Command(_delete_arguments, _delete),
}
