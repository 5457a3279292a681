"""The server sleeps while nobody asks, and stops at once when told to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
import uvicorn

from solo_unicorn.system.serving import Server

from ..simulated_time import SimulatedLoop, simulated


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never asked."""


class Quiet(Server):
    def install_signal_handlers(self) -> None: ...


@pytest.mark.parametrize(("date", "most"), [(False, 0), (True, 601)])
def test_a_server_that_nobody_asks_wakes_for_the_date_alone_and_stops_at_once(date: bool, most: int) -> None:
    async def main(loop: SimulatedLoop) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = Quiet(uvicorn.Config(_nothing, log_config=None, lifespan="off", date_header=date))
            serving = asyncio.create_task(server.serve([listening]))
            await asyncio.sleep(5)
            assert server.started
            before = loop.jumps
            await asyncio.sleep(600)
            assert loop.jumps - before <= most + 1  # and this test's own
            before = loop.jumps
            server.should_exit = True
            await serving
            assert loop.jumps - before <= 1  # uvicorn's own last look

    simulated(main)
