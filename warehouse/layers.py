"""The layers between archive and warehouse.

``raw/`` as reported, ``corrected/`` where a correction slip changes a value, ``accepted/`` what the gate let in: the only thing dbt reads.
"""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from sources.contracts import Table, providers, tables
from sources.delivery import HandIn, read_returns
from sources.manifest import MANIFEST_KEY, Manifest
from sources.reference import periods
from sources.sheet import TableReading
from sources.workbook import WorkbookReading, sha256_of
from warehouse.archive import Receipt, archived, versions
from warehouse.paths import Home, copy_atomically, replacing, write_atomically

SHANGHAI = ZoneInfo("Asia/Shanghai")


class LayerError(RuntimeError):
    """The layers do not fit together; the message says what and what to do next."""


def readings_in_order(home: Home, provider: str, period: str) -> list[tuple[Receipt, WorkbookReading]]:
    """Read every version of a slot; the last one counts: the later 报出日期, else the later arrival.

    A version without a readable 报出日期 counts as reported on the day it arrived. A version that turns out faulty still counts: an
    older one must not speak for a bureau that has withdrawn it. Bulk files stand in place of sheets of the last one; see `sources.delivery`.
    The rows they hold wait in the home's spool until `write_raw` takes them.

    Raises:
        LayerError: an archived file is missing or no longer what was received.
    """
    received = versions(home, provider, period)
    if not received:
        return []
    spool = home.spool / period / provider
    shutil.rmtree(spool, ignore_errors=True)
    hand_ins = [_archived_hand_in(home, receipt) for receipt in received]
    return [(received[index], reading) for index, reading in read_returns(hand_ins, period, spool)]


def _archived_hand_in(home: Home, receipt: Receipt) -> HandIn:
    path = archived(home, receipt.file_sha256)
    if not path.exists() or sha256_of(path) != receipt.file_sha256:
        raise LayerError(
            f"档案里的 {receipt.file_name}（受理号 {receipt.receipt_no}）缺失或被改动；请把原文件放回收件箱，用 --inbox 重新收件"
        )
    arrived_on = datetime.fromisoformat(receipt.received_at).astimezone(SHANGHAI).date()
    return HandIn(path, receipt.file_name, receipt.file_sha256, arrived_on, receipt.provider, receipt.period)


def write_rows(path: Path, reading: TableReading) -> None:
    """Write a table's rows with their manifest in the file's metadata; rows that wait in a spool file are moved."""
    if reading.spooled is not None:
        with replacing(path) as temporary:
            os.replace(reading.spooled, temporary)
        return
    if reading.rows is None:
        raise ValueError(f"{reading.manifest.table_id}: nothing was read")
    manifest = json.dumps(reading.manifest.as_dict(), ensure_ascii=False, sort_keys=True).encode()
    with replacing(path) as temporary:
        pq.write_table(reading.rows.replace_schema_metadata({MANIFEST_KEY: manifest}), temporary, compression="zstd")


def manifest_of(path: Path) -> Manifest:
    """Return the manifest in a rows file."""
    metadata = pq.read_metadata(path).metadata or {}
    return Manifest(**json.loads(metadata[MANIFEST_KEY]))


def write_raw(home: Home, reading: WorkbookReading) -> dict[str, Path]:
    """Write the tables of one return to ``raw/`` and take away those it no longer has; return the files by table id."""
    written = {}
    for table in _owed(reading.provider, reading.period):
        path = home.rows("raw", table.table_id, reading.period)
        home.rows("corrected", table.table_id, reading.period).unlink(missing_ok=True)
        if table.table_id in reading.tables:
            write_rows(path, reading.tables[table.table_id])
            written[table.table_id] = path
        else:
            path.unlink(missing_ok=True)
    return written


def judged_files(home: Home, provider: str, period: str) -> dict[str, Path]:
    """Return the files of one return that gate 1 judges, by table id: as corrected where a slip changes a value, else as reported."""
    ids = [table.table_id for table in _owed(provider, period)]
    files = {i: home.rows("raw", i, period) for i in ids} | {
        i: path for i in ids if (path := home.rows("corrected", i, period)).exists()
    }
    return {table_id: path for table_id, path in files.items() if path.exists()}


def last_accepted_files(home: Home, reading: WorkbookReading) -> dict[str, Path]:
    """Return the rows of the version of a return that was accepted last before this one, by table id; nothing where none was.

    A version that was sent back, or still waits for an explanation, is nothing to compare with: sent again unchanged, it would answer for itself.
    """
    accepted = accepted_files(home, reading.provider, reading.period)
    if accepted and _files_of(accepted) != {i: t.manifest.file_sha256 for i, t in reading.tables.items()}:
        return accepted
    ids = [table.table_id for table in _owed(reading.provider, reading.period)]
    return {i: path for i in ids if (path := home.rows("previous", i, reading.period)).exists()}


def _files_of(rows: Mapping[str, Path]) -> dict[str, str]:
    """Return the hash of the hand-in that each table's rows were read from."""
    return {table_id: manifest_of(path).file_sha256 for table_id, path in rows.items()}


def _keep_previous(home: Home, provider: str, period: str, coming: Mapping[str, Path]) -> None:
    """Keep the rows of the version in ``accepted/`` in ``previous/`` if another one comes in its place; see `last_accepted_files`."""
    accepted = accepted_files(home, provider, period)
    if not accepted or _files_of(accepted) == _files_of(coming):
        return
    for table in _owed(provider, period):
        path = home.rows("previous", table.table_id, period)
        if table.table_id in accepted:
            copy_atomically(accepted[table.table_id], path)
        else:
            path.unlink(missing_ok=True)


