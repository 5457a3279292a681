"""A conversation of the rehearsal agent: kept in a file, so that --resume goes on where it stopped."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TypedDict

from ...missions.errors import NotFound
from ...system import files, strict_json
from . import LABEL

PROMPT_KEPT = 4_000
"""Characters of each prompt that are kept."""


class RehearsalTurn(TypedDict):
    """One prompt and what was done about it."""

    prompt: str
    stage: str
    outcome: str


class RehearsalConversation:
    """What has been said and done under one conversation id."""

    def __init__(self, directory: Path, identity: str) -> None:
        self.id = identity
        self.turns: list[RehearsalTurn] = []
        self._done: list[str] = []
        self._file = directory / f"{identity}.json"

    @classmethod
    def begin(cls, directory: Path, identity: str | None = None) -> RehearsalConversation:
        return cls(directory, str(uuid.UUID(identity)) if identity else str(uuid.uuid4()))

    @classmethod
    def resume(cls, directory: Path, identity: str) -> RehearsalConversation:
        """The one of that id; NotFound when there is none."""
        try:
            found = cls(directory, str(uuid.UUID(identity)))
            kept = strict_json.loads(found._file.read_text("utf-8"))
            found.turns = [
                RehearsalTurn(prompt=one["prompt"], stage=one["stage"], outcome=one["outcome"]) for one in kept["turns"]
            ]
            found._done = [str(one) for one in kept["done"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotFound(f"No conversation found with session ID: {identity}") from error
        return found

    def begin_turn(self, prompt: str) -> None:
        self.turns.append(RehearsalTurn(prompt=prompt[:PROMPT_KEPT], stage="", outcome=""))
        self._save()

    def end_turn(self, outcome: str) -> None:
        """The turn is over."""
        self.turns[-1]["outcome"] = outcome
        self._save()

    def at_stage(self, stage: str) -> None:
        """The turn is about this stage."""
        self.turns[-1]["stage"] = stage
        self._save()

    def has_done(self, step: str) -> bool:
        """Whether this step was done, in this turn or an earlier one."""
        return step in self._done

    def done(self, step: str) -> None:
        """This step is done and need not be done again."""
        if step not in self._done:
            self._done.append(step)
            self._save()

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"label": LABEL, "id": self.id, "turns": self.turns, "done": self._done}, indent=1)
        files.replace(self._file, (text + "\n").encode(), durable=False)


class Rehearsed:
    """The cues of a mission that happen once and have happened, in whatever conversation."""

    def __init__(self, directory: Path, mission: str) -> None:
        self._file = directory / f"{mission}.once"

    def has(self, key: str) -> bool:
        """Whether it has happened."""
        try:
            return key in self._file.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return False

    def add(self, key: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(key + "\n")
