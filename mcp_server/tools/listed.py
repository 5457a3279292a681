"""Every tool, in the order in which they are listed."""

from __future__ import annotations

from . import asking, board, context, memory, permission, plan, reviewing, work
from .registry import Tool

TOOLS: tuple[Tool, ...] = (
    *context.TOOLS,
    *board.TOOLS,
    *plan.TOOLS,
    *work.TOOLS,
    *asking.TOOLS,
    *reviewing.TOOLS,
    *memory.TOOLS,
    *permission.TOOLS,
)
