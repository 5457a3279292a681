"""`memory list|read|append|replace|search`."""

from __future__ import annotations

from ..missions.errors import NotFound
from ..missions.wire import to_wire
from .opening import project_of, workspace
from .output import Output
from .parsing import Command, Options, Parser, takes_project, text_from
from .shapes import at


def _takes_document(parser: Parser) -> None:
    parser.add_argument("document", metavar="DOCUMENT", help="its name, as in decisions")
    takes_project(parser)


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.memory_documents(project_of(opened, options.project).id)
    output.table(
        ("DOCUMENT", "VERSION", "SIZE", "CHANGED"),
        [(one.name, str(one.version), str(len(one.text)), at(one.updated_at)) for one in found],
        [to_wire(one) for one in found],
        empty="The project memory is empty: `solo-unicorn memory append DOCUMENT TEXT`.",
    )


def _read(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.memory(project_of(opened, options.project).id, options.document)
    output.text(found.text, to_wire(found))


def _append_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("text", metavar="TEXT", help="Markdown; - reads it from standard input")
    parser.add_argument("--heading", help="at the end of the section below this heading, which is made when absent")


def _append(options: Options) -> None:
    text = text_from(options.text)
    with workspace() as opened:
        found = opened.append_memory(
            project_of(opened, options.project).id, options.document, text, heading=options.heading
        )
    Output(options).done(f"{found.name} is at version {found.version}", to_wire(found))


def _replace_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("text", metavar="TEXT", help="Markdown; - reads it from standard input")
    parser.add_argument(
        "--if-version", type=int, metavar="N", help="only when it is still at this version; 0: it is new"
    )


def _replace(options: Options) -> None:
    text = text_from(options.text)
    with workspace() as opened:
        project = project_of(opened, options.project).id
        version = options.if_version
        if version is None:
            try:
                version = opened.memory(project, options.document).version
            except NotFound:
                version = 0
        found = opened.replace_memory(project, options.document, text, version)
    Output(options).done(f"{found.name} is at version {found.version}", to_wire(found))


def _search_arguments(parser: Parser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS")
    takes_project(parser)


def _search(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        hits = opened.search_memory(project_of(opened, options.project).id, " ".join(options.words))
    output.table(
        ("DOCUMENT", "WHERE"),
        [(hit.ref, hit.excerpt) for hit in hits],
        [to_wire(hit) for hit in hits],
        empty="No document has these words.",
    )


COMMANDS = {
    "list": Command(takes_project, _list),
    "read": Command(_takes_document, _read),
    "append": Command(_append_arguments, _append),
    "replace": Command(_replace_arguments, _replace),
    "search": Command(_search_arguments, _search),
}
