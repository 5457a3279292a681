"""What a person has read of a mission's change: reviewed marks, and the states of the work that scopes begin at.

A mark is on a run: lines that were added or removed one below the other. It is the digest of the run's file and text,
so it holds while the run moves, and is gone once the text changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from .records import record

DIGEST_LENGTH = 16


@record
class Reading:
    """How far a person has read the change of a mission, on this machine."""

    mission_id: str
    reviewed: frozenset[str] = frozenset()
    """Digests of runs, and of files that have none."""

    def has(self, runs: Iterable[str]) -> bool:
        """Whether all of a hunk or file is marked as reviewed."""
        return all(run in self.reviewed for run in runs)


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
