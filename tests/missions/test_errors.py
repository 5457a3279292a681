"""An error that crosses a wire arrives as itself."""

from __future__ import annotations

import json

import pytest

from solo_unicorn.missions.errors import (
    AlreadyClaimed,
    Conflict,
    InvalidValue,
    NotFound,
    Offline,
    SignedOut,
    SoloUnicornError,
    TryAgain,
    UsageError,
    VersionConflict,
    from_wire,
)


@pytest.mark.parametrize("kind", [SoloUnicornError, UsageError, NotFound, Conflict, SignedOut, Offline, TryAgain])
def test_class_and_parts_survive(kind: type[SoloUnicornError]) -> None:
    error = from_wire(json.loads(json.dumps(kind("What", why="why", todo="do").to_wire())))
    assert type(error) is kind
    assert (error.what, error.why, error.todo) == ("What", "why", "do")
    assert (error.code, error.exit_code) == (kind.code, kind.exit_code)


def test_what_a_class_adds_survives() -> None:
    conflict, claimed, invalid = (
        from_wire(json.loads(json.dumps(error.to_wire())))
        for error in (
            VersionConflict("v", current=3),
            AlreadyClaimed("c", holder="laptop"),
            InvalidValue("title", "too long"),
        )
    )
    assert isinstance(conflict, VersionConflict) and conflict.current == 3
    assert isinstance(claimed, AlreadyClaimed) and claimed.holder == "laptop"
    assert isinstance(invalid, UsageError) and invalid.to_wire()["code"] == "invalid"


def test_an_unknown_code_becomes_the_class_of_its_exit_code() -> None:
    error = from_wire({"code": "brand_new", "what": "What", "exitCode": 4})
    assert isinstance(error, Conflict)
    assert (error.code, error.exit_code) == ("brand_new", 4)


@pytest.mark.parametrize("wire", [None, [], "x", {}, {"what": 1, "code": "x"}])
def test_something_else_is_an_error_that_quotes_it(wire: object) -> None:
    assert repr(wire)[:20] in from_wire(wire).why
