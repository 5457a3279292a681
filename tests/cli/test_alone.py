"""Every command as a person may type it first: with no further word, in an empty home, as a process of its own."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from solo_unicorn.cli.table import COMMANDS

# What goes on until it is told to stop: the walk waits for its first line, then sends SIGTERM.
STAYS = {"hub", "web", "workstation start", "workstation run", "demo"}
VERBS = {noun: [verb for verb in verbs if verb] for noun, (_, verbs) in COMMANDS.items()}


@pytest.mark.parametrize("noun", COMMANDS)
def test_every_noun_answers_without_a_further_word(home: Path, noun: str) -> None:
    sound(home, noun)


@pytest.mark.slow
@pytest.mark.parametrize("noun", [noun for noun, verbs in VERBS.items() if verbs])
def test_every_verb_answers_without_a_further_word(home: Path, noun: str) -> None:
    try:
        for verb in VERBS[noun]:
            sound(home, noun, verb)
    finally:  # `workstation restart` leaves a service that stays
        subprocess.run([sys.executable, "-m", "solo_unicorn", "workstation", "stop", "--force"], capture_output=True)


def sound(home: Path, *words: str) -> None:
    """Run it with standard input closed; it ends with an exit code of the list and without a fault of ours."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "solo_unicorn", *words]
    directory = home.parent / "here"
    directory.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command,
        cwd=directory,
        env={**os.environ, "SOLO_UNICORN_HUB_PORT": port},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    try:
        if " ".join(words) in STAYS:
            with selectors.DefaultSelector() as first:
                first.register(process.stdout, selectors.EVENT_READ)
                first.register(process.stderr, selectors.EVENT_READ)
                assert first.select(timeout=60), f"{words} says nothing"
            process.send_signal(signal.SIGTERM)
        out, err = (text.decode() for text in process.communicate(timeout=60))
    finally:
        process.kill()
        process.wait()
    told = f"{' '.join(words)} → {process.returncode}\n{out}{err}"
    assert "Traceback" not in out + err and "an error in solo-unicorn itself" not in err, told
    assert process.returncode in (0, 1, 2, 3, 4, 5, 6, 75, 130, 143, -signal.SIGTERM), told
    if process.returncode > 0:
        assert out or err, told
