"""The review: what the agent asks a person to check, the comments gathered, how it will land, and the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button

from ...missions.comments import LineComment, round_of
from ...missions.entities import MergeStrategy, PrMode
from ..kit.document import Document
from ..kit.keyboard.keys import binding
from ..kit.lines import Lines, Row, row
from ..kit.marks import Marks
from .data import MissionData
from .rows import banner
from .where_line import link_role, request_parts

MODES: Final[tuple[PrMode, ...]] = ("auto", "enabled", "disabled")
STRATEGIES: Final[tuple[MergeStrategy, ...]] = ("merge", "squash", "rebase")
COMMENTS_HIGH: Final = 9


class ReviewPane(Vertical):
    """The stage under review; its messages ask the screen to act."""

    BINDING_GROUP_TITLE = "Review"
    BINDINGS = [  # noqa: RUF012
        binding("review.way", "l", "way", "landing", "How it lands: as the project does, by pull request, or directly"),
        binding(
            "review.strategy", "m", "strategy", "merge/squash/rebase", "How its commits land: merge, squash or rebase"
        ),
    ]

    @dataclass
    class Edit(Message):
        """Change this of the mission."""

        changes: dict[str, object]

    @dataclass
    class ToComment(Message):
        """Show the line that a comment stands on."""

        comment: LineComment

    def __init__(self, marks: Marks) -> None:
        super().__init__(id="review")
        self.marks = marks
        self.data: MissionData | None = None

    def compose(self) -> ComposeResult:
        """State, text, comments, and the two buttons for the mouse."""
        verdict = Lines(self.marks, id="verdict")
        verdict.can_focus, verdict.least = False, 1  # it is only read
        yield verdict
        yield Document(id="to-check")
        yield Lines(self.marks, cursor=True, id="comments")
        with Horizontal(id="decision"):
            yield Button("Approve  (a)", variant="success", id="approve", compact=True)
            yield Button("Reject with feedback  (x)", variant="error", id="reject", compact=True)

    async def show(self, data: MissionData, now: datetime) -> None:
        self.data = data
        mission = data.mission
        verdict = self.query_one("#verdict", Lines)
        rows = [*banner(data, self.marks, now), *landing_rows(data, self.marks)]
        verdict.set_rows(rows)
        self.query_one("#decision").display = mission.review_status == "pending"
        comments = self.query_one("#comments", Lines)
        rows = comment_rows(data.comments, data.rejections, self.marks)
        comments.display = bool(rows)
        still, handled = (sum(one.open and one.handled is said for one in data.comments) for said in (False, True))
        told = [f"{still} open" if still else "", f"{handled} handled" if handled else ""]
        comments.border_title = f"Comments  {', '.join(filter(None, told)) or 'all resolved'}"
        comments.set_rows(rows)
        comments.styles.height = min(COMMENTS_HIGH, 2 * len(rows) + 2)
        await self.query_one(Document).show(_text(data))

    def action_way(self) -> None:
        """The next way of landing."""
        if self.data is not None:
            mode = MODES[(MODES.index(self.data.mission.pr_mode) + 1) % len(MODES)]
            self.post_message(self.Edit({"pr_mode": mode}))

    def action_strategy(self) -> None:
        if self.data is not None:
            at = STRATEGIES.index(self.data.mission.pr_merge_strategy) + 1
            self.post_message(self.Edit({"pr_merge_strategy": STRATEGIES[at % len(STRATEGIES)]}))

    @on(Lines.Chosen, "#comments")
    def _to_comment(self, event: Lines.Chosen) -> None:
        event.stop()
        if isinstance(event.row.key, LineComment):
            self.post_message(self.ToComment(event.row.key))


def landing_rows(data: MissionData, marks: Marks) -> list[Row]:
    """How it will land, and what there is of a pull request."""
    mission = data.mission
    way = "by pull request" if data.by_pull_request else "directly"
    why = "as its project does" if mission.pr_mode == "auto" else "for this mission"
    target = mission.target_branch or "its target"
    rows = [
        row(
            (" lands ", "faint"),
            (way, "strong"),
            (f", {why}, as a ", "faint"),
            (mission.pr_merge_strategy, "strong"),
            (f" onto {target}", "faint"),
            ("   l", "key"),
            (" way  ", "faint"),
            ("m", "key"),
            (" strategy", "faint"),
            indent=1,
        )
    ]
    change = data.change
    if change.pull_request_number:
        waits = f"; {change.not_merged}" if change.not_merged else ""
        line = [(f" {marks.branch} #{change.pull_request_number} ", link_role(change)), *request_parts(change, marks)]
        rows.append(row(*line, (waits, "faint"), ("   o", "key"), (" opens it", "faint"), indent=1))
        remarks = change.pull_request.comments if change.pull_request else ()
        rows += [row(f"   {one.author}: ", (one.text, "faint"), indent=3) for one in remarks]
    return rows


def comment_rows(comments: tuple[LineComment, ...], rejections: Sequence[datetime], marks: Marks) -> list[Row]:
    """Each comment with its place, its round and the last answer; those that wait first, then those handled."""
    rows = []
    of_review = [one for one in comments if one.stop is None]
    for one in sorted(of_review, key=lambda one: (not one.open, one.handled)):
        mark, role = (marks.waits, "wait") if one.waits else (marks.ready, "brand")
        if not one.open:
            mark, role = marks.done, "good"
        nth = f"  round {round_of(one, rejections)}" if rejections else ""
        last = one.answers[-1] if one.answers else None
        gone = "  the line has changed since" if one.outdated else ""
        before = " (before)" if one.side == "old" else ""
        rows.append(
            row(
                (f" {mark} ", role),
                (f"{one.where}{before}", "strong"),
                (f"{nth}{'  handled' if one.handled and one.open else ''}{gone}\n", "faint"),
                one.text,
                (f"\n{last.author.name or 'you'}: " if last else "", "brand"),
                last.text if last else "",
                key=one,
                indent=3,
            )
        )
    return rows


def _text(data: MissionData) -> str:
    mission = data.mission
    parts = []
    if mission.to_check:
        parts.append(f"## To check\n\n{mission.to_check}")
    if mission.stage_summary:
        parts.append(f"## What it did\n\n{mission.stage_summary}")
    if mission.review_feedback:
        nth = f" (round {len(data.rejections)})" if data.rejections else ""
        parts.append(f"## Your feedback{nth}\n\n{mission.review_feedback}")
    if mission.solution and mission.review_status == "pending":
        parts.append(f"## Solution\n\n{mission.solution}")
    return "\n\n".join(parts) or "*Nothing has been submitted for review yet.*"
