"""Taking a landing back, from the board and from the mission room."""

from __future__ import annotations

from ...missions.errors import SoloUnicornError
from ...missions.ids import short_id
from ...missions.rules.landing import check_undoable
from ...workspace import queries
from ..kit.application import Application
from ..kit.commands import as_object
from ..kit.sheets.confirm import ConfirmScreen


async def undo_landing(app: Application, mission_id: str) -> bool:
    """Ask, then take the mission's work off its target branch; says what was done, or why it cannot be."""
    mission = await app.read(queries.missions.get, mission_id)
    if mission is None:
        return False
    try:
        commit = check_undoable(mission)
        name, target = short_id(mission.number), mission.target_branch or "its target branch"
        question = (
            f"Undo the landing of {name}? {target} goes back to where it was before {commit[:10]}. "
            f"The work stays on the branch of {name}, and {name} waits in Review again."
        )
        if not await app.push_screen_wait(ConfirmScreen(question, "Undo the landing")):
            return False
        said = as_object(await app.commands.ask("mission", "undo-landing", mission.id))
    except SoloUnicornError as error:
        app.complain(error)
        return False
    app.tell(str(said.get("undone", f"The landing of {name} is undone")))
    return True
