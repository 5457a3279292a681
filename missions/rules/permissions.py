"""What agents of a project may do without asking, must not do, or must ask for each time: rules on what they ask.

A rule names a tool and what it is used on: a command, a file (relative to the worktree when it is inside), an address.
It is letter for letter, or a pattern in which `*` stands for anything. Several may fit: a refusal wins; then what is
written letter for letter; then *ask*; then *allow*. Nothing fits: a person is asked (domain.md, Approvals).

A refusal and an *ask* hold where one name of a file fits, the one it is asked for by or, links followed, its real one;
and what they say of one tool that changes files they say of all. An *allow* is for the tool it names, and must fit
both names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args

from ..entities import JsonObject
from ..errors import InvalidValue
from ..records import record

Effect = Literal["allow", "ask", "deny"]

SUBJECT_MAX: Final = 20_000
_SUBJECTS: Final = ("command", "file_path", "filePath", "path", "notebook_path", "url")
EDITS: Final = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write"})
"""Tools that change what one file holds."""
_REMOVES: Final = frozenset({"Delete", "Move"})
_CHANGES: Final = EDITS | _REMOVES
PATHS: Final = ("file_path", "filePath", "path", "notebook_path")
_PARTS: Final = re.compile(r"[;&|\n\r`<>]|\$\(|[()]")
"""Where one command ends and another may begin."""


@record
class PermissionRule:
    """What a person decided for a whole project."""

    id: int
    project_id: str
    tool: str
    subject: str
    """What the tool is used on; empty: the tool with anything."""
    made_at: datetime
    effect: Effect = "allow"
    pattern: bool = False
    """`*` in tool and subject stands for anything; else both are meant letter for letter."""


def subject(given: JsonObject, worktree: str = "") -> str:
    """What a call is about: its command, its file (see above), its address; empty when it names none."""
    name, value = named(given)
    return _path(value, worktree) if name in PATHS else value


def named(given: JsonObject) -> tuple[str, str]:
    """The word and the value, as they stand in the call, of what it is about; both empty when it names nothing."""
    for name in _SUBJECTS:
        value = given.get(name)
        if isinstance(value, str):
            return name, value
    return "", ""


def decide(
    rules: Iterable[PermissionRule],
    tool: str,
    given: JsonObject,
    worktree: str = "",
    *,
    real: Callable[[str], str] = posixpath.normpath,
) -> Effect | None:
    """What the rules say to a call; None when no rule fits. `real` follows the links in a path (os.path.realpath)."""
    names = _names(given, worktree, real)
    is_command = isinstance(given.get("command"), str)
    fitting = [rule for rule in rules if _holds(rule, tool, names, is_command)]
    for wanted in (
        lambda rule: rule.effect == "deny",
        lambda rule: not rule.pattern,
        lambda rule: rule.effect == "ask",
        lambda rule: True,
    ):
        for rule in fitting:
            if wanted(rule):
                return rule.effect
    return None


def check(tool: str, about: str, effect: str, *, pattern: bool) -> None:
    """InvalidValue when it is not a rule, or one that would allow more than anybody can mean."""
    if effect not in get_args(Effect):
        raise InvalidValue("effect", f"{effect!r} is not a valid effect of a rule", todo="allow, ask or deny")
    if not tool.strip():
        raise InvalidValue("tool", "A rule needs a tool", todo="name it as the inbox shows it, such as Bash")
    if len(about) > SUBJECT_MAX:
        raise InvalidValue("subject", "The pattern of the rule is too long", todo="shorten it, with * for the rest")
    if pattern and effect == "allow" and not tool.strip("*") and not about.strip("*"):
        raise InvalidValue(
            "tool",
            "A rule cannot allow everything",
            todo="name a tool; to let an agent do everything without asking, set agents.<name>.skip_permissions",
        )


def _names(given: JsonObject, worktree: str, real: Callable[[str], str]) -> list[str]:
    """What the call is about; a file by the name it is asked for and by its real one, where they differ."""
    about = subject(given, worktree)
    name, path = named(given)
    if name not in PATHS or not worktree:
        return [about]
    try:
        found = _path(real(posixpath.join(worktree, path)), real(worktree))
    except ValueError:  # no file can have such a name
        return [about]
    return [about] if found == about else [about, found]


def _holds(rule: PermissionRule, tool: str, names: list[str], is_command: bool) -> bool:
    if rule.effect == "allow":
        return all(_fits(rule, tool, about, is_command) for about in names)
    tools = _CHANGES if tool in _CHANGES else {tool}
    if tool in _REMOVES and any(rule.subject.startswith(f"{about}/") for about in names):
        names = [*names, rule.subject]  # a directory goes with what is in it
    return any(_fits(rule, each, about, is_command) for each in tools for about in names)


def _fits(rule: PermissionRule, tool: str, about: str, is_command: bool) -> bool:
    if not rule.pattern:
        return rule.tool == tool and rule.subject in ("", about)
    if not fnmatchcase(tool, rule.tool):
        return False
    if not rule.subject:
        return True
    wanted = rule.subject.replace("[", "[[]")  # only * and ? are signs here
    if not is_command:
        beyond = rule.effect == "allow" and about.startswith("/") and not wanted.startswith("/")
        return not beyond and fnmatchcase(about, wanted)  # a relative pattern allows nothing outside the worktree
    if rule.effect == "allow":  # one plain command: what stands behind a ; is another
        return not _PARTS.search(about) and fnmatchcase(about, wanted)
    return any(fnmatchcase(part.strip(), wanted) for part in (about, *_PARTS.split(about)))


def _path(path: str, worktree: str) -> str:
    """Without `..` and doubled slashes; relative when it is inside the worktree."""
    if not worktree:
        return posixpath.normpath(path)
    root = posixpath.normpath(worktree)
    whole = posixpath.normpath(posixpath.join(root, path))
    return whole.removeprefix(f"{root}/") if whole.startswith(f"{root}/") else whole
