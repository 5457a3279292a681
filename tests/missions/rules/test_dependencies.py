"""Cycles and resolved blockers (domain.md, Dependencies)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.entities import LISTS, ListName, Mission
from solo_unicorn.missions.rules.dependencies import find_cycle, is_resolved

NOW = datetime(2026, 5, 4, tzinfo=UTC)
MISSION = Mission("m", "p", "t", NOW, NOW, NOW)

ids = st.sampled_from("abcdefgh")
graphs = st.lists(st.tuples(ids, ids), max_size=25)


def has_cycle(edges: list[tuple[str, str]]) -> bool:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for blocker, blocked in edges:
        sorter.add(blocked, blocker)
    try:
        sorter.prepare()
    except CycleError:
        return True
    return False


@given(graphs)
def test_edges_are_refused_exactly_when_they_would_close_a_cycle(wished: list[tuple[str, str]]) -> None:
    kept: list[tuple[str, str]] = []
    for edge in wished:
        cycle = find_cycle(kept, edge)
        assert (cycle is not None) == has_cycle([*kept, edge])
        if cycle is None:
            kept.append(edge)
    assert not has_cycle(kept)


@given(graphs)
def test_the_cycle_that_is_named_is_one(wished: list[tuple[str, str]]) -> None:
    kept: list[tuple[str, str]] = []
    for edge in wished:
        cycle = find_cycle(kept, edge)
        if cycle is None:
            kept.append(edge)
            continue
        assert cycle[0] == cycle[-1] == edge[0]
        assert cycle[1] == edge[1]
        assert all(step in [*kept, edge] for step in pairwise(cycle))
        assert len(set(cycle)) == len(cycle) - 1


def test_a_mission_cannot_block_itself() -> None:
    assert find_cycle([], ("a", "a")) == ["a", "a"]


def test_a_long_chain_is_no_trouble() -> None:
    chain = [(str(n), str(n + 1)) for n in range(50_000)]
    cycle = find_cycle(chain, ("50000", "0"))
    assert cycle is not None
    assert len(cycle) == 50_002


@pytest.mark.parametrize("list_name", LISTS)
def test_a_blocker_is_resolved_when_it_is_done(list_name: ListName) -> None:
    assert is_resolved(replace(MISSION, list=list_name)) == (list_name == "done")


def test_missing_and_deleted_blockers_are_unresolved() -> None:
    assert not is_resolved(None)
    assert not is_resolved(replace(MISSION, list="done", deleted_at=NOW))
