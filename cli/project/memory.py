"""`memory list|read|append|replace|edit|delete|rename|move|search|history|diff|offers|take|leave|mirror`."""

from __future__ import annotations

from ...missions.entities import MemoryDocument
from ...missions.errors import NotFound
from ...missions.ids import short_id
from ...missions.wire import to_wire
from ...workspace import operations, queries
from ...workspace.workspace import Workspace
from ..opening import project_of, workspace
from ..output import Output
from ..parsing import Command, Options, Parser, takes_project, text_from
from ..shapes import at


def _takes_document(parser: Parser) -> None:
    parser.add_argument("document", metavar="DOCUMENT", help="its name, such as decisions")
    takes_project(parser)


def _list(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.memory.list_all, project_of(opened, options.project).id)
    output.table(
        ("DOCUMENT", "VERSION", "SIZE", "CHANGED"),
        [(one.name, str(one.version), str(len(one.text)), at(one.updated_at)) for one in found],
        [to_wire(one) for one in found],
        empty="The project memory is empty: `solo-unicorn memory append DOCUMENT TEXT`.",
    )


def _read(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.memory.get, project_of(opened, options.project).id, options.document)
    output.text(found.text, to_wire(found))


def _append_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("text", metavar="TEXT", help="Markdown; - reads it from standard input")
    parser.add_argument("--heading", help="add it to the section with this heading, which is created if absent")


def _append(options: Options) -> None:
    text = text_from(options.text)
    with workspace() as opened:
        found = opened.write(
            operations.memory.append,
            project_of(opened, options.project).id,
            options.document,
            text,
            heading=options.heading,
        )
    Output(options).done(f"{found.name} is at version {found.version}", to_wire(found))


def _replace_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("text", metavar="TEXT", help="Markdown; - reads it from standard input")
    parser.add_argument(
        "--if-version", type=int, metavar="N", help="only if this is still its version; 0: only if it does not exist"
    )


def _replace(options: Options) -> None:
    text = text_from(options.text)
    with workspace() as opened:
        project = project_of(opened, options.project).id
        version = options.if_version
        if version is None:
            try:
                version = opened.read(queries.memory.get, project, options.document).version
            except NotFound:
                version = 0
        found = opened.write(operations.memory.replace, project, options.document, text, version)
    Output(options).done(f"{found.name} is at version {found.version}", to_wire(found))


def _edit_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("old", metavar="OLD", help="the passage to replace, exactly as it is; it must occur once")
    parser.add_argument("new", metavar="NEW", help="the new text; - reads it from standard input")


def _edit(options: Options) -> None:
    new = text_from(options.new)
    with workspace() as opened:
        project = project_of(opened, options.project).id
        found = opened.write(operations.memory.edit, project, options.document, options.old, new)
    Output(options).done(f"{found.name} is at version {found.version}", to_wire(found))


def _delete_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("--heading", help="only the section with this heading, including the heading")
    parser.add_argument("--if-version", type=int, metavar="N", help="only if this is still its version")


