"""The keys of the changes."""

from __future__ import annotations

from textual.binding import BindingType

from ...kit.keyboard.keys import binding

KEYS: list[BindingType] = [
    binding("changes.comment", "c", "comment", "comment", "Comment on the line under the cursor"),
    binding("changes.mark", "y", "mark(False)", "reviewed", "Mark the hunk as reviewed, or take its mark back"),
    binding("changes.mark_file", "Y", "mark(True)", "file reviewed", "Mark the whole file, or take its marks back"),
    binding("changes.resolve", "r", "resolve", "resolve", "Resolve the comment under the cursor, or open it again"),
    binding("changes.delete", "d", "delete", "delete", "Delete the comment under the cursor"),
    binding("changes.beside", "s", "beside", "side by side", "Before and after beside each other, or in one column"),
    binding(
        "changes.scope", "b", "scope", "scope", "All of the mission, this turn, or what is new since your last look"
    ),
    binding("changes.reload", "R,ctrl+l", "reload", "show news", "Read the worktree anew", show=False),
    binding("changes.next", "right_square_bracket", "file(1)", "next file", "The next file"),
    binding("changes.previous", "left_square_bracket", "file(-1)", "previous file", "The file before", show=False),
    binding(
        "changes.next_hunk", "right_curly_bracket", "hunk(1)", "next hunk", "The next hunk, in any file", show=False
    ),
    binding("changes.previous_hunk", "left_curly_bracket", "hunk(-1)", "previous hunk", "The hunk before", show=False),
    binding(
        "changes.next_unreviewed",
        "right_parenthesis",
        "unreviewed(1)",
        "next unreviewed",
        "The next hunk that is not marked as reviewed",
    ),
    binding(
        "changes.previous_unreviewed",
        "left_parenthesis",
        "unreviewed(-1)",
        "previous unreviewed",
        "The hunk before that is not marked as reviewed",
        show=False,
    ),
    binding(
        "changes.next_unreviewed_file",
        "greater_than_sign",
        "unreviewed_file(1)",
        "next unreviewed file",
        "The next file that is not reviewed",
        show=False,
    ),
    binding(
        "changes.previous_unreviewed_file",
        "less_than_sign",
        "unreviewed_file(-1)",
        "previous unreviewed file",
        "The file before that is not reviewed",
        show=False,
    ),
]
