"""Which proxy an address is reached by, in an environment as on machines behind one."""

from __future__ import annotations

import os

import pytest

from solo_unicorn.config.proxies import UnusableProxy, proxy_for
from solo_unicorn.missions.errors import Offline
from solo_unicorn.sync.client import signin

PROXY = "http://proxy.example.org:3128"


@pytest.fixture(autouse=True)
def _behind_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "inside.example.org")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://hub.example.org", PROXY),
        ("wss://hub.example.org/ws/v1", PROXY),
        ("https://inside.example.org", None),
        ("http://127.0.0.1:8420", None),
        ("http://localhost:8420", None),
        ("ws://[::1]:8420/ws/v1", None),
    ],
)
def test_what_runs_on_this_machine_is_reached_without_one(url: str, proxy: str | None) -> None:
    assert proxy_for(url) == proxy


def test_a_proxy_of_another_kind_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("https_proxy")
    with pytest.raises(UnusableProxy, match="a socks5 proxy"):
        proxy_for("https://hub.example.org")
    with pytest.raises(Offline) as raised:
        signin.discovered("https://hub.example.org")
    assert "NO_PROXY" in (raised.value.why or "")
