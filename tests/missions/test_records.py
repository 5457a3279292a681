"""A record is what a frozen dataclass with slots is."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from typing import Any

import pytest

from solo_unicorn.missions.records import field, record, replace


@record
class Point:
    """Two numbers and some names."""

    x: int
    y: int = 2
    names: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standard:
    """The same by the standard decorator."""

    x: int
    y: int = 2
    names: dict[str, int] = dataclasses.field(default_factory=dict)


@record
class One:
    """A single field."""

    value: Any


def test_it_is_a_dataclass_in_all_that_is_used() -> None:
    point = Point(1, names={"a": 1})
    assert is_dataclass(point) and [each.name for each in fields(point)] == ["x", "y", "names"]
    assert replace(point, y=5) == dataclasses.replace(point, y=5) == Point(1, 5, {"a": 1}) != point
    assert repr(point).endswith("Point(x=1, y=2, names={'a': 1})")
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)
    assert Point.__match_args__ == Standard.__match_args__ and Point.__slots__ == Standard.__slots__  # type: ignore[attr-defined]  # ours sets it as the other does
    assert not hasattr(point, "__dict__")


def test_the_standard_library_is_told_of_defaults_and_metadata() -> None:
    @record
    class Told:
        """A field with words about it."""

        x: int
        y: int = field(default=2, metadata={"about": "y"})
        names: dict[str, int] = field(default_factory=dict)

    x, y, names = fields(Told)
    assert x.default is x.default_factory is names.default is dataclasses.MISSING
    assert (y.default, y.metadata["about"], names.default_factory) == (2, "y", dict)
    assert Told(1) == Told(1, 2, {})
    assert Told(1) != Point(1)


def test_a_field_of_the_standard_library_is_refused() -> None:
    with pytest.raises(TypeError, match="names of Mixed"):

        @record
        class Mixed:
            names: list[str] = dataclasses.field(default_factory=list)


def test_it_is_frozen() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.y  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises((FrozenInstanceError, AttributeError)):
        point.z = 2  # type: ignore[attr-defined]
    assert point == Point(1)


def test_equality_needs_the_same_class_and_values() -> None:
    assert Point(1) == Point(1) and Point(1) != Point(2)
    assert Point(1) != Standard(1) and One(1) != (1,)
    assert hash(One("a")) == hash(One("a")) and len({One(1), One(1), One(2)}) == 2
    with pytest.raises(TypeError):
        hash(Point(1))  # it holds a dict, as the standard one would


def test_a_default_factory_is_called_for_each() -> None:
    assert Point(1).names is not Point(1).names


def test_arguments_are_checked_as_ever() -> None:
    for wrong in (lambda: Point(), lambda: Point(1, z=3), lambda: Point(1, 2, {}, 4)):  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="__init__"):
            wrong()


def test_copies_and_pickles_are_equal() -> None:
    for value in (Point(1, names={"a": 1}), One([1])):
        assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
