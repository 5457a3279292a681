"""What is in a backup beside the database, and the daily ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from solo_unicorn.missions.entities import Mission
from solo_unicorn.missions.errors import SoloUnicornError
from solo_unicorn.workspace import operations, queries
from solo_unicorn.workspace.failures import StoreDamaged
from solo_unicorn.workspace.integrity import backup
from solo_unicorn.workspace.workspace import Workspace


@pytest.fixture
def run_dir(home: Path) -> Path:
    """The directory of a session that is over."""
    made = home / "runs" / "01M8P4HVVQMHYEKB4FPQD7F5ME"
    made.mkdir(parents=True)
    for name, text in (("transcript.jsonl", "{}\n"), ("transcript.100.jsonl", "{}\n{}\n"), ("outcome.json", "{}")):
        (made / name).write_text(text)
    (made / "mcp.json").write_text('{"token": "secret"}')
    return made


@pytest.fixture
def attached(workspace: Workspace, mission: Mission, tmp_path: Path) -> Path:
    """Where the bytes of an attached file stand."""
    (tmp_path / "plan.md").write_text("# Plan\n")
    operations.attachments.attach(workspace, mission.id, tmp_path / "plan.md")
    return queries.attachments.content_path(workspace.read(queries.attachments.get, mission.id, "plan.md"))


def test_attached_files_and_transcripts_come_back_and_no_token_is_kept(
    home: Path, workspace: Workspace, attached: Path, run_dir: Path, tmp_path: Path
) -> None:
    made = backup.back_up(home, tmp_path / "copy")
    kept = {str(one.relative_to(made.place)) for one in made.place.rglob("*") if one.is_file()}
    assert {
        f"runs/{run_dir.name}/{name}" for name in ("transcript.jsonl", "transcript.100.jsonl", "outcome.json")
    } < kept
    assert str(attached.relative_to(home)) in kept and not any("mcp" in one for one in kept)
    workspace.close()
    attached.write_text("")
    (run_dir / "transcript.jsonl").unlink()
    (run_dir / "transcript.100.jsonl").write_text("{}\n{}\n{}\n")
    backup.restore(home, made.place, lock=home / "service.lock")
    assert attached.read_text() == "# Plan\n" and (run_dir / "transcript.jsonl").read_text() == "{}\n"
    assert (run_dir / "transcript.100.jsonl").read_text() == "{}\n{}\n{}\n", "what is longer here is kept"


@pytest.mark.parametrize("name", ["transcript.jsonl", "outcome.json"])
def test_a_flipped_bit_in_a_transcript_is_found(
    home: Path, workspace: Workspace, run_dir: Path, tmp_path: Path, name: str
) -> None:
    made = backup.back_up(home, tmp_path / "copy")
    damaged = made.place / "runs" / run_dir.name / name
    damaged.write_bytes(bytes([damaged.read_bytes()[0] ^ 1]) + damaged.read_bytes()[1:])
    with pytest.raises(SoloUnicornError, match="damaged"):
        backup.verify(made.place)


def test_daily_backups_are_kept_for_some_days_and_take_no_room_twice(
    home: Path, workspace: Workspace, attached: Path, run_dir: Path
) -> None:
    running = home / "runs" / "01M8P4HVVQMHYEKB4FPQD7F5MF"
    running.mkdir()
    (running / "transcript.jsonl").write_text("{}\n")
    (home / "backups").mkdir()
    (home / "backups" / ".daily-20260101-000000.1").mkdir()
    for day in range(4):
        made = backup.back_up_daily(home, keep=2)
        made.place.rename(made.place.with_name(f"{backup.DAILY}2026030{day}-120000"))
        os.utime(made.place.with_name(f"{backup.DAILY}2026030{day}-120000") / backup.MANIFEST, (day, day))
    assert [one.name[-8:-7] for one in backup.dailies(home)] == ["2", "3"]
    assert sorted(one.name for one in (home / "backups").iterdir()) == [one.name for one in backup.dailies(home)]
    newest = backup.dailies(home)[-1]
    assert (newest / attached.relative_to(home)).samefile(attached)
    assert (newest / "runs" / run_dir.name / "transcript.jsonl").samefile(run_dir / "transcript.jsonl")
    assert not (newest / "runs" / running.name / "transcript.jsonl").samefile(running / "transcript.jsonl")
    with (running / "transcript.jsonl").open("a") as transcript:
        transcript.write("{}\n")
    backup.verify(newest)


def test_a_daily_backup_is_due_a_day_after_the_last_if_something_was_written_since(
    home: Path, workspace: Workspace, mission: Mission
) -> None:
    now = (home / "workspace.db-wal").stat().st_mtime + 1
    assert backup.daily_due_in(home, now, begun=now - 3600) == backup.DAY - 3600, "a workspace of today has none"
    assert backup.daily_due_in(home, now, begun=now - 2 * backup.DAY) == 0
    made = backup.back_up_daily(home, keep=3)
    os.utime(made.place / backup.MANIFEST, (now, now))
    assert backup.daily_due_in(home, now + 5 * backup.DAY, begun=0) == backup.DAY, "nothing was written since"
    os.utime(home / "workspace.db-wal", (now + 60, now + 60))
    assert backup.daily_due_in(home, now + 3600, begun=0) == backup.DAY - 3600
    assert backup.daily_due_in(home, now + 2 * backup.DAY, begun=0) == 0
    assert backup.daily_due_in(home, now - 400 * backup.DAY, begun=0) == 0, "it was made by a clock that was ahead"


def test_a_clock_that_was_ahead_costs_no_backup_and_makes_none_each_minute(
    workspace: Workspace, mission: Mission, home: Path
) -> None:
    ahead = backup.back_up_daily(home, keep=1).place
    year = time.time() + 365 * backup.DAY
    os.utime(ahead / backup.MANIFEST, (year, year))
    ahead.rename(ahead.with_name("daily-20990101-000000"))
    workspace.write(operations.missions.edit, mission.id, {"title": "Retry payments twice"})
    assert backup.daily_due_in(home, time.time(), begun=0) == 0
    made = backup.back_up_daily(home, keep=1)
    assert backup.dailies(home) == [made.place]
    workspace.write(operations.missions.edit, mission.id, {"title": "Retry payments thrice"})
    for begun in (0, year):
        assert backup.daily_due_in(home, time.time(), begun) > backup.DAY / 2


def test_a_damaged_workspace_is_said_to_be_damaged(home: Path, tmp_path: Path) -> None:
    (home / "workspace.db").write_bytes(b"not a database" * 400)
    with pytest.raises(StoreDamaged, match="is damaged"):
        backup.back_up(home, tmp_path / "copy")
    assert list(tmp_path.glob("*copy*")) == []
