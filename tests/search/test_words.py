"""Texts as the words that are compared, and the piece of a text that is shown."""

from __future__ import annotations

import pytest

from solo_unicorn.missions.search.excerpts import WIDTH, excerpt
from solo_unicorn.missions.search.words import asked, hinting, places, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("testing", "tests"),
        ("Migrations", "migrate"),
        ("naïve", "naive"),
        ("Straße", "STRASSE"),
        ("миграции", "миграция"),
        ("ΛΌΓΟΣ", "λόγος"),
    ],
)
def test_forms_of_a_word_are_one_word(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("UserById", ["user", "id"]),
        ("get_user_by_id", ["get", "user", "id"]),
        ("HTTPServerError", ["http", "server", "error"]),
        ("v2.13", ["v2", "2", "13"]),
        ("src/orders/cart.py", ["src", "order", "cart", "py"]),
        ("数据库迁移", ["数据", "据库", "库迁", "迁移"]),
        ("API迁移", ["api", "迁移"]),
    ],
)
def test_identifiers_and_scripts_without_spaces_are_split(text: str, parts: list[str]) -> None:
    assert set(parts) <= set(words(text))


def test_a_question_is_asked_by_its_telling_words() -> None:
    assert asked("How do I run the tests?") == ["run", "test"]
    assert asked("to be or not to be"), "nothing is left of it: then all of them are asked"
    assert asked('"*( ') == []


def test_what_a_whole_question_does_with_its_subject_is_not_asked_for() -> None:
    assert asked("Whom do I ask about privacy?") == ["privaci"]
    assert asked("ask about privacy") == ["ask", "privaci"], "not a whole question"
    assert asked("how does it work") == ["work"], "nothing else is left"
    assert hinting("Where do the keys live?") == ["where", "live"]
    assert hinting("live keys") == []


def test_an_excerpt_shows_the_words_together() -> None:
    text = "retry " + "filler " * 100 + "the bank retries a charge " + "filler " * 100
    shown = excerpt(text, {"bank", "retri", "charg"})
    assert "the [bank] [retries] a [charge]" in shown
    assert shown.startswith("… ") and shown.endswith(" …")
    assert len(shown) < WIDTH + 20
    assert excerpt("重启数据库迁移", {"数据", "据库", "迁移"}) == "重启[数据库][迁移]".replace("][", "")
    assert excerpt("", {"a"}) == ""


def test_places_cover_the_words() -> None:
    text = "getOrderById 迁移x"
    assert {text[start:stop] for start, stop, _ in places(text)} == {"getOrderById", "迁移", "x"}
