"""Which mission a call is about, and whether this caller may touch it.

A run is bound to its mission: it writes there and nowhere else, and reads other missions of its project as board rows.
The person's own agent names the mission and may work on any that no run works on. Nobody passes a person's gate here.
"""

from __future__ import annotations

from ...missions.access import MissionAccess
from ...missions.entities import Mission, Project, Session
from ...missions.errors import InvalidValue, NotAllowed, NotFound, VersionConflict
from ...missions.ids import short_id
from ..caller import McpCaller

PROJECTS = 50
"""Projects that an error or a list names."""


def readable(access: MissionAccess, caller: McpCaller, ref: str | None) -> Mission:
    """The mission to read: the named one, else the run's own. One of a foreign project is not found."""
    if ref is None:
        own = caller.mission_id or caller.here
        if own is None:
            raise InvalidValue("mission", "`mission` is missing", todo="name it: M-42; list_missions shows them")
        return access.mission(own)
    try:
        mission = access.mission(ref)
    except NotFound as missing:
        titled = _titled(access, caller, ref)
        if titled is None:
            raise NotFound(missing.what, todo="list_missions and search_missions show what there is") from None
        mission = titled
    if caller.mission_id is not None and mission.project_id != caller.project_id:
        raise NotFound(f"No mission {ref!r}", todo="list_missions and search_missions show what there is")
    return mission


def _titled(access: MissionAccess, caller: McpCaller, ref: str) -> Mission | None:
    """The only mission whose title is so, or begins so; None where there are none or several."""
    wanted = ref.strip().casefold()
    hits = access.search(ref, caller.project_id, limit=50) if len(wanted) > 2 else ()
    found = [access.mission(hit.ref) for hit in hits if hit.kind == "mission"]
    exact = [one for one in found if one.title.casefold() == wanted]
    alike = exact or [one for one in found if one.title.casefold().startswith(wanted)]
    return alike[0] if len(alike) == 1 else None


def writable(access: MissionAccess, caller: McpCaller, ref: str | None) -> Mission:
    """The mission to change. NotAllowed for one that is not this caller's to change."""
    mission = readable(access, caller, ref)
    if caller.mission_id is not None:
        if mission.id != caller.mission_id:
            own = short_id(access.mission(caller.mission_id).number)
            raise NotAllowed(
                f"This run works on {own}, and may not change {short_id(mission.number)}",
                todo="leave it; create_mission writes down follow-up work, link_missions connects it",
            )
        live_session(access, caller, mission)
    return mission


def live_session(access: MissionAccess, caller: McpCaller, mission: Mission) -> Session | None:
    """The caller's session, still the one that holds the mission; None for the person's own agent."""
    if caller.session_id is None:
        return None
    session = access.session(caller.session_id)
    if session.phase == "ended" or mission.session_id not in (None, session.id):
        raise NotAllowed(
            f"This session no longer holds {short_id(mission.number)}",
            why="it has ended or another one took over",
            todo="stop working; nothing more is taken from this session",
        )
    return session


def not_running(caller: McpCaller, mission: Mission) -> None:
    """The person's own agent stays out of a mission that a run works on."""
    if caller.mission_id is None and mission.agent_session_status != "INACTIVE":
        raise NotAllowed(f"An agent is running on {short_id(mission.number)}", todo="wait until it has finished")


def gate_open(mission: Mission, doing: str) -> None:
    """NotAllowed while a person is asked to decide, and after the end."""
    reference = short_id(mission.number)
    if mission.review_status == "pending" or mission.list == "review":
        raise NotAllowed(
            f"{reference} waits for a person's review; {doing} is not possible now",
            todo="stop here: only a person approves or rejects",
        )
    if mission.landing_status in ("queued", "landing"):
        raise NotAllowed(f"{reference} is being landed; {doing} is not possible now", todo="wait until it has landed")
    if mission.landing_status == "pull_request":
        raise NotAllowed(
            f"{reference} waits in a pull request; {doing} is not possible now",
            todo="wait for its merge; a person moves it to Review and rejects it to have more done",
        )
    if mission.list == "done":
        raise NotAllowed(
            f"{reference} is done; {doing} is not possible any more",
            todo="create_mission writes down follow-up work; a person may reopen it on the board",
        )


def at_version(mission: Mission, expected: int | None) -> None:
    """VersionConflict when the mission changed since it was read."""
    if expected is not None and expected != mission.version:
        raise VersionConflict(
            f"{short_id(mission.number)} is at version {mission.version}, not {expected}",
            current=mission.version,
            todo="read it again with get_mission and repeat the change on the current version",
        )


def project(access: MissionAccess, caller: McpCaller, ref: str | None, *, to_change: bool = False) -> Project:
    """The project a call is about: the named one, else the caller's. A run knows only its own.

    What is read may also be the only project; what is written goes to the project of the client's directory or to the
    one that is named.
    """
    if caller.mission_id is not None:
        own = access.project(str(caller.project_id))
        if ref is not None and _named(access, ref).id != own.id:
            raise NotFound(f"No project {ref!r}", todo="leave `project` out: this run works in its own")
        return own
    if ref is not None:
        return _named(access, ref)
    if caller.project_id is not None:
        return access.project(caller.project_id)
    names = [one.slug for one in access.projects()]
    if len(names) == 1 and not to_change:
        return access.project(names[0])
    if not names:
        raise NotFound("There is no project yet", todo="a person creates one: `solo-unicorn` in a repository")
    there = ", ".join(names[:PROJECTS])
    where = ", ".join(caller.directories) or "the client names no directory"
    why = f"not exactly one project has linked the repository of this client's directory ({where})"
    raise InvalidValue("project", "`project` is missing", why=why, todo=f"name one of: {there}")


def _named(access: MissionAccess, ref: str) -> Project:
    """By id, slug or name, whatever its case, or by what only its name begins with; NotFound names those there are."""
    try:
        return access.project(ref)
    except NotFound as missing:
        wanted, there = ref.strip().casefold(), access.projects()
        exact = [one for one in there if wanted in (one.name.casefold(), one.slug.casefold())]
        alike = exact or [one for one in there if one.name.casefold().startswith(wanted)]
        if len(alike) == 1:
            return alike[0]
        names = ", ".join(one.slug for one in there[:PROJECTS]) or "none yet"
        raise NotFound(missing.what, todo=f"the projects are: {names}") from None
