"""The protocol on the real code: hundreds of runs with everything that can go wrong, and proof that the checks bite."""

from __future__ import annotations

import pytest

from .simulation.defects import DEFECTS
from .simulation.world import Broken, Trail, World

pytestmark = pytest.mark.slow
KINDS = {"feed": {}, "restores": {"restores": True}, "plain": {"plain": True}}
FOUND_AT = {"no idempotency key": 333, "a new key per try": 791}
"""The seed that notices a defect, where few do: it is tried first, as the others take a minute."""
SEEDS = {"feed": range(300), "restores": range(300, 450), "plain": range(450, 500)}


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("kind", list(KINDS))
def test_nothing_is_lost_done_twice_or_overwritten_whatever_happens(kind: str, part: int) -> None:
    """500 seeds; `bench/sync_soak.py` runs 20,000."""
    total = Trail()
    for seed in list(SEEDS[kind])[part::5]:
        try:
            trail = World(seed, **KINDS[kind]).run()
        except Broken as broken:
            pytest.fail(f"seed {seed} ({kind}): {broken}")
        for name, value in vars(trail).items():
            setattr(total, name, getattr(total, name) + value)
    assert total.edits > 100 and total.faults > 20 and total.crashes > 10 and total.settled > 5


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_defect_put_in_on_purpose_is_found(name: str) -> None:
    with DEFECTS[name]():
        for seed in (FOUND_AT.get(name, 0), *range(1000)):
            try:
                World(seed, restores=seed % 2 == 1).run()
            except Broken:
                return
    pytest.fail(f"1,000 seeds did not notice: {name}")
