"""What a session used up: its cost, and its model's context."""

from __future__ import annotations

from ...missions.entities import Session, Usage
from .ages import count


def dollars(used: Usage) -> str:
    """$0.31; ~$0.31 where it was worked out from tokens; `cost unknown` where tokens were used that have no price."""
    if used.cost_usd is not None:
        return f"{'~' if used.estimated else ''}${used.cost_usd:.2f}"
    return "cost unknown" if used.input_tokens or used.output_tokens else ""


def context(session: Session) -> str:
    """`context 45%`, or in tokens where the agent does not tell of how many; empty where it tells nothing."""
    if not session.context_used:
        return ""
    if not session.context_size:
        return f"context {count(session.context_used)}"
    return f"context {min(100, round(100 * session.context_used / session.context_size))}%"
