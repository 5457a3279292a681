"""What the board shows, read from the workspace on its own thread and kept up to date by the events since.

Functions that take a Workspace run on the workspace thread; `BoardModel` lives on the event loop and does no I/O.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...missions.board import Card, ListCount
from ...missions.connected import SyncState
from ...missions.entities import LISTS, ListName, Project
from ...missions.errors import NotFound
from ...missions.records import field, record, replace
from ...workspace import queries
from .view import KEY as VIEW
from .view import BoardView

if TYPE_CHECKING:
    from ...workspace.workspace import Workspace
    from ..mission.data import MissionData

SCREENFUL: Final = 60
"""Cards of each list that are read before the first paint."""
MANY: Final = 500
"""With more events than this at once the board is read anew."""
ASKED: Final = 200
"""Ready missions of which the board says why they do not run, those that come first."""
READ_ANEW: Final = frozenset({"renumbered", "mirrored", "project_changed", "imported"})
"""Events after which the whole board is read anew."""
LAST_PROJECT: Final = "board.project"


@record
class Summary:
    """Everything around the cards."""

    project: Project | None
    projects: tuple[Project, ...] = ()
    repositories: int = 0
    counts: dict[ListName, ListCount] = field(default_factory=dict)
    running: int = 0
    waiting: int = 0
    paused: bool = False
    read_only: str | None = None
    seq: int = 0
    filters: dict[str, str] = field(default_factory=dict)
    """Saved filters of the project: queries by their names."""
    sync: SyncState = SyncState()
    """How the project stands with its hub; nothing for a local one."""


@record
class Snapshot:
    """A board as it was at `summary.seq`; `complete` when the lists hold all their cards."""

    summary: Summary
    lists: dict[ListName, list[Card]]
    complete: bool
    view: BoardView = BoardView()

    def unread(self, name: ListName) -> int:
        """Cards of a list that it does not hold."""
        return max(0, self.summary.counts[name].total - len(self.lists[name]))


@record
class BoardDelta:
    """What changed since a summary: cards by id, None for one that is gone from the project; `again` to read it all."""

    summary: Summary
    cards: dict[str, Card | None]
    again: bool = False


def choose_project(workspace: Workspace, wish: str | None, directory: Path | None) -> Project | None:
    """The project to open: the wished one, that of the directory's repository, the one of last time, or the first."""
    if wish:
        return workspace.read(queries.projects.get, wish)
    projects = workspace.read(queries.projects.list_all)
    if directory is not None and projects:
        from ...worktrees.repository.around import projects_around

        if around := projects_around(workspace, directory):
            return around[0]
    last = workspace.meta(LAST_PROJECT)
    return next((project for project in projects if project.id == last), projects[0] if projects else None)


def summary(workspace: Workspace, project_id: str | None) -> Summary:
    """Everything around the cards of a project; of the first one when that is not there."""
    seq = workspace.read(queries.board.last_seq)
    projects = tuple(workspace.read(queries.projects.list_all))
    project = next((project for project in projects if project.id == project_id), None)
    if project is None and projects:
        project = projects[0]
    counts = workspace.read(queries.board.list_counts, project.id) if project else {name: ListCount() for name in LISTS}
    return Summary(
        project=project,
        projects=projects,
        repositories=len(workspace.read(queries.projects.repositories, project.id)) if project else 0,
        counts=counts,
        running=workspace.read(queries.board.running_count),
        waiting=workspace.read(queries.board.waiting_count),
        paused=workspace.read(queries.workstation.paused),
        read_only=workspace.read_only,
        seq=seq,
        filters=workspace.read(queries.projects.saved_filters, project.id) if project else {},
        sync=queries.connection.sync_state(workspace, project.id) if project and project.hub else SyncState(),
    )


def snapshot(workspace: Workspace, project_id: str | None, limit: int | None = SCREENFUL) -> Snapshot:
    """A board with the first `limit` cards of each list."""
    around = summary(workspace, project_id)
    lists: dict[ListName, list[Card]] = {
        name: workspace.read(queries.board.cards, around.project.id, name, 0, limit) if around.project else []
        for name in LISTS
    }
    complete = all(len(lists[name]) >= around.counts[name].total for name in LISTS)
    kept = workspace.meta(f"{VIEW}{around.project.id}") if around.project else None
    return Snapshot(around, lists, complete, BoardView.from_text(kept))


def look(workspace: Workspace, wish: str | None, directory: Path | None) -> Snapshot:
    """The first screenful of the project to open."""
    project = choose_project(workspace, wish, directory)
    return snapshot(workspace, project.id if project else None)


def opening(path: Path | None, wish: str | None, directory: Path | None) -> Snapshot:
    """The first screenful, on a connection of its own; read while Textual is still being imported."""
    from ...workspace.workspace import Workspace

    with Workspace.open(path) as workspace:
        return look(workspace, wish, directory)


