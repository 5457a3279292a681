"""Answers of what stands between this machine and the hub."""

from __future__ import annotations

from solo_unicorn.sync.client.transport import _answer
from solo_unicorn.sync.replica.messages import NoAnswer, Response


def test_a_page_of_a_proxy_that_wants_a_sign_in_does_not_end_the_one_at_the_hub() -> None:
    page = b"<html>Sign in to this network</html>"
    told = _answer(401, {"WWW-Authenticate": "Basic realm=proxy"}, page)
    assert isinstance(told, NoAnswer) and told.kind == "unreadable"
    assert isinstance(_answer(401, {"WWW-Authenticate": "Bearer"}, page), Response)
    assert isinstance(_answer(401, {}, b'{"error": {"code": "unauthorized"}}'), Response)
