"""The keys of the changes."""

from __future__ import annotations

from textual.binding import BindingType

from ...kit.keyboard.keys import binding

KEYS: list[BindingType] = [
    binding("changes.leave", "escape", "leave", "done", "Leave the search, or cancel the range of lines", show=False),
    binding("changes.comment", "c", "comment(False)", "comment", "Comment on the line or range, or answer the comment"),
    binding("changes.mark", "y", "mark(False)", "reviewed", "Mark the hunk as reviewed, or unmark it"),
    binding(
        "changes.next_unreviewed",
        "right_parenthesis",
        "unreviewed(1)",
        "next unreviewed",
        "The next hunk that is not marked as reviewed",
    ),
    binding("changes.resolve", "r", "resolve", "resolve", "Resolve the comment under the cursor, or open it again"),
    binding("changes.reword", "e", "reword", "edit", "Edit the comment under the cursor"),
    binding("changes.delete", "d", "delete", "delete", "Delete the comment under the cursor"),
    binding("changes.scope", "b", "scope", "scope", "All changes, this turn, since your last look, or texts"),
    binding("changes.beside", "s", "beside", "side by side", "Before and after side by side, or in one column"),
    binding("changes.range", "v", "range", "range", "Start a range of lines here, to comment on it", show=False),
    binding("changes.suggest", "P", "comment(True)", "suggest", "Suggest a replacement for these lines", show=False),
    binding("changes.next_comment", "C", "next_comment", "next comment", "The next comment, in any file", show=False),
    binding(
        "changes.mark_file", "Y", "mark(True)", "file reviewed", "Mark the file as reviewed, or unmark it", show=False
    ),
    binding("changes.reload", "R,ctrl+l", "reload", "reload", "Read the worktree again", show=False),
    binding("changes.next", "right_square_bracket", "file(1)", "next file", "The next file", show=False),
    binding("changes.previous", "left_square_bracket", "file(-1)", "previous file", "The previous file", show=False),
    binding(
        "changes.next_hunk", "right_curly_bracket", "hunk(1)", "next hunk", "The next hunk, in any file", show=False
    ),
    binding(
        "changes.previous_hunk", "left_curly_bracket", "hunk(-1)", "previous hunk", "The previous hunk", show=False
    ),
    binding(
        "changes.previous_unreviewed",
        "left_parenthesis",
        "unreviewed(-1)",
        "previous unreviewed",
        "The previous hunk that is not marked as reviewed",
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
        "The previous file that is not reviewed",
        show=False,
    ),
    binding("changes.find", "slash", "find", "find", "Find words in the diff; n and N repeat the search", show=False),
    binding("changes.found", "n", "found(1)", "next match", "The next match", show=False),
    binding("changes.found_before", "N", "found(-1)", "previous match", "The previous match", show=False),
    binding(
        "changes.editor", "E", "editor", "open in editor", "Open this file in your editor, at this line", show=False
    ),
    binding("changes.more", "plus", "context(1)", "more context", "More unchanged lines around each hunk", show=False),
    binding("changes.less", "minus", "context(-1)", "less context", "Fewer unchanged lines", show=False),
    binding("changes.whole", "f", "whole", "whole files", "Whole files, or only their hunks", show=False),
    binding("changes.final", "F", "final", "final text", "Whole files without removed lines", show=False),
    binding("changes.tour", "T", "tour", "tour", "In the order that the agent proposes, or by file"),
]
