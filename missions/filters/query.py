"""The small language that filters a board: words and conditions, all of which a card must meet.

    p>=4 stage:code,plan agent:claude repo:api actor:ada list:review is:blocked "exact words" word -not @saved

A plain or quoted word is looked for in title, number, stage, repository, agent and actor. A comma gives alternatives, a
`-` turns one condition around, `@name` stands for a saved filter. `parse` refuses what it does not understand, naming
the place; `str` of what it gives is the same query written in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..board import Card
from ..entities import LISTS
from ..errors import InvalidValue
from ..records import record

Test = Callable[[Card], bool]

IS: Final[dict[str, Test]] = {
    "ready": lambda card: card.ready,
    "running": lambda card: card.session_status != "INACTIVE",
    "blocked": lambda card: card.blockers > 0,
    "waiting": lambda card: bool(card.question or card.attention or card.review_status == "pending"),
    "review": lambda card: card.review_status == "pending",
    "question": lambda card: card.question is not None,
    "attention": lambda card: card.attention is not None,
    "parked": lambda card: card.retry_at is not None,
    "landing": lambda card: card.landing_status is not None,
    "pr": lambda card: card.pr_number is not None,
    "loop": lambda card: card.is_loop,
    "done": lambda card: card.list == "done",
}
"""What can be asked with `is:`."""
FIELDS: Final[dict[str, Callable[[Card], str]]] = {
    "stage": lambda card: card.stage,
    "repo": lambda card: card.repository,
    "agent": lambda card: card.agent,
    "actor": lambda card: card.actor,
    "list": lambda card: card.list,
}
"""Fields that are asked with a colon; the value is a part of what the card has there."""
COMPARED: Final[dict[str, Callable[[int, int], bool]]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    "=": lambda one, other: one == other,
}
EXAMPLE: Final = 'p>=4  is:ready  stage:code  repo:api  agent:claude  -is:blocked  "two words"  @saved'


class QueryError(InvalidValue):
    """A query that is not understood; `position` counts characters from 0."""

    def __init__(self, what: str, position: int, *, todo: str = "") -> None:
        super().__init__("query", what, todo=todo)
        self.position = position


@record
class Term:
    """One condition. `kind` is text, p, is, saved or a field; `values` are alternatives, lower case."""

    kind: str
    values: tuple[str, ...]
    operator: str = ":"
    negated: bool = False

    def __str__(self) -> str:
        """The condition as it is written."""
        minus = "-" if self.negated else ""
        match self.kind:
            case "text":
                plain = not self.values[0].startswith(("-", "@")) and _is_plain(self.values[0])
                return minus + (self.values[0] if plain else quoted(self.values[0]))
            case "saved":
                return f"{minus}@{self.values[0]}"
            case "p":
                return f"{minus}p{self.operator}{self.values[0]}"
            case _:
                return f"{minus}{self.kind}:" + ",".join(
                    value if _is_plain(value) and "," not in value else quoted(value) for value in self.values
                )


@record
class Query:
    """All the conditions."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        """The query written in one way; parses to the same query."""
        return " ".join(str(term) for term in self.terms)


def quoted(text: str) -> str:
    """Words as a text to be looked for exactly, whatever they contain."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_plain(text: str) -> bool:
    return bool(text) and not any(letter.isspace() or letter in '"\\:<>=' for letter in text) and not _priority(text)


def _priority(text: str) -> bool:
    return len(text) == 2 and text[0] == "p" and text[1].isdigit()


# -- reading -------------------------------------------------------------------------------------------------------


def parse(text: str) -> Query:
    """The query that a text says; QueryError names what is wrong and where."""
    return Query(tuple(_term(word, at) for word, at in words(text)))


