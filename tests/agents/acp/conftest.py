"""What the tests of ACP agents begin with: agents of our own, played line by line or talked to."""

from .acp_person import person
from .acp_play import play
from .acp_turns import begin, state, worktree

__all__ = ["begin", "person", "play", "state", "worktree"]