def news(workspace: Workspace, before: Summary, live: Iterable[str]) -> BoardDelta:
    """What any process changed since `before`; cards that run are always read, for what they do now."""
    events = workspace.read(queries.missions.events_since, before.seq, limit=MANY + 1)
    around = summary(workspace, before.project.id if before.project else None)
    if around.project is None or before.project is None or around.project.id != before.project.id:
        return BoardDelta(around, {}, again=True)
    mine = [event for event in events if event.project_id == around.project.id]
    if len(events) > MANY or any(event.kind in READ_ANEW and event.mission_id is None for event in mine):
        return BoardDelta(around, {}, again=True)
    ids = {event.mission_id for event in mine if event.mission_id} | set(live)
    ids |= {card.id for card in workspace.read(queries.board.live_cards, around.project.id)}
    found: dict[str, Card | None] = dict.fromkeys(ids)
    found.update(
        (card.id, card)
        for card in workspace.read(queries.board.cards_by_id, ids)
        if card.project_id == around.project.id
    )
    return BoardDelta(around, found)


def held_back(workspace: Workspace, project_id: str) -> dict[str, str]:
    """Why ready missions of a project do not run, by their ids, in words for a card."""
    queue = workspace.read(queries.sessions.queue, project_id, limit=ASKED, now=workspace.now())
    repositories = workspace.read(queries.projects.repositories, project_id)
    key = "e chooses one" if repositories else ", links one"
    known = {one.id for one in repositories}
    return {
        entry.mission.id: f"No repository: {key}"
        if entry.why_not.startswith("No repository") and entry.mission.project_repository_id not in known
        else entry.why_not
        for entry in queue
        if entry.why_not is not None
    }


def remember_project(workspace: Workspace, project_id: str) -> None:
    """Open this project next time."""
    try:
        workspace.read(queries.projects.get, project_id)
    except NotFound:
        return
    if workspace.read_only is None and workspace.meta(LAST_PROJECT) != project_id:
        workspace.set_meta(LAST_PROJECT, project_id)


def preview(workspace: Workspace, mission_id: str) -> MissionData | None:
    """What the preview shows of a mission; None when it is gone."""
    from ..mission.data import read

    try:
        return read(workspace, mission_id)
    except NotFound:
        return None


def remember_view(workspace: Workspace, project_id: str, view: BoardView) -> None:
    """Look at the project in this way next time."""
    if workspace.read_only is None:
        workspace.set_meta(f"{VIEW}{project_id}", view.to_text())


class BoardModel:
    """The cards of the open project, by list in board order."""

    def __init__(self) -> None:
        self.summary = Summary(None)
        self.lists: dict[ListName, list[Card]] = {name: [] for name in LISTS}
        self.complete = False
        self.view = BoardView()
        self.held: Mapping[str, str] = {}
        """Why ready missions do not run, by their ids."""

    def take(self, read: Snapshot) -> None:
        """Show what was read."""
        self.summary, self.lists, self.complete = read.summary, read.lists, read.complete
        self.view = read.view
        self.held = {}

    def apply(self, changed: BoardDelta) -> bool:
        """Put changed cards where they belong now; True when a list differs."""
        self.summary = changed.summary
        known = {card.id: card for cards in self.lists.values() for card in cards if card.id in changed.cards}
        told = {key: self._told(card) if card is not None else None for key, card in changed.cards.items()}
        differing = {key: card for key, card in told.items() if card != known.get(key)}
        if not differing:
            return False
        for name, cards in self.lists.items():
            new = [card for card in differing.values() if card is not None and card.list == name]
            if new or any(key in known and known[key].list == name for key in differing):
                kept = [card for card in cards if card.id not in differing]
                for card in new:
                    insort(kept, card, key=_place)
                self.lists[name] = kept
        return True

    def hold(self, held: Mapping[str, str]) -> bool:
        """Say on the cards why they do not run; True when a card differs."""
        differing = {key for key in {*held, *self.held} if held.get(key) != self.held.get(key)}
        self.held = held
        for name, cards in self.lists.items() if differing else ():
            if any(card.id in differing for card in cards):
                self.lists[name] = [self._told(card) if card.id in differing else card for card in cards]
        return bool(differing)

    def _told(self, card: Card) -> Card:
        why = self.held.get(card.id, "") if card.ready else ""
        return card if card.why_not == why else replace(card, why_not=why)

    @property
    def has_ready(self) -> bool:
        """Whether a mission is ready."""
        return any(count.ready for count in self.summary.counts.values())

    def live(self) -> list[str]:
        """Ids of the cards that showed a running session, or an edit on its way, when they were read last."""
        return [
            card.id
            for cards in self.lists.values()
            for card in cards
            if card.session_status != "INACTIVE" or card.unsent
        ]

    def card(self, mission_id: str) -> Card | None:
        """A card by its id."""
        return next((card for cards in self.lists.values() for card in cards if card.id == mission_id), None)


def _place(card: Card) -> tuple[float, str]:
    return card.list_order, card.id


def total(lists: Sequence[Sequence[Card]]) -> int:
    """How many cards there are."""
    return sum(len(cards) for cards in lists)
