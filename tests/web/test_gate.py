"""The gate: links that work once, cookies for one path, names that are ours."""

from __future__ import annotations

from solo_unicorn.tui.web.gate import LINK_SECONDS, MOST_TRIES, Gate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_link_works_once_and_gives_a_room_with_its_cookie() -> None:
    gate = Gate(8000, Clock())
    token = gate.link()
    let_in = gate.redeem(token)
    assert let_in is not None
    room, cookie = let_in
    assert gate.redeem(token) is None
    assert gate.knows(room, cookie)
    assert not gate.knows(room, None) and not gate.knows(room, "") and not gate.knows(room, cookie + "x")
    assert not gate.knows("another", cookie) and not gate.knows("", cookie)
    assert token not in (room, cookie)


def test_each_browser_has_a_room_of_its_own() -> None:
    gate = Gate(8000, Clock())
    first, second = gate.redeem(gate.link()), gate.redeem(gate.link())
    assert first is not None and second is not None and first[0] != second[0]
    assert gate.knows(*first) and gate.knows(*second) and not gate.knows(first[0], second[1])


def test_a_new_link_calls_the_one_before_back() -> None:
    gate = Gate(8000, Clock())
    old, new = gate.link(), gate.link()
    assert gate.redeem(old) is None
    assert gate.redeem(new) is not None


def test_a_link_grows_old() -> None:
    clock = Clock()
    gate = Gate(8000, clock)
    token = gate.link()
    clock.now = LINK_SECONDS + 1
    assert gate.redeem(token) is None


def test_guessing_calls_the_link_back() -> None:
    gate = Gate(8000, Clock())
    token = gate.link()
    for number in range(MOST_TRIES):
        assert gate.redeem(f"guess {number} ü") is None
    assert gate.redeem(token) is None


def test_only_our_own_names_and_origins_are_ours() -> None:
    gate = Gate(8000, Clock())
    assert gate.is_us("127.0.0.1:8000") and gate.is_us("localhost:8000")
    for host in (None, "", "127.0.0.1", "127.0.0.1:8001", "evil.example:8000", "localhost:8000.evil.example"):
        assert not gate.is_us(host)
    assert gate.is_ours("http://127.0.0.1:8000")
    for origin in (
        *(None, "null", "", "https://127.0.0.1:8000", "http://evil.example", "http://127.0.0.1:8001"),
        *("http://http://127.0.0.1:8000", "127.0.0.1:8000"),
    ):
        assert not gate.is_ours(origin)
