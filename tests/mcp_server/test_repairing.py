"""What clients send that is not JSON as it should be is mended or answered."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from solo_unicorn.mcp_server.bridge import CANCELLED
from solo_unicorn.mcp_server.repairing import INVALID_REQUEST, PARSE_ERROR, refusal, repaired


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (rb'{"text": "cut \ud83d"}', "cut �"),
        (rb'{"text": "\udE00 cut"}', "� cut"),
        (rb'{"text": "whole \ud83d\ude00"}', "whole 😀"),
        (rb'{"text": "a backslash: \\ud83d"}', "a backslash: \\ud83d"),
    ],
)
def test_half_a_character_becomes_the_sign_for_one(given: bytes, wanted: str) -> None:
    assert json.loads(repaired(given)) == {"text": wanted}
    assert repaired(given).decode("utf-8")


@pytest.mark.parametrize("given", [b'{"text": "plain"}', b'{"broken \\ud83d', b"caf\xe9"])
def test_anything_else_is_left_as_it_is(given: bytes) -> None:
    assert repaired(given) is given


@pytest.mark.parametrize(
    ("line", "identity"),
    [
        (b'{"id": 3, "text": "caf\xe9"}', 3),
        (b'{"jsonrpc":"2.0","id":"a\\"b",', 'a"b'),
        (b"{", None),
        (b"\xff\xfe{\x00}\x00", None),
    ],
)
def test_what_cannot_be_read_is_answered_under_its_id(line: bytes, identity: object) -> None:
    answer = refusal(line)
    assert answer is not None and answer["id"] == identity and answer["error"]["code"] == PARSE_ERROR
    assert refusal(b'{"id": 1}') is None


@pytest.mark.parametrize(
    ("line", "code", "identity"),
    [
        (b"[" * 100_000, PARSE_ERROR, None),
        (b'{"id": 7, "params": ' + b"[" * 100_000, PARSE_ERROR, 7),
        (b'[{"id": 1, "method": "ping"}]', INVALID_REQUEST, None),
        (b'"ping"', INVALID_REQUEST, None),
        (b'{"id": 1.5, "method": "ping"}', INVALID_REQUEST, None),
        (b'{"id": null, "method": "ping"}', INVALID_REQUEST, None),
        (b'{"id": true, "method": "ping"}', INVALID_REQUEST, None),
        (b'{"id": 4, "method": "ping", "params": [1]}', INVALID_REQUEST, 4),
    ],
)
def test_what_is_no_message_of_the_protocol_is_answered(line: bytes, code: int, identity: object) -> None:
    """Deep nesting ended the bridge; a batch, an id of 1.5 and params in a list were never answered."""
    answer = refusal(line)
    assert answer is not None and (answer["error"]["code"], answer["id"]) == (code, identity)


def bridge(path: Path, **options: Any) -> subprocess.Popen[bytes]:
    """A bridge to a socket that we serve."""
    program = (
        "import sys; from pathlib import Path; from solo_unicorn.mcp_server import bridge; bridge.LOOK_SECONDS = 0.05; "
        "sys.exit(bridge.run(lambda: None, Path(sys.argv[1])))"
    )
    started: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, **options
    )
    return started


@pytest.fixture
def served(home: Path):  # type: ignore[no-untyped-def]
    """A socket that greets and echoes an empty result."""
    path = Path(os.environ["SOLO_UNICORN_RUNTIME_DIR"]) / "s"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        client, _ = listening.accept()
        with client, client.makefile("rwb") as stream:
            stream.readline()
            stream.write(b'{"ready": "x"}\n')
            stream.flush()
            for line in stream:
                asked = json.loads(line)
                stream.write(
                    json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": asked["text"]}).encode() + b"\n"
                )
                stream.flush()

    threading.Thread(target=serve, daemon=True).start()
    yield path
    listening.close()


def test_the_bridge_answers_each_line(served: Path) -> None:
    with bridge(served, stdout=subprocess.PIPE) as running:
        lines = [b'{"id":1,"method":"x","text":"caf\xe9"}', b'{"id":2,"method":"x","text":"\\ud83d"}', b'{"id":3,']
        out, _ = running.communicate(b"\n".join(lines) + b"\n", timeout=30)
    answers = {answer["id"]: answer for answer in map(json.loads, out.splitlines())}
    assert answers[2]["result"] == "�"
    assert {answers[1]["error"]["code"], answers[3]["error"]["code"]} == {PARSE_ERROR}


def test_a_cancelled_request_is_answered_once_and_keeps_nobody(home: Path) -> None:
    """Neither the service nor the bridge answered it, and the bridge stayed after its client."""
    listening = socket.socket(socket.AF_UNIX)
    path = Path(os.environ["SOLO_UNICORN_RUNTIME_DIR"]) / "s"
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb") as stream:
            stream.readline()
            stream.write(b'{"ready": "x"}\n')
            stream.flush()
            for line in stream:  # as the service does: what was cancelled is left, what comes late is not wanted
                if b"late" in line:
                    stream.write(b'{"jsonrpc":"2.0","id":1,"result":{}}\n{"jsonrpc":"2.0","id":2,"result":{}}\n')
                    stream.flush()

    threading.Thread(target=serve, daemon=True).start()
    messages = (
        {"id": 1, "method": "tools/call", "params": {}},
        {"method": "notifications/cancelled", "params": {"requestId": 1}},
        {"id": 2, "method": "late"},
    )
    with bridge(path, stdout=subprocess.PIPE) as running:
        out, _ = running.communicate("".join(json.dumps(one) + "\n" for one in messages).encode(), timeout=30)
    listening.close()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [(one["id"], one.get("error", {}).get("code")) for one in answers] == [(1, CANCELLED), (2, None)]


def test_the_bridge_ends_with_its_client_though_another_process_holds_the_pipe(served: Path) -> None:
    """The client starts the bridge and is gone; we hold the writing end of its input open."""
    reads, writes = os.pipe()
    program = (
        "import subprocess, sys; from pathlib import Path; "
        "line = 'import sys; from pathlib import Path; from solo_unicorn.mcp_server import bridge; "
        "bridge.LOOK_SECONDS = 0.05; sys.exit(bridge.run(lambda: None, Path(sys.argv[1])))'; "
        "child = subprocess.Popen([sys.executable, '-c', line, sys.argv[1]], stdout=subprocess.PIPE); "
        "child.stdout.read(1)"
    )
    client = subprocess.Popen([sys.executable, "-c", program, str(served)], stdin=reads, stderr=subprocess.PIPE)
    os.close(reads)
    os.write(writes, b'{"id":1,"method":"x","text":"up"}\n')
    _, told = client.communicate(timeout=30)  # until both have let go of the stream that they share
    os.close(writes)
    assert client.returncode == 0 and told == b""
