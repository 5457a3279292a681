"""`solo-unicorn hub`: the server, and what its operator does to it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...missions.errors import SoloUnicornError, UsageError
from ..output import Output
from ..parsing import Command, Options, Parser

if TYPE_CHECKING:
    from pathlib import Path

    from ...hub.operating.backup import CheckedBackup
    from ...missions.entities import JsonObject

NEEDED = ("starlette", "sqlalchemy", "alembic", "orjson", "uvicorn")


def takes_hub(parser: Parser) -> None:
    """Which hub is meant."""
    parser.add_argument("--database-url", metavar="URL", help="sqlite:///file or postgresql+asyncpg://…")
    parser.add_argument("--data-dir", metavar="DIR", help="where the hub keeps its files")


def _run_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8420)")
    parser.add_argument("--public-url", metavar="URL", help="how clients reach it")
    parser.add_argument("--bus-url", metavar="URL", help="fan-out between processes: postgresql or redis://…")


def _audit_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("--limit", type=int, default=50, help="number of rows, newest first (default 50)")
    parser.add_argument("--action", default="", metavar="NAME", help="only this action: sign-in, token.create, …")
    parser.add_argument("--caller", default="", metavar="WHO", help="only rows of user:ID or organization:ID")


def check_extra() -> None:
    """SoloUnicornError where the hub is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SoloUnicornError(
            "The hub is not installed",
            why=f"{', '.join(missing)} cannot be found; the extra `hub` installs it",
            todo="in a checkout of solo-unicorn, `make install` installs it with all its extras",
        )


def _run(options: Options) -> int:
    check_extra()
    from ...hub.operator import run

    return run(said_of(options, "host", "port", "public_url", "bus_url"))


def _migrate(options: Options) -> None:
    check_extra()
    from ...hub.operator import migrate

    revision = migrate(said_of(options))
    Output(options).done(f"The database is at revision {revision}", {"revision": revision})


def _check(options: Options) -> int:
    check_extra()
    from ...hub.operator import check

    found = check(said_of(options))
    output = Output(options)
    output.table(
        ("CHECK", "STATE", "DETAIL"),
        [(name, "ok" if good else "WRONG", detail) for name, good, detail in found],
        [{"check": name, "ok": good, "detail": detail} for name, good, detail in found],
    )
    return 0 if all(good for _, good, _ in found) else 1


def _audit(options: Options) -> None:
    check_extra()
    from ...hub.operator import audit_log

    if options.limit < 1:
        raise UsageError("--limit must be 1 or more")
    rows = audit_log(said_of(options), limit=options.limit, action=options.action, caller=options.caller)
    columns = ("at", "caller", "action", "target", "outcome", "place")
    Output(options).table(
        tuple(name.upper() for name in columns),
        [[str(row[name]) for name in columns] for row in rows],
        rows,
        empty="The audit log has no such rows.",
    )


def _backup_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument(
        "directory", nargs="?", metavar="DIRECTORY", help="a new directory (default: hub-DATE-TIME here)"
    )


def _verify_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("directory", nargs="?", metavar="DIRECTORY", help="a backup (default: the hub's own data)")


def _restore_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("directory", metavar="DIRECTORY", help="a backup that `hub backup` made")


def _backup(options: Options) -> int:
    check_extra()
    from ...hub.operator import back_up

    return _checked(options, back_up(said_of(options), _place(options)), "holds")


def _verify(options: Options) -> int:
    check_extra()
    from ...hub.operator import verify

    return _checked(options, verify(said_of(options), _place(options)), "is intact:")


def _checked(options: Options, found: CheckedBackup, verb: str) -> int:
    """What a backup holds; exit code 1 when files are missing, which no other copy of it would have either."""
    told = f"{found.place} {verb} the database and {found.files} files of missions, {found.size} bytes"
    if found.missing:
        told += f"; MISSING from where the hub keeps its files: {', '.join(found.missing)}"
    data: JsonObject = {
        "place": str(found.place),
        "bytes": found.size,
        "files": found.files,
        "missing": [*found.missing],
    }
    Output(options).done(told, data, name=str(found.place))
    return 1 if found.missing else 0


def _restore(options: Options) -> None:
    check_extra()
    from pathlib import Path

    from ...hub.operator import restore

    aside, epoch, lost = restore(said_of(options), Path(options.directory))
    told = f"The hub was restored from {options.directory}; clients compare their data at their next contact"
    told += f". The previous database is kept at {aside}" if aside else ""
    output = Output(options)
    output.done(told, {"kept": str(aside) if aside else None, "epoch": epoch, "webHooksLost": lost})
    _note_lost(output, lost)


def _restored(options: Options) -> None:
    check_extra()
    from ...hub.operator import restored

    epoch, lost = restored(said_of(options))
    output = Output(options)
    told = f"Epoch {epoch} begins: clients compare their data at their next contact"
    output.done(told, {"epoch": epoch, "webHooksLost": lost})
    _note_lost(output, lost)


def _note_lost(output: Output, lost: int) -> None:
    if lost:
        output.note(
            f"The key of this hub does not open the secrets of {lost} web hooks: create them again with "
            "`solo-unicorn repo webhook`."
        )


def _keys_arguments(parser: Parser) -> None:
    takes_hub(parser)
    parser.add_argument("action", choices=("rotate", "renew", "new"))


def _keys(options: Options) -> None:
    """`rotate`: new ones; `renew`: where the key is lost; `new`: print a key for the environment."""
    check_extra()
    from ...hub import operator

    output = Output(options)
    if options.action == "new":
        from ...hub.signin.vault import new_key

        output.text(key := new_key(), {"key": key})
    elif options.action == "rotate":
        count = operator.rotate_keys(said_of(options))
        output.done(f"{count} secrets are encrypted with the new key", {"sealed": count})
    else:
        lost = operator.renew_keys(said_of(options))
        output.done("Secrets that the key could not decrypt were created again", {"webHooksLost": lost})
        _note_lost(output, lost)


def _place(options: Options) -> Path | None:
    from pathlib import Path

    return Path(options.directory) if options.directory else None


def said_of(options: Options, *names: str) -> dict[str, object]:
    """What the command line says; None where it says nothing."""
    from pathlib import Path

    said: dict[str, object] = {name: getattr(options, name) for name in ("database_url", *names)}
    if options.data_dir:
        said["data_dir"] = Path(options.data_dir)
    return said


COMMANDS = {
    "hub": Command(_run_arguments, _run),
    "migrate": Command(takes_hub, _migrate),
    "check": Command(takes_hub, _check),
    "backup": Command(_backup_arguments, _backup),
    "verify": Command(_verify_arguments, _verify),
    "restore": Command(_restore_arguments, _restore),
    "restored": Command(takes_hub, _restored),
    "keys": Command(_keys_arguments, _keys),
    "audit": Command(_audit_arguments, _audit),
}
