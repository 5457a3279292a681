"""A mission's plan, changed task by task (domain.md, Words: the finished tasks are the first ones).

A task that is checked moves up behind the finished ones; one that is not finished after all becomes the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..entities import Mission, Task
from ..errors import NotFound
from ..ids import short_id
from ..records import record, replace


@record
class TaskChanges:
    """What becomes of single tasks, each named by its id, its title or the beginning of that."""

    add: tuple[str, ...] = ()
    """Titles; what the plan has already is not added again."""
    check: tuple[str, ...] = ()
    uncheck: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    """Those that are open, as they come next; the others follow."""


def task_ids(tasks: Sequence[Task]) -> list[str]:
    """An id for each task, which it keeps while others move: made of its title, and counted where titles are alike."""
    from hashlib import blake2b  # the board starts without it

    found: list[str] = []
    for task in tasks:
        made = f"t{blake2b(task.title.encode(), digest_size=2).hexdigest()}"
        alike = sum(one.partition("-")[0] == made for one in found)
        found.append(f"{made}-{alike + 1}" if alike else made)
    return found


def changed(mission: Mission, changes: TaskChanges) -> Mission:
    """The mission with these tasks changed. NotFound for one that the plan does not have."""
    here = [task.title for task in mission.tasks]
    new = [title for title in dict.fromkeys(one.strip() for one in changes.add) if title not in here]
    tasks = (*mission.tasks, *map(Task, new))
    ids = task_ids(tasks)
    titles = dict(zip(ids, (task.title for task in tasks), strict=True))
    done, still = ids[: mission.tasks_current], ids[mission.tasks_current :]

    def named(refs: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(_one(mission, titles, ref) for ref in refs))

    checked, opened, ordered = named(changes.check), named(changes.uncheck), named(changes.order)
    finished = [*done, *(one for one in checked if one in still)]
    finished = [one for one in finished if one not in opened]
    waiting = [*(one for one in opened if one not in still), *(one for one in still if one not in finished)]
    first = [one for one in ordered if one in waiting]
    order = (*finished, *first, *(one for one in waiting if one not in first))
    return replace(mission, tasks=tuple(Task(titles[one]) for one in order), tasks_current=len(finished))


def _one(mission: Mission, titles: dict[str, str], ref: str) -> str:
    wanted = ref.strip().casefold()
    alike = [
        [one for one in titles if one == wanted],
        [one for one, title in titles.items() if title.casefold() == wanted],
        [one for one, title in titles.items() if wanted and title.casefold().startswith(wanted)],
    ]
    found = next((some for some in alike if some), [])
    if len(found) != 1:
        there = ", ".join(f"{one} {title[:40]}" for one, title in list(titles.items())[:20]) or "none yet"
        name = short_id(mission.number)
        what = f"{len(found)} tasks of {name} begin with {ref[:60]!r}" if found else f"{name} has no task {ref[:60]!r}"
        raise NotFound(what, todo=f"name one by its id: {there}")
    return found[0]
