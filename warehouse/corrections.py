"""Putting the slips in force into the rows of a return: ``raw/`` stays as reported, ``corrected/`` is what gate 1 judges then.

A value is changed only where the value that the slip expects still stands; else nothing of that entry is done and it is a 强制性 finding: a slip
must not quietly undo what a bureau has meanwhile put right.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources.contracts import STATUS_SUFFIX, Column, providers
from sources.finding import Finding
from sources.manifest import Manifest
from sources.reading_rules import breach
from sources.values import CellValue
from warehouse.correction_slip import Entry, Registered, active
from warehouse.layers import MANIFEST_KEY, manifest_of
from warehouse.paths import Home, replacing


@dataclass(frozen=True)
class _Change:
    """One value to put in: the row's position in the file, its id and sheet row, the column, old and new value."""

    position: int
    row_id: str
    row_number: int
    column: Column
    old: CellValue
    new: CellValue
    slip: Registered
    entry: Entry

    def as_dict(self) -> dict[str, str]:
        """Return what the manifest keeps: enough to explain the cell later, slip and reason included."""
        return {
            "row_id": self.row_id,
            "column": self.column.name,
            "old": _shown(self.old),
            "new": _shown(self.new),
            "slip_no": self.slip.slip_no,
            "reason": self.entry.reason or self.slip.slip.reason,
            "requester": self.slip.slip.requester,
            "approver": self.slip.slip.approver,
        }


def apply(home: Home, provider: str, period: str) -> list[Finding]:
    """Write ``corrected/`` for the tables of one return that a slip in force changes; take away what no slip changes any more.

    Returns:
        A 提示 for every value put in, a 强制性 finding for every one that does not fit the rows any more.

    Raises:
        SlipError: the register is damaged.
    """
    slips = active(home, provider, period)
    findings: list[Finding] = []
    for table in providers()[provider].tables.values():
        raw = home.rows("raw", table.table_id, period)
        entries = [(slip, entry) for slip in slips for entry in slip.slip.corrections if entry.table == table.table_id]
        changes, misfits = _changes(raw, entries)
        corrected = home.rows("corrected", table.table_id, period)
        if changes:
            _write(raw, corrected, changes)
        else:
            corrected.unlink(missing_ok=True)
        findings += misfits + [_said(change, manifest_of(raw)) for change in changes]
    return findings


def misfits_of(home: Home, slip: Registered) -> list[Finding]:
    """Return why a slip does not fit the rows as last read; empty where every value can be put in."""
    by_table: dict[str, list[tuple[Registered, Entry]]] = defaultdict(list)
    for entry in slip.slip.corrections:
        by_table[entry.table].append((slip, entry))
    return [
        misfit
        for table_id, entries in by_table.items()
        for misfit in _changes(home.rows("raw", table_id, slip.slip.period), entries)[1]
    ]


def _changes(raw: Path, entries: list[tuple[Registered, Entry]]) -> tuple[list[_Change], list[Finding]]:
    changes, misfits = [], []
    rows = _rows(raw, entries) if raw.exists() else None
    for nth, (slip, entry) in enumerate(entries):
        found = "本期没有读到这张表" if rows is None else _find(rows[nth], slip, entry)
        if isinstance(found, _Change):
            changes.append(found)
        else:
            misfits.append(_misfit(slip, entry, found, manifest_of(raw) if raw.exists() else None))
    return changes, misfits


