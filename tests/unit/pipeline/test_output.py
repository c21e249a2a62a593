"""What programs print is bounded on the disk, and shown as people would see it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.pipeline.folders import WorkFolder, inside, key_of
from activities.pipeline.output import TAIL_BYTES, Kept, Log, end_of, plain


def logged(path: Path, chunks: list[bytes], most: int) -> bytes:
    with Log(path, most) as log:
        for chunk in chunks:
            log.write(chunk)
    return path.read_bytes()


def test_a_log_has_all_that_there_is_room_for(tmp_path: Path) -> None:
    assert logged(tmp_path / "log", [b"one\n", b"two\n"], most=8) == b"one\ntwo\n"


def test_a_log_that_is_a_little_too_long_loses_nothing(tmp_path: Path) -> None:
    assert logged(tmp_path / "log", [b"one\n", b"two\n", b"three\n"], most=6) == b"one\ntwo\nthree\n"


def test_a_log_that_is_much_too_long_has_its_beginning_and_its_end(tmp_path: Path) -> None:
    middle = [b"x" * 1000 for _ in range(200)]
    text = logged(tmp_path / "log", [b"begin\n", *middle, b"\nend\n"], most=6)
    left_out = 200_000 + 5 - TAIL_BYTES
    assert text.startswith(b"begin\n" + f"\n[... {left_out:,} bytes left out ...]\n".encode())
    assert text.endswith(b"x\nend\n")


@given(chunks=st.lists(st.binary(max_size=50), max_size=30), most=st.integers(0, 60))
def test_nothing_of_a_short_log_is_lost_in_whatever_pieces_it_comes(
    chunks: list[bytes], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "pieces.log"
    assert logged(path, chunks, most) == b"".join(chunks)


def test_of_what_is_kept_the_beginning_stays() -> None:
    kept = Kept(5)
    for chunk in (b"abc", b"def", b"ghi"):
        kept.write(chunk)
    assert (kept.text, kept.size) == ("abcde", 9)


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"\x1b[31mred\x1b[0m and \x1b]8;;http://x\x07link\x1b]8;;\x07", "red and link"),
        (b"10%\r50%\r100%\r\ndone\n", "100%\ndone\n"),
        (b"\xff\xfe\x00binary\x07", "\ufffd\ufffdbinary"),
        ("a\u202egnp.exe".encode(), "agnp.exe"),
    ],
)
def test_output_is_shown_without_colours_and_what_can_t_be_seen(printed: bytes, seen: str) -> None:
    assert plain(printed) == seen


def test_the_end_of_a_text_begins_with_a_whole_line() -> None:
    assert end_of("one\ntwo\nthree", 9) == "three"
    assert end_of("one\ntwo", 100) == "one\ntwo"
    assert end_of("x" * 50, 10) == "x" * 10


def test_runs_have_folders_of_their_own(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    names = ["a/b", "a-b", "a b", "../../etc", "x" * 500]
    paths = [work.of(name).path for name in names]
    assert len(set(paths)) == len(names)
    assert {path.parent for path in paths} == {tmp_path / "runs"}
    assert key_of("pipeline/ann/shop/7").startswith("pipeline-ann-shop-7-")


def test_a_path_that_leaves_a_folder_is_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("/etc")
    assert inside(tmp_path / "in", "x/../y") == tmp_path / "in" / "y"
    assert [inside(tmp_path / "in", path) for path in ("..", "/etc/passwd", "link/passwd")] == [None, None, None]


def test_what_is_old_is_removed(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    for run in ("old", "new"):
        work.of(run).make()
    for path in (work.of("old").path, work.of("old").logs):
        os.utime(path, (0, 0))
    work.prune()
    assert [work.of(run).path.exists() or work.of(run).logs.exists() for run in ("old", "new")] == [False, True]
