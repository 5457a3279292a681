"""Errors follow docs/style.md: a sentence that says what happened, then clauses that say why and what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE_FIRST = ("InvalidValue", "HubError", "SettingsError")
"""Classes whose first argument is a field or a code; the sentence is their second."""
PARTIAL = "missions/wire.py"
"""Its errors begin with the name of the field, which is put before them."""
NAME = re.compile(r"[\w'-]*(?:[A-Z0-9_]\w*|[.:=/]\S)")
"""A word that is spelled as it is in code or on the command line: `maxPage`, `ui.theme`, `GitHub`."""


@cache
def sources() -> dict[Path, ast.Module]:
    """What the product is made of; parsed for the first test that asks, as each process collects all tests."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for room in ROOT.glob("*/__init__.py")
        if room.parent.name not in ("tests", "bench")
        for path in room.parent.rglob("*.py")
    }


@cache
def error_classes() -> set[str]:
    """Names of all classes below SoloUnicornError."""
    bases = {
        node.name: {ast.unparse(base).split(".")[-1] for base in node.bases}
        for tree in sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, before = {"SoloUnicornError"}, set[str]()
    while found != before:
        before = found
        found = found | {name for name, above in bases.items() if above & found}
    return found


def texts(node: ast.expr) -> Iterator[tuple[int, str]]:
    """The texts that an argument may have; `{}` stands for a value."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield node.lineno, text
        case ast.JoinedStr(values=values):
            yield node.lineno, "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in values)
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts(body)
            yield from texts(orelse)
        case _:
            return


def wrong(tree: ast.AST) -> Iterator[str]:
    """Line, part and text of every part of an error that does not follow the rule."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).split(".")[-1]
        if name not in error_classes():
            continue
        place = int(name in CODE_FIRST)
        field = call.args[0].value if place and call.args and isinstance(call.args[0], ast.Constant) else None
        for line, text in texts(call.args[place]) if len(call.args) > place else ():
            begins = bool(text[0].isupper() or not text[0].isalpha() or NAME.match(text) or text.split()[0] == field)
            if not begins or text.endswith(".") or re.search(r"(?<!here )\bis no (?!longer)", text):
                yield f"{line} what: {text}"
        for keyword in call.keywords:
            for line, text in texts(keyword.value) if keyword.arg in ("why", "todo") else ():
                begins = bool(text[0].islower() or not text[0].isalpha() or NAME.match(text[1:]))
                if not begins or text.endswith("."):
                    yield f"{line} {keyword.arg}: {text}"


def test_errors_are_a_sentence_and_clauses() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{one}"
        for path, tree in sources().items()
        if path != ROOT / PARTIAL
        for one in wrong(tree)
    }
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize(
    "source",
    [
        "Conflict('there is no branch')",
        "Conflict('There is no branch.')",
        "Conflict(f'{name} is no port')",
        "InvalidValue('port', 'the port is wrong')",
        "NotFound('There is no file', why='It was deleted')",
        "NotFound('There is no file', todo='give another one.')",
        "NotFound('There is no file', todo='Give one' if path else 'give another one')",
    ],
)
def test_an_error_in_another_style_is_found(source: str) -> None:
    assert list(wrong(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "Conflict('There is no branch', why=f'{name} was deleted', todo='`git branch` lists them')",
        "InvalidValue('slug', 'slug is not text', todo='use letters')",
        "InvalidValue('', 'maxPage is too large', why='GitHub allows 100')",
        "HubError('invalid', f'{name} is no longer open')",
    ],
)
def test_an_error_in_this_style_passes(source: str) -> None:
    assert not list(wrong(ast.parse(source)))