def _rows(raw: Path, entries: list[tuple[Registered, Entry]]) -> dict[int, list[dict[str, Any]]]:
    """Return of each entry, by its place, the first two rows that its key means; one look at the file for all of them."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if not entries:
        return found
    table = entries[0][1].contract
    by_names: dict[tuple[str, ...], dict[int, tuple[Any, ...]]] = defaultdict(dict)
    for nth, (slip, entry) in enumerate(entries):
        names, values = zip(*sorted(entry.key_on(slip.slip.ends_on).items()), strict=True)
        by_names[names][nth] = values
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        for names, keys in by_names.items():
            columns = {"entry": pa.array(keys, pa.int64())} | {
                name: pa.array(values, table.schema.field(name).type)
                for name, values in zip(names, zip(*keys.values(), strict=True), strict=True)
            }
            connection.register("asked", pa.table(columns))
            same = " and ".join(f'asked."{name}" = rows."{name}"' for name in names)
            result = connection.execute(
                f"select asked.entry, rows.* from read_parquet(?, file_row_number = true) as rows join asked on {same} "
                "qualify row_number() over (partition by asked.entry order by file_row_number) <= 2",
                [str(raw)],
            )
            described = [name for name, *_ in result.description]
            for values in result.fetchall():
                row = dict(zip(described, values, strict=True))
                found[row["entry"]].append(row)
    return found


def _find(rows: list[dict[str, Any]], slip: Registered, entry: Entry) -> _Change | str:
    """Return the change that an entry means, or why it does not fit; ``rows`` are the first two that its key means."""
    day = slip.slip.ends_on
    column = entry.contract.column(entry.column)
    if not rows:
        return "现在的报表里没有这一行"
    if len(rows) > 1:
        return "现在的报表里有不止一行"
    (row,) = rows
    state = row[column.name + STATUS_SUFFIX] if column.is_number else None
    old, expected = CellValue(row[column.name], state), entry.expected_on(day)
    if (old.value, old.status) != (expected.value, expected.status):
        return f"原值应为 {_shown(expected)}，现在报的是 {_shown(old)}"
    new = entry.value_on(day)
    return _Change(row["file_row_number"], row["row_id"], row["row_number"], column, old, new, slip, entry)


def _write(raw: Path, target: Path, changes: list[_Change]) -> None:
    """Copy the rows, one group at a time, with the changed values put in and the manifest saying so."""
    manifest = _manifest(manifest_of(raw), changes)
    with pq.ParquetFile(raw) as source, replacing(target) as temporary:
        text = json.dumps(manifest.as_dict(), ensure_ascii=False, sort_keys=True).encode()
        schema = source.schema_arrow.with_metadata({MANIFEST_KEY: text})
        start = 0
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for group in range(source.num_row_groups):
                rows = source.read_row_group(group)
                for change in (c for c in changes if start <= c.position < start + rows.num_rows):
                    rows = _set(rows, change.column.name, change.position - start, change.new.value)
                    if change.column.is_number:
                        rows = _set(
                            rows, change.column.name + STATUS_SUFFIX, change.position - start, change.new.status
                        )
                writer.write_table(rows.replace_schema_metadata(schema.metadata))
                start += rows.num_rows


def _set(rows: pa.Table, name: str, position: int, value: Any) -> pa.Table:
    """Return the rows with one value replaced."""
    index = rows.schema.get_field_index(name)
    field = rows.schema.field(index)
    column = rows.column(index)
    replaced = pa.chunked_array(
        [*column.slice(0, position).chunks, pa.array([value], type=field.type), *column.slice(position + 1).chunks],
        type=field.type,
    )
    return rows.set_column(index, field, replaced)


def _manifest(manifest: Manifest, changes: list[_Change]) -> Manifest:
    totals = dict(manifest.control_totals_wan)
    for change in changes:
        name = change.column.name
        if name in totals:
            totals[name] = f"{Decimal(totals[name]) + _amount(change.new) - _amount(change.old):f}"
    return replace(manifest, control_totals_wan=totals, corrections=[change.as_dict() for change in changes])


def _amount(value: CellValue) -> Decimal:
    return value.value if isinstance(value.value, Decimal) else Decimal(0)


def _shown(value: CellValue) -> str:
    if value.status in ("nil", "below_unit"):
        return "-" if value.status == "nil" else "…"
    if value.value is None:
        return "空白"
    if isinstance(value.value, bool):
        return "是" if value.value else "否"
    return f"{value.value:f}" if isinstance(value.value, Decimal) else str(value.value)


def _said(change: _Change, manifest: Manifest) -> Finding:
    about = change.as_dict()
    letter = manifest.cell_columns.get(change.column.name, "")
    message = (
        f"更正单 {about['slip_no']}：{change.entry.place}由 {about['old']} 更正为 {about['new']}"
        f"（{about['reason']}；申请 {about['requester']}，批准 {about['approver']}）"
    )
    return _finding(
        "RD-096", message, change.slip, change.entry, manifest, f"{letter}{change.row_number}", about["new"]
    )


def _misfit(slip: Registered, entry: Entry, reason: str, manifest: Manifest | None) -> Finding:
    message = f"更正单 {slip.slip_no}：{entry.place}没有更正：{reason}"
    return _finding("RD-097", message, slip, entry, manifest, "", reason)


def _finding(
    rule_id: str, message: str, slip: Registered, entry: Entry, manifest: Manifest | None, cell: str, found: str
) -> Finding:
    return breach(
        rule_id,
        message,
        file_name=manifest.file_name if manifest else f"{slip.slip_no}.yaml",
        file_sha256=manifest.file_sha256 if manifest else "",
        provider=slip.slip.provider,
        table_id=entry.table,
        period=slip.slip.period,
        sheet=entry.contract.sheet,
        cell=cell,
        subject=f"更正/{slip.slip_no}/{entry.column}/{'/'.join(str(v) for v in entry.key.values())}",
        found=found,
        expected=_shown(entry.expected_on(slip.slip.ends_on)),
    )
