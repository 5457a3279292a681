"""What the programs of people were told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import IO


@dataclass
class Ledger:
    """Every write that was acknowledged, and every error."""

    saved: list[tuple[str, str, str]] = field(default_factory=list)
    """(what, id of the mission, text)."""
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    grown: threading.Condition = field(default_factory=threading.Condition)

    def listen(self, stream: IO[str]) -> None:
        """Take in what a writer says, until it ends."""
        with stream:
            for line in stream:
                kind, *words = json.loads(line)
                with self.grown:
                    if kind == "saved":
                        self.saved.append((words[0], words[1], words[2]))
                    elif kind == "refused":
                        self.refused += 1
                    else:
                        self.faults.append(" ".join(words))
                    self.grown.notify_all()

    def wait(self, more: int, patience: float = 90.0) -> None:
        """Until so many more writes were acknowledged."""
        with self.grown:
            wanted = len(self.saved) + more
            assert self.grown.wait_for(lambda: len(self.saved) >= wanted, patience), "nothing is saved any more"
