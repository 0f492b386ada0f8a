"""The versions of one slot (provider and period): which counts, and what one changed against the version before it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sources.contracts import STATUS_SUFFIX, Column, Table, table
from sources.reference import area_names
from sources.sheet import TableReading

RUNNING_NUMBER = "row_no"
"""A key that only numbers the rows: one row put in renumbers all that follow, and that is no change of theirs."""

MARKS = {"nil": "-", "below_unit": "…", "not_reported": "空白"}


class _Row(NamedTuple):
    number: int
    key: tuple[str, ...]
    cells: tuple[str, ...]


def changes(
    old: Mapping[str, TableReading], new: Mapping[str, TableReading], previous_receipt_no: str
) -> dict[str, Any]:
    """Return what a new version changed against the one before it, as plain JSON values.

    Args:
        old: the readings of the version before, by table id.
        new: those of this version.
        previous_receipt_no: 受理号 of the version before.

    Returns:
        ``previous_receipt_no`` and per table that differs: rows added, removed and changed (matched by the contract's key; rows that only
        bear another running number are counted apart), each with its cells' old and new values as text, amounts in 万元; and the control
        totals old, new and their difference in 万元.
    """
    # Tables as large as bulk files are not compared row by row.
    old, new = ({i: t for i, t in tables.items() if t.spooled is None} for tables in (old, new))
    found = [
        _table_changes(table(table_id), old.get(table_id), new.get(table_id))
        for table_id in [*old, *(new.keys() - old.keys())]
    ]
    return {
        "previous_receipt_no": previous_receipt_no,
        "tables": [entry for entry in found if _differs(entry)],
    }


def _differs(entry: dict[str, Any]) -> bool:
    has_changes = bool(entry["rows"] or entry["control_totals"] or entry["renumbered_count"])
    return has_changes or entry["is_in_old"] != entry["is_in_new"]


def _table_changes(contract: Table, old: TableReading | None, new: TableReading | None) -> dict[str, Any]:
    columns = contract.columns
    before, after = _rows(contract, columns, old), _rows(contract, columns, new)
    gone, come, renumbered = _unmatched(contract, before, after)
    pairs, removed, added = _by_key(gone, come)
    rows = [
        *({"kind": "changed", **_place(contract, o, n), "cells": _differing(columns, o, n)} for o, n in pairs),
        *({"kind": "removed", **_place(contract, o, None), "cells": _differing(columns, o, None)} for o in removed),
        *({"kind": "added", **_place(contract, None, n), "cells": _differing(columns, None, n)} for n in added),
    ]
    if old is None or new is None:
        # The whole sheet came or went (or could not be read in one of the two): its rows one by one would say no more.
        rows = []
    rows.sort(key=lambda row: (row["new_row_number"] or row["old_row_number"], row["old_row_number"] or 0))
    return {
        "table_id": contract.table_id,
        "sheet": contract.sheet,
        "is_in_old": old is not None,
        "is_in_new": new is not None,
        "old_row_count": len(before),
        "new_row_count": len(after),
        "added_count": len(added),
        "removed_count": len(removed),
        "changed_count": len(pairs),
        "renumbered_count": renumbered,
        "control_totals": _totals(contract, old, new),
        "rows": rows,
    }


def _rows(contract: Table, columns: tuple[Column, ...], reading: TableReading | None) -> list[_Row]:
    """Return a table's rows as people read them: number, key, one text per column."""
    if reading is None or reading.rows is None:
        return []
    count = reading.rows.num_rows
    shown = []
    for column in columns:
        values = reading.rows[column.name].to_pylist()
        statuses = reading.rows[column.name + STATUS_SUFFIX].to_pylist() if column.is_number else [None] * count
        shown.append([_text(column, value, status) for value, status in zip(values, statuses, strict=True)])
    positions = [position for position, column in enumerate(columns) if column.name in contract.key]
    numbers = reading.rows["row_number"].to_pylist()
    return [
        _Row(number, tuple(cells[position] for position in positions), cells)
        for number, cells in zip(numbers, zip(*shown, strict=True), strict=True)
    ]


def _text(column: Column, value: object, status: str | None) -> str:
    if status in MARKS:
        return MARKS[status]
    if value is None:
        return "空白"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    return area_names().get(str(value), str(value)) if column.type == "area" else str(value)


def _unmatched(contract: Table, before: list[_Row], after: list[_Row]) -> tuple[list[_Row], list[_Row], int]:
    """Take out the rows that are the same in both; return what is left of each, and how many were only renumbered."""
    gone, come = _without_same(before, after, lambda row: row.cells)
    if contract.key != (RUNNING_NUMBER,):
        return gone, come, 0
    key_at = next(position for position, column in enumerate(contract.columns) if column.name == RUNNING_NUMBER)
    left = len(gone)
    gone, come = _without_same(gone, come, lambda row: row.cells[:key_at] + row.cells[key_at + 1 :])
    return gone, come, left - len(gone)


def _without_same(before: list[_Row], after: list[_Row], identity: Any) -> tuple[list[_Row], list[_Row]]:
    same = Counter(map(identity, before)) & Counter(map(identity, after))
    kept = []
    for rows in (before, after):
        still = Counter(same)
        left = []
        for row in rows:
            if still[identity(row)]:
                still[identity(row)] -= 1
            else:
                left.append(row)
        kept.append(left)
    return kept[0], kept[1]


def _by_key(gone: list[_Row], come: list[_Row]) -> tuple[list[tuple[_Row, _Row]], list[_Row], list[_Row]]:
    """Pair what is left by key, in order where a key stands twice; return pairs, removed and added rows."""
    waiting: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for row in gone:
        waiting[row.key].append(row)
    pairs, added = [], []
    for row in come:
        if waiting[row.key]:
            pairs.append((waiting[row.key].pop(0), row))
        else:
            added.append(row)
    return pairs, [row for rows in waiting.values() for row in rows], added


def _place(contract: Table, old: _Row | None, new: _Row | None) -> dict[str, Any]:
    row = new or old
    names = [column.name for column in contract.columns if column.name in contract.key]
    return {
        "key": dict(zip(names, row.key if row else (), strict=True)),
        "old_row_number": old.number if old else None,
        "new_row_number": new.number if new else None,
    }


def _differing(columns: tuple[Column, ...], old: _Row | None, new: _Row | None) -> list[dict[str, str | None]]:
    """Return the cells that differ; for a row that came or went, those that hold something."""
    cells = []
    for position, column in enumerate(columns):
        before = old.cells[position] if old else None
        after = new.cells[position] if new else None
        if before != after and not {before, after} <= {None, "空白"}:
            cells.append({"column": column.name, "heading": column.heading, "old": before, "new": after})
    return cells


def _totals(contract: Table, old: TableReading | None, new: TableReading | None) -> list[dict[str, str]]:
    before = old.manifest.control_totals_wan if old else {}
    after = new.manifest.control_totals_wan if new else {}
    result = []
    for column in contract.columns:
        was, now = Decimal(before.get(column.name, 0)), Decimal(after.get(column.name, 0))
        if was != now:
            entry = {"column": column.name, "heading": column.heading, "old_wan": f"{was:f}", "new_wan": f"{now:f}"}
            result.append(entry | {"difference_wan": f"{now - was:f}"})
    return result
