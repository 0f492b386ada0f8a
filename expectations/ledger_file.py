"""The ledger's file: one ``<period>.jsonl`` per period, append-only, one numbered event a line.

An event is written in one go and synced to disk before anybody hears of it. A process that is killed while writing leaves at most a
torn last line, which nobody relies on yet: it is passed over, and its number is used again. A number that is missing in between means
that a line was lost, and then nothing may pass. What the events *mean* is not here (``replay``).
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
PERIOD = re.compile(r"^\d{4}(H[12])?$")


class LedgerError(RuntimeError):
    """The ledger is damaged: nothing may pass until it is restored."""


def local_time(at: datetime) -> str:
    """Return a time as people in Jiaxing read it: ``2026-07-20 09:30``."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def stamp(at: datetime | None) -> str:
    """Return a time (now, unless given) as events keep it, in UTC.

    Raises:
        ValueError: the time has no zone.
    """
    at = at or datetime.now(UTC)
    if at.tzinfo is None:
        raise ValueError("时间须带时区")
    return at.astimezone(UTC).isoformat(timespec="seconds")


def ledger_path(directory: Path, period: str) -> Path:
    """Return the period's file, whether it is there or not.

    Raises:
        ValueError: the period is not of the form ``2026H1`` or ``2026``.
    """
    if not PERIOD.match(period):
        raise ValueError(f"报告期 {period!r} 须为 2026H1 或 2026 的形式")
    return directory / f"{period}.jsonl"


def recorded_periods(directory: Path) -> list[str]:
    """Return the periods that have a ledger, oldest first."""
    return sorted(path.stem for path in directory.glob("*.jsonl") if PERIOD.match(path.stem))


def read_events(directory: Path, period: str) -> list[dict[str, Any]]:
    """Return the period's events in order; none where there is no ledger yet.

    Raises:
        LedgerError: a line was lost or damaged.
    """
    path = ledger_path(directory, period)
    if not path.exists():
        return []
    with path.open("rb") as file:
        return events_of(file)


@contextmanager
def locked(directory: Path, period: str) -> Iterator[BinaryIO]:
    """Open the period's file for reading and appending, alone; the kernel frees the lock when the process dies."""
    path = ledger_path(directory, period)
    directory.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            _sync_directory(directory)
        yield file


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def events_of(file: BinaryIO) -> list[dict[str, Any]]:
    """Return the events of an open ledger in order.

    A line that is not whole is a torn one: whoever wrote it was killed before it counted. Its number is then
    used by the next event, so that the numbers still run on; a gap means a lost line.

    Raises:
        LedgerError: a line was lost or damaged.
    """
    file.seek(0)
    events: list[dict[str, Any]] = []
    for line in file.read().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict) or event.get("number") != len(events) + 1:
            raise LedgerError(f"问题台账第 {len(events) + 1} 条缺失或损坏，请从备份恢复后再继续")
        events.append(event)
    return events


def append(file: BinaryIO, number: int, event: dict[str, Any]) -> None:
    """Append one event under its number and sync it to disk.

    Raises:
        LedgerError: the disk did not take the whole line.
    """
    line = json.dumps({"number": number} | event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line
    written = file.write(line)
    if written != len(line):
        raise LedgerError("问题台账没有写完整，可能磁盘已满；请清理磁盘后重试")
    os.fsync(file.fileno())