def accepted_files(home: Home, provider: str, period: str) -> dict[str, Path]:
    """Return the accepted rows of one return by table id; nothing where it was not accepted, or is being accepted just now."""
    record = _load(_acceptance(home, provider, period))
    return {table_id: home.rows("accepted", table_id, period) for table_id in record["tables"]} if record else {}


def write_gate_record(home: Home, provider: str, period: str, record: Mapping[str, object]) -> None:
    """Keep what gate 1 said of one return, bound to the hashes of the files it saw."""
    files = judged_files(home, provider, period)
    full = {**record, "judged_sha256": {table_id: sha256_of(path) for table_id, path in files.items()}}
    content = json.dumps(full, ensure_ascii=False, indent=1, sort_keys=True).encode()
    write_atomically(home.gate / period / f"{provider}.json", content)


def gate_record(home: Home, provider: str, period: str) -> dict | None:
    """Return what gate 1 said of the files as they now stand; None if it never saw them."""
    path = home.gate / period / f"{provider}.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    files = judged_files(home, provider, period)
    return record if record["judged_sha256"] == {t: sha256_of(p) for t, p in files.items()} else None


def accept(home: Home, provider: str, period: str) -> dict[str, Path]:
    """Copy one return, as gate 1 judged it, to ``accepted/``, and take away tables that this version no longer has.

    The acceptance record is written last: until it stands, `verify_accepted` refuses the half-copied return.

    Raises:
        LayerError: gate 1 has not seen these files.
    """
    if gate_record(home, provider, period) is None:
        raise LayerError(
            f"{providers()[provider].label} {period}：第一道关卡没有审核过现在的 raw 数据，请运行 sti run {period}"
        )
    files = judged_files(home, provider, period)
    record_path = _acceptance(home, provider, period)
    record = {"provider": provider, "period": period, "tables": {t: sha256_of(p) for t, p in files.items()}}
    if _load(record_path) == record and not _mismatches(home, record):
        return {t: home.rows("accepted", t, period) for t in files}
    # Killed in here: as long as the record stands, `accepted/` is what counts; without it, what has been kept whole by then.
    _keep_previous(home, provider, period, files)
    record_path.unlink(missing_ok=True)
    accepted = {}
    for table in _owed(provider, period):
        target = home.rows("accepted", table.table_id, period)
        if table.table_id in files:
            copy_atomically(files[table.table_id], target, mode=0o444)
            accepted[table.table_id] = target
        else:
            target.unlink(missing_ok=True)
    write_atomically(record_path, json.dumps(record, indent=1, sort_keys=True).encode())
    return accepted


def ensure_schemas(home: Home) -> None:
    """Put a zero-row file beside each accepted table, so that a table nobody has sent yet still has its columns."""
    for table in tables().values():
        path = home.root / "accepted" / table.table_id / "schema.parquet"
        if not path.exists() or not pq.read_schema(path).equals(table.schema):
            with replacing(path) as temporary:
                pq.write_table(table.schema.empty_table(), temporary)


def verify_accepted(home: Home) -> dict[str, str]:
    """Return the hash of every accepted file by ``table_id/period``, after checking each against its acceptance record.

    Raises:
        LayerError: a file stands in ``accepted/`` that no acceptance record names, or differs from it.
    """
    recorded: dict[str, str] = {}
    for path in sorted((home.root / "accepted" / "records").glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        recorded |= {f"{table_id}/{record['period']}": sha for table_id, sha in record["tables"].items()}
    found = {
        f"{path.parent.parent.name}/{path.parent.name}": sha256_of(path)
        for path in sorted((home.root / "accepted").glob("*/*/rows.parquet"))
    }
    wrong = sorted(key for key in recorded.keys() | found.keys() if recorded.get(key) != found.get(key))
    if wrong:
        table_id, period = wrong[0].split("/")
        raise LayerError(
            f"accepted/{wrong[0]}/rows.parquet 与准入记录不符（共 {len(wrong)} 个文件）；"
            f"没有通过关卡的数据不能进入数仓，请运行 sti run {period} 重新审核"
        )
    return found


def accepted_periods(home: Home) -> dict[str, set[str]]:
    """Return the providers whose return stands in ``accepted/``, by period."""
    result: dict[str, set[str]] = {}
    for path in (home.root / "accepted" / "records").glob("*/*.json"):
        result.setdefault(path.parent.name, set()).add(path.stem)
    return result


def row_count(path: Path) -> int:
    """Return the number of rows in a rows file."""
    return pq.read_metadata(path).num_rows


def read_rows(path: Path) -> pa.Table:
    """Return the rows of a rows file."""
    return pq.read_table(path)


def _owed(provider: str, period: str) -> tuple[Table, ...]:
    """Return the tables that a provider may send for a period: those of its half-year or its annual return."""
    return providers()[provider].tables_of(periods()[period].kind)


def _acceptance(home: Home, provider: str, period: str) -> Path:
    return home.root / "accepted" / "records" / period / f"{provider}.json"


def _load(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _mismatches(home: Home, record: dict) -> bool:
    for table in _owed(record["provider"], record["period"]):
        path = home.rows("accepted", table.table_id, record["period"])
        if (sha256_of(path) if path.exists() else None) != record["tables"].get(table.table_id):
            return True
    return False
