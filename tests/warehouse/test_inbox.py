"""An inbox as it comes: links, pipes, odd names, files that change or may not be read. Nothing hangs, leads outside or gets lost unsaid."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from sources.text import shown_name
from sources.workbook import sha256_of
from tests.workbooks import finance_rows, write_return
from warehouse import archive
from warehouse.paths import Home, read_lines

PERIOD = "2026H1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's right to read everything, where the tests run as root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(0)


def test_links_that_lead_outside_and_what_is_no_file_are_said_and_not_taken(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "统计局.xlsx").write_bytes(b"another bureau's return")
    (inbox / "own.xlsx").write_bytes(b"x")
    (inbox / "sub").mkdir()
    (inbox / "sub" / "again.xlsx").symlink_to(inbox / "own.xlsx")
    (inbox / "file.xlsx").symlink_to(tmp_path / "secret" / "统计局.xlsx")
    (inbox / "up.xlsx").symlink_to("../secret/统计局.xlsx")
    (inbox / "folder").symlink_to(tmp_path / "secret")
    (inbox / "gone.xlsx").symlink_to(inbox / "nothing")
    (inbox / "circle.xlsx").symlink_to(inbox / "circle.xlsx")
    (inbox / "loop").symlink_to(inbox)
    (inbox / "device.xlsx").symlink_to("/dev/zero")
    os.mkfifo(inbox / "pipe.xlsx")
    assert [path.name for path in archive.hand_ins(inbox)] == ["own.xlsx", "again.xlsx"]
    said = {finding.file_name: finding.found for finding in archive.not_received(inbox)}
    assert {name for name, why in said.items() if "外面" in why} == {"file.xlsx", "up.xlsx", "folder", "device.xlsx"}
    assert {name for name, why in said.items() if "普通文件" in why} == {"gone.xlsx", "circle.xlsx", "pipe.xlsx"}


def test_an_inbox_that_is_itself_a_link_is_the_operators_choice(inbox: Path, tmp_path: Path) -> None:
    (inbox / "a.xlsx").write_bytes(b"x")
    (tmp_path / "link").symlink_to(inbox)
    assert [path.name for path in archive.hand_ins(tmp_path / "link")] == ["a.xlsx"]
    assert archive.not_received(tmp_path / "link") == []


def test_ten_thousand_strangers_hide_no_hand_in(inbox: Path) -> None:
    for number in range(10_000):
        (inbox / f"{number}.tmp").touch()
    (inbox / "5.xlsx").write_bytes(b"x")
    assert [path.name for path in archive.hand_ins(inbox)] == ["5.xlsx"]


def test_a_pipe_put_in_the_place_of_a_file_does_not_hang_the_run(home: Home, inbox: Path) -> None:
    os.mkfifo(inbox / "a.xlsx")
    with pytest.raises(archive.NotReceived, match="没有收取") as refused:
        archive.receive(home, inbox / "a.xlsx", PERIOD)
    assert refused.value.finding.rule_id == "RD-046"
    assert archive.receipts(home) == []


def test_a_file_that_may_not_be_read_is_said(home: Home, inbox: Path) -> None:
    path = inbox / "a.xlsx"
    path.write_bytes(b"x")
    path.chmod(0)
    with nobody(), pytest.raises(archive.NotReceived, match="读不了"):
        archive.receive(home, path, PERIOD)


def test_what_is_kept_is_what_was_hashed_even_while_the_file_is_written(home: Home, inbox: Path) -> None:
    path, done = inbox / "a.xlsx", threading.Event()
    path.write_bytes(b"begin")

    def keep_writing() -> None:
        number = 0
        while not done.is_set():
            number += 1
            path.write_bytes(str(number).encode() * 20_000)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        hashes = {archive.receive(home, path, PERIOD).file_sha256 for _ in range(30)}
    finally:
        done.set()
        writer.join()
    assert {sha256_of(archive.archived(home, sha256)) for sha256 in hashes} == hashes
    assert archive.damaged(home) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\nb.xlsx", "a<000a>b.xlsx"),
        (b"\x1b[31mred.xlsx", "<001b>[31mred.xlsx"),
        ("表\u202exslx.exe.xlsx".encode(), "表<202e>xslx.exe.xlsx"),
        ("表\u200b.xlsx".encode(), "表<200b>.xlsx"),
        ("市财政局.xlsx".encode("gb18030"), "市财政局.xlsx"),
        (b"\xff\xfe\xff.xlsx", None),
        (b"=cmd|' calc'!A0.xlsx", "=cmd|' calc'!A0.xlsx"),
        (b"[bold]x[red].xlsx", "[bold]x[red].xlsx"),
        (b"-rf.xlsx", "-rf.xlsx"),
        (b"a" * 250 + b".xlsx", "a" * 250 + ".xlsx"),
        ("　表　（更正）.xlsx".encode(), "　表　（更正）.xlsx"),
    ],
)
def test_a_hostile_name_is_kept_readable_and_breaks_nothing(
    home: Home, inbox: Path, name: bytes, shown: str | None
) -> None:
    path = inbox / os.fsdecode(name)
    write_return(inbox / "good", "finance_bureau", finance_rows()).rename(path)
    (hand_in,) = archive.hand_ins(inbox)
    receipt = archive.receive(home, hand_in, PERIOD)
    assert receipt.period == PERIOD
    assert [line["file_name"] for line in read_lines(home.receipts)] == [receipt.file_name]
    assert receipt.file_name == (shown or shown_name(path.name))
    assert "".join(c for c in receipt.file_name if not c.isprintable() and c != "\u3000") == ""


def test_a_self_check_of_hostile_names_and_pipes_ends_with_a_sentence(inbox: Path, sti: Callable[..., Result]) -> None:
    os.mkfifo(inbox / "pipe.xlsx")
    junk = inbox / "坏\n\x1b[31m.xlsx"
    junk.write_bytes(b"%PDF-1.7")
    result = sti("check", inbox / "pipe.xlsx", junk)
    assert result.exit_code == 2
    assert "不是普通文件" in result.output
    assert "PDF" in result.output
    assert "\x1b" not in result.output
