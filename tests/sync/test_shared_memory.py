"""The memory of a connected project is put together from what all have written."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.errors import NotFound
from solo_unicorn.sync import replica
from solo_unicorn.workspace import operations, queries

from .pair import PROJECT, Machine
from .simulation.hub import SimulatedHub


def test_words_for_the_memory_that_arrived_once_are_not_added_again(
    both: tuple[Machine, Machine], hub: SimulatedHub
) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.memory.append, PROJECT, "notes", "before")
    both[0].sync()
    ann.write(operations.memory.append, PROJECT, "notes", "of ann")
    both[0].send_unanswered()
    both[1].sync()
    bob.write(operations.memory.append, PROJECT, "notes", "of bob")
    both[1].sync()
    hub.forget_keys()
    both[0].sync()
    for one in (ann, bob):
        assert one.read(queries.memory.get, PROJECT, "notes").text == "before\n\nof ann\n\nof bob\n"


def test_memory_of_two_is_put_together(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.memory.append, PROJECT, "decisions", "Use SQLite", "Storage")
    both[0].sync()
    both[1].sync()
    assert bob.read(queries.memory.get, PROJECT, "decisions").text == "## Storage\n\nUse SQLite\n"
    ann.write(operations.memory.append, PROJECT, "decisions", "of ann")
    bob.write(operations.memory.append, PROJECT, "decisions", "of bob")
    both[0].sync()
    both[1].sync()
    both[0].sync()
    texts = {one.read(queries.memory.get, PROJECT, "decisions").text for one in (ann, bob)}
    assert texts == {"## Storage\n\nUse SQLite\n\nof ann\n\nof bob\n"}


def test_a_deleted_document_goes_everywhere_and_what_was_added_meanwhile_is_asked_about(
    both: tuple[Machine, Machine],
) -> None:
    ann, bob = (one.workspace for one in both)
    for name in ("gone", "wanted"):
        ann.write(operations.memory.append, PROJECT, name, "text")
    both[0].sync()
    both[1].sync()
    ann.write(operations.memory.delete, PROJECT, "gone")
    ann.write(operations.memory.delete, PROJECT, "wanted")
    bob.write(operations.memory.append, PROJECT, "wanted", "more")
    both[0].sync()
    both[1].sync()
    assert ann.read(queries.memory.list_all, PROJECT) == []
    with pytest.raises(NotFound):
        bob.read(queries.memory.get, PROJECT, "gone")
    (conflict,) = bob.read(replica.resolving.list_open)
    assert (conflict.title, conflict.mine, conflict.theirs) == ("wanted", "text\n\nmore\n", "")


def test_memory_that_both_rewrote_is_a_conflict_and_can_be_merged(both: tuple[Machine, Machine]) -> None:
    ann, bob = (one.workspace for one in both)
    ann.write(operations.memory.append, PROJECT, "style", "tabs")
    both[0].sync()
    both[1].sync()
    ann.write(operations.memory.replace, PROJECT, "style", "two spaces\n", 1)
    bob.write(operations.memory.replace, PROJECT, "style", "four spaces\n", 1)
    both[0].sync()
    both[1].sync()
    (conflict,) = bob.read(replica.resolving.list_open)
    assert (conflict.part, conflict.title, conflict.mine) == ("memory", "style", "four spaces\n")
    assert bob.read(queries.memory.get, PROJECT, "style").text == "two spaces\n"
    assert [one.text for one in bob.read(queries.memory.versions, PROJECT, "style")][-2:] == [
        "four spaces\n",
        "two spaces\n",
    ]
    bob.write(replica.resolving.keep_mine, conflict.id, text="three spaces\n")
    both[1].sync()
    both[0].sync()
    assert ann.read(queries.memory.get, PROJECT, "style").text == "three spaces\n"
