"""Which mission may run now, why another may not, and in what order (domain.md, Eligible, and in what order)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from ..entities import HoldKind, ListName, Mission, Project, ProjectRepository
from ..limits import STARTS_AN_HOUR
from ..naming import choices
from ..records import record
from ..waits import is_over
from .loops import next_run
from .pull_requests import waits_for

SPARE_WORKTREES = 3
"""Worktrees a repository may have beyond its missions at once (domain.md, Worktrees)."""
REHEARSAL = "rehearsal"
"""The agent type without a model: never a stand-in for a real agent that is busy."""


@record
class AgentState:
    """A code agent of the workstation, as far as dispatch is concerned."""

    type: str
    name: str
    enabled: bool = True
    signed_in: bool = True
    hold: HoldKind | None = None
    """What its last run met; then one mission tries whether it works again."""
    limited_until: datetime | None = None
    """When the hold ends."""
    slots_free: int = 1
    installed: bool = True


@record
class Blocker:
    """An unresolved blocker; `list` None when it is missing, deleted or not visible."""

    ref: str
    title: str = ""
    list: ListName | None = None


@record
class WorkstationLimits:
    """What one machine may do at once and spend; budgets in USD, 0 is none."""

    slots: int | None = None
    """Sessions at once, over all agents; None when nobody told."""
    mission_budget: float = 0.0
    day_budget: float = 0.0
    pressure: str = ""
    """What the machine is short of, to stand behind `this machine`; empty while it has enough."""


@record
class Facts:
    """What is true around one mission at one time."""

    project: Project
    now: datetime
    repository: ProjectRepository | None = None
    repository_names: tuple[str, ...] = ()
    """Of the project, for a mission that has none of them."""
    repository_running: int = 0
    """Missions that run on the repository, this one not counted."""
    worktrees_taken: int = 0
    """Worktrees of the repository that other missions hold or are about to get."""
    has_worktree: bool = False
    """The mission has its own already, from an earlier session."""
    doing_count: int = 0
    """Missions of the project in doing, this one not counted."""
    blockers: tuple[Blocker, ...] = ()
    agents: tuple[AgentState, ...] = ()
    """In the order of preference."""
    loop_runs: tuple[datetime, ...] = ()
    starts: tuple[datetime, ...] = ()
    """Of the last hour at this stage (of a loop mission: in this run), since a person's last word; oldest first."""
    workstation_paused: bool = False
    limits: WorkstationLimits = WorkstationLimits()
    workstation_running: int = 0
    mission_cost: float = 0.0
    """What the sessions of the mission cost so far, in USD; likewise those of the day."""
    day_cost: float = 0.0


def why_not(mission: Mission, facts: Facts) -> str | None:
    """Why the mission is not running, naming the first rule that fails; None when it may start.

    The sentence has no subject, so that it stands on a card as well as behind a name: `blocked by M-9 Design (todo)`.
    """
    return next((reason for rule in _RULES if (reason := rule(mission, facts)) is not None), None)


def pick_agent(mission: Mission, agents: Sequence[AgentState], now: datetime) -> AgentState | None:
    """The agent that takes the mission: one of the wanted type (or any) that can start now, the first such.

    A conversation that is to go on stays with the agent that holds it. None when there is no agent.
    """
    usable = (agent for agent in _wanted(mission, agents) if _held_back(agent, now) is None)
    return next(usable, None)


def dispatch_key(mission: Mission) -> tuple[int, int, float, datetime, str]:
    """Sorts missions into the order of dispatch: priority, then doing before todo before loop, then their place."""
    rank = _LIST_RANK.get(mission.list, len(_LIST_RANK))
    return (-mission.priority, rank, mission.list_order, mission.created_at, mission.id)


_LIST_RANK = {"doing": 0, "todo": 1, "loop": 2}

# ---- the rules, in the order of domain.md; each gives its reason or None ------------------------------------------


def _list(mission: Mission, facts: Facts) -> str | None:
    if mission.deleted_at is not None:
        return "deleted"
    match mission.list:
        case "review" if mission.review_status == "pending":
            return "waits for your review"
        case "review":
            return "is in Review; move it to Todo or Doing"
        case "done":
            return "done"
    return None


