"""What an agent says on its standard error of requests that its service refused, and that it tries again by itself.

The protocol has no word for it: over ACP an agent that waits for its service is silent.
"""

from __future__ import annotations

import re
from typing import Final

_REFUSED: Final = (
    # Gemini CLI 0.61.0: [2026-11-30T18:34:18.062Z] [WARN] Attempt 2 failed with status 503. Retrying …
    re.compile(r"^\[[^\]]*\] \[WARN\] Attempt \d+ failed(?P<words>.*)"),
    # OpenCode 1.18.33: … level=ERROR … message="stream error" … error.error="AI_APICallError: Overloaded"
    re.compile(r'message="stream error".* error\.error="(?P<words>(?:[^"\\]|\\.)*)"'),
)
_LONGEST: Final = 500


def refused(line: str) -> str | None:
    """The words of the refusal; None when the line says something else."""
    for pattern in _REFUSED:
        if found := pattern.search(line.strip()):
            return found["words"].strip(" .:")[:_LONGEST]
    return None
