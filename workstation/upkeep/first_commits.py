"""Checkouts without a commit, which people wanted linked: linked as soon as they have one."""

from __future__ import annotations

import asyncio
from typing import Final

from ...config.log import logger
from ...worktrees.repository.linking import all_empty, awaited, link_awaited
from ..context import ServiceContext

LOOK_SECONDS: Final = 5.0
"""How often a checkout is looked at whose first commit is waited for."""


async def link_first_commits(context: ServiceContext) -> None:
    """Until cancelled; looks at nothing while nothing is waited for."""
    news = asyncio.Event()
    stop = context.workspace.on_change(news.set)
    try:
        while True:
            news.clear()
            while waiting := await context.workspace.run(awaited):
                if not await context.git(all_empty, waiting):
                    for made in await context.workspace.run(link_awaited):
                        logger("workstation").info("linked with its first commit", extra={"repository": made.name})
                await asyncio.sleep(LOOK_SECONDS)
            await news.wait()
    finally:
        stop()
