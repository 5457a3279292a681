"""JSON that every program can read: what is written here can be read back, and what cannot is refused at the border.

Python's own module takes and writes `NaN`, `1e400` and halves of characters (`\\ud83d`); a database, a hub or the next
reader does not. So nothing else dumps or loads JSON on a way into the workspace (tests/system/test_strict_json.py).
One thing is kept that is not text: bytes of a path that are not UTF-8, as escapes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 100
"""Objects and lists within each other."""
INTEGER_MAX: Final = 2**63 - 1
# Patterns, not compiled at import: a command that reads a few records needs none of them.
_HALF: Final = "[\ud800-\udfff]"
_NO_PATH: Final = "[\ud800-\udc7f\udd00-\udfff]"
"""Halves of characters, but for those with which Python holds the bytes of a path that are not UTF-8 (PEP 383)."""
_ESCAPED: Final = r"\\u(?:[dD][89a-fA-F]|0000)"
"""How a half of a character or a NUL comes in; text that came as UTF-8 holds no half otherwise."""
_DOUBTFUL: Final = r"\\u[dD][89a-fA-F]|\d{19}"


class Unfit(ValueError):
    """What JSON cannot say, or says so that not everybody can read it."""


def loads(text: str | bytes) -> Any:
    """The value that a text stands for; Unfit (a ValueError) when it is not JSON that everybody can read."""
    return _loaded(text, _strict())


def heard(text: str | bytes) -> Any:
    """What another program printed, as far as it can be kept: never NaN, infinite, half a character or NUL.

    A number that is out of range becomes null, a half of a character or a NUL becomes U+FFFD. Unfit: not JSON at all.
    """
    return _loaded(text, _lenient(), mend=True)


def dumps(value: object, *, indent: int | None = None, sort_keys: bool = False, ascii_only: bool = False) -> str:
    """The value as JSON, compact unless indented; Unfit when `loads` would not give it back."""
    try:
        text = _encoder(indent, sort_keys, ascii_only).encode(value)
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        raise Unfit("it is nested too deeply") from None
    except ValueError as error:
        raise Unfit(str(error)) from None
    if re.search(_DOUBTFUL, text) or _may_be_deep(text):
        loads(text)
    return text


def _loaded(text: str | bytes, decoder: json.JSONDecoder, *, mend: bool = False) -> Any:
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = decoder.decode(text)
    except RecursionError:
        raise Unfit("it is nested too deeply") from None
    except ValueError as error:  # of the decoder, of UTF-8, of a number with thousands of digits
        raise Unfit(str(error)) from None
    if _may_be_deep(text):
        _check_depth(value)
    if ("\\u" in text and re.search(_ESCAPED, text)) or (mend and not text.isascii() and re.search(_HALF, text)):
        return _mended(value) if mend else _check_texts(value)
    return value


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > DEPTH_MAX


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX + 1:
            raise Unfit(f"it is nested more than {DEPTH_MAX} levels deep")
        inside = (part.values() if type(part) is dict else part for part in level if type(part) in (dict, list))
        level = [part for parts in inside for part in parts if type(part) in (dict, list)]


def _check_texts(value: Any) -> Any:
    for text in _texts(value):
        if re.search(_NO_PATH, text):
            raise Unfit("half a character (a surrogate) is not text")
    return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, part in value.items():
                yield str(key)
                yield from _texts(part)
        case list() | tuple():
            for part in value:
                yield from _texts(part)


def _mended(value: Any) -> Any:
    match value:
        case str():
            return re.sub(_HALF, "\ufffd", value).replace("\0", "\ufffd")
        case dict():
            return {_mended(key): _mended(part) for key, part in value.items()}
        case list():
            return [_mended(part) for part in value]
    return value


# ---- numbers


def _refused(name: str) -> NoReturn:
    raise Unfit(f"{name} is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unfit(f"the number {text[:40]} is too large")
    return number


def _whole(text: str) -> int:
    number = int(text) if len(text) <= 20 else INTEGER_MAX + 1
    if abs(number) > INTEGER_MAX:
        raise Unfit(f"the number {text[:40]} is too large")
    return number


def _finite_or_none(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole_or_none(text: str) -> int | None:
    return int(text) if len(text) <= 18 else None


@cache
def _strict() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refused, parse_float=_finite, parse_int=_whole)


@cache
def _lenient() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite_or_none, parse_int=_whole_or_none)


@cache
def _encoder(indent: int | None, sort_keys: bool, ascii_only: bool) -> json.JSONEncoder:
    between = (",", ":") if indent is None else (",", ": ")
    return json.JSONEncoder(
        ensure_ascii=ascii_only, allow_nan=False, separators=between, indent=indent, sort_keys=sort_keys
    )
