"""Frozen records: what `@dataclass(frozen=True, slots=True)` makes, without the price of it at import.

Start-up is a feature: the board and every command import some sixty records before they can show anything. The
standard decorator compiles six methods for each of them, and its module imports `inspect` with all that this needs.
Here only the constructor is compiled, and that when the first one is made; the other methods are the same for all.
What comes out is a dataclass: `fields`, `replace` and `match` work on it; the standard library is asked for its fields
when somebody first looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

T = TypeVar("T")

_UNSET: Any = object()


if TYPE_CHECKING:  # checked as the standard ones are
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    class field:
        """A field with a default that is made anew for each record, or with words about it."""

        def __init__(self, *, default: Any = _UNSET, default_factory: Any = None, metadata: Any = None) -> None:
            self.default, self.default_factory, self.metadata = default, default_factory, metadata

    def replace(one: T, /, **changes: Any) -> T:
        """The same record with other values in some fields."""
        cls = type(one)
        return cls(**{**dict(zip(cls.__match_args__, cls._values(one), strict=True)), **changes})


class _Standard:
    """What the standard library keeps of a dataclass, made by it when it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, one: object, cls: Any) -> Any:
        import dataclasses

        body = {"__annotations__": dict(cls.__annotations__), "__module__": cls.__module__}
        for name, told in cls._defaults.items():
            given = {} if type(told) is not field else vars(told)
            given = {key: value for key, value in given.items() if value is not None and value is not _UNSET}
            body[name] = dataclasses.field(**given) if given else told
        twin: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type(cls.__name__, (), body))
        cls.__dataclass_fields__, cls.__dataclass_params__ = twin.__dataclass_fields__, twin.__dataclass_params__
        return getattr(cls, self._name)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass with slots; every annotation is a field, with a default or a default factory or neither."""
    body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    names = tuple(cls.__annotations__)
    body |= _METHODS
    body["_defaults"] = defaults = {name: body.pop(name) for name in names if name in body}
    if others := [name for name, value in defaults.items() if type(value).__name__ == "Field"]:
        raise TypeError(f"{', '.join(others)} of {cls.__name__}: the `field` of a record is that of {__name__}")
    body["_values"] = _reader(names)
    body["__slots__"] = body["__match_args__"] = names
    made: Any = type(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        _add_constructor(made)
        made.__init__(self, *values, **named)

    made.__init__ = __init__
    checked: type[T] = made
    return checked


def is_record(cls: object) -> bool:
    """Whether it is a class that `record` made."""
    return isinstance(cls, type) and "_defaults" in vars(cls)


def annotations_of(cls: Any) -> dict[str, str]:
    """The annotation of each field, as it is written; TypeError for a class that is not a record."""
    if not is_record(cls):
        raise TypeError(f"{cls.__name__} is not a record")
    return dict(cls.__annotations__)


def needed_by(cls: Any) -> list[str]:
    """The fields that have no default."""
    return [name for name in cls.__match_args__ if name not in cls._defaults]


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """All values of a record as a tuple, in the order of its fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _add_constructor(made: Any) -> None:
    known: dict[str, Any] = {"_set": object.__setattr__, "_UNSET": _UNSET}
    parameters, body = ["self"], []
    for name in made.__match_args__:
        value, default, make = name, made._defaults.get(name, _UNSET), None
        if type(default) is field:
            default, make = default.default, default.default_factory
        if make is not None:
            known[f"_make_{name}"] = make
            parameters.append(f"{name}=_UNSET")
            value = f"_make_{name}() if {name} is _UNSET else {name}"
        elif default is _UNSET:
            parameters.append(name)
        else:
            known[f"_default_{name}"] = default
            parameters.append(f"{name}=_default_{name}")
        body.append(f"    _set(self, {name!r}, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or ["    pass"]), known)
    known["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    made.__init__ = known["__init__"]


def __setattr__(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

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
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__match_args__)
    return f"{type(self).__name__}({told})"


_METHODS: dict[str, Any] = {
    "__setattr__": __setattr__,
    "__delattr__": __delattr__,
    "__eq__": __eq__,
    "__hash__": __hash__,
    "__repr__": __repr__,
    "__reduce__": __reduce__,
    "__dataclass_fields__": _Standard("__dataclass_fields__"),
    "__dataclass_params__": _Standard("__dataclass_params__"),
}
