"""Publication: from the private candidate to the file that analysts open, in one atomic step, and only what the gates passed.

A blocking check guards only its own run; so this room checks the gate's own record before it touches the published file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from sources.workbook import sha256_of
from warehouse.layers import LayerError, verify_accepted
from warehouse.paths import Home, replacing, write_atomically

STORAGE_VERSION = "v1.2.0"
"""DuckDB clients from 1.2 on can open the published file."""

PUBLISHED_SCHEMA = "main"

MACROS = Path(__file__).parent / "scoring" / "macros.sql"
"""The scoring formulas as DuckDB macros, for whoever wants to work a score out again in SQL."""


class NotPassed(RuntimeError):
    """The candidate may not be published; the message says why and what to do next."""


@dataclass(frozen=True)
class Publication:
    """What was published: rows per table."""

    path: Path
    row_counts: dict[str, int]


@dataclass(frozen=True)
class StatusTable:
    """A table that says how things stand at publication, and so is no part of the candidate: rows, and comments on it and its columns."""

    name: str
    comment: str
    rows: pa.Table
    column_comments: Mapping[str, str]


def write_build_record(home: Home, inputs: dict[str, str]) -> None:
    """Keep which accepted files (hash by ``table_id/period``) the finished candidate was built from."""
    record = {"candidate_sha256": sha256_of(home.candidate), "inputs": inputs}
    write_atomically(home.candidate.parent / "build.json", json.dumps(record, indent=1, sort_keys=True).encode())


def write_gate_2_record(home: Home, record: dict) -> None:
    """Keep what gate 2 said of the candidate, bound to its hash."""
    full = {**record, "candidate_sha256": sha256_of(home.candidate)}
    content = json.dumps(full, ensure_ascii=False, indent=1, sort_keys=True).encode()
    write_atomically(home.candidate.parent / "gate2.json", content)


def gate_2_record(home: Home) -> dict | None:
    """Return what gate 2 last said of a candidate, whatever stands there now; None if it never said anything."""
    return _record(home, "gate2")


def verify_candidate(home: Home) -> None:
    """Check that the candidate is the one that gate 2 passed, built from what now stands in ``accepted/``.

    Raises:
        NotPassed: it is not, or some record is missing.
    """
    if not home.candidate.exists():
        raise NotPassed("没有候选数仓，不能发布；请运行 sti run")
    sha256 = sha256_of(home.candidate)
    build, gate = _record(home, "build"), _record(home, "gate2")
    if build is None or build["candidate_sha256"] != sha256:
        raise NotPassed("候选数仓不是一次完整建模的结果，不能发布；请重新运行 sti run")
    if gate is None or gate["candidate_sha256"] != sha256:
        raise NotPassed("第二道关卡没有审核过这份候选数仓，不能发布；请重新运行 sti run")
    if not gate["passed"]:
        raise NotPassed("第二道关卡没有通过，不能发布；请看上面所列问题，或 Dagster 里 gate_2 检查的详情")
    try:
        inputs = verify_accepted(home)
    except LayerError as error:
        raise NotPassed(str(error)) from error
    if build["inputs"] != inputs:
        raise NotPassed("准入数据在建模之后又有变化，候选数仓已过期；请重新运行 sti run")


def publish(home: Home, also: Sequence[StatusTable] = ()) -> Publication:
    """Put the candidate's published tables, and ``also`` those of the moment, in place of the published file.

    Readers that have the old file open keep it; new ones see the new file. Tables only, in a storage version that older clients
    can open, with their Chinese comments; compared with the candidate by row count before the replace.

    Raises:
        NotPassed: `verify_candidate` refuses.
    """
    verify_candidate(home)
    with replacing(home.published, mode=0o444) as temporary:
        counts = _copy(home.candidate, temporary, also)
        with duckdb.connect(str(temporary), read_only=True) as reopened:
            for table, count in counts.items():
                found = reopened.execute(f'select count(*) from "{table}"').fetchall()[0][0]
                if found != count:
                    raise NotPassed(f"发布核对失败：{table} 应有 {count} 行，实有 {found} 行；已保留原来的发布文件")
    record = {"inputs": verify_accepted(home)}
    write_atomically(home.published.parent / "inputs.json", json.dumps(record, indent=1, sort_keys=True).encode())
    return Publication(home.published, counts)


def _copy(candidate: Path, target: Path, also: Sequence[StatusTable]) -> dict[str, int]:
    counts: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{_quoted(candidate)}' as candidate (read_only)")
        connection.execute(f"attach '{_quoted(target)}' as published (storage_version '{STORAGE_VERSION}')")
        names = connection.execute(
            "select table_name, comment from duckdb_tables() where database_name = 'candidate' and schema_name = ? order by 1",
            [PUBLISHED_SCHEMA],
        ).fetchall()
        for name, comment in names:
            connection.execute(
                f'create table published."{name}" as select * from candidate.{PUBLISHED_SCHEMA}."{name}"'
            )
            _comment(connection, "table", f'published."{name}"', comment)
            columns = connection.execute(
                "select column_name, comment from duckdb_columns() where database_name = 'candidate' "
                "and schema_name = ? and table_name = ? order by column_index",
                [PUBLISHED_SCHEMA, name],
            ).fetchall()
            for column, column_comment in columns:
                _comment(connection, "column", f'published."{name}"."{column}"', column_comment)
            counts[name] = connection.execute(f'select count(*) from candidate.{PUBLISHED_SCHEMA}."{name}"').fetchall()[
                0
            ][0]
        for table in also:
            connection.register("rows_of_the_moment", table.rows)
            connection.execute(f'create table published."{table.name}" as select * from rows_of_the_moment')
            connection.unregister("rows_of_the_moment")
            _comment(connection, "table", f'published."{table.name}"', table.comment)
            for column, column_comment in table.column_comments.items():
                _comment(connection, "column", f'published."{table.name}"."{column}"', column_comment)
            counts[table.name] = table.rows.num_rows
        connection.execute("use published")
        connection.execute(MACROS.read_text(encoding="utf-8"))
        connection.execute("use memory")
        connection.execute("checkpoint published")
        connection.execute("detach published")
    return counts


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, text: str | None) -> None:
    if text:
        connection.execute(f"comment on {kind} {name} is '{_quoted(text)}'")


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def _record(home: Home, name: str) -> dict | None:
    path = home.candidate.parent / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def published_inputs(home: Home) -> dict[str, str]:
    """Return the hash of every accepted file that the published warehouse was built from, by ``table_id/period``; empty if not known."""
    path = home.published.parent / "inputs.json"
    if not (path.exists() and home.published.exists()):
        return {}
    inputs: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["inputs"]
    return inputs


def published_at(home: Home) -> float:
    """Return when the warehouse was last published, in seconds since 1970; 0 if it never was."""
    path = home.published.parent / "inputs.json"
    return path.stat().st_mtime if path.exists() else 0


def is_published_as_accepted(home: Home, period: str) -> bool:
    """Return whether what now stands in ``accepted/`` for a period is what was last published, and so was cleared then."""
    before = published_inputs(home)
    if not before:
        return False
    now = verify_accepted(home)
    return {k: v for k, v in before.items() if k.endswith(f"/{period}")} == {
        k: v for k, v in now.items() if k.endswith(f"/{period}")
    }
