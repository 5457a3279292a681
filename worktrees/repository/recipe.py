"""`.solo-unicorn.toml`: what a repository wants done in its worktrees and before a landing.

[worktree]
setup = "npm ci"              # run once in a new or reused worktree
run = "npm run dev"           # what a person starts to try it out
teardown = "docker compose down"
setup_timeout = 600           # seconds
teardown_timeout = 60

[landing]
check = "npm test"            # must pass before a mission lands
check_timeout = 1800
message = "feat: {title}"     # of the commit that lands; may name {title}, {mission}, {branch} and {type}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...missions.errors import InvalidValue
from ...system import strict_toml
from ..git import Git, decode

RECIPE_FILE = ".solo-unicorn.toml"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The scripts of a repository; empty ones are not run. Times are seconds."""

    setup: str = ""
    run: str = ""
    teardown: str = ""
    setup_timeout: float = 600.0
    teardown_timeout: float = 60.0
    check: str = ""
    check_timeout: float = 1800.0
    message: str = ""


_KEYS: dict[str, tuple[str, ...]] = {
    "worktree": ("setup", "run", "teardown", "setup_timeout", "teardown_timeout"),
    "landing": ("check", "check_timeout", "message"),
}


def recipe_at(checkout: Path, commit: str, folder: str = "") -> Recipe:
    """The recipe as committed at `commit`, else the untracked file of the person's checkout, else an empty one; that of
    the repository's `folder` before that of its top.

    Read from the base and not from the mission's branch: an agent does not choose the check its work must pass.
    """
    git = Git(checkout)
    names = [f"{folder}/{RECIPE_FILE}", RECIPE_FILE] if folder else [RECIPE_FILE]
    for name in names:
        committed = git.blob(commit, name)
        if committed is not None:
            return parse_recipe(decode(committed), f"{name} at {commit[:10]}")
    for name in names:
        path = checkout / name
        if path.is_file() and git.maybe("ls-files", "--error-unmatch", "--", name) is None:
            return parse_recipe(path.read_text(encoding="utf-8", errors="replace"), str(path))
    return Recipe()


def parse_recipe(text: str, where: str) -> Recipe:
    """Read the file; InvalidValue names the file and the key that is wrong."""
    try:
        tables = strict_toml.loads(text)
    except strict_toml.Unfit as error:
        raise InvalidValue(
            RECIPE_FILE, f"{where} is not valid TOML", why=str(error), todo="correct the file and try again"
        ) from error
    values: dict[str, str | float] = {}
    for table, content in tables.items():
        if table not in _KEYS or not isinstance(content, dict):
            raise _wrong(where, table, f"known tables are {', '.join(f'[{name}]' for name in _KEYS)}")
        for key, value in content.items():
            values[key] = _checked(where, table, key, value)
    return Recipe(**values)  # type: ignore[arg-type]


def _checked(where: str, table: str, key: str, value: object) -> str | float:
    """One value of the right type."""
    if key not in _KEYS[table]:
        raise _wrong(where, f"{table}.{key}", f"known keys are {', '.join(_KEYS[table])}")
    if key.endswith("_timeout"):
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise _wrong(where, f"{table}.{key}", "it is a number of seconds above 0")
        return float(value)
    if not isinstance(value, str):
        raise _wrong(where, f"{table}.{key}", "it is text")
    return value


def _wrong(where: str, key: str, why: str) -> InvalidValue:
    return InvalidValue(key, f"{key} in {where} is not valid", why=why, todo="correct the file and try again")
