"""What happened to a mission, told for people: a sentence for each event that means something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from .entities import Json, MissionEvent
from .records import record

QUIET: Final = frozenset(
    {
        *("claimed", "worktree_set", "conversation_known", "renumbered", "blockers_changed", "refitted", "file_sent"),
        *("landing_started", "repository_identified", "permission_asked", "claim_released"),
    }
)
"""Events that say nothing to a person that another does not say."""
FIELDS: Final = {
    "projectRepositoryId": "repository",
    "flowId": "flow",
    "flowConfig": "stages",
    "actorId": "actor",
    "codeAgentName": "agent",
    "codeAgentType": "kind of agent",
    "isLoop": "loop",
    "loopSchedule": "schedule",
    "prMode": "way to land",
    "prMergeStrategy": "way to merge",
    "spec": "specification",
}
"""Fields whose names on the wire are not what people call them; a name in two words becomes two words."""
HIDDEN: Final = frozenset({"listOrder", "repositoryId", "currentFlowTask", "requiresReview"})
"""Fields that follow from others."""
LINKS: Final = {"blocks": "blocks", "blocked_by": "waits for", "relates_to": "is related to"}
SAID: Final = {
    "created": "created it",
    "readied": "made it ready",
    "unreadied": "marked it not ready",
    "deleted": "deleted it",
    "restored": "restored it",
    "solution_attached": "wrote the solution",
    "noted_progress": "noted",
    "noted_decision": "decided",
    "noted_blocker": "reported a blocker",
    "noted_question": "asked",
    "noted_clarification": "clarified",
    "asked": "asked",
    "answered": "answered",
    "commented": "commented",
    "comment_answered": "answered a comment",
    "comment_edited": "edited a comment",
    "comment_resolved": "resolved a comment",
    "comment_reopened": "reopened a comment",
    "comment_deleted": "deleted a comment",
    "toured": "proposed a tour with the stops",
    "review_requested": "asked for a review",
    "rejected": "sent it back",
    "sent_back": "sent it back",
    "file_attached": "attached",
    "file_detached": "removed",
    "undone": "undid a step",
    "redone": "redid a step",
    "pull_request_opened": "opened a pull request",
    "landing_undone": "undid the landing",
    "landing_retried": "started its landing again",
    "permission_answered": "answered a request",
}
"""Events that are a verb and, after a colon, what they are about."""
BY_ITSELF: Final = {
    "landing_conflicted": "It conflicts with the branch it lands on",
    "landing_failed": "It could not be landed",
    "pull_request_updated": "Its pull request changed",
    "pull_request_opened": "A pull request was opened",
    "unproven": "How its session ended is unknown",
    "loop_run": "A run of the loop began",
    "conflicted": "It was changed here and at the hub",
    "conflict_settled": "A conflict with the hub was settled",
    "parked": "The hub refused a change",
    "unparked": "A refused change was queued again",
}
"""Events that are nobody's doing, as whole sentences."""


@record
class StoryLine:
    """One event: who did it (empty: nobody), what, and the text that belongs to it (feedback, a summary, a note)."""

    at: datetime
    who: str
    said: str
    text: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one line, but for the rest of a long text."""
        start = f"{self.who} {self.said}" if self.who else self.said
        text = " ".join(self.text.split())
        return f"{start}: {text}" if text else start


def told(
    events: Iterable[MissionEvent], stage: str, name_of: Callable[[str], str] = lambda ref: ref
) -> list[StoryLine]:
    """The events of a mission, oldest first, without those that mean nothing to a person.

    `stage`: the one that the mission is at now. `name_of` gives the short id of another mission by its id.
    """
    kept = list(events)
    moves = (event.changes["stage"] for event in kept if "stage" in event.changes)
    before, _ = next(moves, (stage, stage))
    return list(_tell(kept, str(before), name_of))


def _tell(events: Iterable[MissionEvent], stage: str, name_of: Callable[[str], str]) -> Iterator[StoryLine]:
    for event in events:
        if event.kind not in QUIET:
            who = _who(event)
            said, text = _said(event, stage, name_of)
            if said:
                yield StoryLine(event.at, who, said if who else said[0].upper() + said[1:], text)
        stage = str(event.changes.get("stage", (stage, stage))[1])


def _who(event: MissionEvent) -> str:
    match event.author.kind, event.author.name:
        case "system", _ if event.kind == "session_started":
            return _capital(event.note)
        case "system", _:
            return ""
        case "user", "":
            return "You"
        case _, name:
            return _capital(name or "agent")


def _said(event: MissionEvent, stage: str, name_of: Callable[[str], str]) -> tuple[str, str]:
    """What was done, and the text that belongs to it; nothing for an event that says nothing."""
    changes, note = event.changes, event.note
    match event.kind:
        case "session_started":
            return f"started on {stage}", ""
        case "session_ended":
            return ("", "") if note.partition(":")[0] == "completed" else ("the session ended", note)
        case "stage_completed":
            return f"finished {stage}", note
        case "approved":
            _, following = changes.get("stage", (None, None))
            lands = "landingStatus" in changes
            return f"approved {stage}" + (f"; {following} is next" if following else "; landing is next" * lands), ""
        case "landed":
            return f"It landed as {note[:10]}" if note else "It landed", ""
        case "moved":
            if "list" not in changes:
                return "moved it within its list", ""
            before, after = (str(one).capitalize() for one in changes["list"])
            return f"moved it from {before} to {after}", ""
        case "linked" | "unlinked":
            relation, _, other = note.partition(" ")
            gone = "no longer " if event.kind == "unlinked" else ""
            verb = {"blocks": "blocks", "blocked_by": "waits for", "relates_to": "is related to"}.get(
                relation, relation
            )
            return f"noted that it {gone}{verb} {name_of(other)}", ""
        case "tasks_updated":
            return _tasks(changes), note
        case "edited":
            return "changed " + (", ".join(_changed(changes)) or "it"), note
    if event.author.kind == "system" and event.kind in BY_ITSELF:
        return BY_ITSELF[event.kind], note
    return SAID.get(event.kind) or event.kind.replace("_", " "), note


def _tasks(changes: dict[str, tuple[Json, Json]]) -> str:
    if "tasks" in changes and isinstance(tasks := changes["tasks"][1], list):
        return f"wrote a plan of {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}"
    return f"finished task {changes['tasksCurrent'][1]}" if "tasksCurrent" in changes else "updated the tasks"


def _changed(changes: dict[str, tuple[Json, Json]]) -> Iterator[str]:
    """`priority (4 → 5)`; long values by the name of their field alone."""
    for name, (before, after) in changes.items():
        if name in HIDDEN:
            continue
        words = FIELDS.get(name) or "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
        long = isinstance(before, dict | list) or isinstance(after, dict | list) or name.endswith("Id")
        if long or len(f"{before}{after}") > 60:
            yield f"the {words}"
        else:
            yield f"the {words} ({_brief(before)} → {_brief(after)})"


def _brief(value: Json) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
    return " ".join(str(value).split())


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
