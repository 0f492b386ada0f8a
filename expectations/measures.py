"""Measures: what DuckDB computes, exactly, for each rule, before Great Expectations sees a number.

A *bench* is one in-memory DuckDB connection that holds either the tables of one workbook (gate 1) or a
candidate database, attached read-only (gate 2). The judged rows have ``data_row`` (1-based, headings and blank
rows not counted) and the period's dates ``period_starts_on``, ``period_ends_on`` and base ``period_base``.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.outside_figures import outside_figures
from expectations.rules import COMPARED_COLUMNS, Rule, Suite
from sources.reference import SEEDS_DIR

if TYPE_CHECKING:
    import pandas as pd

MACROS = """
-- Whole fen: differences of amounts become integers, which doubles hold exactly. Blank counts 0 in a sum.
create temp macro fen(wan) as cast(coalesce(wan, 0) * 1000000 as hugeint);
create temp macro zero_if_blank(wan) as coalesce(wan, 0);
create temp macro more_or_less(difference) as case when difference >= 0 then '多' else '少' end;
-- Near 10, 0.1, 10⁴ or 10⁻⁴ times: 千元 for 万元, 元 for 万元, or the other way round.
create temp macro is_slip(times, spread) as times between 10 / spread and 10 * spread or times between 0.1 / spread and 0.1 * spread
    or times between 10000 / spread and 10000 * spread or times between 0.0001 / spread and 0.0001 * spread;
create temp macro area_name(wanted) as
    coalesce((select a.area_name from seed_area a where a.area_key = wanted), wanted);
"""

IN_FILE = """
create temp view {table_id} as
select s.* exclude (file_row_number), s.file_row_number + 1 as data_row,
    cast(p.starts_on as date) as period_starts_on, cast(p.ends_on as date) as period_ends_on,
    p.base_period as period_base
from read_parquet('{path}', hive_partitioning = false, file_row_number = true) s
left join seed_period p on p.period = s.period
"""

WITH_PERIOD = """
select s.*, row_number() over (order by {order}) as data_row,
    cast(p.starts_on as date) as period_starts_on, cast(p.ends_on as date) as period_ends_on,
    p.base_period as period_base
