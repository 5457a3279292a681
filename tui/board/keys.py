"""The keys of the board; what they do stands in board.py."""

from __future__ import annotations

from typing import Final

from textual.binding import BindingType

from ...missions.entities import LISTS
from ..kit.keys import binding
from ..kit.list_names import NAMES

BOARD_KEYS: Final[list[BindingType]] = [
    binding("board.new", "n", "new", "new", "Write a new mission"),
    binding(
        "board.open",
        "enter",
        "wish('open')",
        "open",
        "Go into the mission: description, plan, session, changes, review",
    ),
    binding(
        "board.ready",
        "space",
        "wish('ready')",
        "ready",
        "The main switch: an agent may (or may not yet) take this mission",
    ),
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
    binding("board.top_of_list", "T", "to_top", "to the top", "Make the card the first of its list", show=False),
    binding("board.raise", "plus,equals_sign", "wish('raise')", "more urgent", "Raise the priority", show=False),
    binding("board.lower", "minus", "wish('lower')", "less urgent", "Lower the priority", show=False),
    binding(
        "board.delete",
        "D,delete",
        "wish('delete')",
        "delete",
        "Take the mission off the board; u brings it back",
        show=False,
    ),
    binding("board.copy", "y", "wish('copy')", "copy", "Copy its id, title, branch or link", show=False),
    binding(
        "board.mark",
        "x",
        "mark",
        "mark",
        "Mark the card and go on; what you do next is done to all marked cards in one step",
        show=False,
    ),
    binding("board.mark_to", "V", "mark_to", "mark to here", "Mark all from the last marked card to here", show=False),
    binding("board.mark_list", "ctrl+a", "mark_list", "mark the list", "Mark every card of this list", show=False),
    binding(
        "board.collapse",
        "c",
        "collapse",
        "collapse",
        "Collapse this list to its name; going there opens it",
        show=False,
    ),
    binding("board.expand", "C", "expand", "open all lists", "Open every list that is collapsed", show=False),
    binding("board.up", "up,k", "cursor(-1)", "up", "The card above; a number before it says how far", show=False),
    binding("board.down", "down,j", "cursor(1)", "down", "The card below; a number before it says how far", show=False),
    binding("board.left", "left,h", "go(-1)", "list to the left", "The list on the left", show=False),
    binding("board.right", "right,l", "go(1)", "list to the right", "The list on the right", show=False),
    binding("board.first", "home", "first", "first card", "The first card of the list (also gg)", show=False),
    binding(
        "board.last", "end,G", "last", "last card", "The last card of the list, or with a number that one", show=False
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
