"""Rate limits of several processes are one, in Redis and in PostgreSQL; without their store each counts by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from solo_unicorn.hub.operating import shared_buckets
from solo_unicorn.hub.operating.shared_buckets import Shared, limits
from solo_unicorn.hub.operating.token_buckets import InProcess, Limits
from solo_unicorn.hub.storage.database import open_database
from solo_unicorn.hub.storage.migrate import upgrade
from solo_unicorn.missions.errors import UsageError

from .. import outside
from ..whole import whole

SQLITE = "sqlite:///{}"


@pytest.fixture(scope="module", params=["postgresql", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    with outside.postgres() if request.param == "postgresql" else outside.redis() as url:
        yield url


@pytest.fixture
async def two(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Limits, Limits]]:
    """Of two processes of one hub; a machine that is busy does not make them count by themselves."""
    monkeypatch.setattr(shared_buckets, "ANSWER_SECONDS", 60.0)
    redis = server.startswith("redis")
    url = SQLITE.format(tmp_path / "hub.sqlite3") if redis else await outside.fresh(server)
    async with AsyncExitStack() as ends:
        found = []
        for _ in range(2):
            database = open_database(url)
            ends.push_async_callback(database.close)
            await upgrade(database)
            made = limits(server if redis else "postgresql", "", database)
            assert isinstance(made, Shared)
            ends.push_async_callback(made.stop)
            found.append(made)
        yield found[0], found[1]


@pytest.mark.slow
async def test_two_processes_give_out_no_more_than_one_would(two: tuple[Limits, Limits]) -> None:
    name = "user:01J"
    told = await asyncio.gather(*(two[number % 2].ask(name, 10, 36_000) for number in range(30)))
    assert sorted(one.remaining for one in told if one.allowed) == list(range(10))
    refused = [one for one in told if not one.allowed]
    assert len(refused) == 20 and {one.limit for one in refused} == {10}
    assert all(3_500 < one.reset_seconds <= 3_600 for one in refused), "until the next request is taken"
    assert (await two[0].ask("user:01K", 10, 36_000)).allowed, "another caller has a bucket of its own"


@pytest.mark.slow
async def test_a_bucket_fills_while_nobody_asks(two: tuple[Limits, Limits]) -> None:
    fast = ("place:127.0.0.1", 2, 0.2)
    for _ in range(2):
        assert (await two[0].ask(*fast)).allowed
    async with asyncio.timeout(10):
        while not (await two[1].ask(*fast)).allowed:
            pass


@pytest.mark.slow
async def test_requests_to_either_hub_count_for_both(tmp_path: Path) -> None:
    with outside.redis() as url:
        few = {"rate_limit_url": url, "rate_limits": "on", "rate_limit_anonymous": "6"}
        async with whole(tmp_path / "one", **few) as one, whole(tmp_path / "two", **few) as two:
            answers = [await (one, two)[number % 2].nobody.get("/api/v1/public/projects") for number in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == list("54321000")
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_without_its_store_a_process_counts_by_itself_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(SQLITE.format(tmp_path / "hub.sqlite3"))
    made = limits(f"redis://127.0.0.1:{outside.free_port()}/0", "", database)
    assert isinstance(made, Shared)
    told = [await made.ask("user:01J", 2, 3_600) for _ in range(3)]
    assert [one.allowed for one in told] == [True, True, False]
    said = [record for record in caplog.records if "by this process alone" in record.message]
    assert len(said) == 1, "once, not for each request"
    await made.stop()
    await database.close()


async def test_where_limits_are_kept_is_told_by_the_settings(tmp_path: Path) -> None:
    database = open_database(SQLITE.format(tmp_path / "hub.sqlite3"))
    assert isinstance(limits("", "", database), InProcess)
    assert isinstance(limits("", "redis://127.0.0.1:1/0", database), Shared)
    assert isinstance(limits("process", "redis://127.0.0.1:1/0", database), InProcess)
    for wrong in ("postgresql", "memcached://x"):
        with pytest.raises(UsageError, match="Rate limits cannot be kept"):
            limits(wrong, "", database)
    await database.close()
