"""Fixtures shared by all tests: a home of their own, nothing outside temporary folders."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A rule is true however slow the machine is: what is measured by a clock is in bench/.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("the same each time", settings.get_profile("random"), derandomize=True, database=None)
settings.load_profile("the same each time")

SLOW_TO_READ = {"test_schemathesis.py"}
"""Every test of these is a slow one."""
OURS = {"SOLO_UNICORN_HOME", "SOLO_UNICORN_RUNTIME_DIR"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: many tests wait for processes and for the disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Reading these takes seconds, which a run without the slow tests need not wait for."""
    return True if collection_path.name in SLOW_TO_READ and config.option.markexpr == "not slow" else None


def pytest_collection_finish() -> None:
    """What was imported stays until the end: the garbage collector need not look at all of it again and again.

    Nor need it look every 700 objects, which takes a twentieth of the time of tests that make applications and hubs.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """What a test does to the log of its process is undone after it: tests run in any order."""
    ours = logging.getLogger("solo_unicorn")
    handlers, level, propagate = list(ours.handlers), ours.level, ours.propagate
    yield
    logging.disable(logging.NOTSET)
    for handler in [handler for handler in ours.handlers if handler not in handlers]:
        ours.removeHandler(handler)
        handler.close()
    ours.setLevel(level)
    ours.propagate = propagate


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty user home with the product's own directory inside; returns SOLO_UNICORN_HOME."""
    user = tmp_path / "home"
    product = user / ".solo-unicorn"
    product.mkdir(parents=True, mode=0o700)
    runtime = Path(tempfile.mkdtemp(prefix="su-"))  # short: the path of a socket has 103 bytes at most
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("SOLO_UNICORN_HOME", str(product))
    monkeypatch.setenv("SOLO_UNICORN_RUNTIME_DIR", str(runtime))
    for name in [name for name in os.environ if name.startswith("SOLO_UNICORN_") and name not in OURS]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(user / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (user / ".gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n"
    )
    yield product
    shutil.rmtree(runtime, ignore_errors=True)
