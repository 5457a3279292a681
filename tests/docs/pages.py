"""The pages that people read, and the blocks in them that a reader types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sybil import Document, Region
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, FencedCodeBlockLexer

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if "node_modules" not in path.parts
)
SHELL = ("sh", "console")
"""`sh` is what to type; in `console` that stands behind `$`, and what is printed is below it."""
SHOWN = ("text", "json", "toml", "http", "yaml", "ini")
"""Languages of blocks that only show something."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where it stands, what it says, and the remarks in comments directly above it."""

    line: int
    language: str
    source: str
    where: str = ""
    not_run: str = ""

    @property
    def commands(self) -> Iterator[tuple[int, str, str | None]]:
        """(line, command, the output that is shown or None) in order; a command may go over several lines."""
        line, lines = self.line, self.source.splitlines()
        while lines:
            line, first = line + 1, lines.pop(0)
            if self.language == "console":
                assert first.startswith("$ "), f"line {line}: a console block begins with `$ `"
                first = first[2:]
            begun, command = line, first
            while lines and command.endswith("\\"):
                line, command = line + 1, command + "\n" + lines.pop(0)
            shown: list[str] | None = None
            if self.language == "console":
                shown = []
                while lines and not lines[0].startswith("$ "):
                    line, shown = line + 1, [*shown, lines.pop(0)]
            if command.strip() and not command.lstrip().startswith("#"):
                yield begun, command, "\n".join(shown) if shown else None


def _regions(document: Document, lexer: object, kind: str) -> Iterator[Region]:
    for region in lexer(document):  # type: ignore[operator]
        region.parsed, region.evaluator = kind, lambda example: None
        yield region


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in its order."""
    document = Document.parse(
        str(page),
        partial(_regions, lexer=FencedCodeBlockLexer("[a-z]+"), kind="block"),
        partial(_regions, lexer=DirectiveInHTMLCommentLexer("not run", ".+?"), kind="not_run"),
        partial(_regions, lexer=DirectiveInHTMLCommentLexer("where", ".+?"), kind="where"),
    )
    found, remarks, end = list[Block](), dict[str, str](), 0
    for example in document.examples():
        between = document.text[end : example.region.start]
        if between.strip(" \n->"):  # a remark is for the block that follows it, and for no other
            remarks = {}
        lexemes, end = example.region.lexemes, example.region.end
        if example.parsed == "block":
            found.append(Block(example.line, lexemes["language"], str(lexemes["source"]), **remarks))
            remarks = {}
        else:
            remarks[example.parsed] = lexemes["arguments"].strip()
    return found


def unfenced(page: Path) -> list[int]:
    """Lines of blocks that are only indented, or fenced without a language: nobody can tell what they are."""
    wrong, fence, before = list[int](), "", ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        opening = re.match(r"\s*(```+)(\w*)", line)
        if opening:
            if not fence and not opening[2]:
                wrong.append(number)
            fence = "" if fence else opening[1]
        elif not fence and line.startswith("    ") and not before.strip():
            wrong.append(number)
        before = line
    return wrong
