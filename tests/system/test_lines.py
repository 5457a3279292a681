"""Lines come out whole, however they were handed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.system.lines import Lines


@given(st.lists(st.binary(max_size=5), max_size=8))
def test_pieces_make_the_lines_that_the_whole_has(pieces: list[bytes]) -> None:
    lines = Lines()
    found = [line for piece in pieces for line in lines.of(piece)]
    assert [*found, lines.rest] == b"".join(pieces).split(b"\n")
