"""What surfaces read: cards, counts, queues. Values only; the workspace fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal, TypeVar

from .entities import AgentSessionStatus, JsonObject, LandingStatus, ListName, Mission, Relation, ReviewStatus
from .records import field, record

T = TypeVar("T")
Direction = Literal["blocked_by", "blocks", "relates_to"]


@record
class Card:
    """All that a board shows of a mission, in one row of one query."""

    id: str
    number: int
    version: int
    project_id: str
    title: str
    list: ListName
    list_order: float
    priority: int
    stage: str
    stage_position: int
    """Of the enabled stages, from 0."""
    stage_count: int
    requires_review: bool
    ready: bool
    is_loop: bool
    repository: str
    """Short name of the repository; empty when the mission has none."""
    tasks_done: int
    tasks_total: int
    blockers: int
    blocked_by: str
    """Title of the first unresolved blocker; empty when there is none or it is not visible."""
    session_status: AgentSessionStatus
    session_started_at: datetime | None
    agent: str
    """Name of the running agent, else of the wished one; may be empty."""
    activity: str
    review_status: ReviewStatus | None
    review_requested_at: datetime | None
    attention: str | None
    question: str | None
    retry_at: datetime | None
    attempts: int
    landing_status: LandingStatus | None
    pr_number: int | None
    updated_at: datetime
    actor: str = ""
    """Name of the actor; empty when the mission has none."""
    unsent: str = ""
    """What the hub does not have of it: `waiting`, `parked` or `conflict`; empty when it has everything."""
    waits_for: str = ""
    """What its running agent waits for a person to allow; empty when for nothing."""
    unasked: bool = False
    """Its running agent is not held to all that a person decided: it asks nobody, or rules do not hold it."""
    why_not: str = ""
    """What keeps a ready mission from running, once it was looked for; the query that reads cards does not tell."""


@record
class ListCount:
    """How many missions a list holds."""

    total: int = 0
    ready: int = 0
    running: int = 0
    limit: int | None = None
    """Work-in-progress limit of the project for this list."""

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self.limit is not None and self.total >= self.limit


Waits = Literal["permission", "review", "question", "attention"]
"""What of a mission waits for a person."""


@record
class Waiting:
    """Something that waits for a person."""

    kind: Waits
    mission: Mission
    since: datetime
    text: str


@record
class QueueEntry:
    """A mission the scheduler looks at; `why_not` None means it may start now."""

    mission: Mission
    why_not: str | None


@record
class DependencyView:
    """One dependency as seen from one mission; `other` None when it is missing or deleted."""

    relation: Relation
    direction: Direction
    other_id: str
    other: Mission | None
    resolved: bool


@record
class Page(Generic[T]):
    """A page of a longer list."""

    items: tuple[T, ...]
    total: int
    next_cursor: str | None = None


@record
class Hit:
    """A search result: a mission or a memory document, with the matching words in [brackets]."""

    kind: Literal["mission", "memory"]
    ref: str
    title: str
    excerpt: str
    heading: str = ""
    """Of the section that was found, with those above it: `Money › Rounding`; empty outside of any."""
    version: int = 0
    """Of the mission or document, as it was found."""
    source: str = ""
    """Of a section: who wrote it, and on which day."""
    doubt: str = ""
    """Why a section may no longer hold."""


@record
class MemoryOffer:
    """Something a person said that may be a rule for the memory."""

    event: int
    """Number of the event that told of it; by it the person decides."""
    mission: Mission
    text: str
    why: Literal["rejected", "asked again"]
    since: datetime


@record
class ServiceRequest:
    """What a screen or command asks of the workstation service."""

    id: int
    kind: str
    at: datetime
    mission_id: str | None = None
    session_id: str | None = None
    payload: JsonObject = field(default_factory=dict)
    correlation_id: str = ""
