"""Which mission may run, why another may not, and the order of dispatch (domain.md, Eligible, and in what order)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import LoopSchedule
from solo_unicorn.missions.limits import STARTS_AN_HOUR
from solo_unicorn.missions.rules.eligibility import (
    AgentState,
    Blocker,
    Facts,
    WorkstationLimits,
    dispatch_key,
    pick_agent,
    span,
    why_not,
)
from solo_unicorn.missions.rules.sessions import claim

CLAUDE = AgentState("claude", "claude")
CODEX = AgentState("codex", "codex")
REHEARSAL = AgentState("rehearsal", "rehearsal")


def facts(make: Any, **around: Any) -> Facts:
    common: dict[str, Any] = {
        "project": make.project,
        "repository": make.repository,
        "agents": (CLAUDE,),
        "now": make.later,
    }
    return Facts(**(common | around))


def test_a_ready_mission_with_all_it_needs_may_start(make: Any) -> None:
    for list_name in ("todo", "doing", "loop"):
        assert why_not(make.mission(list=list_name, ready=True), facts(make)) is None


# Each step breaks one rule more, from the last of the rule book to the first: always the first broken one is named.
BREAKS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("backing off", {"retry_at": "+20s", "attempts": 1}, {}, "tried again in 20 s, after 1 failed attempt"),
    (
        "loop",
        {"is_loop": True, "list": "loop", "loop_schedule": LoopSchedule(1)},
        {"loop_runs": "-21h"},
        "runs again in 3 h",
    ),
    ("agent", {}, {"agents": (replace(CLAUDE, slots_free=0),)}, "waits for a free claude slot"),
    ("wip", {}, {"wip_limits": {"doing": 2}, "doing_count": 2}, "waits because Doing is full (2 of 2)"),
    ("repository", {}, {"repository_running": 4}, "waits for its turn on web (4 of 4 running)"),
    ("project", {}, {"paused": True}, "waits because the project Acme is paused"),
    ("review", {"review_status": "pending"}, {}, "waits for your review"),
    ("blocked", {}, {"blockers": (Blocker("M-9", "Design tokens", "todo"),)}, "blocked by M-9 Design tokens (todo)"),
    ("session", {"agent_session_status": "ACTIVE"}, {}, "running now"),
    ("ready", {"ready": False}, {}, "not marked ready"),
    ("list", {"list": "done"}, {}, "done"),
]


@pytest.mark.parametrize("broken", range(1, len(BREAKS) + 1), ids=[name for name, *_ in BREAKS])
def test_the_first_rule_that_fails_is_named_however_many_fail(make: Any, broken: int) -> None:
    state: dict[str, Any] = {"ready": True}
    around: dict[str, Any] = {}
    for _, fields, facts_there, _ in BREAKS[:broken]:
        state |= fields
        around |= facts_there
    if state.get("retry_at"):
        state["retry_at"] = make.later + timedelta(seconds=20)
    if around.get("loop_runs"):
        around["loop_runs"] = (make.later - timedelta(hours=21),)
    wip, paused = around.pop("wip_limits", {}), around.pop("paused", False)
    project = replace(make.project, wip_limits=wip, paused=paused)
    assert why_not(make.mission(**state), facts(make, project=project, **around)) == BREAKS[broken - 1][3]


def test_each_reason_of_a_person_or_landing(make: Any) -> None:
    told = {
        "deleted": {"deleted_at": make.now},
        "waits for your review": {"list": "review", "review_status": "pending"},
        "is in Review; move it to Todo or Doing": {"list": "review"},
        "needs you: Failed 3 times: x": {"ready": False, "attention": "Failed 3 times: x"},
        "being prepared to run": {"agent_session_status": "PUSHING"},
        "waits for your answer: Which?": {"question": "Which?"},
        "finished, waiting to be landed": {"landing_status": "queued"},
        "being landed": {"landing_status": "landing"},
        "parked until its agent's limit resets in 9 h 12 min": {
            "retry_at": make.later + timedelta(hours=9, minutes=12)
        },
    }
    for sentence, state in told.items():
        assert why_not(make.mission(**({"ready": True, "list": "doing"} | state)), facts(make)) == sentence


def test_a_landing_that_met_conflicts_may_run_again(make: Any) -> None:
    mission = make.mission(list="doing", ready=True, landing_status="failed", landing_error="conflicts in: a.py")
    assert why_not(mission, facts(make)) is None


def test_attention_alone_holds_nothing_back(make: Any) -> None:
    mission = make.mission(list="doing", ready=True, attention="claude is signed out")
    assert why_not(mission, facts(make)) is None


@pytest.mark.parametrize(
    ("blockers", "sentence"),
    [
        ((Blocker("M-9", "", "todo"), Blocker("M-8", "", "doing")), "blocked by M-9 (todo) and 1 more"),
        ((Blocker("01ARZ3", "", None),), "blocked by 01ARZ3, which is missing or deleted"),
        ((Blocker("M-7", "old", "done"), Blocker("M-9", "new", "todo")), "blocked by M-9 new (todo)"),
        ((Blocker("M-7", "old", "done"),), None),
    ],
)
def test_blockers_are_named_and_missing_ones_still_block(make: Any, blockers: Any, sentence: str | None) -> None:
    assert why_not(make.mission(ready=True), facts(make, blockers=blockers)) == sentence


def test_project_and_workstation(make: Any) -> None:
    archived = replace(make.project, status="archived")
    assert why_not(make.mission(ready=True), facts(make, project=archived)) == "belongs to Acme, which is archived"
    paused = facts(make, workstation_paused=True)
    assert why_not(make.mission(ready=True), paused) == "waits because this workstation is paused"


def test_repositories(make: Any) -> None:
    mission = make.mission(ready=True)
    assert why_not(replace(mission, project_repository_id=None), facts(make, repository=None)) == (
        "No repository: `solo-unicorn repo add` links one"
    )
    assert "removed" in str(why_not(mission, facts(make, repository=None)))
    broken = replace(make.repository, status="error")
    assert "web, which is not usable" in str(why_not(mission, facts(make, repository=broken)))
    unlimited = replace(make.repository, max_concurrent_missions=0)
    assert why_not(mission, facts(make, repository=unlimited, repository_running=99)) is None


def test_missions_already_in_doing_do_not_count_against_themselves(make: Any) -> None:
    full = facts(make, project=replace(make.project, wip_limits={"doing": 1}), doing_count=1)
    assert why_not(make.mission(list="doing", ready=True), full) is None
    assert why_not(make.mission(list="todo", ready=True), full) == "waits because Doing is full (1 of 1)"


def test_a_loop_run_that_began_goes_on(make: Any) -> None:
    state: dict[str, Any] = {"is_loop": True, "loop_schedule": LoopSchedule(max_per_day=1), "ready": True}
    ran = facts(make, loop_runs=(make.now,))
    assert why_not(make.mission(list="doing", **state), ran) is None
    assert str(why_not(make.mission(list="loop", **state), ran)).startswith("runs again in")


# ---- agents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agents", "sentence"),
    [
        ((), "waits for the first scan for code agents"),
        ((replace(CLAUDE, installed=False),), "wants claude, which is not installed or does not work"),
        ((replace(CLAUDE, enabled=False),), "wants claude, which is turned off"),
        ((replace(CLAUDE, signed_in=False),), "wants claude, which is signed out"),
        ((replace(CLAUDE, slots_free=0),), "waits for a free claude slot"),
        ((replace(CLAUDE, slots_free=0), replace(CODEX, signed_in=False)), "waits for a free claude slot"),
    ],
)
def test_the_agent_that_is_nearest_to_starting_is_named(make: Any, agents: Any, sentence: str) -> None:
    assert why_not(make.mission(ready=True), facts(make, agents=agents)) == sentence


def test_a_limited_agent_is_waited_for_until_it_resets(make: Any) -> None:
    limited = replace(CLAUDE, limited_until=make.later + timedelta(minutes=90))
    assert why_not(make.mission(ready=True), facts(make, agents=(limited,))) == (
        "waits for the limit of claude to reset in 1 h 30 min"
    )
    over = replace(CLAUDE, limited_until=make.later)
    assert why_not(make.mission(ready=True), facts(make, agents=(over,))) is None


def test_a_wish_for_an_agent_is_kept(make: Any) -> None:
    mission = make.mission(ready=True, code_agent_type="codex")
    assert pick_agent(mission, (CLAUDE, CODEX), make.now) == CODEX
    assert why_not(mission, facts(make)) == "wants codex, which this workstation does not have"
    second = AgentState("claude", "claude-2")
    assert (
        pick_agent(make.mission(code_agent_type="claude", code_agent_name="claude-2"), (CLAUDE, second), make.now)
        == second
    )


def test_without_a_wish_the_first_that_can_start_takes_it(make: Any) -> None:
    assert pick_agent(make.mission(), (CLAUDE, CODEX), make.now) == CLAUDE
    assert pick_agent(make.mission(), (replace(CLAUDE, slots_free=0), CODEX), make.now) == CODEX


def test_a_conversation_goes_on_with_the_agent_that_holds_it(make: Any) -> None:
    mission = make.mission(ready=True, last_code_agent_session_id="c", last_code_agent_name="codex")
    assert pick_agent(mission, (CLAUDE, CODEX), make.now) == CODEX
    limited = replace(CODEX, limited_until=make.later + timedelta(hours=1))
    assert pick_agent(mission, (CLAUDE, limited), make.now) is None
    assert why_not(mission, facts(make, agents=(CLAUDE, limited))) == "waits for the limit of codex to reset in 1 h"


@pytest.mark.parametrize("gone", [(), (replace(CODEX, installed=False),), (replace(CODEX, enabled=False),)])
def test_when_that_agent_is_gone_another_begins_a_new_conversation(make: Any, gone: Any) -> None:
    mission = make.mission(last_code_agent_session_id="c", last_code_agent_name="codex")
    assert pick_agent(mission, (*gone, CLAUDE), make.now) == CLAUDE


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        ("limit", "waits for the limit of claude to reset in 1 h"),
        ("requests", "waits because claude made too many requests; tried again in 1 h"),
        ("service", "waits because the service of claude does not answer; tried again in 1 h"),
        ("credit", "waits because the account of claude has no credit; tried again in 1 h"),
    ],
)
def test_what_holds_an_agent_is_named_and_then_one_mission_tries(make: Any, hold: Any, said: str) -> None:
    held = replace(CLAUDE, hold=hold, limited_until=make.now + timedelta(hours=1))
    mission = make.mission(ready=True)
    assert why_not(mission, replace(facts(make, agents=(held,)), now=make.now)) == said
    over = replace(facts(make, agents=(held,)), now=make.now + timedelta(hours=2))
    assert why_not(mission, over) is None
    trying = replace(over, agents=(replace(held, slots_free=0),))
    assert why_not(mission, trying) == "waits while another mission checks whether claude works again"


def test_a_mission_starts_a_few_times_an_hour_without_a_person(make: Any) -> None:
    mission = make.mission(ready=True)
    starts = tuple(make.now + timedelta(minutes=5 * number) for number in range(STARTS_AN_HOUR))
    often = replace(facts(make, agents=(CLAUDE,)), starts=starts, now=make.now + timedelta(minutes=40))
    assert why_not(mission, often) == (
        "started 6 times within an hour: tried again in 20 min, or when you mark it ready"
    )
    assert why_not(mission, replace(often, starts=starts[1:])) is None
    assert why_not(mission, replace(often, now=make.now + timedelta(hours=1))) is None


def test_the_rehearsal_never_stands_in_for_a_busy_agent(make: Any) -> None:
    busy = replace(CLAUDE, slots_free=0)
    assert pick_agent(make.mission(), (REHEARSAL, busy), make.now) is None
    assert pick_agent(make.mission(), (REHEARSAL,), make.now) == REHEARSAL
    assert pick_agent(make.mission(), (replace(CLAUDE, installed=False), REHEARSAL), make.now) == REHEARSAL
    assert pick_agent(make.mission(code_agent_type="rehearsal"), (CLAUDE, REHEARSAL), make.now) == REHEARSAL


agents = st.builds(
    AgentState,
    st.sampled_from(["claude", "codex", "rehearsal"]),
    st.sampled_from(["a", "b", "c"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "service"]),
    st.none(),
    st.integers(0, 2),
    st.booleans(),
)


@given(st.lists(agents, max_size=5, unique_by=lambda agent: agent.name), st.sampled_from([None, "claude", "rehearsal"]))
def test_an_agent_is_picked_exactly_when_nothing_holds_the_mission_back(
    make: Any, there: Any, wish: str | None
) -> None:
    mission = make.mission(ready=True, code_agent_type=wish)
    picked = pick_agent(mission, there, make.later)
    assert (picked is None) == (why_not(mission, facts(make, agents=tuple(there))) is not None)
    if picked is not None:
        assert picked.enabled and picked.signed_in and picked.installed and picked.slots_free > 0
        assert wish in (None, picked.type)


# ---- order -------------------------------------------------------------------------------------------------------


def test_priority_then_list_then_place_then_age(make: Any) -> None:
    def at(name: str, priority: int, list_name: str, order: float, minutes: int = 0) -> Any:
        created = make.now + timedelta(minutes=minutes)
        return make.mission(id=name, priority=priority, list=list_name, list_order=order, created_at=created)

    wanted = [
        at("a", 5, "loop", 9),
        at("b", 4, "doing", 9),
        at("c", 4, "todo", 1),
        at("d", 4, "todo", 2, 1),
        at("e", 4, "todo", 2, 2),
        at("f", 4, "todo", 2, 2),
        at("g", 4, "loop", 0),
        at("h", 1, "doing", 0),
    ]
    for shuffled in (wanted[::-1], wanted[3:] + wanted[:3]):
        assert sorted(shuffled, key=dispatch_key) == wanted


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from(["doing", "todo", "loop"]), st.integers(0, 3)),
        min_size=2,
        max_size=20,
    )
)
def test_the_order_of_dispatch_is_the_rule_for_every_pair(make: Any, states: list[tuple[int, str, int]]) -> None:
    missions = [make.mission(priority=p, list=name, list_order=float(o)) for p, name, o in states]
    for first, second in pairwise(sorted(missions, key=dispatch_key)):
        assert first.priority >= second.priority
        if first.priority == second.priority:
            ranks = {"doing": 0, "todo": 1, "loop": 2}
            assert ranks[first.list] <= ranks[second.list]
            assert first.list != second.list or first.list_order <= second.list_order


def test_a_repository_whose_worktrees_are_all_held_takes_no_further_mission(make: Any) -> None:
    mission = make.mission(ready=True)
    repository = replace(make.repository, name="shop", max_concurrent_missions=2)
    full = replace(facts(make), repository=repository, worktrees_taken=5)
    assert why_not(mission, full) == "waits for a free worktree of shop (5 hold work that runs, waits for you or lands)"
    assert why_not(mission, replace(full, worktrees_taken=4)) is None
    assert why_not(mission, replace(full, has_worktree=True)) is None, "its own is kept for it"
    unlimited = replace(repository, max_concurrent_missions=0)
    assert why_not(mission, replace(full, repository=unlimited, worktrees_taken=99)) is None


def test_a_machine_with_all_its_slots_in_use_starts_nothing(make: Any) -> None:
    mission = make.mission(ready=True)
    full = replace(facts(make), limits=WorkstationLimits(slots=4), workstation_running=4)
    assert why_not(mission, full) == "waits for a free slot of this machine (4 of 4 running)"
    assert why_not(mission, replace(full, workstation_running=3)) is None
    assert why_not(mission, replace(full, limits=WorkstationLimits())) is None, "nobody told of a limit"


def test_a_machine_under_pressure_says_what_it_is_short_of(make: Any) -> None:
    short = replace(facts(make), limits=WorkstationLimits(pressure="has 80 MB of memory left (512 MB are kept free)"))
    told = why_not(make.mission(ready=True), short)
    assert told == "waits because this machine has 80 MB of memory left (512 MB are kept free)"


def test_a_budget_that_is_used_up_holds_new_sessions_back(make: Any) -> None:
    mission = make.mission(ready=True)
    limited = replace(facts(make), limits=WorkstationLimits(mission_budget=2.0, day_budget=10.0))
    assert why_not(mission, replace(limited, mission_cost=1.99, day_cost=9.99)) is None
    assert why_not(mission, replace(limited, mission_cost=2.0)) == "used up its budget ($2.00 of $2.00)"
    own = make.mission(ready=True, agent_budget=5.0)
    assert why_not(own, replace(limited, mission_cost=4.99)) is None
    assert why_not(own, replace(facts(make), mission_cost=5.0)) == "used up its budget ($5.00 of $5.00)"
    today = why_not(mission, replace(limited, day_cost=10.5))
    assert today == "waits for tomorrow: today's budget is used ($10.50 of $10.00)"
    assert why_not(mission, replace(facts(make), mission_cost=99.0, day_cost=99.0)) is None, "0 is not a budget"


def test_what_may_start_may_be_claimed(make: Any) -> None:
    mission = make.mission(ready=True)
    assert why_not(mission, facts(make)) is None
    claimed = claim(mission, "s1", make.later)
    assert why_not(claimed, facts(make)) == "being prepared to run"


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "1 s"),
        (timedelta(seconds=20), "20 s"),
        (timedelta(milliseconds=20_100), "21 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=61), "2 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=9, minutes=12), "9 h 12 min"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_a_wait_in_words(duration: timedelta, words: str) -> None:
    assert span(duration) == words
