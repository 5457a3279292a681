"""`workspace backup|restore|verify|identity`: copies of everything that is on the board, and which of them is which."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...config import paths
from ...missions.errors import TryAgain
from ...workspace import operations
from ...workspace.integrity.identity import INSTANCE
from ..output import Output
from ..parsing import Command, Options, Parser

if TYPE_CHECKING:
    from ...missions.entities import JsonObject
    from ...workspace.integrity.backup import Checked


def _backup_arguments(parser: Parser) -> None:
    parser.add_argument(
        "directory", nargs="?", metavar="DIR", help="a new directory; default: in `backups` of the home"
    )


def _backup(options: Options) -> None:
    from ...workspace.integrity import backup

    output = Output(options)
    default = paths.home() / "backups" / time.strftime("workspace-%Y%m%d-%H%M%S")
    with output.progress("copying the workspace"):
        made = backup.back_up(paths.home(), Path(options.directory or default))
    _told(output, "Backed up and checked", made)


def _restore_arguments(parser: Parser) -> None:
    parser.add_argument("directory", metavar="DIR", help="a backup made by `workspace backup`")


def _restore(options: Options) -> None:
    from ...workspace.integrity import backup

    output = Output(options)
    with output.progress("restoring the backup"):
        aside = backup.restore(paths.made_home(), Path(options.directory), lock=paths.service_lock())
    kept = f"; the previous workspace is kept in {aside}" if aside else ""
    output.done(f"The workspace was restored from {options.directory}{kept}", {"before": str(aside) if aside else None})


def _verify_arguments(parser: Parser) -> None:
    parser.add_argument("directory", nargs="?", metavar="DIR", help="a backup; default: the workspace itself")


def _verify(options: Options) -> None:
    from ...workspace.integrity import backup

    output = Output(options)
    with output.progress("reading everything"):
        if options.directory:
            checked = backup.verify(Path(options.directory))
        else:
            backup.check_database(paths.workspace_db())
            checked = backup.Checked(paths.workspace_db(), paths.workspace_db().stat().st_size, 0)
    _told(output, "Whole", checked)


def _identity_arguments(parser: Parser) -> None:
    parser.add_argument("--new", action="store_true", help="make a copied home a separate workspace")


def _identity(options: Options) -> None:
    from ...system.locks import is_held
    from ...workspace.workspace import Workspace

    output = Output(options)
    with Workspace.open() as opened:
        original = opened.original
        if options.new:
            if is_held(paths.service_lock()):
                raise TryAgain("The workstation service runs", todo="`solo-unicorn workstation stop` first")
            own = operations.identity.make_own(opened)
            told: JsonObject = {"identity": own, "path": str(opened.path), "copy_of": None}
            output.done(f"{opened.path} now has its own identity: {own}", told, name=own)
            return
        known = opened.meta(INSTANCE) or ""
        copied = f", a copy of {original}: `--new` makes it a separate one" if original else ""
        told = {"identity": known, "path": str(opened.path), "copy_of": str(original) if original else None}
        output.done(f"{opened.path} is {known}{copied}", told, name=known)


def _told(output: Output, what: str, found: Checked) -> None:
    told: JsonObject = {"place": str(found.place), "size": found.size, "files": found.files}
    output.done(f"{what}: {found.place} ({found.size // 1024} KB)", told, name=str(found.place))


COMMANDS = {
    "backup": Command(_backup_arguments, _backup),
    "restore": Command(_restore_arguments, _restore),
    "verify": Command(_verify_arguments, _verify),
    "identity": Command(_identity_arguments, _identity),
}
