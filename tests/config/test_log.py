"""The log: whole lines of JSON, one file for many processes, no secrets, one id through all of them."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.config import log
from solo_unicorn.config.correlation import correlation, handed_on, new_correlation
from solo_unicorn.config.redaction import HIDDEN, hide, redact


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    before = correlation.get()
    yield
    correlation.set(before)
    root = logging.getLogger("solo_unicorn")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()


def lines(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "solo-unicorn.log").read_text().splitlines()]


def test_a_record_is_one_line_of_json_with_its_fields(home: Path) -> None:
    log.setup("service")
    made = new_correlation()
    log.logger("workstation").info("claimed %s", "M-42", extra={"mission": "M-42", "slots": {"used": 1}})
    log.logger("workstation").debug("not kept at this level")
    (entry,) = lines(home / "logs")
    assert entry["message"] == "claimed M-42" and entry["mission"] == "M-42" and entry["slots"] == {"used": 1}
    assert entry["process"] == "service" and entry["logger"] == "workstation" and entry["level"] == "info"
    assert entry["correlation"] == made and entry["pid"] == os.getpid()
    assert str(entry["at"]).endswith("Z")


def test_a_traceback_is_kept_in_the_same_line(home: Path) -> None:
    log.setup("cli")
    try:
        raise ValueError("token=abcdefghijkl")
    except ValueError:
        log.logger().exception("broke")
    (entry,) = lines(home / "logs")
    assert "ValueError" in str(entry["traceback"]) and "abcdefghijkl" not in str(entry)


def test_setting_up_again_changes_the_level_and_doubles_nothing(home: Path) -> None:
    log.setup("cli")
    log.setup("cli", level="debug")
    log.logger().debug("once")
    assert [entry["message"] for entry in lines(home / "logs")] == ["once"]


def test_the_correlation_id_reaches_the_grandchild(home: Path) -> None:
    log.setup("cli")
    made = new_correlation()
    log.logger().info("here")
    child = (
        "import os, subprocess, sys; from solo_unicorn.config import log; log.setup('child');"
        "log.logger().info('there');"
        "sys.argv[1:] and subprocess.run([sys.executable, '-c', sys.argv[1]], check=True,"
        " env={**os.environ, **log.handed_on()})"
    )
    subprocess.run([sys.executable, "-c", child, child], check=True, env={**os.environ, **handed_on()})
    assert [(entry["process"], entry["correlation"]) for entry in lines(home / "logs")] == [
        ("cli", made),
        ("child", made),
        ("child", made),
    ]


def test_many_processes_write_and_rotate_one_file_without_tearing_or_losing_a_line(tmp_path: Path) -> None:
    child = (
        "import logging, sys; from pathlib import Path; from solo_unicorn.config.log import RotatingLines;"
        "log = logging.getLogger('solo_unicorn.t'); log.setLevel('INFO');"
        "log.addHandler(RotatingLines('p', Path(sys.argv[1]), largest=20_000, kept=50));"
        "[log.info('x' * 80, extra={'number': n}) for n in range(400)]"
    )
    path = tmp_path / "solo-unicorn.log"
    writers = [subprocess.Popen([sys.executable, "-c", child, str(path)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    files = [file for file in tmp_path.iterdir() if not file.name.startswith(".")]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(files) > 3
    assert sorted((entry["pid"], entry["number"]) for entry in found) == sorted(
        (writer.pid, number) for writer in writers for number in range(400)
    )


def test_only_so_many_old_files_are_kept(tmp_path: Path) -> None:
    handler = log.RotatingLines("p", tmp_path / "l.log", largest=200, kept=2)
    for number in range(50):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}", "name": "solo_unicorn.x"}))
    handler.close()
    assert sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith(".")) == [
        "l.log",
        "l.log.1",
        "l.log.2",
    ]
    assert "line 49" in (tmp_path / "l.log").read_text()


def test_a_log_that_cannot_be_written_stops_nothing(home: Path) -> None:
    log.setup("cli")
    directory = home / "logs"
    (directory / "solo-unicorn.log").mkdir()
    log.logger().info("lost")
    (directory / "solo-unicorn.log").rmdir()
    log.logger().info("kept")
    assert [entry["message"] for entry in lines(directory)] == ["kept"]


SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=20, max_size=43)


@given(
    SECRET,
    st.sampled_from(
        [
            "Authorization: Bearer {}",
            '{{"token": "{}"}}',
            "api_key={}",
            "--token={} --verbose",
            "https://u:{}@host/x.git",
            "GITHUB_TOKEN={} git push",
            "password: {}",
            "sk-ant-{}",
            "ghp_{}",
            "personalAccessToken = '{}'",
        ]
    ),
)
def test_no_token_reaches_the_log(secret: str, frame: str) -> None:
    if frame == "ghp_{}":
        secret = secret.replace("_", "x").replace("-", "x")
    shown = redact("before " + frame.format(secret) + " after")
    assert secret not in shown and HIDDEN in shown
    assert shown.startswith("before ")


@given(SECRET)
def test_a_known_secret_is_hidden_wherever_it_stands(secret: str) -> None:
    hide(secret)
    assert secret not in redact(f"seen {secret}!")


def test_fields_with_a_secret_name_are_hidden_at_any_depth_and_counts_stay(home: Path) -> None:
    log.setup("service")
    log.logger().info(
        "x", extra={"token": "t0", "launch": {"env": {"API_KEY": "k0", "tokens": 38_000}}, "list": ["token=t1"]}
    )
    (entry,) = lines(home / "logs")
    text = json.dumps(entry)
    assert "t0" not in text and "k0" not in text and "t1" not in text
    assert entry["launch"] == {"env": {"API_KEY": HIDDEN, "tokens": 38_000}}


@pytest.mark.parametrize("text", ["38k tokens, $0.41", "Session tokens: 12", "the secret garden", "M-42 claimed"])
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text
