"""What a newcomer has to look through: modules of a folder, lines of a file, public methods and base classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from .test_circles import CLEAN, ROOT

MODULES, LINES, METHODS, OURS = 25, 400, 30, 2
CLASS = re.compile(r"^class (\w+)(?:\(([^)]*)\))?:\n((?:    .*\n|\n)*)", re.MULTILINE)
PUBLIC = re.compile(r"^    (?:async )?def [a-z]", re.MULTILINE)


def files_of(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def too_many(counted: Mapping[str, int], most: int) -> dict[str, int]:
    return {name: n for name, n in counted.items() if n > most}


@cache
def classes() -> dict[str, tuple[str, frozenset[str], str]]:
    """Where the classes of the product stand, the names that each inherits from, and its body; by name and place."""
    found = {}
    for file in files_of(*CLEAN):
        for name, bases, body in CLASS.findall(file.read_text(encoding="utf-8")):
            place = f"{file.relative_to(ROOT).as_posix()} {name}"
            found[place] = (name, frozenset(re.findall(r"\w+", re.sub(r"\[.*?\]", "", bases))), body)
    return found


def above(name: str, bases: Mapping[str, frozenset[str]], but: Sequence[str]) -> set[str]:
    """The classes above one, as far as `bases` knows them and leaving out `but`."""
    direct = {one for one in bases.get(name, frozenset()) & bases.keys() if one != name and one not in but}
    return direct.union(*(above(one, bases, (*but, name, *direct)) for one in direct))


def test_no_folder_has_too_many_modules() -> None:
    folders = Counter(file.parent.relative_to(ROOT).as_posix() for file in files_of(*CLEAN, "bench", "tests"))
    assert too_many(folders, MODULES) == {}


def test_no_file_is_too_long() -> None:
    lines = {str(file): file.read_text(encoding="utf-8").count("\n") for file in files_of(*CLEAN, "bench", "tests")}
    assert too_many(lines, LINES) == {}


def test_no_class_has_too_many_public_methods() -> None:
    assert too_many({place: len(PUBLIC.findall(body)) for place, (_, _, body) in classes().items()}, METHODS) == {}


def test_no_class_has_too_many_of_our_own_above_it() -> None:
    """Protocols are no code to read, and errors are a tree on purpose, drawn in `missions/errors.py`."""
    bases: dict[str, frozenset[str]] = {}
    for name, direct, _ in classes().values():
        bases[name] = bases.get(name, frozenset()) | direct
    protocols = [name for name, direct in bases.items() if "Protocol" in direct]
    chains = {name: above(name, bases, protocols) for name in bases}
    assert too_many({n: len(up) for n, up in chains.items() if "SoloUnicornError" not in up}, OURS) == {}
    assert too_many({name: len(up) for name, up in chains.items()}, OURS), "it counts"
