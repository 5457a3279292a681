"""What of a person's permissions an agent is not held to (domain.md, Approvals)."""

from __future__ import annotations

from ..config.settings import AgentSettings
from .catalogue import CatalogueEntry

NOBODY = "asks for no permissions"


def unheld(entry: CatalogueEntry, wanted: AgentSettings, *, rules: bool) -> str:
    """The sentence that goes with ‼, without its subject; empty when the agent is held to everything.

    `rules`: the project has one that asks or denies.
    """
    if wanted.skip_permissions and entry.turn.skip_permissions:
        return NOBODY
    match entry.turn.guard:
        case "asks":
            own = rules and entry.transport == "lines" and bool(wanted.permission_mode)
            return (
                f"is limited by your permission mode {wanted.permission_mode}, not by the project's rules"
                if own
                else ""
            )
        case "sandbox":
            return "is limited by its own sandbox, not by the project's rules" if rules else ""
    return NOBODY


def not_taken(entry: CatalogueEntry, wanted: AgentSettings) -> list[str]:
    """Settings of a person that this agent has no way to be told."""
    turn = entry.turn
    choices = {
        "model": (wanted.model, turn.model),
        "effort": (wanted.effort, turn.effort),
        "fallback_model": (wanted.fallback_model, turn.fallback_model),
        "budget_usd": (wanted.budget_usd, turn.budget),
        "permission_mode": (wanted.permission_mode, turn.permission_mode),
    }
    return [name for name, (value, arguments) in choices.items() if value and not arguments]
