"""The child process that reads workbooks and bulk files: limited in memory and time, writing nothing, without a network.

Started by `sources.reader_process`.

Requests come on stdin, one JSON object a line; an answer is a length (8 bytes), that many bytes of JSON, and the Arrow streams it announces.
The rows of a bulk file come before its answer, in pieces of the same form; each may take the time that a workbook may.
Nothing that the child sends is executed by the parent: whatever a workbook may do to the child ends here.
"""

import contextlib
import gc
import json
import os
import resource
import sys
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from sources.bulk.reading import BulkIdentity, BulkReading, identify_bulk, read_bulk, texts_at
from sources.grids import Sheet, UnreadableWorkbook, read_sheets
from sources.values import is_blank, shown
from sources.workbook import WorkbookReading, identify_workbook, read_workbook

MOST_BYTES = 1536 * 1024 * 1024
MOST_CPU_SECONDS = 60
"""Time of its own that a file, or a piece of a bulk file, may take; the largest sheet let in takes a quarter. A busy machine does not count."""
REFUSED_EVENTS = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "os.mkdir",
)


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    _limit()
    for line in requests:
        _allow_cpu()
        try:
            header, streams = _answer(json.loads(line), answers)
        except MemoryError:
            # What is left of the memory may not do for another file.
            _send(answers, {"error": "memory"}, [])
            return
        except BaseException as error:  # a panic of the second reader is no Exception
            header, streams = {"error": f"{type(error).__name__}: {error}"[:500]}, []
        _send(answers, header, streams)
        gc.collect()


def _limit() -> None:
    """Give up what a reader of files does not need. Python's own collector only costs time: a file's objects go together."""
    gc.disable()
    gc.freeze()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED_EVENTS) or (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        ):
            raise PermissionError(f"the reader may not {event}")

    sys.addaudithook(refuse)


def _allow_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + MOST_CPU_SECONDS, hard))


def _answer(request: dict[str, Any], answers: IO[bytes]) -> tuple[dict[str, Any], list[pa.Buffer]]:
    path = Path(request["path"])
    if request["do"] == "read bulk":
        return _bulk(read_bulk(path, BulkIdentity.from_dict(request["identity"]), partial(_send_rows, answers))), []
    if request["do"] == "bulk cells":
        found = texts_at(path, path.name, request["column"], set(request["row_numbers"]))
        return {"texts": [found[number] for number in request["row_numbers"]]}, []
    if request["do"] == "cells":
        return {"cells": _written(path, request["sheet"], request["places"])}, []
    if request["do"] == "sheets":
        return {"sheets": _sheets(path)}, []
    asked, name = request["asked_period"] or None, request["file_name"]
    if request["do"] == "identify bulk":
        return identify_bulk(path, request["sha256"], asked, file_name=name).as_dict(), []
    if request["do"] == "identify":
        return pack(identify_workbook(path, asked, file_name=name))
    return pack(read_workbook(path, asked, file_name=name, beside=request["beside"]))


def _send_rows(answers: IO[bytes], rows: pa.RecordBatch) -> None:
    """Send a piece of a bulk file, and begin to count the time of the next one."""
    stream = rows.serialize()
    _send(answers, {"is_piece": True, "tables": [{"byte_count": stream.size}]}, [stream])
    _allow_cpu()


def _bulk(reading: BulkReading) -> dict[str, Any]:
    return {
        "manifest": reading.manifest.as_dict(),
        "reported_on": reading.reported_on.isoformat() if reading.reported_on else "",
        "findings": [finding.as_dict() for finding in reading.findings],
        "is_read": reading.is_read,
    }


def _written(path: Path, sheet_name: str, places: list[tuple[int, int]]) -> list[str]:
    sheet = next(sheet for sheet in read_sheets(path) if sheet.name == sheet_name)
    values = [sheet.at(row_number, index) for row_number, index in places]
    return ["空白" if is_blank(value) else shown(value) for value in values]


def _sheets(path: Path) -> list[dict[str, Any]]:
    """Return every sheet's cells as plain JSON values; what JSON has no word for as (kind, text or seconds)."""
    return [
        {
            "name": sheet.name,
            "index": sheet.index,
            "state": sheet.state,
            "rows": [[_plain(value) for value in row] for row in sheet.grid],
            "faults": [[*place, *fault] for place, fault in sheet.faults.items()],
        }
        for sheet in _all_sheets(path)
    ]


def _all_sheets(path: Path) -> list[Sheet]:
    try:
        return read_sheets(path)
    except UnreadableWorkbook:
        # Its refusal stands in the reading already; there is nothing to copy.
        return []


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return [type(value).__name__, value.isoformat()]
    return ["timedelta", value.total_seconds()] if isinstance(value, timedelta) else value


def pack(reading: WorkbookReading) -> tuple[dict[str, Any], list[pa.Buffer]]:
    """Return a reading as plain JSON values, and the Arrow streams of its tables in the same order."""
    streams = []
    tables = []
    for table_id, table in reading.tables.items():
        sink = pa.BufferOutputStream()
        if table.rows is not None:
            with pa.ipc.new_stream(sink, table.rows.schema) as writer:
                writer.write_table(table.rows)
        streams.append(sink.getvalue())
        tables.append(
            {
                "table_id": table_id,
                "manifest": table.manifest.as_dict(),
                "reported_on": table.reported_on.isoformat() if table.reported_on else "",
                "findings": [finding.as_dict() for finding in table.findings],
                "byte_count": streams[-1].size,
            }
        )
    plain = replace(reading, tables={}, findings=[], given=frozenset())
    header = {name: getattr(plain, name) for name in ("file_name", "file_sha256", "provider", "period", "cadence")}
    return {
        **header,
        "reported_on": reading.reported_on.isoformat() if reading.reported_on else "",
        "findings": [finding.as_dict() for finding in reading.findings],
        "given": sorted(reading.given),
        "explanations": [asdict(row) for row in reading.explanations],
        "tables": tables,
    }, streams


def _send(answers: IO[bytes], header: dict[str, Any], streams: list[pa.Buffer]) -> None:
    data = json.dumps(header, ensure_ascii=False).encode("utf-8", "surrogatepass")
    answers.write(len(data).to_bytes(8, "big") + data)
    for stream in streams:
        answers.write(stream)
    answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
    os._exit(0)
