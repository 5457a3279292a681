"""What a mission asks of its rehearsal: a `rehearsal:` line in its description, else words of its title.

    rehearsal: pace 0.2; code: limit 20; plan: ask Which database?

One cue follows another after a semicolon; a stage before a colon keeps it for that stage. Cues:

    pace SECONDS     pause between two steps                       slow             ten times the pace
    fail             end with an error                             crash            die in the middle of a line
    limit SECONDS    meet a usage limit that resets then           limit unknown    … that does not say when
    ask QUESTION     ask a person, go on with the answer           signed-out       find the sign-in expired
    overloaded       find its service overloaded                   no-credit        find the account without credit
    wonder QUESTION  end the turn with a question in plain words (`wonder once …`: and go on when told to)
    silent           say nothing more and wait                     hang             never leave, deaf to signals
    forget           end well without finishing the stage          review           ask for a review by request_review
    conflict PATH    rewrite the first line of that file           plain            nothing (switches title words off)

`fail once`, `crash once`, `signed-out once`, `overloaded once` and `no-credit once` happen in one session and not in
the next. `limit` and `ask` always
happen once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...missions.errors import InvalidValue

TITLE_WORDS = ("fail", "limit", "ask", "slow", "hang", "silent", "crash", "conflict")
"""Cues that a word of the title can give."""
NAMES = (*TITLE_WORDS, "pace", "signed-out", "overloaded", "no-credit", "forget", "wonder", "review", "plain")
LIMIT_SECONDS = 20.0
QUESTION = "Which way do you want it: short or thorough?"
CONFLICT_PATH = "README.md"

_LINE = re.compile(r"^[\s>*-]*rehearsal:(.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing to rehearse; `text` is what follows its name."""

    name: str
    text: str = ""
    stage: str | None = None

    @property
    def seconds(self) -> float | None:
        """The number of seconds it names; None when it names none."""
        found = re.match(r"(\d+(?:\.\d+)?)\s*s?\b", self.text)
        return float(found.group(1)) if found else None

    @property
    def once(self) -> bool:
        """Whether it happens in one session only."""
        return self.name in ("limit", "ask") or self.text.split(" ")[0] == "once"


@dataclass(frozen=True, slots=True)
class Cues:
    """The cues of one mission."""

    all: tuple[Cue, ...] = ()

    def find(self, name: str, stage: str) -> Cue | None:
        """The first cue of that name which holds for the stage."""
        return next((cue for cue in self.all if cue.name == name and cue.stage in (None, stage)), None)

    def pace(self, stage: str, usual: float) -> float:
        """Seconds between two steps."""
        own = self.find("pace", stage)
        seconds = usual if own is None or own.seconds is None else own.seconds
        return seconds * 10 if self.find("slow", stage) else seconds


def read_cues(title: str, description: str, stages: Iterable[str] = ()) -> Cues:
    """The cues of a mission. InvalidValue names a word of a `rehearsal:` line that is not a cue."""
    lines = _LINE.findall(description)
    if not lines:
        return Cues(tuple(_of_title(title)))
    known = frozenset(stages)
    return Cues(tuple(_cue(part.strip(), known) for line in lines for part in line.split(";") if part.strip()))


def _of_title(title: str) -> Iterable[Cue]:
    for word in re.finditer(r"[a-z]+", title.lower()):
        if word.group() in TITLE_WORDS:
            rest = title[word.end() :].strip(" :,")
            yield Cue(word.group(), _argument(word.group(), rest))


def _argument(name: str, rest: str) -> str:
    """What a title says after the word, where it can be meant for the cue."""
    match name:
        case "limit" | "fail" | "crash":
            found = re.match(r"\d+(\.\d+)?s?\b|unknown\b|once\b", rest)
            return found.group() if found else ""
        case "conflict":
            first = rest.split(" ")[0]
            return first if "." in first or "/" in first else ""
        case "ask":
            return rest
        case _:
            return ""


def _cue(part: str, stages: frozenset[str]) -> Cue:
    stage, colon, rest = part.partition(":")
    if colon and stage.strip() in stages:
        part, kept_for = rest.strip(), stage.strip()
    else:
        kept_for = None
    name, _, text = part.partition(" ")
    if name not in NAMES:
        raise InvalidValue("rehearsal", f"{name!r} cannot be rehearsed", todo=f"use one of: {', '.join(NAMES)}")
    return Cue(name, text.strip(), kept_for)
