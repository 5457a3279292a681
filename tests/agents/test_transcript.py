"""The transcript: offsets stay true for ever, head and tail are kept, what is missing is said."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solo_unicorn.agents import transcript
from solo_unicorn.agents.session_host.tape import Tape, TapeLines, entry


@given(st.lists(st.binary(max_size=40)), st.integers(1, 17), st.integers(8, 20))
def test_lines_lose_no_byte_however_the_stream_is_cut(chunks: list[bytes], _: int, cap: int) -> None:
    data = b"".join(chunks)
    lines = TapeLines(cap)
    taken = [item for chunk in chunks for item in lines.feed(chunk)] + list(lines.flush())
    joined = b""
    for text, part in taken:
        joined += b"" if part > 1 else b"\n"
        joined += text
    whole = data.removesuffix(b"\n") if data.endswith(b"\n") else data
    assert joined == (b"\n" + whole if data else b"")
    assert all(len(text) <= cap + 40 for text, _ in taken)


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data))
def test_any_bytes_survive_an_entry(data: bytes) -> None:
    written = entry(12.5, "out", data)
    assert written.count(b"\n") == 1
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, transcript.HEAD).write_bytes(written)
        [found], _ = transcript.read(Path(directory))
    assert found.raw == data
    assert (found.at, found.stream) == (12.5, "out")
    found.line.encode()  # what is shown holds no half characters


def test_past_its_cap_the_transcript_keeps_head_and_tail_and_readers_go_on(tmp_path: Path) -> None:
    tape = Tape(tmp_path, head_cap=1000, segment_cap=500)
    ahead, behind, seen = 0, 0, []
    for number in range(200):
        tape.write(entry(number, "out", f"line {number}".encode()), number, number)
        entries, ahead = transcript.read(tmp_path, ahead)
        seen += [item.line for item in entries]
        if number == 10:
            _, behind = transcript.read(tmp_path, 0)
    assert seen == [f"line {number}" for number in range(200)], "a reader that keeps up misses nothing"
    late, offset = transcript.read(tmp_path, behind)
    gaps = [item for item in late if item.stream == "host"]
    assert len(gaps) == 1
    assert "left out" in gaps[0].line
    numbers = [int(item.line.split()[1]) for item in late if item.stream == "out"]
    assert numbers[0] == 11
    assert numbers[-1] == 199
    assert numbers == sorted(numbers)
    assert offset == ahead == transcript.end(tmp_path) == tape.offset
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == tape.offset - tape.left_out_bytes


def test_a_saved_offset_in_the_part_that_was_left_out_goes_on_behind_it(tmp_path: Path) -> None:
    tape = Tape(tmp_path, head_cap=300, segment_cap=300)
    offsets = []
    for number in range(100):
        offsets.append(tape.offset)
        tape.write(entry(number, "out", f"line {number}".encode()), number, number)
    entries, _ = transcript.read(tmp_path, offsets[50])
    assert entries[0].stream == "host"
    assert entries[1].offset in offsets
    assert entries[-1].line == "line 99"


def test_a_line_being_written_is_not_read_yet(tmp_path: Path) -> None:
    whole = entry(1, "out", b"whole")
    (tmp_path / transcript.HEAD).write_bytes(whole + whole[:-1])
    entries, offset = transcript.read(tmp_path)
    assert ([item.line for item in entries], offset) == (["whole"], len(whole))
    (tmp_path / transcript.HEAD).write_bytes(whole + whole)
    entries, offset = transcript.read(tmp_path, offset)
    assert ([item.line for item in entries], offset) == (["whole"], 2 * len(whole))


def test_no_transcript_yet_is_nothing_to_read(tmp_path: Path) -> None:
    assert transcript.read(tmp_path / "none") == ([], 0)
    assert transcript.end(tmp_path / "none") == 0


@pytest.mark.parametrize("line", ["no json", "{}", '{"t":1,"s":"dance","l":"x"}', "[]", '{"t":"x","s":"out","l":"y"}'])
def test_an_entry_nobody_can_read_is_shown_as_it_is(tmp_path: Path, line: str) -> None:
    (tmp_path / transcript.HEAD).write_text(line + "\n")
    [found], offset = transcript.read(tmp_path)
    assert (found.stream, found.line, offset) == ("host", line, len(line) + 1)


def test_a_reader_may_take_small_pieces(tmp_path: Path) -> None:
    tape = Tape(tmp_path, head_cap=1 << 20, segment_cap=1 << 20)
    for number in range(50):
        tape.write(entry(number, "out", str(number).encode() * 50), number, number)
    offset, seen = 0, []
    while True:
        entries, offset = transcript.read(tmp_path, offset, 10)
        if not entries:
            break
        seen += [item.line for item in entries]
    assert seen == [str(number) * 50 for number in range(50)]


def test_the_last_page_begins_at_an_entry(tmp_path: Path) -> None:
    tape = Tape(tmp_path, head_cap=2000, segment_cap=500)
    starts = set()
    for number in range(100):
        starts.add(tape.offset)
        tape.write(entry(number, "out", b"x" * (number % 40)), number, number)
    for size in (1, 100, 400, 5000, 1 << 30):
        start = transcript.before(tmp_path, tape.offset, size)
        assert start in starts | {tape.offset}
        assert start == 0 or tape.offset - start <= size + 100


def test_what_was_lost_to_a_full_disk_is_marked_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = Tape(tmp_path)
    real, room = os.write, [60]

    def full(descriptor: int, data: bytes) -> int:
        if room[0] <= 0:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr("solo_unicorn.agents.session_host.tape.os.write", full)
    tape.write(entry(1, "out", b"one") + entry(1, "out", b"two"), 1, 1)
    tape.write(entry(2, "out", b"three"), 2, 2)
    room[0] = 1 << 20
    tape.write(entry(3, "out", b"four"), 3, 3)
    lines = [json.loads(line) for line in (tmp_path / transcript.HEAD).read_text().splitlines()]
    assert [line["l"] for line in lines] == ["one", "2 lines were lost here: they could not be written", "four"]
    assert tape.lost_lines == 2
    assert tape.offset == (tmp_path / transcript.HEAD).stat().st_size
