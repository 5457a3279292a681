"""Two texts in one, with marks around what differs, for a person to put together."""

from __future__ import annotations

MARKS = ("<<<<<<< mine\n", "=======\n", ">>>>>>> theirs\n")


def marked(mine: str, theirs: str) -> str:
    """Both texts with what is the same said once, and marks around what is not."""
    from difflib import SequenceMatcher

    first, second = mine.splitlines(keepends=True), theirs.splitlines(keepends=True)
    out: list[str] = []
    for tag, i, j, k, n in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            out += first[i:j]
        else:
            out += [MARKS[0], *_ended(first[i:j]), MARKS[1], *_ended(second[k:n]), MARKS[2]]
    return "".join(out)


def _ended(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else lines[-1] + "\n"] if lines else []
