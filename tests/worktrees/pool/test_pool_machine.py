"""Random operations on a pool, by us, by agents, by people and by kill -9: no byte of work is ever lost.

`SOLO_UNICORN_TEST_STEPS=5000 pytest -m slow tests/worktrees/pool/test_pool_machine.py` takes thousands of steps, with
new random choices; `SOLO_UNICORN_TEST_SEED` repeats those of a run that failed, as far as kills fall alike.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ..conftest import KilledAt, MakeMission, MakeRepo, Record
from .pool_agents import AGENT_WALK, AgentMachine

SEED = os.environ.get("SOLO_UNICORN_TEST_SEED")
WANTED = int(os.environ.get("SOLO_UNICORN_TEST_STEPS", "0"))


@pytest.mark.timeout(180)
def test_no_byte_of_work_is_ever_lost(
    make_repo: MakeRepo, record: Record, make_mission: MakeMission, killed_at: KilledAt
) -> None:
    repo_type = type(make_repo("unused"))
    run_state_machine_as_test(
        lambda: AgentMachine(repo_type, record, make_mission, killed_at),  # type: ignore[arg-type]  # what makes one will do
        settings=settings(
            max_examples=4,
            stateful_step_count=35,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


WALK: tuple[tuple[int, str, dict[str, Sequence[object]]], ...] = (
    (9, "claim", {"number": range(1, 7)}),
    (3, "claim_killed", {"number": range(1, 7), "step": range(13)}),
    (4, "release", {"pick": range(8)}),
    (2, "release_killed", {"pick": range(8), "step": range(9)}),
    (2, "clean", {"days": (0, 3, 8)}),
    (2, "clean_killed", {"days": (0, 8), "step": range(11)}),
    (2, "reconcile", {}),
    (2, "snapshot", {"pick": range(8)}),
    (6, "land", {"pick": range(8), "strategy": ("merge", "squash", "rebase")}),
    (5, "land_killed", {"pick": range(8), "strategy": ("merge", "squash", "rebase"), "step": range(46)}),
    (2, "undo", {}),
    (7, "dirty", {"pick": range(8), "staged": ("no", "yes", "and changed again")}),
    (8, "commit", {"pick": range(8), "shared": (True, False)}),
    (2, "detached_commit", {"pick": range(8)}),
    (2, "delete_directory", {"pick": range(8)}),
    (3, "lock", {"pick": range(8), "lock": (True, False)}),
    (3, "commit_on_the_checkout", {"shared": (True, False)}),
    (1, "dirty_the_checkout", {}),
    (4, "switch_the_checkout", {"where": ("main", "main", "mine", "--detach")}),
    (2, "move_a_branch", {"pick": range(8)}),
    (2, "move_main", {"pick": range(8), "back": (True, False)}),
    (1, "lose_a_record", {"pick": range(8)}),
    *AGENT_WALK,
)
"""How often each operation is taken in a long walk, and with what."""
FRESH = 150
"""Steps after which a walk goes on in a new repository."""


@pytest.mark.slow
@pytest.mark.timeout(300 + WANTED)
def test_no_byte_of_work_is_lost_on_a_long_walk(
    make_repo: MakeRepo, record: Record, make_mission: MakeMission, killed_at: KilledAt
) -> None:
    """Operations by weight, so that each meets pools that are full, locked, half deleted and behind."""
    seed = int(SEED or (int.from_bytes(os.urandom(4)) if WANTED else 1))
    chance, repo_type, did = random.Random(seed), type(make_repo("unused")), Counter[str]()
    steps, weights = max(WANTED, 2 * FRESH), [weight for weight, _, _ in WALK]
    machine: AgentMachine | None = None
    approved = 0
    for step in range(steps):
        if machine is None or step % FRESH == 0:
            if machine is not None:
                machine.teardown()
                approved += machine.approved
            machine = AgentMachine(repo_type, record, make_mission, killed_at)
            machine.start()
        [(_, name, choices)] = chance.choices(WALK, weights)
        before = len(machine.log)
        try:
            getattr(machine, name)(**{key: chance.choice(list(values)) for key, values in choices.items()})
            machine.nothing_is_lost()
            machine.the_limit_holds()
            machine.no_lock_is_left()
        except BaseException:
            print(f"seed {seed}, step {step}, {name}, in {machine.top}, after {machine.log}")
            raise
        did[name] += len(machine.log) > before
    assert machine is not None
    machine.teardown()
    assert approved + machine.approved, "something that a review showed was landed"
    print(f"seed {seed}: {did.total()} operations in {steps} steps: {dict(did.most_common())}")
    missing = [name for _, name, _ in WALK if not did[name]]
    assert not missing or (steps < 1000 and len(missing) < 6), "each kind of operation really took place"
