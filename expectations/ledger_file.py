"""The ledger's file: one ``<period>.jsonl`` per period, append-only, one numbered event a line.

An event is written in one go and synced to disk before anybody hears of it. A process that is killed while writing leaves at most a
torn last line, which nobody relies on yet: it is passed over, and its number is used again. A number that is missing in between means
that a line was lost, and then nothing may pass.

Each event ends with ``chain``, a hash of its own text and of the chain before it, so that no line can be altered, put in or taken out
without that being seen; ``<period>.head`` beside the file holds the last number and chain, so that lines cut off at the end are seen too. It
is written after the event: a kill in between leaves a head that lags, which is no fault. Lines from before there was a chain are committed
to by the first that has one. This holds against accidents and quiet edits; whoever rewrites the whole ledger, chain and head, is found only by
a chain that was noted down elsewhere (``sti doctor`` prints it). What the events *mean* is not here (``replay``).

The first event has a secret, ``id_key``. A finding of gate 2 is told to several bureaus by its id, and an id that anybody can work out from
the values tells them: whoever knows both units tries the amounts. So these ids are made with the secret. It stands in the ledger, which
holds all those values anyway: it cannot be lost, forgotten in a backup or exchanged without the ledger. A ledger from before has none, and its
ids stay as they were told.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
PERIOD = re.compile(r"^\d{4}(H[12])?$")
_HEAD = re.compile(r"([1-9][0-9]*) ([0-9a-f]{64})\n?")
_CHAIN = re.compile(rb',"chain":"([0-9a-f]{64})"}$')
RESTORE = "请从备份恢复（.jsonl 和同名的 .head 一起）后再继续"


class LedgerError(RuntimeError):
    """The ledger is damaged: nothing may pass until it is restored."""


@dataclass(frozen=True)
class Head:
    """How far a ledger goes: the number of its last event and the chain up to it; 0 and empty where it has none."""

    number: int = 0
    chain: str = ""


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
        LedgerError: a line was lost, altered or cut off.
    """
    return _read(directory, period)[0]


def head_of(directory: Path, period: str) -> Head:
    """Return how far a period's ledger goes, after checking its chain.

    Raises:
        LedgerError: a line was lost, altered or cut off.
    """
    return _read(directory, period)[1]


def _read(directory: Path, period: str) -> tuple[list[dict[str, Any]], Head]:
    path = ledger_path(directory, period)
    # The head first: whoever writes meanwhile makes the file longer than the head says, never shorter.
    kept = _kept_head(path)
    if not path.exists():
        if kept.number:
            raise LedgerError(f"问题台账 {path.name} 不见了（原有 {kept.number} 条），{RESTORE}")
        return [], Head()
    with path.open("rb") as file:
        return _checked(file, path, kept)


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


def events_of(file: BinaryIO) -> tuple[list[dict[str, Any]], Head]:
    """Return the events of an open ledger in order, and how far they go.

    A line that is not whole is a torn one: whoever wrote it was killed before it counted. Its number is then
    used by the next event, so that the numbers still run on; a gap means a lost line.

    Raises:
        LedgerError: a line was lost, altered or cut off.
    """
    path = Path(file.name)
    return _checked(file, path, _kept_head(path))


def _checked(file: BinaryIO, path: Path, kept: Head) -> tuple[list[dict[str, Any]], Head]:
    """Return the events and how far they go; the chain is worked out anew over every line."""
    file.seek(0)
    events: list[dict[str, Any]] = []
    chain, is_chained, chain_at_kept = "", False, ""
    for line in file.read().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        number = len(events) + 1
        if not isinstance(event, dict) or event.get("number") != number:
            raise LedgerError(f"问题台账 {path.name} 第 {number} 条缺失或损坏，{RESTORE}")
        stated = _CHAIN.search(line)
        chain = _next_chain(chain, line[: stated.start()] + b"}" if stated else line)
        if (stated and stated[1].decode() != chain) or (is_chained and not stated):
            raise LedgerError(f"问题台账 {path.name} 第 {number} 条或它前面的被改动过，{RESTORE}")
        is_chained = is_chained or bool(stated)
        if number == kept.number:
            chain_at_kept = chain
        events.append(event)
    if len(events) < kept.number:
        raise LedgerError(f"问题台账 {path.name} 原有 {kept.number} 条，现在只剩 {len(events)} 条，{RESTORE}")
    if kept.number and chain_at_kept != kept.chain:
        raise LedgerError(f"问题台账 {path.name} 前 {kept.number} 条与当时记下的不符，被改动过，{RESTORE}")
    return events, Head(len(events), chain)


def _next_chain(chain: str, text: bytes) -> str:
    return hashlib.sha256(chain.encode() + b"\n" + text).hexdigest()


def _kept_head(path: Path) -> Head:
    """Return the head as it was last written; none where there is none, or a power failure left half of one."""
    try:
        kept = _HEAD.fullmatch(path.with_suffix(".head").read_text(encoding="ascii"))
        return Head(int(kept[1]), kept[2]) if kept else Head()
    except (FileNotFoundError, ValueError):
        return Head()


def id_key(directory: Path, period: str) -> bytes:
    """Return the secret that the ids of a period's findings of gate 2 are made with; empty where the ledger is older than that.

    A ledger without events is begun, so that what is judged first and recorded then keeps its ids.

    Raises:
        LedgerError: a line was lost, altered or cut off.
    """
    events = read_events(directory, period)
    if not events:
        with locked(directory, period) as file:
            events, head = events_of(file)
            if not events:
                append(file, head, {"event": "recorded", "at": stamp(None), "scope": "gate2", "findings": []})
        events = read_events(directory, period)
    return bytes.fromhex(events[0].get("id_key", ""))


def append(file: BinaryIO, head: Head, event: dict[str, Any]) -> None:
    """Append one event after ``head``, as `events_of` gave it, and sync it to disk; then write the new head beside it.

    The first one gets the secret of the ids.

    Raises:
        LedgerError: the disk did not take the whole line.
    """
    path, number = Path(file.name), head.number + 1
    if number == 1:
        event = event | {"id_key": secrets.token_hex(32)}
    body = json.dumps({"number": number} | event, ensure_ascii=False, separators=(",", ":")).encode()
    chain = _next_chain(head.chain, body)
    line = body[:-1] + f',"chain":"{chain}"}}\n'.encode()
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line
    written = file.write(line)
    if written != len(line):
        raise LedgerError("问题台账没有写完整，可能磁盘已满；请清理磁盘后重试")
    os.fsync(file.fileno())
    temporary = path.with_suffix(".head.tmp")
    temporary.write_text(f"{number} {chain}\n", encoding="ascii")
    os.replace(temporary, path.with_suffix(".head"))