from {rows} s
left join seed_period p on p.period = s.period
"""


LARGE_ROWS = 20_000
"""A table with more rows stays in its file: it is judged without being held; see `expectations.large`."""
MEMORY_LIMIT = "1GB"
"""DuckDB writes to a scratch folder what goes beyond."""


class JudgeError(RuntimeError):
    """The judge cannot judge: a table, a period or a measure is missing or wrong. Nothing may pass."""


@dataclass(frozen=True)
class Bench:
    """An open connection, the period that it judges, and the tables beyond `LARGE_ROWS`."""

    connection: duckdb.DuckDBPyConnection
    period: str
    ends_on: date
    large: set[str] = field(default_factory=set)

    def has(self, relation: str) -> bool:
        """Whether a table or view of that name can be read."""
        try:
            self.connection.sql(f"select * from {relation} limit 0")
        except duckdb.Error:
            return False
        return True

    def columns_of(self, relation: str) -> set[str]:
        """Return the column names of a table or view."""
        return set(self.connection.sql(f"select * from {relation} limit 0").columns)


@contextmanager
def _bench(period: str, seeds: Path, home: Path | None = None) -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory() as scratch,
        closing(
            duckdb.connect(
                ":memory:",
                config={
                    "autoinstall_known_extensions": "false",
                    "threads": "1",
                    "memory_limit": MEMORY_LIMIT,
                    "temp_directory": scratch,
                },
            )
        ) as connection,
    ):
        for name in ("area", "period"):
            rows = "select * from read_csv(?, header = true, all_varchar = true)"
            connection.execute(f"create temp table seed_{name} as {rows}", [str(seeds / f"{name}.csv")])
        _load_outside_figures(connection, home, seeds)
        connection.execute(MACROS)
        ends_on = "select cast(ends_on as date) from seed_period where period = ?"
        row = connection.execute(ends_on, [period]).fetchone()
        if row is None:
            raise JudgeError(f"报告期 {period or '（空）'} 不在报告期表（period.csv）中，无法核对")
        yield Bench(connection, period, row[0])


def _load_outside_figures(connection: duckdb.DuckDBPyConnection, home: Path | None, seeds: Path) -> None:
    columns = {
        "indicator_id": "varchar",
        "area_key": "varchar",
        "half": "varchar",
        "figure": "decimal(20, 6)",
        "low_times": "double",
        "high_times": "double",
        "figure_name": "varchar",
        "source": "varchar",
        "valid_from": "date",
        "valid_to": "date",
    }
    named = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create temp table seed_outside_figure ({named})")
    marks = ", ".join("?" for _ in columns)
    rows = [[row[name] for name in columns] for row in outside_figures(home, seeds)]
    connection.executemany(f"insert into seed_outside_figure values ({marks})", rows)


@contextmanager
def open_workbook(
    relations: Mapping[str, Path], period: str, seeds: Path = SEEDS_DIR, home: Path | None = None
) -> Iterator[Bench]:
    """Load the tables of one workbook, each under its table id; ``home`` is where a city's own outside figures may lie.

    Raises:
        JudgeError: the period is unknown, or a table holds rows of another period.
    """
    with _bench(period, seeds, home) as bench:
        for table_id, path in relations.items():
            if _row_count(bench, path) > LARGE_ROWS:
                # The reader writes rows in the order of the file, so that they need no sorting.
                quoted = str(path).replace("'", "''")
                bench.connection.execute(IN_FILE.format(table_id=table_id, path=quoted))
                bench.large.add(table_id)
            else:
                rows = WITH_PERIOD.format(rows="read_parquet(?, hive_partitioning = false)", order="s.row_number")
                bench.connection.execute(f"create temp table {table_id} as {rows}", [str(path)])
            strangers = f"select count(*) from {table_id} where period is distinct from ?"
            if bench.connection.execute(strangers, [period]).fetchone() != (0,):
                raise JudgeError(f"{table_id}：有不属于 {period} 的行，无法核对")
        yield bench


def _row_count(bench: Bench, path: Path) -> int:
    (count,) = bench.connection.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone() or (0,)
    return int(count)


@contextmanager
def open_database(
    database: Path, period: str, working_directory: Path | None = None, seeds: Path = SEEDS_DIR
) -> Iterator[Bench]:
    """Attach a DuckDB file read-only. Relative paths in its views are looked up from ``working_directory``, ``$STI_HOME``.

    Raises:
        JudgeError: the period is unknown, or the file cannot be opened.
    """
    with _bench(period, seeds, working_directory) as bench:
        quoted = str(database).replace("'", "''")
        try:
            if working_directory is not None:
                bench.connection.execute("set file_search_path = ?", [str(working_directory)])
            bench.connection.execute(f"attach '{quoted}' as judged_database (read_only)")
            bench.connection.execute("use judged_database.main")
        except duckdb.Error as error:
            raise JudgeError(f"打不开 {database.name}：{error}") from error
        yield bench


def prepare(bench: Bench, suite: Suite) -> str:
    """Return the relation whose rows are judged, with ``row_id`` and ``data_row``.

    In a workbook that is the table itself; in a database a copy of the table's rows of the period, whose
    ``row_id`` is the key.

    Raises:
        JudgeError: the table or one of its columns is missing.
    """
    if not bench.has(suite.name):
        raise JudgeError(f"{suite.name}：没有这张表，无法核对")
    missing = sorted(set(suite.table_columns) - bench.columns_of(suite.name))
    if missing:
        raise JudgeError(f"{suite.name}：缺少列 {'、'.join(missing)}，无法核对")
    if suite.provider:
        return suite.name
    key = ", ".join(f"s.{column}" for column in suite.key)
    numbered = f"(select *, row_number() over (partition by {key}) as nth_of_key from {suite.name} s where period = ?)"
    bench.connection.execute(
        f"create or replace temp table judged_{suite.name} as "
        f"select *, concat_ws('/', {key}, case when nth_of_key > 1 then '第' || nth_of_key || '次' end) as row_id "
        f"from ({WITH_PERIOD.format(rows=numbered, order=key)}) s",
        [bench.period],
    )
    return f"judged_{suite.name}"


def sql_of(rule: Rule, judged: str, table_columns: Sequence[str]) -> str:
    """Return the SELECT of one rule: ``row_id``, ``measure`` and every value that its texts name."""
    cast = "varchar" if rule.expect.value_set else "double"
    known = set(COMPARED_COLUMNS if rule.against else table_columns)
    columns = sorted((rule.placeholders - set(rule.values)) & known)
    values = rule.values | {name: f"t.{name}" for name in columns}
    named = "".join(f', {sql} as "{name}"' for name, sql in values.items())
    rows = (rule.rows or "select * from {rows}").replace("{rows}", judged)
    return f"select t.row_id, cast({rule.measure} as {cast}) as measure{named} from ({rows}) t where {rule.when}"


def measure(bench: Bench, suite: Suite, rules: Sequence[Rule], judged: str) -> tuple["pd.DataFrame", dict[str, int]]:
    """Compute every rule's measure.

    A row that a rule does not apply to has no value in the frame, and Great Expectations passes over it.

    Returns:
        One frame with ``row_id`` and a column per ``check_id``, and the number of rows that each rule applied to.

    Raises:
        JudgeError: a measure cannot be computed, is empty where its rule applies, or stands twice for one row.
    """
    selects, joins, tallies = "", "", []
    for rule in rules:
        name = measures_name(rule)
        try:
            select = sql_of(rule, judged, suite.table_columns)
            bench.connection.execute(f"create or replace temp table {name} as {select}")
        except duckdb.Error as error:
            raise JudgeError(f"{suite.name}：规则 {rule.check_id} 无法计算：{error}") from error
        tallies.append(f"select '{rule.check_id}', count(*), count(measure), count(distinct row_id) from {name}")
        selects += f', {name}.measure as "{rule.check_id}"'
        joins += f" left join {name} on {name}.row_id = b.row_id"
    applied = {}
    for check_id, rows, *others in bench.connection.execute(" union all ".join(tallies)).fetchall() if tallies else ():
        if set(others) != {rows}:
            raise JudgeError(f"{suite.name}：规则 {check_id} 的度量有空值或一行多值（{rows}、{others}），无法核对")
        applied[check_id] = rows
    frame = bench.connection.execute(f"select b.row_id{selects} from {judged} b{joins} order by b.data_row").df()
    return frame, applied


def values_of(bench: Bench, suite: Suite, rule: Rule, judged: str, row_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the values of a measured rule for its failing rows, with each row's place and key, in row order."""
    place = "b.row_number" if suite.provider else "null"
    keys = _keys(suite, rule)
    cursor = bench.connection.execute(
        f"select m.*, {place} as place_row, b.data_row as place_data_row{keys} "
        f"from {measures_name(rule)} m join {judged} b on b.row_id = m.row_id "
        f"where m.row_id in (select unnest(?)) order by b.data_row",
        [list(row_ids)],
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def digest_of_rows(bench: Bench, suite: Suite, rule: Rule, judged: str, row_ids: Sequence[str]) -> str:
    """Return 16 hex digits that change with the number of these failing rows, and with any value or key of one of them."""
    rows = f"select * from {measures_name(rule)} where row_id in (select unnest(?))"
    _, digest = count_and_digest(bench, suite, rule, judged, rows, [list(row_ids)])
    return digest


def count_and_digest(
    bench: Bench, suite: Suite, rule: Rule, judged: str, rows: str, values: Sequence[Any]
) -> tuple[int, str]:
    """Return how many measured rows a SELECT with its ``values`` gives, and the digest of their values and keys; none of them is held."""
    sql = f"select m.*{_keys(suite, rule)} from ({rows}) m left join {judged} b on b.row_id = m.row_id"
    # The sum of the rows' digests does not depend on their order.
    half = "sum(cast(md5_number_{}(cast(to_json(v) as varchar)) as hugeint))"
    totals = f"select count(*), {half.format('lower')}, {half.format('upper')} from ({sql}) v"
    count, *sums = bench.connection.execute(totals, list(values)).fetchone() or (0,)
    return count, hashlib.sha256(f"{count}/{sums}".encode()).hexdigest()[:16]


def _keys(suite: Suite, rule: Rule) -> str:
    """Return SQL for what names a row's subject."""
    if rule.against:
        return ", b.column_name as place_column"
    return "".join(f", cast(b.{column} as varchar) as key_{column}" for column in suite.subject_columns)


def measures_name(rule: Rule) -> str:
    """Return the name of the temporary table that holds the rule's measures."""
    return '"measures of ' + rule.check_id + '"'