def words(text: str) -> list[tuple[str, int]]:
    """The words of a query with their places; quotes hold words together. QueryError for a quote without its end."""
    found: list[tuple[str, int]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        while at < len(text) and not text[at].isspace():
            if text[at] == '"':
                at = _end_of_quote(text, at)
            at += 1
        found.append((text[start:at], start))
    return found


def _end_of_quote(text: str, start: int) -> int:
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            return at
        at += 1
    raise QueryError("A quotation mark is not closed", start, todo='add the closing "')


def _term(word: str, at: int) -> Term:
    if word.startswith("-"):
        if len(word) == 1:
            raise QueryError("- negates the next condition", at, todo="write it directly after the -")
        inner = _term(word[1:], at + 1)
        return Term(inner.kind, inner.values, inner.operator, not inner.negated)
    if word.startswith("@"):
        if len(word) == 1:
            raise QueryError("@ must be followed by the name of a saved filter", at, todo="write its name")
        return Term("saved", (word[1:].lower(),))
    if word.startswith('"'):
        return Term("text", (_unquoted(word, at),))
    name, operator, value, value_at = _split(word, at)
    if not operator:
        if _priority(name.lower()):
            return _compared("=", name[1:], at + 1)
        return Term("text", (_plain(name, at).lower(),))
    name = name.lower()
    if name in ("p", "priority"):
        return _compared("=" if operator == ":" else operator, value, value_at)
    if operator != ":":
        raise QueryError(
            f"{word!r} compares values that have no order",
            at,
            todo="only p can be compared: p>=4; quote it to look for it",
        )
    if name != "is" and name not in FIELDS:
        known = ", ".join(f"{known}:" for known in ("p", "is", *FIELDS))
        raise QueryError(f"{name!r} is not a field", at, todo=f"use one of {known} or quote the words")
    return Term(name, _values(name, value, value_at))


def _split(word: str, at: int) -> tuple[str, str, str, int]:
    """Name, operator, value and the value's place of `name:value` or `p>=4`; no operator for a plain word."""
    for index, letter in enumerate(word):
        if letter == '"':
            break
        if letter in "<>" and word[index + 1 : index + 2] == "=":
            return word[:index], word[index : index + 2], word[index + 2 :], at + index + 2
        if letter in ":<>=":
            return word[:index], letter, word[index + 1 :], at + index + 1
    return word, "", "", at


def _compared(operator: str, value: str, at: int) -> Term:
    if value not in ("1", "2", "3", "4", "5"):
        said = f"{value!r} is not a valid priority" if value else "p takes a priority"
        raise QueryError(said, at, todo="use a number from 1 to 5, as in p>=4")
    return Term("p", (value,), operator)


def _values(name: str, value: str, at: int) -> tuple[str, ...]:
    values = []
    for part, place in _alternatives(value, at):
        text = (_unquoted(part, place) if part.startswith('"') else _plain(part, place)).lower()
        if not text:
            raise QueryError(
                f"{name}: needs a value", place, todo=_choices(name) or "write it directly after the colon"
            )
        if name == "is" and text not in IS:
            raise QueryError(f"is:{text} is not a valid condition", place, todo=_choices(name))
        if name == "list" and text not in LISTS:
            raise QueryError(f"{text!r} is not a valid list", place, todo=_choices(name))
        values.append(text)
    return tuple(values)


def _choices(name: str) -> str:
    known = {"is": tuple(IS), "list": LISTS}.get(name)
    return f"use one of {', '.join(known)}" if known else ""


def _alternatives(value: str, at: int) -> list[tuple[str, int]]:
    """Parts between commas, quoted ones whole."""
    parts: list[tuple[str, int]] = []
    start = index = 0
    while index < len(value):
        if value[index] == '"':
            index = _end_of_quote(value, index)
        elif value[index] == ",":
            parts.append((value[start:index], at + start))
            start = index + 1
        index += 1
    return [*parts, (value[start:], at + start)]


def _unquoted(word: str, at: int) -> str:
    """What stands between the quotes, lower case; nothing may follow them."""
    end = _end_of_quote(word, 0)
    if end != len(word) - 1:
        raise QueryError("Something follows the quotation mark", at + end + 1, todo="leave a space after it")
    inside, made, at = word[1:end], "", 0
    while at < len(inside):
        at += inside[at] == "\\" and at + 1 < len(inside)
        made += inside[at]
        at += 1
    return made.lower()


def _plain(word: str, at: int) -> str:
    for mark in '"\\':
        if mark in word:
            raise QueryError(f"{mark} is inside a word", at + word.index(mark), todo='quote the whole word: "…"')
    return word


# -- asking --------------------------------------------------------------------------------------------------------


def compile_query(text: str, saved: Mapping[str, str] | None = None) -> Test | None:
    """What a card must meet; None when the text asks for nothing. `saved` are filters by name; QueryError."""
    return _test_of(parse(text), text, {name.lower(): query for name, query in (saved or {}).items()}, ())


def _test_of(query: Query, text: str, saved: Mapping[str, str], inside: tuple[str, ...]) -> Test | None:
    tests = [_test(term, text, saved, inside) for term in query.terms]
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda card: all(test(card) for test in tests)


def _test(term: Term, text: str, saved: Mapping[str, str], inside: tuple[str, ...]) -> Test:
    test = _positive(term, text, saved, inside)
    return (lambda card: not test(card)) if term.negated else test


def _positive(term: Term, text: str, saved: Mapping[str, str], inside: tuple[str, ...]) -> Test:
    values = term.values
    match term.kind:
        case "text":
            sought = values[0]
            return lambda card: sought in _text_of(card)
        case "p":
            compare, wanted = COMPARED[term.operator], int(values[0])
            return lambda card: compare(card.priority, wanted)
        case "is":
            tests = [IS[value] for value in values]
            return lambda card: any(test(card) for test in tests)
        case "saved":
            return _saved(values[0], text, saved, inside)
        case field:
            read = FIELDS[field]
            return lambda card: any(value in read(card).lower() for value in values)


def _saved(name: str, text: str, saved: Mapping[str, str], inside: tuple[str, ...]) -> Test:
    at = max(0, text.lower().find(f"@{name}"))
    if name in inside:
        raise QueryError(f"@{name} refers to itself", at, todo="save it again without the reference")
    if name not in saved:
        known = ", ".join(f"@{known}" for known in saved)
        raise QueryError(
            f"No filter is saved as @{name}", at, todo=f"use one of {known}" if known else "save one first"
        )
    try:
        found = _test_of(parse(saved[name]), saved[name], saved, (*inside, name))
    except QueryError as error:
        raise QueryError(f"@{name}: {error.what}", at, todo=error.todo) from error
    return found or (lambda card: True)


def _text_of(card: Card) -> str:
    return f"{card.title}\nm-{card.number}\n{card.stage}\n{card.repository}\n{card.agent}\n{card.actor}".lower()
