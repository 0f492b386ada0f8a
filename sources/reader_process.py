"""Reading workbooks and bulk files in a child process, so that no file can harm the process that runs everything else.

The same functions as `sources.workbook` and `sources.bulk.reading`, with the same results. One child serves many files (its imports
are paid once); where a file takes it down, or takes too long, that file is refused in one plain sentence and the next one gets a new child.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pyarrow as pa

from sources.bulk.reading import BulkIdentity, refused
from sources.bulk.spool import SpoiledRows, Spool
from sources.explanations import ExplanationRow
from sources.finding import Finding
from sources.grids import Sheet, UnreadableWorkbook
from sources.manifest import Manifest
from sources.reading_rules import breach
from sources.sheet import TableReading
from sources.sheet_xml import Fault
from sources.text import shown_name
from sources.workbook import WorkbookReading, sha256_of

WORKER = "sources.reader_worker"
MOST_WALL_SECONDS = 180
"""A last resort on a machine that is busy with other things; the child's own limit is on its computing time."""
MOST_ANSWER_BYTES = 1024**3
"""No answer, and no piece of one, is as large; the child may be out of its mind."""
FROM_ISO = {"date": date.fromisoformat, "datetime": datetime.fromisoformat, "time": time.fromisoformat}
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT")


class ReaderDied(Exception):
    """The child gave no answer for a file; the message is one Chinese clause. ``is_final``: another try would end the same."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


class ReaderProcess:
    """One child process at a time, started when first needed or by `start`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def start(self) -> None:
        """Start the child, if there is none, without waiting for it."""
        with self._lock:
            self._running()

    def stop(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def ask(self, request: dict[str, Any], rows: Spool | None = None) -> tuple[dict[str, Any], list[bytes]]:
        """Return the answer's JSON and its Arrow streams.

        Args:
            request: what to do, and with which file.
            rows: takes the rows of an answer that comes piece by piece.

        Raises:
            ReaderDied: the child died of this file, or took too long, twice.
        """
        with self._lock:
            try:
                return self._ask(request, rows)
            except ReaderDied as death:
                if death.is_final:
                    raise
            # It may have died for reasons of the machine's own, or of the file before.
            return self._ask(request, rows)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # A fork has the pipes of its parent's child, which are not its own.
            self._child, self._owner = None, os.getpid()
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parent.parent,
                # Nothing secret, and no pools of memory that count against the limit without being used.
                env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
                | {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"},
            )
        return self._child

    def _end(self, grace_seconds: float = 0.0) -> int:
        """End the child, after a while in which it may do so itself; return its exit code."""
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_seconds)
        child.kill()
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()
        return code

    def _ask(self, request: dict[str, Any], rows: Spool | None) -> tuple[dict[str, Any], list[bytes]]:
        if rows:
            rows.begin()
        child = self._running()
        try:
            header, streams = self._answer(child, json.dumps(request).encode() + b"\n")
            while rows and header.get("is_piece"):
                for stream in streams:
                    rows.add(stream)
                header, streams = self._answer(child)
        except SpoiledRows as error:
            self._end()
            raise ReaderDied("读取程序给出的行不合表式", is_final=True) from error
        except BaseException:
            # What is left of its answer must not be taken for the next one.
            self._end()
            raise
        if header.get("error") == "memory":
            self._end()
            raise ReaderDied("占用内存超过了限度", is_final=True)
        if "error" in header:
            raise ReaderDied(f"读取程序出错（{header['error']}）", is_final=True)
        return header, streams

    def _answer(self, child: subprocess.Popen[bytes], request: bytes = b"") -> tuple[dict[str, Any], list[bytes]]:
        """Return an answer, or its next piece."""
        deadline = monotonic() + MOST_WALL_SECONDS
        assert child.stdin
        try:
            child.stdin.write(request)
            child.stdin.flush()
            header = json.loads(self._receive(int.from_bytes(self._receive(8, deadline), "big"), deadline))
            return header, [self._receive(table["byte_count"], deadline) for table in header.get("tables", ())]
        except TimeoutError as error:
            self._end()
            raise ReaderDied(f"读了 {MOST_WALL_SECONDS} 秒还没有读完", is_final=True) from error
        except (OSError, EOFError, ValueError) as error:
            code = self._end(grace_seconds=5.0)
            if code == -signal.SIGXCPU:
                raise ReaderDied("计算时间超过了限度", is_final=True) from error
            name = signal.Signals(-code).name if code < 0 else str(code)
            raise ReaderDied(f"读取程序中断（{name}），多为占用内存过大", is_final=False) from error

    def _receive(self, byte_count: int, deadline: float) -> bytes:
        assert self._child and self._child.stdout
        if byte_count > MOST_ANSWER_BYTES:
            raise EOFError
        pipe = self._child.stdout.fileno()
        parts: list[bytes] = []
        while byte_count:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - monotonic()))
            if not ready:
                raise TimeoutError
            part = os.read(pipe, min(byte_count, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            byte_count -= len(part)
        return b"".join(parts)


READER = ReaderProcess()
atexit.register(READER.stop)


def start() -> None:
    """Start the child now, so that its imports run beside the caller's."""
    READER.start()


def identify_workbook(path: Path, asked_period: str | None = None, *, file_name: str = "") -> WorkbookReading:
    """Tell whose return a workbook is; see `sources.workbook.identify_workbook`."""
    return _reading("identify", path, asked_period, file_name)


def read_workbook(
    path: Path, asked_period: str | None = None, *, file_name: str = "", beside: Collection[str] = ()
) -> WorkbookReading:
    """Read a workbook by its provider's contract; see `sources.workbook.read_workbook`."""
    return _reading("read", path, asked_period, file_name, beside)


def written_cells(path: Path, sheet: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """Return what is written in cells (row number, column index) of an archived workbook, as people see it.

    Raises:
        ReaderDied: the workbook could not be read.
    """
    answer, _ = READER.ask({"do": "cells", "path": str(path.resolve()), "sheet": sheet, "places": list(places)})
    return answer["cells"]


def read_sheets(path: Path) -> list[Sheet]:
    """Return every worksheet's cells; see `sources.grids.read_sheets`. Formats, formulas and what is hidden stay in the child.

    Raises:
        UnreadableWorkbook: with the reason in Chinese.
    """
    try:
        answer, _ = READER.ask({"do": "sheets", "path": str(path.resolve())})
    except ReaderDied as death:
        raise UnreadableWorkbook(f"文件读不完：{death}") from death
    return [
        Sheet(
            sheet["name"],
            sheet["index"],
            sheet["state"],
            [[_value(value) for value in row] for row in sheet["rows"]],
            {(row, column): Fault(rule_id, reason) for row, column, rule_id, reason in sheet["faults"]},
        )
        for sheet in answer["sheets"]
    ]


def identify_bulk(path: Path, sha256: str, asked_period: str | None = None, *, file_name: str = "") -> BulkIdentity:
    """Tell whose a bulk file is and which table it holds; see `sources.bulk.reading.identify_bulk`."""
    name = file_name or path.name
    request = {"do": "identify bulk", "path": str(path.resolve()), "asked_period": asked_period or ""}
    try:
        answer, _ = READER.ask(request | {"file_name": name, "sha256": sha256})
    except ReaderDied as death:
        message = f"文件读不完：{death}"
        finding = breach("RD-072", message, file_name=name, file_sha256=sha256, subject="文件", found=message)
        return BulkIdentity(name, sha256, "", "", None, findings=[finding])
    return BulkIdentity.from_dict(answer)


def read_bulk(path: Path, identity: BulkIdentity, spool: Path) -> TableReading:
    """Read an assigned bulk file by its table's contract; see `sources.bulk.reading.read_bulk`.

    Args:
        path: the file.
        identity: as `identify_bulk` told it, with a table and a period.
        spool: the Parquet file to write the rows to, with the manifest in its metadata.

    Returns:
        The reading, whose rows are in ``spool``; neither rows nor file where the table could not be read.
    """
    if identity.table is None:
        raise ValueError(f"{identity.file_name}: not assigned to a table")
    request = {"do": "read bulk", "path": str(path.resolve()), "identity": identity.as_dict()}
    rows = Spool(spool, identity.table.schema)
    is_kept = False
    try:
        answer, _ = READER.ask(request, rows)
        manifest = Manifest(**answer["manifest"])
        day, findings = _day(answer["reported_on"]), [Finding.from_dict(finding) for finding in answer["findings"]]
        if answer["is_read"]:
            rows.finish(manifest)
            is_kept = True
    except ReaderDied as death:
        reading = refused(identity, identity.table, f"文件读不完：{death}")
        manifest, day, findings = reading.manifest, reading.reported_on, reading.findings
    finally:
        if not is_kept:
            rows.discard()
    return TableReading(manifest, None, day, findings, spooled=spool if is_kept else None)


def bulk_texts(path: Path, column: int, row_numbers: set[int]) -> dict[int, str]:
    """Return what is written in one column (0-based) of an archived bulk file in the given rows, by row number.

    Raises:
        ReaderDied: the file could not be read.
    """
    request = {"do": "bulk cells", "path": str(path.resolve()), "column": column, "row_numbers": sorted(row_numbers)}
    answer, _ = READER.ask(request)
    return dict(zip(sorted(row_numbers), answer["texts"], strict=True))


def _value(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, content = value
    return timedelta(seconds=content) if kind == "timedelta" else FROM_ISO[kind](content)


def _reading(
    what: str, path: Path, asked_period: str | None, file_name: str, beside: Collection[str] = ()
) -> WorkbookReading:
    name = file_name or shown_name(path.name)
    request = {
        "do": what,
        "path": str(path.resolve()),
        "asked_period": asked_period or "",
        "file_name": name,
        "beside": sorted(beside),
    }
    try:
        answer, streams = READER.ask(request)
    except ReaderDied as death:
        sha256 = sha256_of(path)
        message = f"文件读不完：{death}"
        finding = breach("RD-062", message, file_name=name, file_sha256=sha256, subject="文件", found=str(death))
        return WorkbookReading(name, sha256, "", "", None, findings=[finding])
    return unpack(answer, streams)


def unpack(answer: dict[str, Any], streams: list[bytes]) -> WorkbookReading:
    """Return the reading that `sources.reader_worker.pack` took apart."""
    tables = {}
    for table, stream in zip(answer.pop("tables"), streams, strict=True):
        tables[table["table_id"]] = TableReading(
            Manifest(**table["manifest"]),
            pa.ipc.open_stream(stream).read_all() if stream else None,
            _day(table["reported_on"]),
            [Finding.from_dict(finding) for finding in table["findings"]],
        )
    findings = [Finding.from_dict(finding) for finding in answer.pop("findings")]
    reported_on = _day(answer.pop("reported_on"))
    given = frozenset(answer.pop("given"))
    explanations = tuple(ExplanationRow(**row) for row in answer.pop("explanations"))
    return WorkbookReading(
        **answer, reported_on=reported_on, tables=tables, findings=findings, given=given, explanations=explanations
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
