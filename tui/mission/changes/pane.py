"""What a mission changed in its worktree: a tree of files at the left, the diff with its comments at the right."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.widgets import Input

from ....missions.comments import LineComment
from ....missions.review_marks import SCOPES, Reading
from ...kit.lines import Lines, Row
from . import messages
from .finding import spans_in, text_of
from .keys import KEYS
from .live import LiveChanges
from .model import files_of, runs_of
from .places import CONTEXTS, WHOLE, DiffPlace
from .selecting import about_of, selected
from .walking import is_comment, is_hunk, place_at, step_to, unreviewed, unreviewed_file


class ChangesPane(LiveChanges):
    """Everything that a person does with the changes."""

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS = KEYS
    _finding = False

    # -- what is shown -------------------------------------------------------------------------------------------

    def action_reload(self) -> None:
        """Show the work as it is now."""
        self._load(self._ref, self.scope)

    def action_scope(self) -> None:
        """The whole mission, this turn, what is new since the last look, the mission's texts."""
        self._wanted = SCOPES[(SCOPES.index(self._wanted) + 1) % len(SCOPES)]
        self._load(self._ref, self._wanted)

    def action_context(self, step: int) -> None:
        """More unchanged lines around each hunk, or fewer."""
        at = CONTEXTS.index(self.around) if self.around in CONTEXTS else len(CONTEXTS) - 1
        self._around(CONTEXTS[max(0, min(at + step, len(CONTEXTS) - 1))], final=False)

    def action_whole(self) -> None:
        """Whole files, or only their hunks."""
        self._around(WHOLE if self.around != WHOLE or self.look.final else CONTEXTS[0], final=False)

    def action_final(self) -> None:
        """Whole files without removed lines, or their hunks alone."""
        self._around(CONTEXTS[0] if self.look.final else WHOLE, final=not self.look.final)

    def _around(self, lines: int, *, final: bool) -> None:
        self.around, self.look = lines, replace(self.look, final=final)
        self._load(self._ref, self.scope)

    # -- what is under the cursor --------------------------------------------------------------------------------

    @property
    def under_cursor(self) -> object:
        """The Place or LineComment that the cursor of the diff stands on."""
        lines = self.lines
        return lines.rows[lines.cursor].key if lines.cursor is not None and lines.cursor < len(lines.rows) else None

    @property
    def place(self) -> DiffPlace | None:
        """Where the cursor of the diff stands; on a comment, the line that it is on."""
        return place_at(self.lines.rows, self.lines.cursor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what fits what is under the cursor."""
        if not self.query("#diff"):
            return action not in ("comment", "resolve", "reword", "delete", "mark", "range", "leave", "editor")
        key = self.under_cursor
        match action:
            case "comment":
                on_comment = isinstance(key, LineComment) and key.open and not parameters[0]
                return on_comment or self._commentable(key)
            case "range":
                return self._commentable(key)
            case "resolve" | "reword" | "delete":
                return isinstance(key, LineComment)
            case "mark" | "editor":
                return self.place is not None
            case "leave":
                return self.lines.begun is not None or bool(self.words)
            case "tour":
                return any(one.stop is not None for one in self.comments)
        return True

    def _commentable(self, key: object) -> bool:
        """A line; what was before a turn is not what was before the mission."""
        if not isinstance(key, DiffPlace) or key.line is None:
            return False
        return self.scope in ("mission", "texts") or key.side == "new"

    @on(Lines.CursorMoved, "#diff")
    def _moved(self, event: Lines.CursorMoved) -> None:
        event.stop()
        self.refresh_bindings()

    # -- actions -------------------------------------------------------------------------------------------------

    def action_comment(self, suggest: bool) -> None:
        """Comment on the line or the range, or answer the comment."""
        key, lines = self.under_cursor, self.lines
        if isinstance(key, LineComment):
            self.post_message(messages.AnswerWished(key))
            return
        at = lines.cursor or 0
        found = selected(lines.rows, at if lines.begun is None else lines.begun, at)
        if found is None:
            self.app.tell("A range must be within one hunk, on one side")
            return
        lines.begin_range(None)
        about = about_of(found.path, self.scope)
        self.post_message(
            messages.CommentWished(found.path, found.line, found.until, found.first.side, found.anchor, about, suggest)
        )

    def action_range(self) -> None:
        """Begin a range of lines here, or give it up."""
        lines = self.lines
        lines.begin_range(lines.cursor if lines.begun is None else None)
        self.refresh_bindings()

    def action_leave(self) -> None:
        """Away from the range, then from the search."""
        if self.lines.begun is not None:
            self.lines.begin_range(None)
        else:
            self.words = ""
            self._draw()
        self.refresh_bindings()

    def action_resolve(self) -> None:
        if isinstance(self.under_cursor, LineComment):
            self.post_message(messages.ResolveWished(self.under_cursor))

    def action_reword(self) -> None:
        """Change the words of a comment."""
        if isinstance(self.under_cursor, LineComment):
            self.post_message(messages.RewordWished(self.under_cursor))

    def action_delete(self) -> None:
        if isinstance(self.under_cursor, LineComment):
            self.post_message(messages.DeleteWished(self.under_cursor))

    def action_mark(self, whole: bool) -> None:
        """Mark what is under the cursor and go on to what is not reviewed; what was marked is unmarked."""
        place = self.place
        if place is None:
            return
        runs = place.runs
        if whole or not runs:
            runs = next((runs_of(file) for file in files_of(self.diff) if file.get("path") == place.path), ())
        reviewed = not self.reading.has(runs)
        if reviewed:
            step_to(self.lines, unreviewed(Reading("", self.reading.reviewed | {*runs})), 1)
        self.post_message(messages.MarkWished(runs, reviewed))

    def action_editor(self) -> None:
        """The person's editor at this line."""
        if self.place is not None:
            self.post_message(messages.EditorWished(self.place.path, self.place.new or 1))

    def action_beside(self) -> None:
        """One column or two."""
        self.look = replace(self.look, beside=not self.look.beside)
        self._draw()

    def action_tour(self) -> None:
        """In the order of the tour, or by file."""
        self.touring = not self.touring
        self._draw()
        if self.touring:
            self.lines.show_at_top(0)

    def action_file(self, step: int) -> None:
        lines = self.query_one("#files", Lines)
        places = [at for at, shown in enumerate(lines.rows) if shown.key is not None]
        if places:
            now = lines.cursor or 0
            further = [at for at in places if (at > now if step > 0 else at < now)]
            lines.cursor = (further[0] if step > 0 else further[-1]) if further else now

    def action_hunk(self, step: int) -> None:
        """To a hunk before or after, over the edges of files."""
        step_to(self.lines, is_hunk, step)

    def action_next_comment(self) -> None:
        """To the next comment; from the last one to the first."""
        if not step_to(self.lines, is_comment, 1) and not step_to(self.lines, is_comment, 1, around=True):
            self.app.tell("There are no comments")

    def action_unreviewed(self, step: int) -> None:
        """To a hunk that is not reviewed."""
        if not step_to(self.lines, unreviewed(self.reading), step):
            self.app.tell("Nothing left to review in that direction")

    def action_unreviewed_file(self, step: int) -> None:
        """To a file that is not reviewed."""
        if not step_to(self.lines, unreviewed_file(self.reading), step):
            self.app.tell("No files left to review in that direction")

    # -- finding -------------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        """Ask for the words."""
        find = self.query_one("#find-in-diff", Input)
        find.display, find.value = True, self.words
        find.focus()

    def leave_input(self) -> None:
        """Leave the line that is being typed."""
        self.query_one("#find-in-diff", Input).display = False
        self.lines.focus()

    @on(Input.Submitted, "#find-in-diff")
    def _find(self, event: Input.Submitted) -> None:
        event.stop()
        self.words = event.value.strip()
        self.leave_input()
        self._finding = True
        self._draw()

    @on(LiveChanges.Read)
    def _drawn(self) -> None:
        """What is looked for is shown; go there, unless the cursor is there already."""
        if self._finding and self.words:
            self._finding = False
            if not spans_in(text_of(self.lines.rows[self.lines.cursor or 0]), self.words):
                self.action_found(1)

    def action_found(self, step: int) -> None:
        """To the next row with the words, around the end."""
        if not self.words:
            self.action_find()
            return

        def has(shown: Row) -> bool:
            return bool(spans_in(text_of(shown), self.words))

        if not step_to(self.lines, has, step) and not step_to(self.lines, has, step, around=True):
            self.app.tell(f"{self.words!r} was not found here")

    # -- going there ---------------------------------------------------------------------------------------------

    @on(Lines.Chosen, "#diff")
    def _turn(self, event: Lines.Chosen) -> None:
        """Fold a file, or unfold it; show the lines of a comment before and now."""
        event.stop()
        key = event.row.key
        if isinstance(key, LineComment):
            self.look = replace(self.look, unfolded=self.look.unfolded ^ {key.id})
        elif isinstance(key, DiffPlace) and event.row.under == "hover":
            self.look = replace(self.look, turned=self.look.turned ^ {key.path})
        else:
            return
        self._draw()

    @on(Lines.CursorMoved, "#files")
    def _to_file(self, event: Lines.CursorMoved) -> None:
        event.stop()
        if event.row is None or event.row.key is None:
            return
        rows = enumerate(self.lines.rows)
        place = next((at for at, one in rows if isinstance(one.key, DiffPlace) and one.key.path == event.row.key), None)
        if place is not None:
            self.lines.show_at_top(place)

    @on(Lines.Chosen, "#files")
    def _into_diff(self, event: Lines.Chosen) -> None:
        event.stop()
        self.lines.focus()
