"""A card as lines of text with roles: what it says is decided here, how it looks by the column's component classes."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from rich.cells import cell_len

from ....missions.board import Card
from ...kit.ages import MINUTE, ago, clock, span, until
from ...kit.drawing import Line, Part, wrapped
from ...kit.marks import Marks

INDENT: Final = 3
"""Bar, priority and a space before the text of a card."""
TITLE_LINES: Final = 6
"""Lines of the title that a selected card shows at most; a title may have 500 characters."""
TALKATIVE: Final = 2
"""Lines that a question or a reason for attention may take."""
DOTS: Final = 6
ROOMY: Final = 3
"""Lines of the title of a card that is not chosen, where cards show all they can or the column has the room."""
Density = Literal["compact", "normal", "detailed"]
ROWS: Final[dict[Density, int]] = {"compact": 1, "normal": 2, "detailed": 3}
"""Lines of a quiet card with a short title."""
WAITS: Final = ("waits", "runs again", "tried again", "parked")
"""What begins so ends by itself; all else that keeps a ready mission from running needs a person."""
NEAR: Final = 600
"""Seconds before the end of a limit from when on it is counted down."""


def state_of(card: Card, marks: Marks, now: datetime) -> Part | None:
    """The one thing that matters now, or None for a quiet card."""
    match card:
        case Card(question=str(question)):
            return f"{marks.waits} asks: {question}", "wait"
        case Card(review_status="pending"):
            seconds = (now - (card.review_requested_at or card.updated_at)).total_seconds()
            since = f" {marks.separator} {span(seconds)}" if seconds >= MINUTE else ""  # redrawn once a minute
            return f"{marks.waits} waits for you{since}", "wait"
        case Card(session_status="ACTIVE", waits_for=str(what)) if what:
            return f"{marks.waits} {card.agent} {what}", "wait"
        case Card(session_status="ACTIVE"):
            elapsed = clock((now - (card.session_started_at or now)).total_seconds())
            agent = f"{card.agent} {marks.unasked}" if card.unasked else card.agent
            return f"{marks.running} {agent} {elapsed}  {card.activity}".rstrip(), "run"
        case Card(session_status="PUSHING"):
            return f"{marks.running} {card.agent or 'agent'} starts", "run"
        case Card(attention=str(reason)):
            return f"{marks.attention} {reason}", "bad"
        case Card(landing_status="queued" | "landing"):
            return f"{marks.branch} landing", "run"
        case Card(retry_at=datetime() as again) if again > now and card.attempts:
            return f"{marks.retry} attempt {card.attempts + 1} in {clock((again - now).total_seconds())}", "bad"
        case Card(retry_at=datetime() as again) if again > now:
            left = (again - now).total_seconds()
            when = f"limit ends in {clock(left)}" if left < NEAR else f"limit until {until(again, now)}"
            return f"{marks.parked} {card.agent or 'agent'} parked, {when}", "wait"
        case Card(blockers=blockers) if blockers and card.list != "done":
            other = card.blocked_by or "a missing mission"
            more = f" and {blockers - 1} more" if blockers > 1 else ""
            return f"{marks.blocked} blocked by {other}{more}", "bad"
        case Card(list="done"):
            pull = f"{marks.branch} #{card.pr_number} {marks.separator} " if card.pr_number else ""
            return f"{marks.done} {pull}{ago(card.updated_at, now)}", "faint"
        case Card(ready=True, why_not=str(why)) if why:
            waits = why.startswith(WAITS)
            return f"{marks.ready if waits else marks.attention} {why}", "wait" if waits else "bad"
        case Card(pr_number=int(number)):
            return f"{marks.branch} #{number}", "good"
        case Card(ready=True):
            return f"{marks.ready} ready", "good"
    return None


def facts_of(card: Card, width: int, marks: Marks, *, repositories: bool = True) -> Line:
    """Short id, and what tells cards apart: a stage beyond the first, the repository of several, tasks."""
    facts = [f"M-{card.number}"]
    if card.stage and card.list != "done" and (card.stage_position > 0 or card.list in ("doing", "review")):
        facts.append(card.stage)
    if card.repository and repositories:
        facts.append(card.repository)
    if card.ready and state_of_is_other(card):
        facts.append("ready")
    if card.tasks_total:
        facts.append(f"{card.tasks_done}/{card.tasks_total}")
    between = f" {marks.separator} "
    said = between.join(facts)
    dots = marks.task_done * card.tasks_done + marks.task_open * (card.tasks_total - card.tasks_done)
    if card.tasks_done and card.tasks_total <= DOTS and len(said) + len(dots) < width - INDENT:
        said = between.join([*facts[:-1], f"{dots} {facts[-1]}"])
    return [(said, "faint")]


def state_of_is_other(card: Card) -> bool:
    """Whether a ready card says something else in its state line, so that `ready` belongs among the facts."""
    return card.blockers > 0 and card.session_status == "INACTIVE" and card.list != "done"


def _talks(card: Card) -> bool:
    """Whether the state may take several lines even when the card is not chosen: a person must read it."""
    if card.session_status != "INACTIVE" or card.list == "done" or card.review_status == "pending":
        return card.question is not None
    return bool(card.question or card.attention or card.retry_at or card.blockers or (card.ready and card.why_not))


def _has_state(card: Card) -> bool:
    return bool(
        card.session_status != "INACTIVE"
        or card.list == "done"
        or card.ready
        or card.blockers
        or card.review_status == "pending"
        or card.question
        or card.attention
        or card.landing_status in ("queued", "landing")
        or card.retry_at
        or card.pr_number
    )


def height(card: Card, width: int, marks: Marks, now: datetime, *, density: Density = "normal", titles: int = 1) -> int:
    """Lines of the card when it is not chosen; equals the length of `lines`."""
    rows = ROWS[density]
    if titles > 1:
        rows += len(_wrapped(card.title, width, titles)) - 1
    if not _has_state(card):
        return rows
    if not _talks(card):
        return rows + 1
    return rows + len(_wrapped((state_of(card, marks, now) or ("", ""))[0], width, max(TALKATIVE, titles)))


def lines(
    card: Card,
    width: int,
    marks: Marks,
    now: datetime,
    *,
    selected: bool = False,
    density: Density = "normal",
    titles: int = 1,
    repositories: bool = True,
) -> list[Line]:
    """All lines of a card, each starting with its priority bar.

    `titles`: lines that a title may take where the card is not chosen. `repositories`: whether there are several.
    """
    bar: Part = (marks.bars[min(max(card.priority, 1), 5) - 1], f"p{card.priority}")
    most = TITLE_LINES if selected else titles
    before = unsent(card, marks)
    title = _wrapped(card.title, width - sum(cell_len(text) for text, _ in before), most) if most > 1 else [card.title]
    made: list[Line] = [[bar, (f"{card.priority} ", "number"), *before, (title[0], "title")]]
    made += [[bar, ("  ", ""), (more, "title")] for more in title[1:]]
    if density == "compact":
        made[-1] += _id_at_the_end(card, width - sum(cell_len(text) for text, _ in made[-1]))
    else:
        made.append([bar, ("  ", ""), *facts_of(card, width, marks, repositories=repositories)])
    if _has_state(card):
        text, role = state_of(card, marks, now) or (f"{marks.retry} tries again now", "faint")
        talk = TITLE_LINES if selected else max(TALKATIVE, titles)
        said = _wrapped(text, width, talk) if selected or _talks(card) else [text]
        made += [[bar, ("  ", ""), (line, role)] for line in said]
    if density == "detailed":
        made.append([bar, ("  ", ""), *details_of(card, marks, now)])
    return made


def _id_at_the_end(card: Card, room: int) -> Line:
    """The short id at the right end of a line with so much room; nothing where it would touch the title."""
    said = f"M-{card.number}"
    return [(" " * (room - len(said)), ""), (said, "faint")] if room > len(said) else []


def details_of(card: Card, marks: Marks, now: datetime) -> Line:
    """Agent, actor and how long ago it changed: the last line of a detailed card."""
    agent = "" if card.session_status == "ACTIVE" else card.agent
    facts = [agent, card.actor, f"changed {ago(card.updated_at, now)}"]
    return [(f" {marks.separator} ".join(fact for fact in facts if fact), "faint")]


def unsent(card: Card, marks: Marks) -> Line:
    """What the hub does not have of it yet, or refused, or has otherwise; nothing for all other cards."""
    match card.unsent:
        case "conflict":
            return [(f"{marks.conflict} ", "bad")]
        case "parked":
            return [(f"{marks.attention} ", "bad")]
        case "waiting":
            return [(f"{marks.unsynced} ", "wait")]
    return []


def ticks(card: Card, now: datetime) -> int:
    """A number that changes when the text of the card changes by the clock alone."""
    seconds = int(now.timestamp())
    if card.session_status == "ACTIVE":
        return seconds
    if card.retry_at is not None and (left := (card.retry_at - now).total_seconds()) > -1:
        return seconds if card.attempts or left < NEAR else seconds // 60
    return seconds // 60


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return wrapped(text, max(4, width - INDENT), most)
