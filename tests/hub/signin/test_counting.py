"""What tries and requests are counted by."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from solo_unicorn.hub.operating.token_buckets import place_of


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_all_addresses_of_one_network_count_as_one(host: str, place: str) -> None:
    assert place_of(HTTPConnection({"type": "http", "client": (host, 1), "headers": []})) == place