def _delete(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        found = opened.write(operations.memory.delete, project, options.document, options.heading, options.if_version)
    said = (
        f"{found.name} is at version {found.version}" if found.text else f"Deleted {found.name}; its versions are kept"
    )
    Output(options).done(said, to_wire(found))


def _rename_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("to", metavar="NAME", help="the new name")


def _rename(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        found = opened.write(operations.memory.rename, project, options.document, options.to)
    Output(options).done(f"{options.document} is now {found.name}", to_wire(found))


def _move_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("heading", metavar="HEADING", help="the heading of the section to move")
    parser.add_argument("to", metavar="DOCUMENT", help="the document to move it to, which is created if absent")
    parser.add_argument(
        "--to-heading", metavar="HEADING", help="into this section of it, without the section's own heading"
    )


def _move(options: Options) -> None:
    with workspace() as opened:
        project = project_of(opened, options.project).id
        found = opened.write(
            operations.memory.move, project, options.document, options.heading, options.to, options.to_heading
        )
    Output(options).done(f"{options.heading} is now in {found.name}, version {found.version}", to_wire(found))


def _search_arguments(parser: Parser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS")
    takes_project(parser)


def _search(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        project, words = project_of(opened, options.project).id, " ".join(options.words)
        hits = opened.read(queries.memory.search, project, words)
        near = [] if hits else opened.read(queries.memory.nearest_headings, project, words)
    output.table(
        ("DOCUMENT", "SECTION", "SOURCE", "WHERE"),
        [
            (hit.ref, hit.heading, hit.source, f"{hit.excerpt} ({hit.doubt})" if hit.doubt else hit.excerpt)
            for hit in hits
        ],
        [to_wire(hit) for hit in hits],
        empty="Nothing in the project memory matches." + (f" Similar: {', '.join(near)}." if near else ""),
    )


def _history(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = _versions(opened, options)
    output.table(
        ("VERSION", "CHANGED", "BY", "SIZE", "LINES"),
        [
            (
                str(one.version),
                at(one.updated_at),
                one.updated_by.name or one.updated_by.kind,
                str(len(one.text)),
                lines,
            )
            for one, lines in zip(found, _line_changes(found), strict=True)
        ],
        [to_wire(one) for one in found],
    )


def _diff_arguments(parser: Parser) -> None:
    _takes_document(parser)
    parser.add_argument("--from", dest="old", type=int, metavar="N", help="the older version; default: the one before")
    parser.add_argument("--to", dest="new", type=int, metavar="N", help="the newer version; default: the newest")


def _diff(options: Options) -> None:
    from difflib import unified_diff

    with workspace() as opened:
        texts = {one.version: one.text for one in _versions(opened, options)}
    new = options.new if options.new is not None else max(texts)
    old = options.old if options.old is not None else new - 1
    texts[0] = ""
    for wanted in (old, new):
        if wanted not in texts:
            raise NotFound(
                f"{options.document} has no version {wanted}", todo="`solo-unicorn memory history` lists them"
            )
    lines = unified_diff(
        texts[old].splitlines(), texts[new].splitlines(), f"version {old}", f"version {new}", lineterm=""
    )
    text = "\n".join(lines)
    Output(options).text(text, {"document": options.document, "from": old, "to": new, "diff": text})


def _versions(opened: Workspace, options: Options) -> list[MemoryDocument]:
    project = project_of(opened, options.project).id
    found = opened.read(queries.memory.versions, project, options.document)
    if not found:
        opened.read(queries.memory.get, project, options.document)  # says what is wrong when there is none
    return found


def _line_changes(found: list[MemoryDocument]) -> list[str]:
    from difflib import SequenceMatcher

    told, before = [], list[str]()
    for one in found:
        now = one.text.splitlines()
        steps = SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
        added = sum(new_end - new for kind, _, _, new, new_end in steps if kind != "equal")
        removed = sum(old_end - old for kind, old, old_end, _, _ in steps if kind != "equal")
        told.append(f"+{added} -{removed}")
        before = now
    return told


def _offers(options: Options) -> None:
    output = Output(options)
    with workspace() as opened:
        found = opened.read(queries.offers.offers, project_of(opened, options.project).id)
    output.table(
        ("OFFER", "MISSION", "SINCE", "WHY", "TEXT"),
        [(str(one.event), short_id(one.mission.number), at(one.since), one.why, one.text) for one in found],
        [to_wire(one) for one in found],
        empty="There are no offers for the memory.",
    )


def _takes_offer(parser: Parser) -> None:
    parser.add_argument("offer", type=int, metavar="OFFER", help="its number, from `memory offers`")


def _take(options: Options) -> None:
    with workspace() as opened:
        found = opened.write(operations.offers.take, options.offer)
    Output(options).done(f"Kept in {found.name}, version {found.version}", to_wire(found))


def _leave(options: Options) -> None:
    with workspace() as opened:
        opened.write(operations.offers.leave, options.offer)
    Output(options).done("It will not be offered again", {"offer": options.offer})


def _mirror(options: Options) -> None:
    from ...workstation.checkout_files.memory_files import FOLDER, mirror
    from ...workstation.checkout_files.mirroring import mirrors_of

    output = Output(options)
    with workspace() as opened:
        project = project_of(opened, options.project)
        mirrors = [one for one in mirrors_of(opened) if one.project_id == project.id and one.memory]
        if not mirrors:
            raise NotFound(
                f"{project.name} does not mirror its memory",
                why="mirroring is off, or no checkout is linked",
                todo="`solo-unicorn project edit --mirror-memory on`",
            )
        done = [(one.checkout / FOLDER, mirror(opened, project.id, one.checkout)) for one in mirrors]
    output.table(
        ("FOLDER", "WRITTEN", "TAKEN", "CONFLICTS"),
        [(str(folder), str(len(one.write)), str(len(one.taken)), ", ".join(one.keep)) for folder, one in done],
        [
            {"folder": str(folder), "written": [*one.write], "taken": [*one.taken], "conflicts": [*one.keep]}
            for folder, one in done
        ],
    )


COMMANDS = {
    "list": Command(takes_project, _list),
    "read": Command(_takes_document, _read),
    "append": Command(_append_arguments, _append),
    "replace": Command(_replace_arguments, _replace),
    "edit": Command(_edit_arguments, _edit),
    "delete": Command(_delete_arguments, _delete),
    "rename": Command(_rename_arguments, _rename),
    "move": Command(_move_arguments, _move),
    "search": Command(_search_arguments, _search),
    "history": Command(_takes_document, _history),
    "diff": Command(_diff_arguments, _diff),
    "offers": Command(takes_project, _offers),
    "take": Command(_takes_offer, _take),
    "leave": Command(_takes_offer, _leave),
    "mirror": Command(takes_project, _mirror),
}
