"""What a person does to missions on the board: one of them, or all that are marked in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...missions.board import Card
from ...missions.entities import LISTS
from ...missions.ids import short_id
from ...workspace import operations, queries
from ..kit.list_names import NAMES
from .live import LiveBoard
from .messages import MoveWished, Wish
from .rows.lanes import LaneBy

if TYPE_CHECKING:
    from ...workspace.change import Change
    from ...workspace.operations.bulk import Bulk
    from ...workspace.workspace import Workspace


async def fulfil(screen: LiveBoard, wish: Wish, card: Card, cards: tuple[Card, ...]) -> None:
    """Carry out a wish on a card, or on every marked card."""
    match wish:
        case "open":
            await open_mission(screen, card.id)
        case "edit":
            await edit_mission(screen, card.id)
        case "ready":
            await _switch_ready(screen, cards)
        case "delete":
            await _delete(screen, cards)
        case "raise" | "lower":
            await _shift_priority(screen, cards, 1 if wish == "raise" else -1)
        case "copy":
            await _copy(screen, card.id)
        case "move_to":
            await _choose_list(screen, cards)
        case "keys":
            await screen.app.run_action("app.help")


async def move(screen: LiveBoard, event: MoveWished) -> None:
    """Move cards."""
    cards, by = event.cards, screen.model.view.lanes

    def move(workspace: Workspace) -> Bulk:
        changes = lane_changes(workspace, cards[0].project_id, by, event.lane)
        return workspace.write(
            operations.bulk.move,
            [card.id for card in cards],
            event.to_list,
            before=event.before,
            after=event.after,
            top=event.top,
            changes=changes,
        )

    done = await screen.app.perform(move)
    if done is None:
        return
    if len(cards) > 1:
        screen.board.marking.clear()
    await screen.refresh_model()
    if len(cards) > 1 or event.to_list != cards[0].list:
        _tell(screen, done, f"to {NAMES[event.to_list]}")


async def _choose_list(screen: LiveBoard, cards: tuple[Card, ...]) -> None:
    from ..kit.sheets.choose import Choice, ChooseScreen

    counts = screen.model.summary.counts
    choices = [
        Choice(str(place), NAMES[name], f"{counts[name].total} there", name) for place, name in enumerate(LISTS, 1)
    ]
    chosen = await screen.app.push_screen_wait(ChooseScreen(f"Move {_which(cards)} to", choices, now=cards[0].list))
    to = next((name for name in LISTS if name == chosen), None)
    if to is not None:
        screen.board.post_message(MoveWished(cards, to))


async def _switch_ready(screen: LiveBoard, cards: tuple[Card, ...]) -> None:
    ready = not all(card.ready for card in cards)
    running = [card for card in cards if card.session_status != "INACTIVE"]
    if not ready and running:
        from ..kit.sheets.confirm import ConfirmScreen

        question = (
            f"An agent works on {_which(tuple(running))}. It finishes its stage; no further stage begins until you "
            "press space again. To stop the agent now, open the mission and press S."
        )
        if not await screen.app.push_screen_wait(ConfirmScreen(question, "Not ready")):
            return
    if len(cards) > 1:
        done = await screen.app.write(operations.bulk.set_ready, [card.id for card in cards], ready)
        if done is not None:
            await screen.refresh_model()
            _tell(screen, done, "ready" if ready else "not ready")
        return
    mission = await screen.app.write(operations.missions.set_ready, cards[0].id, ready)
    if mission is None:
        return
    await screen.refresh_model()
    why = await screen.app.read(queries.sessions.why_not, cards[0].id, now=screen.app.clock()) if ready else None
    if why:
        screen.app.tell(f"{short_id(mission.number)} is ready: {why}")


async def _shift_priority(screen: LiveBoard, cards: tuple[Card, ...], step: int) -> None:
    done = await screen.app.write(operations.bulk.shift_priority, [card.id for card in cards], step)
    if done is not None:
        await screen.refresh_model()
        if len(cards) > 1 or done.refused:
            _tell(screen, done, "more urgent" if step > 0 else "less urgent")


async def _delete(screen: LiveBoard, cards: tuple[Card, ...]) -> None:
    done = await screen.app.write(operations.bulk.delete, [card.id for card in cards])
    if done is not None:
        await screen.refresh_model()
        _tell(screen, done, "deleted; u brings it back" if len(cards) == 1 else "deleted; u brings them back")


def _tell(screen: LiveBoard, done: Bulk, what: str) -> None:
    who = short_id(done.done[0].number) if len(done.done) == 1 else f"{len(done.done)} missions"
    refused = f"; skipped: {'; '.join(done.refused[:3])}" if done.refused else ""
    more = f" and {len(done.refused) - 3} more" if len(done.refused) > 3 else ""
    screen.app.tell(f"{who} {what}{refused}{more}")


async def open_mission(screen: LiveBoard, mission_id: str, tab: str | None = None) -> None:
    """Go into a mission."""
    from ..mission.screen import MissionScreen

    await screen.app.push_screen_wait(MissionScreen(mission_id, tab=tab))
    await screen.refresh_model()


async def edit_mission(screen: LiveBoard, mission_id: str) -> None:
    """Change a mission in the form."""
    from ..mission.form import MissionForm

    card = screen.model.card(mission_id)
    if card is None:
        return
    if await screen.app.push_screen_wait(MissionForm(card.project_id, mission_id=mission_id)) is not None:
        await screen.refresh_model()


async def _copy(screen: LiveBoard, mission_id: str) -> None:
    """Copy something of a mission to the clipboard of the terminal."""
    from ..kit.sheets.choose import ChooseScreen
    from ..mission.copying import copies

    mission = await screen.app.read(queries.missions.get, mission_id)
    if mission is None:
        return
    text = await screen.app.push_screen_wait(ChooseScreen(f"Copy of {short_id(mission.number)}", copies(mission)))
    if text is not None:
        screen.app.copy_to_clipboard(text)
        screen.app.tell(f"Copied: {text.partition(chr(10))[0][:60]}")


async def undo(screen: LiveBoard) -> None:
    """Take back the last step; a landing is taken back once the person says so."""
    project = screen.model.summary.project
    landed = await screen.app.read(queries.undo.landing_on_top, project.id) if project is not None else None
    if landed is None:
        await _step(screen, operations.undo.undo)
    else:
        from ..mission.unlanding import undo_landing

        await undo_landing(screen.app, landed)
        await screen.refresh_model()


async def redo(screen: LiveBoard) -> None:
    """Do the undone step again."""
    await _step(screen, operations.undo.redo)


async def _step(screen: LiveBoard, operation: Callable[[Change, str], str]) -> None:
    project = screen.model.summary.project
    if project is not None and (said := await screen.app.write(operation, project.id)):
        await screen.refresh_model()
        screen.app.tell(said)


def _which(cards: tuple[Card, ...]) -> str:
    return short_id(cards[0].number) if len(cards) == 1 else f"{len(cards)} missions"


def lane_changes(workspace: Workspace, project_id: str, by: LaneBy, lane: str | None) -> Mapping[str, object]:
    """What puts a mission into a swim lane; nothing when it stays in its own."""
    if lane is None:
        return {}
    match by:
        case "priority":
            return {"priority": int(lane)}
        case "repository":
            found = [one.id for one in workspace.read(queries.projects.repositories, project_id) if one.name == lane]
            return {"project_repository_id": found[0] if found else None}
        case "actor":
            known = [one.id for one in workspace.read(queries.projects.actors, project_id) if one.name == lane]
            return {"actor_id": known[0] if known else None}
        case "agent":
            agent = next((one for one in workspace.read(queries.workstation.agents) if one.name == lane), None)
            return {"code_agent_name": agent.name if agent else None, "code_agent_type": agent.type if agent else None}
        case _:
            return {}
