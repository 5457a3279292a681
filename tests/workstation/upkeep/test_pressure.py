"""When this machine starts nothing new because it is short of memory, or busy."""

from __future__ import annotations

from solo_unicorn.config.settings import BudgetSettings, Settings, WorkstationSettings
from solo_unicorn.workstation.upkeep.pressure import limits, pressure


def test_memory_and_load_each_have_their_sentence() -> None:
    settings = Settings(workstation=WorkstationSettings(memory_free_mb=512, load_per_core=4.0))
    assert pressure(settings, memory_free_mb=600, load_per_core=4.0, disk_free_mb=900) == ""
    short = pressure(settings, memory_free_mb=80.4, load_per_core=9.0, disk_free_mb=900)
    assert short == "has 80 MB of memory left (512 MB are kept free)"
    assert (
        pressure(settings, memory_free_mb=600, load_per_core=4.5, disk_free_mb=900)
        == "is busy (load 4.5 for each core, at most 4)"
    )


def test_zero_means_never_mind() -> None:
    settings = Settings(workstation=WorkstationSettings(memory_free_mb=0, load_per_core=0.0))
    assert pressure(settings, memory_free_mb=1, load_per_core=99.0, disk_free_mb=900) == ""


def test_the_limits_are_those_of_the_settings_and_of_this_machine() -> None:
    settings = Settings(
        workstation=WorkstationSettings(slots=7, memory_free_mb=1 << 40), budget=BudgetSettings(2.0, 10.0)
    )
    found = limits(settings)
    assert (found.slots, found.mission_budget, found.day_budget) == (7, 2.0, 10.0)
    assert found.pressure.startswith("has "), "no machine has so much"
