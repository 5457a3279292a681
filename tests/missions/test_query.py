"""The language of filters: what it understands, what it refuses and where, and its laws."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.missions.board import Card
from solo_unicorn.missions.entities import LISTS
from solo_unicorn.missions.filters.query import FIELDS, IS, Query, QueryError, Term, compile_query, parse, quoted
from solo_unicorn.missions.filters.words import Vocabulary, completed, completions

NOW = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)


def card(**more: object) -> Card:
    """A card of the code stage."""
    values: dict[str, object] = {
        "id": "A",
        "number": 42,
        "version": 1,
        "project_id": "P",
        "title": "Retry payments: all of them",
        "list": "todo",
        "list_order": 1.0,
        "priority": 4,
        "stage": "code",
        "stage_position": 0,
        "stage_count": 3,
        "requires_review": True,
        "ready": True,
        "is_loop": False,
        "repository": "web",
        "tasks_done": 0,
        "tasks_total": 0,
        "blockers": 1,
        "blocked_by": "",
        "session_status": "INACTIVE",
        "session_started_at": None,
        "agent": "claude",
        "activity": "",
        "review_status": None,
        "review_requested_at": None,
        "attention": None,
        "question": None,
        "retry_at": None,
        "attempts": 0,
        "landing_status": None,
        "pr_number": None,
        "updated_at": NOW,
        "actor": "Ada L",
    }
    return Card(**(values | more))  # type: ignore[arg-type]


cards = st.builds(
    card,
    priority=st.integers(1, 5),
    list=st.sampled_from(LISTS),
    stage=st.sampled_from(["code", "plan", ""]),
    agent=st.sampled_from(["", "claude", "codex"]),
    ready=st.booleans(),
    blockers=st.integers(0, 2),
    title=st.text(min_size=1, max_size=12),
)
value = st.text(min_size=1, max_size=8).map(str.lower).filter(lambda text: text == text.lower())
terms = st.one_of(
    st.builds(lambda text, negated: Term("text", (text,), ":", negated), value, st.booleans()),
    st.builds(
        lambda operator, number, negated: Term("p", (str(number),), operator, negated),
        st.sampled_from([">=", "<=", ">", "<", "="]),
        st.integers(1, 5),
        st.booleans(),
    ),
    st.builds(
        lambda names, negated: Term("is", tuple(names), ":", negated),
        st.lists(st.sampled_from(sorted(IS)), min_size=1, max_size=3),
        st.booleans(),
    ),
    st.builds(
        lambda name, values, negated: Term(name, tuple(values), ":", negated),
        st.sampled_from(sorted(FIELDS.keys() - {"list"})),
        st.lists(value, min_size=1, max_size=3),
        st.booleans(),
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        *("p4", "p:4", "p=4", "p>=4", "p>3", "p<5", "p<=4", "P>=4", "priority>3", "is:ready", "is:blocked"),
        *("stage:code", "stage:plan,code", "repo:we", "agent:CLAUDE", 'actor:"ada l"', "list:todo,review"),
        *("RETRY pay", "m-42", "-is:running", "-p5", "p>=4 is:ready retry", "web", '"payments: all"', "--is:ready"),
        *('-"all of us"', "is:running,ready", "ada", "@mine", "@mine -@other"),
    ],
)
def test_a_card_that_meets_it(text: str) -> None:
    test = compile_query(text, {"Mine": "agent:claude p>3", "other": "@mine stage:plan"})
    assert test is not None and test(card())


@pytest.mark.parametrize(
    "text",
    [
        *("p5", "p>4", "p<4", "-is:ready", "is:running", "is:waiting", "stage:plan", "zzz", "retry zzz", "-retry"),
        *('"payments all"', "list:done", 'actor:"l ada"', "is:parked,pr", "@other"),
    ],
)
def test_a_card_that_does_not(text: str) -> None:
    test = compile_query(text, {"other": "stage:plan"})
    assert test is not None and not test(card())


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_asked_for(text: str) -> None:
    assert compile_query(text) is None


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("p>=9", 3, "'9' is not a valid priority"),
        ("word p>=", 8, "p takes a priority"),
        ("is:nonsense", 3, "is:nonsense is not a valid condition"),
        ("list:somewhere", 5, "'somewhere' is not a valid list"),
        ("stage:", 6, "stage: needs a value"),
        ("stage:code,", 11, "stage: needs a value"),
        ("https://example.org", 0, "'https' is not a field"),
        ("stage>code", 0, "compares values that have no order"),
        ('one "two', 4, "is not closed"),
        ('"one"two', 5, "follows the quotation mark"),
        ('on"e', 2, "is not closed"),
        ('on"e"', 2, "is inside a word"),
        ("a -", 2, "negates the next condition"),
        ("@", 0, "name of a saved filter"),
        ("x @nobody", 2, "No filter is saved as @nobody"),
        ("@loop", 0, "@loop: @loop refers to itself"),
        ("@broken", 0, "@broken: '9' is not a valid priority"),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(text: str, position: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(text, {"loop": "@loop", "broken": "p9"})
    assert said in caught.value.what
    assert caught.value.position == position
    assert caught.value.todo


@given(st.lists(terms, max_size=5))
def test_a_query_that_is_written_reads_as_itself(written: list[Term]) -> None:
    query = Query(tuple(written))
    assert parse(str(query)) == query


@given(st.text(max_size=30))
def test_any_text_is_a_query_or_an_error_with_a_place_in_it(text: str) -> None:
    try:
        again = str(parse(text))
    except QueryError as error:
        assert 0 <= error.position <= len(text) and error.todo
    else:
        assert str(parse(again)) == again


@given(cards, st.lists(terms, min_size=1, max_size=3))
def test_minus_turns_a_condition_around_and_all_must_hold(one: Card, written: list[Term]) -> None:
    each = []
    for term in written:
        test, other = compile_query(str(term)), compile_query(f"-{term}")
        assert test is not None and other is not None and test(one) != other(one)
        each.append(test(one))
    both = compile_query(str(Query(tuple(written))))
    assert both is not None and both(one) == all(each)


@given(cards, st.text(min_size=1, max_size=20))
def test_quoted_words_are_looked_for_as_they_are(one: Card, text: str) -> None:
    test = compile_query(quoted(text))
    assert test is not None
    if text.lower() in one.title.lower():
        assert test(one)


KNOWN = Vocabulary(("code", "plan"), ("api", "web shop"), ("claude",), ("Ada",), ("mine", "urgent"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("st", ["stage:"]),
        ("p", ["p>="]),
        ("x is:re", ["is:ready", "is:review"]),
        ("stage:", ["stage:code", "stage:plan"]),
        ("-stage:c", ["stage:code"]),
        ("stage:code,p", ["stage:code,plan"]),
        ("repo:w", ['repo:"web shop"']),
        ("@", ["@mine", "@urgent"]),
        ("@u", ["@urgent"]),
        ("list:todo", []),
        ("http:", []),
    ],
)
def test_what_may_come_next(text: str, found: list[str]) -> None:
    assert completions(text, len(text), KNOWN)[: len(found) + 1] == found


def test_an_empty_query_offers_everything_there_is() -> None:
    offered = completions("", 0, KNOWN)
    assert {"is:", "stage:", "@mine"} <= set(offered)


@given(st.text(max_size=20), st.integers(0, 20))
def test_a_completion_can_be_taken_anywhere(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    for word in completions(text, cursor, KNOWN):
        whole, place = completed(text, cursor, word)
        assert whole[:place].rstrip().endswith(word)
        assert whole.endswith(text[cursor:])


def test_a_completion_leaves_a_space_behind_it() -> None:
    assert completed("x is:re", 7, "is:ready") == ("x is:ready ", 11)
    assert completed("st", 2, "stage:") == ("stage:", 6)
    assert completed("is:re p4", 5, "is:ready") == ("is:ready p4", 8)
