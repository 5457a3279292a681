"""`ask_user`: one question, answered in the inbox, on the screen, on the command line, or by the client that asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...missions.access import MissionAccess
from ...missions.entities import Author, Mission
from ...missions.errors import InvalidValue
from ...missions.operations import review
from ..caller import McpCaller
from .arguments import Arguments, MissionRef, Note, Title
from .registry import Data, Question, Reply, Tool
from .work import mine, written

PARKED = "End your turn now; it resumes with the person's answer."
WAITS = "It is in the person's inbox. Ask in your reply too; get_mission shows the answer once there is one."
GONE = "That question is no longer open. Go on without it, or ask in your reply."


class AskUser(Arguments):
    """What only a person can decide."""

    question: Annotated[Note, Field(description="With what one must know to answer")]
    options: Annotated[tuple[Title, ...], Field(max_length=10, description="Answers to choose from")] = ()
    mission: MissionRef | None = None


def ask_user(access: MissionAccess, caller: McpCaller, given: AskUser) -> Reply | Question:
    """A run's mission waits for the answer, and its conversation resumes with it; a client waits by itself.

    A run is answered by no form: its program fills in forms by itself.
    """
    text = "\n".join([given.question, *(f"- {one}" for one in given.options)])
    if caller.mission_id is not None:
        mission = mine(access, caller, given.mission, "asking about it")
        mission = access.write(caller.author, review.ask_question, mission.id, text)
        return Data(written(mission) | {"parked": True, "next": PARKED})
    if given.mission is None and caller.here is None:
        return _of_no_mission(given)
    mission = mine(access, caller, given.mission, "asking about it")
    return _Asked(mission.id, text, caller.name).question(given.options)


class _Asked:
    """The question of a client on a mission; the mission keeps it."""

    def __init__(self, mission_id: str, text: str, client: str) -> None:
        self._mission, self._text, self._client = mission_id, text.strip(), client
        self._person = Author("user", f"you, in {client}")

    def question(self, options: tuple[str, ...]) -> Question:
        return Question(self._text, options, self.put, self.elsewhere, self.answered, self.waiting)

    def put(self, access: MissionAccess) -> object:
        by = Author("agent", self._client)
        return access.write(by, review.ask_question, self._mission, self._text, client=self._client)

    def elsewhere(self, access: MissionAccess) -> Reply | None:
        mission = access.mission(self._mission)
        if self._is_open(mission):
            return None
        if mission.asked == self._text and mission.answer is not None:
            return _told(mission, mission.answer)
        return Data(written(mission) | {"withdrawn": True, "next": GONE})

    def answered(self, access: MissionAccess, said: str) -> Reply:
        if not self._is_open(access.mission(self._mission)):  # somebody was faster
            return self.elsewhere(access) or self.waiting(access)
        return _told(access.write(self._person, review.answer, self._mission, said), said.strip())

    def waiting(self, access: MissionAccess) -> Reply:
        return Data(written(access.mission(self._mission)) | {"waiting": True, "next": WAITS})

    def _is_open(self, mission: Mission) -> bool:
        return (mission.question, mission.asked_by) == (self._text, self._client)


def _told(mission: Mission, answer: str) -> Reply:
    return Data(written(mission) | {"answer": answer})


def _of_no_mission(given: AskUser) -> Question:
    """Nothing keeps it: the client shows it, or nobody does."""

    def nowhere(_access: MissionAccess) -> Reply:
        raise InvalidValue(
            "mission",
            "The question concerns no mission, and this client cannot show a form",
            todo="ask in your reply, or name a mission to put the question into the inbox",
        )

    return Question(
        given.question,
        given.options,
        put=lambda _access: None,
        elsewhere=lambda _access: None,
        answered=lambda _access, text: Data({"answer": text.strip()}),
        waiting=nowhere,
    )


TOOLS = (
    Tool(
        "ask_user",
        "Ask a person what only they can decide; `next` says how the answer comes.",
        AskUser,
        ask_user,
        "work",
        "add",
        always_load=True,
    ),
)
