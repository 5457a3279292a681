"""What a person has read of a mission's change: reviewed marks, and the states of the work that scopes begin at.

A mark is on a run: lines that were added or removed one below the other. It is the digest of the run's file and text,
so it holds while the run moves, and is gone once the text changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Literal, get_args

from .errors import NotFound
from .records import record

DIGEST_LENGTH = 16
Scope = Literal["mission", "turn", "look", "texts"]
"""What a diff shows: all that the mission changed, what the agent changed since a person's last word, what changed
since the person looked last, or the mission's own texts, which have no diff."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
SAID: dict[Scope, str] = {
    "mission": "the whole mission",
    "turn": "this turn",
    "look": "since your last look",
    "texts": "description and plan",
}


@record
class Reading:
    """How far a person has read the change of a mission, on this machine."""

    mission_id: str
    reviewed: frozenset[str] = frozenset()
    """Digests of runs, and of files that have none."""
    look: str | None = None
    """The commit of what the person saw last."""
    before: str | None = None
    """What they had seen before that, where it was something else."""
    turn: str | None = None
    """The commit that the agent began its turn with."""
    turn_words: int | None = None
    """How many words of a person (verdicts, answers) there were by then."""

    def has(self, runs: Iterable[str]) -> bool:
        """Whether all of a hunk or file is marked as reviewed."""
        return all(run in self.reviewed for run in runs)

    def start(self, scope: Scope, *, looked: bool) -> str | None:
        """The commit that a scope begins at; None for the whole mission. `looked`: the person saw what is there now.

        NotFound when there is none yet.
        """
        if scope in ("mission", "texts"):
            return None
        found = self.turn if scope == "turn" else self.before if looked else self.look
        if found is None:
            if scope == "turn":
                raise NotFound(
                    "There is no turn to show", why="no agent has started one here", todo="look at the whole mission"
                )
            why = "you have seen only one state of it so far" if self.look else "you have not looked at it before"
            raise NotFound("There is nothing to compare your last look with", why=why, todo="look at the whole mission")
        return found


def run_digests(path: str, hunks: Iterable[Sequence[tuple[str, str]]]) -> Iterator[tuple[str, ...]]:
    """For each hunk of a file, as (kind, text) of its lines, the digests of its runs; equal runs are told apart."""
    met: Counter[str] = Counter()
    for lines in hunks:
        found: list[str] = []
        run: list[str] = []
        for kind, text in (*lines, (" ", "")):
            if kind != " ":
                run.append(kind + text)
            elif run:
                content = "\n".join(run)
                found.append(digest(path, content, str(met[content])))
                met[content] += 1
                run = []
        yield tuple(found)


def digest(*parts: str) -> str:
    """A short name for these texts; no others have the same."""
    joined = "\0".join(parts).encode("utf-8", "surrogateescape")
    return sha256(joined).hexdigest()[:DIGEST_LENGTH]
