"""Secrets out of text: what goes to a log, a report or a screen shows `[hidden]` where a token stood.

Two nets: the values this process knows to be secret (`hide`), and shapes that are secret wherever they stand.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"
_SHORTEST = 8
_known: set[str] = set()

_SHAPES: Final = re.compile(
    r"""
      (?P<scheme>\b(?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=-]{8,}                          # an Authorization header
    | (?P<user>\b[a-z][a-z0-9+.-]{0,30}://[^\s/@:]*:)[^\s/@]+(?=@)                                 # a password in a URL
    | (?P<named>["']?[\w-]{0,60}(?:token|secret|passw(?:or)?d|api[_-]?key|credential|cookie)["']?\s*[:=]\s*["']?)
      [^\s"',;&)}\]]+
    | \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}                                                       # model providers
    | \bgh[pousr]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,} | \bglpat-[\w-]{16,}                 # forges
    | \bAIza[\w-]{30,} | \bxox[abpr]-[\w-]{10,} | \bAKIA[A-Z0-9]{12,}                          # clouds, chat
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}                                                    # a JSON web token
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMES: Final = re.compile(r"token$|secret|passw(or)?d|api_?key|authorization|credential|cookie", re.IGNORECASE)


def hide(secret: str) -> None:
    """Never show this value again in this process; shorter than eight characters is too common to take out."""
    if len(secret) >= _SHORTEST:
        _known.add(secret)


def redact(text: str) -> str:
    """The text with every secret replaced by `[hidden]`."""
    for secret in _known:
        text = text.replace(secret, HIDDEN)
    return _SHAPES.sub(_kept, text)


def is_secret_name(name: str) -> bool:
    """Whether a field of that name holds a secret: token, apiKey, GITHUB_TOKEN, password … but not tokens (a count)."""
    return _NAMES.search(name) is not None


def _kept(match: re.Match[str]) -> str:
    return (match["scheme"] or match["user"] or match["named"] or "") + HIDDEN