def _ready(mission: Mission, facts: Facts) -> str | None:
    if mission.ready:
        return None
    return f"needs you: {mission.attention}" if mission.attention else "not marked ready"


def _session(mission: Mission, facts: Facts) -> str | None:
    match mission.agent_session_status:
        case "ACTIVE":
            return "running now"
        case "PUSHING":
            return "being prepared to run"
    return None


def _blockers(mission: Mission, facts: Facts) -> str | None:
    blockers = [blocker for blocker in facts.blockers if blocker.list != "done"]
    if not blockers:
        return None
    first, *rest = blockers
    named = f"{first.ref} {first.title} ({first.list})" if first.list else f"{first.ref}, which is missing or deleted"
    more = f" and {len(rest)} more" if rest else ""
    return f"blocked by {' '.join(named.split())}{more}"


def _people(mission: Mission, facts: Facts) -> str | None:
    """The gates: a pending review, an open question, a landing that is under way."""
    if mission.review_status == "pending":
        return "waits for your review"
    if mission.question is not None:
        return f"waits for your answer: {mission.question}"
    match mission.landing_status:
        case "queued":
            return "finished, waiting to be landed"
        case "landing":
            return "being landed"
        case "pull_request":
            return waits_for(mission)
    return None


def _project(mission: Mission, facts: Facts) -> str | None:
    project = facts.project
    if project.status != "active":
        return f"belongs to {project.name}, which is {project.status}"
    if project.paused:
        return f"waits because the project {project.name} is paused"
    return "waits because this workstation is paused" if facts.workstation_paused else None


def _repository(mission: Mission, facts: Facts) -> str | None:
    repository = facts.repository
    if repository is None:
        gone = "its own was removed; " if mission.project_repository_id is not None else ""
        names = facts.repository_names
        return f"No repository: {gone}{choices(names) or '`solo-unicorn repo add` links one'}"
    if repository.status != "active":
        return f"works in {repository.name}, which is {_STATUS[repository.status]}"
    limit = repository.max_concurrent_missions
    if limit and facts.repository_running >= limit:
        return f"waits for its turn on {repository.name} ({facts.repository_running} of {limit} running)"
    room = limit + SPARE_WORKTREES
    if limit and not facts.has_worktree and facts.worktrees_taken >= room:
        return f"waits for a free worktree of {repository.name} ({room} hold work that runs, waits for you or lands)"
    return None


_STATUS = {"inactive": "turned off", "error": "not usable: check it with `solo-unicorn repo list`"}


def _work_in_progress(mission: Mission, facts: Facts) -> str | None:
    limit = facts.project.wip_limits.get("doing")
    if mission.list == "doing" or limit is None or facts.doing_count < limit:
        return None
    return f"waits because Doing is full ({facts.doing_count} of {limit})"


def _machine(mission: Mission, facts: Facts) -> str | None:
    slots = facts.limits.slots
    if slots is None or facts.workstation_running < slots:
        return None
    return f"waits for a free slot of this machine ({facts.workstation_running} of {slots} running)"


def _pressure(mission: Mission, facts: Facts) -> str | None:
    return f"waits because this machine {facts.limits.pressure}" if facts.limits.pressure else None


def _budget(mission: Mission, facts: Facts) -> str | None:
    most = mission.agent_budget or facts.limits.mission_budget
    if 0 < most <= facts.mission_cost:
        return f"used up its budget (${facts.mission_cost:.2f} of ${most:.2f})"
    if 0 < facts.limits.day_budget <= facts.day_cost:
        return f"waits for tomorrow: today's budget is used (${facts.day_cost:.2f} of ${facts.limits.day_budget:.2f})"
    return None


def _agent(mission: Mission, facts: Facts) -> str | None:
    if pick_agent(mission, facts.agents, facts.now) is not None:
        return None
    wanted = list(_wanted(mission, facts.agents))
    if not facts.agents:
        return "waits for the first scan for code agents"
    if not wanted:
        return f"wants {mission.code_agent_name or mission.code_agent_type}, which this workstation does not have"
    # of several agents, the one that is nearest to being able to start is named
    return max((held for agent in wanted if (held := _held_back(agent, facts.now))), key=lambda held: held[0])[1]


