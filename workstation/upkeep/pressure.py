"""What this machine may do at once and spend, and whether it is short of disk or memory, or under load, just now."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace

from ...config import paths
from ...config.settings import Settings
from ...missions.rules.eligibility import WorkstationLimits
from ...workspace import operations
from ..context import ServiceContext


class LimitsReport:
    """Keeps the workspace informed of the limits, so that every process can say why a mission waits."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._told: WorkstationLimits | None = None

    async def tell(self) -> None:
        """Write the limits down where they differ from what was told last."""
        now = await asyncio.to_thread(limits, self._context.settings)
        if self._told and now.pressure and self._told.pressure:  # its figures move all the time: told once
            now = replace(now, pressure=self._told.pressure)
        if now != self._told:
            await self._context.workspace.run(operations.workstation.set_limits, now)
            self._told = now


def limits(settings: Settings) -> WorkstationLimits:
    """The limits of the settings, with what the machine is short of at this moment."""
    return WorkstationLimits(
        slots=settings.workstation.slots,
        mission_budget=settings.budget.mission_usd,
        day_budget=settings.budget.day_usd,
        pressure=pressure(
            settings, memory_free_mb=memory_free_mb(), load_per_core=load_per_core(), disk_free_mb=disk_free_mb()
        ),
    )


def pressure(settings: Settings, *, memory_free_mb: float, load_per_core: float, disk_free_mb: float) -> str:
    """What to say behind `this machine`; empty while it has what a session needs."""
    least = settings.workstation.disk_free_mb
    if least and disk_free_mb < least:
        return f"has {disk_free_mb:.0f} MB of disk space left ({least} MB are kept free)"
    wanted, most = settings.workstation.memory_free_mb, settings.workstation.load_per_core
    if wanted and memory_free_mb < wanted:
        return f"has {memory_free_mb:.0f} MB of memory left ({wanted} MB are kept free)"
    if most and load_per_core > most:
        return f"is busy (load {load_per_core:.1f} for each core, at most {most:g})"
    return ""


def disk_free_mb() -> float:
    """What is left of the disk that holds worktrees and transcripts, in MB."""
    return shutil.disk_usage(paths.home()).free / (1 << 20)


def memory_free_mb() -> float:
    """Memory that could be used without swapping, in MB."""
    import psutil

    return float(psutil.virtual_memory().available) / (1 << 20)


def load_per_core() -> float:
    """The load of the last minute over the number of cores."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
