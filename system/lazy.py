"""Packages whose modules are imported when they are first named, so that a start pays for what it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType


def modules_of(package: str, elsewhere: Mapping[str, str] | None = None) -> Callable[[str], ModuleType]:
    """The `__getattr__` of such a package; `elsewhere` names modules that stand in another package."""

    def found(name: str) -> ModuleType:
        from importlib import import_module

        module = f"{(elsewhere or {}).get(name, package)}.{name}"
        try:
            if not name.startswith("__"):
                return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return found
