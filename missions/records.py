"""Frozen records, as `@dataclass(frozen=True, slots=True)` makes them, at a third of its cost at import.

Start-up is a feature: the board and every command import some sixty records before they can show anything, and the
standard decorator compiles six methods for each of them. Only the constructor has to be compiled, and that when the
first one is made; the others are the same for all. What comes out is a dataclass: `fields`, `replace` and `match` work
on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_UNSET: Any = object()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass with slots; fields may have a default or a default factory, nothing else."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        _add_constructor(made)
        made.__init__(self, *values, **named)

    made.__init__ = __init__
    made._values = _reader(made.__match_args__)
    for method in (__setattr__, __delattr__, __eq__, __hash__, __repr__, __reduce__):
        setattr(made, method.__name__, method)
    checked: type[T] = made
    return checked


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """All values of a record as a tuple, in the order of its fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _add_constructor(made: Any) -> None:
    known: dict[str, Any] = {"_set": object.__setattr__, "_UNSET": _UNSET}
    parameters, body = ["self"], []
    for each in fields(made):
        value = each.name
        if each.default is not MISSING:
            known[f"_default_{each.name}"] = each.default
            parameters.append(f"{each.name}=_default_{each.name}")
        elif each.default_factory is not MISSING:
            known[f"_make_{each.name}"] = each.default_factory
            parameters.append(f"{each.name}=_UNSET")
            value = f"_make_{each.name}() if {each.name} is _UNSET else {each.name}"
        else:
            parameters.append(each.name)
        body.append(f"    _set(self, {each.name!r}, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or ["    pass"]), known)
    known["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    made.__init__ = known["__init__"]


def __setattr__(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def __eq__(self: Any, other: Any) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    values = type(self)._values
    return self is other or bool(values(self) == values(other))


def __hash__(self: Any) -> int:
    return hash(type(self)._values(self))


def __reduce__(self: Any) -> tuple[Any, ...]:
    return type(self), type(self)._values(self)


def __repr__(self: Any) -> str:
    told = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self))
    return f"{type(self).__name__}({told})"
