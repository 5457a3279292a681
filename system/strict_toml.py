"""TOML that people and repositories write: what can be used is read, and the rest is refused with a reason.

Python's own module takes `nan` and `1e400`, ends in a RecursionError on a thousand brackets, and lets a NUL through,
which no path and no argument of a program may hold.
"""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any, Final

_NUL: Final = r"\\u0000|\\U00000000"


class Unfit(ValueError):
    """It is not TOML, or not a value that can be used; the text may say `at line N`."""


def loads(text: str, *, finite: bool = True) -> dict[str, Any]:
    """The tables in a text; Unfit (a ValueError) when it is not TOML, or holds what is not a number or a character.

    `finite` is False where each value has limits of its own, and the line of a wrong one is told.
    """
    try:
        found = tomllib.loads(text, parse_float=_finite if finite else float)
    except RecursionError:
        raise Unfit("it is nested too deeply") from None
    except ValueError as error:  # of the parser, or of a number with thousands of digits
        raise Unfit(str(error)) from None
    if re.search(_NUL, text) and _has_nul(found):
        raise Unfit("a text contains a NUL character")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unfit(f"{text[:40]} is not a finite number")
    return number


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_has_nul(key) or _has_nul(part) for key, part in value.items())
        case list():
            return any(map(_has_nul, value))
    return False
