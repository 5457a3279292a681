"""What each field of a mission may hold: one check per field, for creating and editing alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from .entities import FlowConfig, LoopSchedule, MergeStrategy, PrMode, Task
from .errors import InvalidValue
from .limits import TASKS_MAX, TEXT_MAX, TITLE_MAX
from .texts.printing import is_printable
from .wire import from_wire, wire_name

NAME_MAX = 100
BUDGET_MAX = 1_000_000
FOLDER_BYTES = 240
"""Of one part of a branch name: git keeps it as a file, and a longer one beside it while it writes."""

Check = Callable[[str, Any], object]
"""From the wire name and the wished value to the value that is kept; raises InvalidValue."""


def checked(field: str, value: object) -> object:
    """The value that a field (snake_case) keeps when this one is wished; raises InvalidValue naming it."""
    return CHECKS[field](wire_name(field), value)


def _title(field: str, value: Any) -> str:
    text = " ".join(_unicode(field, value).split())
    if not text:
        raise InvalidValue(field, "A mission needs a title", todo="write at least one character")
    if len(text) > TITLE_MAX:
        raise InvalidValue(
            field,
            f"The {field} has {len(text)} characters",
            why=f"the limit is {TITLE_MAX}",
            todo="shorten it, and put the rest into the description",
        )
    if not is_printable(text):
        raise InvalidValue(field, f"The {field} has control characters", todo="remove them")
    return text


def _text(field: str, value: Any) -> str | None:
    """Long text, as written; blank is None."""
    if value is None:
        return None
    text = _unicode(field, value)
    if len(text) > TEXT_MAX:
        raise InvalidValue(field, f"{field} has {len(text)} characters", why=f"the limit is {TEXT_MAX}")
    return text if text.strip() else None


def _unicode(field: str, value: Any) -> str:
    """Text that can be stored: no half characters and no NUL."""
    if not isinstance(value, str):
        raise InvalidValue(field, f"{field} is not text but {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue(field, f"{field} is not valid Unicode text") from None
    if "\0" in value:
        raise InvalidValue(field, f"{field} has a NUL character", todo="remove it")
    return value


def _name(field: str, value: Any) -> str | None:
    """An id or a short name; blank is None."""
    if value is None:
        return None
    text = _unicode(field, value).strip()
    if len(text) > NAME_MAX or not is_printable(text):
        raise InvalidValue(
            field, f"{text[:NAME_MAX]!r} is not a name", why=f"{field} has at most {NAME_MAX} characters"
        )
    return text or None


def _priority(field: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 5:
        raise InvalidValue(field, f"{value!r} is not a valid priority", todo="use 1 to 5; 5 is the highest")
    return value


def _flag(field: str, value: Any) -> bool:
    if type(value) is not bool:
        raise InvalidValue(field, f"{field} is either true or false, not {value!r}")
    return value


def _count(field: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise InvalidValue(field, f"{field} is a count, not {value!r}")
    return value


def _one_of(choices: tuple[str, ...]) -> Check:
    def check(field: str, value: Any) -> str:
        if value not in choices:
            raise InvalidValue(field, f"{value!r} is not a valid {field}", todo=f"use one of {', '.join(choices)}")
        return str(value)

    return check


_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")


def checked_word(field: str, value: Any) -> str:
    """A short word that is handed to an agent; empty means none."""
    text = _name(field, value) or ""
    if text.startswith("-"):
        raise InvalidValue(field, f"{text!r} is not a valid {field}", why="it would be read as an option")
    return text


def _dollars(field: str, value: Any) -> float | None:
    """An amount in US dollars; 0 means none of its own."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= BUDGET_MAX:
        why = f"it is an amount in US dollars, from 0 to {BUDGET_MAX:,}"
        raise InvalidValue(field, f"{value!r} is not a valid {field}", why=why)
    return float(value) or None


def _branch(field: str, value: Any) -> str:
    """A branch name by the rules of `git check-ref-format --branch`; empty means none yet."""
    text = "" if value is None else _unicode(field, value).strip()
    bad = _NO_BRANCH.search(text) or text.startswith(("-", "/", ".")) or text.endswith(("/", ".")) or text == "@"
    too_long = len(text) > 200 or any(len(part.encode()) > FOLDER_BYTES for part in text.split("/"))
    if bad or too_long:
        why = "it is too long for the name of a file" if too_long else "git refuses it"
        raise InvalidValue(field, f"{text[:200]!r} is not a valid branch name", why=why)
    return text


def _own_branch(field: str, value: Any) -> str:
    """The name of a branch that is to be made."""
    text = _branch(field, value)
    if text == "HEAD":
        raise InvalidValue(field, "'HEAD' is not a valid branch name", why="git refuses it")
    return text


def _flow_config(field: str, value: Any) -> FlowConfig | None:
    match value:
        case None:
            return None
        case FlowConfig():
            return value if value.stages else None
        case _:
            return _flow_config(field, _part(FlowConfig, field, value))


def _loop_schedule(field: str, value: Any) -> LoopSchedule | None:
    match value:
        case None:
            return None
        case LoopSchedule():
            schedule = value
        case _:
            schedule = _part(LoopSchedule, field, value)
    for name, limit in (("maxPerDay", schedule.max_per_day), ("maxPerHour", schedule.max_per_hour)):
        if limit is not None and (type(limit) is not int or limit < 1):
            raise InvalidValue(
                f"{field}.{name}", f"{limit!r} is not a valid number of runs", todo="use 1 or more, or none at all"
            )
    return None if schedule == LoopSchedule() else schedule


def _part(cls: type[Any], field: str, value: Any) -> Any:
    """A part of a mission given as JSON."""
    try:
        return from_wire(cls, value)
    except InvalidValue as error:
        where = f"{field}.{error.field}" if error.field else field
        raise InvalidValue(where, f"{field}: {error.what}", why=error.why, todo=error.todo) from None


def _tasks(field: str, value: Any) -> tuple[Task, ...]:
    """Tasks given as such, as titles or as JSON."""
    if value is None:
        return ()
    if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
        raise InvalidValue(field, f"{field} is a list of titles, not {type(value).__name__}")
    found = []
    for place, one in enumerate(value):
        match one:
            case Task(title=title) | {"title": title}:
                pass
            case _:
                title = one
        found.append(Task(_title(f"{field}[{place}].title", title)))
    if len(found) > TASKS_MAX:
        raise InvalidValue(field, f"{len(found)} tasks are too many", why=f"the limit is {TASKS_MAX}")
    return tuple(found)


CHECKS: dict[str, Check] = {
    "title": _title,
    "description": _text,
    "spec": _text,
    "solution": _text,
    "priority": _priority,
    "stage": _name,
    "flow_id": _name,
    "flow_config": _flow_config,
    "project_repository_id": _name,
    "target_branch": _branch,
    "work_branch": _own_branch,
    "start_from": _branch,
    "landing_message": _text,
    "actor_id": _name,
    "pr_mode": _one_of(get_args(PrMode)),
    "pr_merge_strategy": _one_of(get_args(MergeStrategy)),
    "is_loop": _flag,
    "loop_schedule": _loop_schedule,
    "ready": _flag,
    "code_agent_type": _name,
    "code_agent_name": _name,
    "agent_model": checked_word,
    "agent_effort": checked_word,
    "agent_budget": _dollars,
    "tasks": _tasks,
    "tasks_current": _count,
}
"""Every field that a person or an agent may set, by its name in Python."""
