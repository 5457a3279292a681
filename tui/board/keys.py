"""The keys of the board and of its screen."""

from __future__ import annotations

from typing import Final

from textual.binding import BindingType

from ...missions.entities import LISTS
from ..kit.keyboard.keys import binding
from ..kit.list_names import NAMES

BOARD_KEYS: Final[list[BindingType]] = [
    binding("board.new", "n", "new", "new", "Write a new mission"),
    binding("board.add", "a", "add", "add", "Add missions, one line each; the line stays open"),
    binding(
        "board.open", "enter", "wish('open')", "open", "Open the mission: description, plan, session, changes, review"
    ),
    binding("board.ready", "space", "wish('ready')", "ready", "Mark the mission ready for an agent, or not ready"),
    binding("board.edit", "e", "wish('edit')", "edit", "Change the mission"),
    binding(
        "board.move_left", "H,shift+left", "move(-1)", "move left", "Move the card to the list on the left", label="H L"
    ),
    binding(
        "board.move_right",
        "L,shift+right",
        "move(1)",
        "move right",
        "Move the card to the list on the right",
        show=False,
    ),
    binding("board.move_to", "m", "wish('move_to')", "move to …", "Move the card to a list of your choice", show=False),
    binding(
        "board.reorder_down", "J,shift+down", "reorder(1)", "move down", "Move the card down in its list", show=False
    ),
    binding("board.reorder_up", "K,shift+up", "reorder(-1)", "move up", "Move the card up in its list", show=False),
    binding("board.top_of_list", "T", "to_top", "to the top", "Move the card to the top of its list", show=False),
    binding("board.raise", "plus,equals_sign", "wish('raise')", "more urgent", "Raise the priority", show=False),
    binding("board.lower", "minus", "wish('lower')", "less urgent", "Lower the priority", show=False),
    binding("board.delete", "D,delete", "wish('delete')", "delete", "Delete the mission; u restores it", show=False),
    binding("board.copy", "y", "wish('copy')", "copy", "Copy its id, title, branch or link", show=False),
    binding(
        "board.mark", "x", "mark", "mark", "Mark the card; the next action applies to all marked cards", show=False
    ),
    binding(
        "board.mark_to", "V", "mark_to", "mark to here", "Mark every card from the last marked one to here", show=False
    ),
    binding("board.mark_list", "ctrl+a", "mark_list", "mark the list", "Mark every card of this list", show=False),
    binding("board.collapse", "c", "collapse", "collapse", "Collapse this list; moving to it opens it", show=False),
    binding("board.expand", "C", "expand", "open all lists", "Open every list that is collapsed", show=False),
    binding("board.up", "up,k", "cursor(-1)", "up", "The card above; a number before the key repeats it", show=False),
    binding(
        "board.down", "down,j", "cursor(1)", "down", "The card below; a number before the key repeats it", show=False
    ),
    binding("board.left", "left,h", "go(-1)", "list to the left", "The list on the left", show=False),
    binding("board.right", "right,l", "go(1)", "list to the right", "The list on the right", show=False),
    binding("board.first", "home", "first", "first card", "The first card of the list (also gg)", show=False),
    binding(
        "board.last",
        "end,G",
        "last",
        "last card",
        "The last card of the list; a number before the key goes to that card",
        show=False,
    ),
    binding("board.page_up", "pageup,ctrl+b", "page(-1)", "page up", "A screenful up", show=False),
    binding("board.page_down", "pagedown,ctrl+f", "page(1)", "page down", "A screenful down", show=False),
    *(
        binding(
            f"board.list_{name}",
            f"alt+{number}",
            f"go_to('{name}')",
            f"go to {NAMES[name]}",
            f"Go to {NAMES[name]} (also g and then {number})",
            show=False,
        )
        for number, name in enumerate(LISTS, 1)
    ),
]
CHORDS: Final = {"g": "first", **{str(place): f"go_to('{name}')" for place, name in enumerate(LISTS, 1)}}
"""What follows a g."""
COUNTED: Final = frozenset({"cursor", "go", "page", "move", "reorder", "first", "last"})
"""Actions that take a number."""

SCREEN_KEYS: Final[list[BindingType]] = [
    binding("board.metrics", "M", "metrics", "metrics", "Metrics: plots by week, agents compared", show=False),
    binding(
        "board.project",
        "comma",
        "project",
        "project settings",
        "This project: settings, repositories, flows, actors, memory, members",
        show=False,
    ),
    binding(
        "board.conflicts", "U", "conflicts", "hub", "Conflicts with the hub, and edits that it refused", show=False
    ),
    binding("board.preview", "v", "preview", "preview", "Preview the mission under the cursor, beside the board"),
    binding("board.filter", "slash", "filter", "filter", "Show only the cards that match a filter", label="/"),
    binding("board.filters", "F", "filters", "saved filters", "Choose a saved filter", show=False),
    binding(
        "board.lanes", "s", "lanes", "swim lanes", "Swim lanes by priority, repository, agent or actor", show=False
    ),
    binding("board.density", "z", "density", "density", "Show more or less on each card", show=False),
    binding("board.projects", "p", "projects", "projects", "Open another project, or create one", show=False),
    binding("board.next_project", "right_square_bracket", "beside(1)", "next project", "The next project", show=False),
    binding(
        "board.previous_project",
        "left_square_bracket",
        "beside(-1)",
        "previous project",
        "The previous project",
        show=False,
    ),
    binding(
        "board.last_project",
        "grave_accent",
        "last_project",
        "last project",
        "The project that was open before",
        show=False,
    ),
    binding(
        "board.escape",
        "escape",
        "escape",
        "clear",
        "Drop a dragged card, or clear the marks, or clear the filter",
        show=False,
    ),
    binding(
        "board.leave",
        "q",
        "leave",
        "leave",
        "Close the preview, marks or filter; with none open, close the board",
        show=False,
    ),
    binding("board.undo", "u", "undo", "undo", "Undo your last action on this board"),
    binding("board.redo", "ctrl+r", "redo", "redo", "Redo what was undone", show=False),
    binding("board.inbox", "i", "inbox", "inbox", "Everything that is waiting for you"),
    binding(
        "board.workstation",
        "w",
        "workstation",
        "workstation",
        "Agents, sessions and worktrees, and why missions are not running",
    ),
    binding("board.pause", "P", "pause", "pause", "Pause or resume starting this project's missions", show=False),
    binding("board.remove_sample", "X", "remove_sample", "remove the sample", "Remove the sample project", show=False),
]
"""The keys of the board's screen; what they do stands in screen.py."""
