"""What a person does to missions on the board: one of them, or all that are marked in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import on, work

from ...missions.board import Card
from ...missions.entities import LISTS
from ...missions.ids import short_id
from ..kit.keys import binding
from ..kit.list_names import NAMES
from ..kit.operations import Workspace
from .looks import BoardLooks
from .messages import MoveWished, NewWished, Wished
from .rows.lanes import LaneBy

if TYPE_CHECKING:
    from ...workspace.bulk import Bulk


class BoardWork(BoardLooks):
    """Wishes of the board, carried out."""

    BINDINGS = [  # noqa: RUF012
        binding("board.undo", "u", "undo", "undo", "Take back what you did last on this board"),
        binding("board.redo", "ctrl+r", "redo", "redo", "Do again what was undone", show=False),
    ]

    @on(Wished)
    def _wished(self, event: Wished) -> None:
        card, cards = event.card, event.cards or (event.card,)
        match event.wish:
            case "open":
                self.open_mission(card.id)
            case "edit":
                self.edit_mission(card.id)
            case "ready":
                self._switch_ready(cards)
            case "delete":
                self._delete(cards)
            case "raise" | "lower":
                self._shift_priority(cards, 1 if event.wish == "raise" else -1)
            case "copy":
                self.copy_of(card.id)
            case "move_to":
                self._choose_list(cards)
            case "keys":
                self.app.call_later(self.app.run_action, "app.help")

    @on(NewWished)
    @work
    async def _new(self, event: NewWished) -> None:
        if self.model.summary.project is None:
            await self.welcome()
            return
        from ..mission.form import MissionForm

        made = await self.app.push_screen_wait(MissionForm(self.model.summary.project.id, in_list=event.in_list))
        if made is not None:
            await self.refresh_model()
            self.board.select(made)

    async def welcome(self) -> None:
        """The first steps, where there is no project."""
        from ..welcome.screen import WelcomeScreen

        opened = await self.app.push_screen_wait(WelcomeScreen(self.app.directory))
        if opened is not None:
            await self.open_project(opened)

    # -- one or several ------------------------------------------------------------------------------------------

    @on(MoveWished)
    @work(group="writes")
    async def _move(self, event: MoveWished) -> None:
        cards, by = event.cards, self.model.view.lanes

        def move(workspace: Workspace) -> Bulk:
            changes = lane_changes(workspace, cards[0].project_id, by, event.lane)
            return workspace.move_missions(
                [card.id for card in cards],
                event.to_list,
                before=event.before,
                after=event.after,
                top=event.top,
                changes=changes,
            )

        done = await self.app.perform(move)
        if done is None:
            return
        if len(cards) > 1:
            self.board.marking.clear()
        await self.refresh_model()
        if len(cards) > 1 or event.to_list != cards[0].list:
            self._told(done, f"to {NAMES[event.to_list]}")

    @work(group="writes")
    async def _choose_list(self, cards: tuple[Card, ...]) -> None:
        from ..kit.sheets.choose import Choice, ChooseScreen

        counts = self.model.summary.counts
        choices = [
            Choice(str(place), NAMES[name], f"{counts[name].total} there", name) for place, name in enumerate(LISTS, 1)
        ]
        chosen = await self.app.push_screen_wait(ChooseScreen(f"Move {_which(cards)} to", choices, now=cards[0].list))
        to = next((name for name in LISTS if name == chosen), None)
        if to is not None:
            self.board.post_message(MoveWished(cards, to))

    @work(group="writes")
    async def _switch_ready(self, cards: tuple[Card, ...]) -> None:
        ready = not all(card.ready for card in cards)
        if len(cards) > 1:
            done = await self.app.perform(Workspace.set_ready_many, [card.id for card in cards], ready)
            if done is not None:
                await self.refresh_model()
                self._told(done, "ready" if ready else "not ready")
            return
        mission = await self.app.perform(Workspace.set_ready, cards[0].id, ready)
        if mission is None:
            return
        await self.refresh_model()
        why = await self.app.perform(Workspace.why_not, cards[0].id) if ready else None
        if why:
            self.app.tell(f"{short_id(mission.number)} is ready; it waits: {why}")

    @work(group="writes")
    async def _shift_priority(self, cards: tuple[Card, ...], step: int) -> None:
        done = await self.app.perform(Workspace.shift_priority, [card.id for card in cards], step)
        if done is not None:
            await self.refresh_model()
            if len(cards) > 1 or done.refused:
                self._told(done, "more urgent" if step > 0 else "less urgent")

    @work(group="writes")
    async def _delete(self, cards: tuple[Card, ...]) -> None:
        done = await self.app.perform(Workspace.delete_missions, [card.id for card in cards])
        if done is not None:
            await self.refresh_model()
            self._told(done, "deleted; u brings it back" if len(cards) == 1 else "deleted; u brings them back")

    def _told(self, done: Bulk, what: str) -> None:
        who = short_id(done.done[0].number) if len(done.done) == 1 else f"{len(done.done)} missions"
        refused = f". Not so: {'; '.join(done.refused[:3])}" if done.refused else ""
        more = f" and {len(done.refused) - 3} more" if len(done.refused) > 3 else ""
        self.app.tell(f"{who} {what}{refused}{more}")

    # -- one mission ---------------------------------------------------------------------------------------------

    @work
    async def open_mission(self, mission_id: str, tab: str | None = None) -> None:
        """Go into a mission."""
        from ..mission.screen import MissionScreen

        await self.app.push_screen_wait(MissionScreen(mission_id, tab=tab))
        await self.refresh_model()

    @work
    async def edit_mission(self, mission_id: str) -> None:
        """Change a mission in the form."""
        from ..mission.form import MissionForm

        card = self.model.card(mission_id)
        if card is None:
            return
        if await self.app.push_screen_wait(MissionForm(card.project_id, mission_id=mission_id)) is not None:
            await self.refresh_model()

    @work
    async def copy_of(self, mission_id: str) -> None:
        """Copy something of a mission to the clipboard of the terminal."""
        from ..kit.sheets.choose import ChooseScreen
        from ..mission.copying import copies

        mission = await self.app.perform(Workspace.mission, mission_id)
        if mission is None:
            return
        text = await self.app.push_screen_wait(ChooseScreen(f"Copy of {short_id(mission.number)}", copies(mission)))
        if text is not None:
            self.app.copy_to_clipboard(text)
            self.app.tell(f"Copied: {text.partition(chr(10))[0][:60]}")

    # -- undo ----------------------------------------------------------------------------------------------------

    @work(group="writes")
    async def action_undo(self) -> None:
        """Take back the last step."""
        await self._step(Workspace.undo)

    @work(group="writes")
    async def action_redo(self) -> None:
        """Do the undone step again."""
        await self._step(Workspace.redo)

    async def _step(self, operation: Callable[[Workspace, str], str]) -> None:
        project = self.model.summary.project
        if project is not None and (said := await self.app.perform(operation, project.id)):
            await self.refresh_model()
            self.app.tell(said)


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
            found = [one.id for one in workspace.repositories(project_id) if one.name == lane]
            return {"project_repository_id": found[0] if found else None}
        case "actor":
            known = [one.id for one in workspace.actors(project_id) if one.name == lane]
            return {"actor_id": known[0] if known else None}
        case "agent":
            agent = next((one for one in workspace.agents() if one.name == lane), None)
            return {"code_agent_name": agent.name if agent else None, "code_agent_type": agent.type if agent else None}
        case _:
            return {}