def _loop(mission: Mission, facts: Facts) -> str | None:
    if not mission.is_loop or mission.list == "doing":
        return None  # in doing, a run has begun and goes on
    again = next_run(mission.loop_schedule, facts.loop_runs, facts.now)
    return None if again <= facts.now else f"runs again in {span(again - facts.now)}"


def _starts(mission: Mission, facts: Facts) -> str | None:
    """Whatever made it start again and again."""
    again = starts_again_at(facts.starts)
    if again is None or again <= facts.now:
        return None
    times = len(facts.starts)
    return f"started {times} times within an hour: tried again in {span(again - facts.now)}, or when you mark it ready"


def starts_again_at(starts: Sequence[datetime]) -> datetime | None:
    """When a mission with these starts within an hour may be started again; None: now."""
    return starts[-STARTS_AN_HOUR] + timedelta(hours=1) if len(starts) >= STARTS_AN_HOUR else None


def _backing_off(mission: Mission, facts: Facts) -> str | None:
    if mission.retry_at is None or is_over(mission.agent_session_status_changed_at, mission.retry_at, facts.now):
        return None
    wait = span(mission.retry_at - facts.now)
    if mission.attempts:
        return f"tried again in {wait}, after {mission.attempts} failed {_plural('attempt', mission.attempts)}"
    return f"parked until its agent's limit resets in {wait}"


_RULES: tuple[Callable[[Mission, Facts], str | None], ...] = (
    _list,
    _ready,
    _session,
    _blockers,
    _people,
    _project,
    _repository,
    _work_in_progress,
    _machine,
    _pressure,
    _budget,
    _agent,
    _loop,
    _starts,
    _backing_off,
)

# ---- agents ------------------------------------------------------------------------------------------------------


def _wanted(mission: Mission, agents: Sequence[AgentState]) -> Iterator[AgentState]:
    """The agents the mission may be given to, in order, whatever their state."""
    keeper = mission.last_code_agent_name if mission.last_code_agent_session_id else None
    if keeper is not None and any(agent.name == keeper and agent.enabled and agent.installed for agent in agents):
        yield from (agent for agent in agents if agent.name == keeper)
        return
    named = mission.code_agent_type or mission.code_agent_name
    real = any(agent.type != REHEARSAL and agent.enabled and agent.installed for agent in agents)
    for agent in agents:
        fits_type = mission.code_agent_type in (None, agent.type)
        fits_name = mission.code_agent_name in (None, agent.name)
        stands_in = not named and real and agent.type == REHEARSAL
        if fits_type and fits_name and not stands_in:
            yield agent


def _held_back(agent: AgentState, now: datetime) -> tuple[int, str] | None:
    """(how many rules it fulfils, the reason) for an agent that cannot start; None when it can."""
    if not agent.installed:
        return 0, f"wants {agent.name}, which is not installed or does not work"
    if not agent.enabled:
        return 1, f"wants {agent.name}, which is turned off"
    if not agent.signed_in:
        return 2, f"wants {agent.name}, which is signed out"
    if agent.limited_until is not None and agent.limited_until > now:
        return 3, _HOLDS[agent.hold or "limit"].format(name=agent.name, wait=span(agent.limited_until - now))
    if agent.hold is not None and agent.slots_free <= 0:
        return 4, f"waits while another mission checks whether {agent.name} works again"
    if agent.slots_free <= 0:
        return 4, f"waits for a free {agent.name} slot"
    return None


_HOLDS: dict[HoldKind, str] = {
    "limit": "waits for the limit of {name} to reset in {wait}",
    "requests": "waits because {name} made too many requests; tried again in {wait}",
    "service": "waits because the service of {name} does not answer; tried again in {wait}",
    "credit": "waits because the account of {name} has no credit; tried again in {wait}",
    "sign_in": "waits until {name} is signed in again",
}


def span(duration: timedelta) -> str:
    """A time to wait in words, rounded up to what matters: `20 s`, `5 min`, `9 h 12 min`, `3 d 4 h`."""
    seconds = max(1, -int(-duration.total_seconds() // 1))
    if seconds < 60:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"
