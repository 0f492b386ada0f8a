"""Names beside codes: whether the unit that a row names is the one whose code it gives. Asks; never fills a code in.

One finding per name and code, however many rows bear them, at the first row's cell.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from sources import contracts
from sources.finding import Finding
from sources.limited import limited
from sources.manifest import Manifest
from sources.reading_rules import breach
from sources.unit_register import UnitRegister

MOST_NAMES = 20_000
"""Distinct names of one column that are compared, in the order of their rows; a ledger of millions of rows may hold more."""


def judge_names(register: UnitRegister, files: Mapping[str, Path], manifests: Mapping[str, Manifest]) -> list[Finding]:
    """Compare every name with the code beside it.

    Args:
        register: the units as last published, with confirmed aliases.
        files: rows files by table id.
        manifests: of the same tables; they lead back to the cells.
    """
    return limited(
        [
            finding
            for table_id, path in files.items()
            for name_column, code_column in _pairs(contracts.table(table_id))
            for finding in _findings(register, path, manifests[table_id], name_column, code_column)
        ]
    )


def _pairs(table: contracts.Table) -> Iterator[tuple[contracts.Column, contracts.Column]]:
    """Yield the (name, code) columns of a table: ``payee_name`` and ``payee_code``."""
    codes = {column.name: column for column in table.columns if column.type == "uscc"}
    for column in table.columns:
        code = codes.get(column.name.removesuffix("_name") + "_code") if column.name.endswith("_name") else None
        if code:
            yield column, code


def _findings(
    register: UnitRegister, path: Path, manifest: Manifest, named: contracts.Column, coded: contracts.Column
) -> Iterator[Finding]:
    sql = (
        f'select "{named.name}", "{coded.name}", count(*), min(row_number) from read_parquet(?) '
        f'where "{named.name}" is not null and ("{coded.name}" is null or list_contains(cast(? as varchar[]), "{coded.name}")) '
        "group by all order by 4, 1 limit ?"
    )
    asked = [*register.names_by_code]
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(path.parent / "names.tmp")}) as connection:
        rows = connection.execute(sql, [str(path), asked, MOST_NAMES + 1]).fetchall()
    if len(rows) > MOST_NAMES:
        yield _finding("RD-123", f"“{named.heading}”的不同写法太多，只比对了前 {MOST_NAMES} 个", manifest, named.name)
    for name, code, count, row_number in rows[:MOST_NAMES]:
        rule_id, message, expected = _question(register, name, code, named, coded)
        if not rule_id:
            continue
        column = coded if rule_id != "RD-122" else named
        letter = manifest.cell_columns.get(column.name, "")
        yield _finding(
            rule_id,
            message + (f"（共 {count} 行，这是第一行）" if count > 1 else ""),
            manifest,
            f"{named.name}/{name}/{code or ''}",
            cell=f"{letter}{row_number}" if letter else "",
            found=f"{name} {code or '空白'}",
            expected=expected,
        )


def _finding(rule_id: str, message: str, manifest: Manifest, subject: str, **more: str) -> Finding:
    where = {"file_name": manifest.file_name, "file_sha256": manifest.file_sha256, "provider": manifest.provider}
    where |= {"table_id": manifest.table_id, "period": manifest.period, "sheet": manifest.sheet}
    return breach(rule_id, message, subject=subject, **where, **more)


def _question(
    register: UnitRegister, name: str, code: str | None, named: contracts.Column, coded: contracts.Column
) -> tuple[str, str, str]:
    """Return rule, message and what was expected; an empty rule where there is nothing to ask."""
    if code:
        if not register.is_strange(code, name):
            return "", "", ""
        known = "、".join(sorted(register.names_by_code[code]))
        message = f"“{named.heading}”是“{name}”，而代码 {code} 登记的是“{known}”"
        return "RD-122", message, known
    exact = register.codes_of(name)
    if exact:
        codes = "或".join(exact)
        message = f"“{coded.heading}”空白，而“{named.heading}”“{name}”在单位名录里，代码是 {codes}"
        return "RD-120", message, codes
    alike = register.alike(name)
    if not alike:
        return "", "", ""
    units = "、".join(f"“{other}”{other_code}" for other, other_code in alike)
    message = f"“{coded.heading}”空白；“{named.heading}”“{name}”与单位名录里的{units}相近，是不是同一家"
    return "RD-121", message, units
