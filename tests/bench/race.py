"""The same ledger of the same half-year by several ways: each in a process of its own, results compared before any time is told."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration import dbt
from tests.bench.generated import write_city
from warehouse.paths import Home

LEDGER = (
    "period, elimination_id, reason, tier, provider, unit_code, area, amount_wan, first_recipient, counterparty_code, "
    "reference_no, evidence, estimated, rule_version"
)
COLUMNS = {
    "fct_elimination": LEDGER,
    "fct_reconciliation": "period, funder_code, performer_code, funder_side_wan, performer_side_wan, difference_wan, difference_pct, band",
    "fct_elimination_finding": (
        "period, elimination_finding_id, finding_kind, reason, tier, provider, unit_code, area, first_recipient, "
        "counterparty_code, reference_no, claimed_wan, allowed_wan, amount_wan"
    ),
    "fct_input": "subject, area_key, unit_key, unit_count, gross_wan, eliminated_wan",
}
"""What is compared, row by row; a contender that gives only the ledger is compared on the ledger."""
GIVES = {
    "sql_all": {
        "fct_elimination": "by_hand.ledger",
        "fct_reconciliation": "by_hand.reconciliation",
        "fct_elimination_finding": "by_hand.finding",
        "fct_input": "by_hand.input",
    },
    "models": {"fct_elimination": "by_models.main.fct_elimination"},
    "sql": {"fct_elimination": "by_hand.ledger"},
    "pandas_all": {table: f"read_parquet('pandas_all/{table}.parquet')" for table in COLUMNS},
    "pandas_integer_all": {table: f"read_parquet('pandas_integer_all/{table}.parquet')" for table in COLUMNS},
    "pandas": {"fct_elimination": "read_parquet('pandas/fct_elimination.parquet')"},
    "pandas_integer": {"fct_elimination": "read_parquet('pandas_integer/fct_elimination.parquet')"},
    "postgres": {"fct_elimination": "read_csv('postgres.csv', all_varchar = true, nullstr = '\\N')"},
}
LABELS = {
    "dbt": "dbt build 全部（模型、种子、检验）",
    "sql_all": "手写 DuckDB SQL，同样的结果和检验",
    "pandas_all": "pandas，同样的结果和检验，金额为 Decimal",
    "pandas_integer_all": "pandas，同样的结果和检验，金额为整数",
    "models": "模型原句，不经 dbt，只出台账",
    "sql": "手写 DuckDB SQL，只出台账",
    "pandas": "pandas，只出台账，金额为 Decimal",
    "pandas_integer": "pandas，只出台账，金额为整数",
    "postgres": "PostgreSQL 15，模型原句，只出台账",
}
DATABASES = {"sql_all": "by_hand", "sql": "by_hand", "models": "by_models"}
SCRIPTS = {"sql_all": ("1_pairs", "2_ledger", "3_results"), "sql": ("1_pairs", "2_ledger")}
LIMIT_FACTOR, LIMIT_LEAST = 30, 600
"""A contender is stopped after so many times the wall time of ``dbt build``, but never before so many seconds."""


@dataclass(frozen=True)
class Lap:
    """What one contender took: seconds on the clock, seconds of both processors, peak memory of its largest process in MB."""

    wall: float
    cpu: float
    peak_mb: float
    is_finished: bool = True


def run(contender: str, home: Path, limit: float | None = None) -> Lap:
    """Run one contender in a process of its own; past the limit it is ended."""
    command = [sys.executable, "-m", "tests.bench.race", contender, str(home)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=home)
    deadline = start + limit if limit else None
    pid = 0
    while not pid:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not pid and deadline and time.perf_counter() > deadline:
            process.terminate()
            _, status, usage = os.wait4(process.pid, 0)
            return Lap(limit, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, is_finished=False)
        time.sleep(0.05)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    printed = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{contender}: {printed}")
    # PostgreSQL says itself how long its statements took: loading does not count.
    return Lap(float(printed or wall), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def by_dbt(home: Path) -> None:
    """Build everything, and leave the statements behind the ledger for `by_postgres`."""
    results = dbt.build(Home.at(home)).results
    bad = [(r.node.name, r.message) for r in results if str(r.status) not in ("success", "pass")]
    if bad:
        sys.exit(str(bad))
    nodes: dict[str, Any] = {r.node.unique_id: r.node for r in results}
    needed, new = set(), {"model.sti.fct_elimination"}
    while new:
        needed |= new
        new = {n for one in new for n in nodes[one].depends_on_nodes if n in nodes} - needed
    plan: dict[str, list[Any]] = {"tables": [], "models": []}
    for unique_id, node in nodes.items():
        name = f"{node.schema}.{node.name}"
        if unique_id in needed and (node.resource_type == "seed" or node.name.startswith("stg_")):
            plan["tables"].append(name)
        elif unique_id in needed:
            kind = "view" if node.config.materialized == "view" else "table"
            plan["models"].append((name, kind, re.sub('"(warehouse|working)"[.]', "", node.compiled_code)))
    (home / "statements.json").write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")


def by_sql(home: Path, parts: tuple[str, ...]) -> None:
    """Run the hand-written script, whole or without what goes out beside the ledger."""
    scripts = [(Path(__file__).parent / "by_hand" / f"{part}.sql").read_text(encoding="utf-8") for part in parts]
    with fresh(home, "by_hand") as connection:
        for script in scripts:
            connection.execute(script)


def by_models(home: Path) -> None:
    """Run the statements of the models behind the ledger, without dbt; seeds and the views on accepted/ are the candidate's."""
    plan = json.loads((home / "statements.json").read_text(encoding="utf-8"))
    with fresh(home, "by_models") as connection:
        connection.execute("attach 'candidate/warehouse.duckdb' as candidate (read_only)")
        connection.execute("create schema seeds; create schema staging")
        for name in plan["tables"]:
            connection.execute(f"create view {name} as from candidate.{name}")
        for name, kind, code in plan["models"]:
            connection.execute(f"create {kind} {name} as {code}")


@contextlib.contextmanager
def fresh(home: Path, database: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a new database file in the home, which becomes the current directory, with the settings that dbt has."""
    (home / f"{database}.duckdb").unlink(missing_ok=True)
    with contextlib.chdir(home), duckdb.connect(f"{database}.duckdb") as connection:
        connection.execute("set memory_limit = '4GB'; set preserve_insertion_order = false")
        yield connection


def by_module(module: str, home: Path, *arguments: str) -> None:
    """Run a contender that is a module of its own."""
    os.chdir(home)
    os.execv(sys.executable, [sys.executable, "-m", f"tests.bench.{module}", *arguments])


def differences(home: Path, contender: str) -> dict[str, tuple[int, int]]:
    """Return, per table that differs, how many rows only the contender has, and only dbt; evidence and identifiers included."""
    found = {}
    with contextlib.chdir(home), duckdb.connect() as connection:
        connection.execute("set memory_limit = '4GB'; set temp_directory = 'spill'")
        connection.execute("attach 'candidate/warehouse.duckdb' as candidate (read_only)")
        if contender in DATABASES:
            name = DATABASES[contender]
            connection.execute(f"attach '{name}.duckdb' as {name} (read_only)")
        for table, given in GIVES[contender].items():
            ours = f"candidate.main.{table}"
            kinds = dict(connection.execute(f"select column_name, column_type from (describe {ours})").fetchall())
            # The rows behind a line are a set: each way may list them in its own order.
            cast = ", ".join(
                f"list_sort(string_split(trim({name}, '[]'), ',')) as {name}"
                if name == "evidence"
                else f"cast(coalesce({name}, '') as varchar) as {name}"
                if kinds[name] == "VARCHAR"
                else f"cast(case {name}::varchar when 't' then 'true' when 'f' then 'false' else {name}::varchar end as {kinds[name]}) as {name}"
                for name in COLUMNS[table].split(", ")
            )
            sides = [f"(select {cast} from {one})" for one in (given, ours)]
            counts = [
                connection.execute(f"select count(*) from (from {a} except all from {b})").fetchall()[0][0]
                for a, b in (sides, sides[::-1])
            ]
            if any(counts):
                found[table] = (counts[0], counts[1])
    return found


def race(home: Path, rows: int, contenders: tuple[str, ...]) -> dict[str, Lap]:
    """Write the city, run the contenders one after the other, and compare what they give.

    Raises:
        RuntimeError: a contender failed, or what it gives differs.
    """
    write_city(home, rows)
    dbt.ensure_manifest()
    laps = {"dbt": run("dbt", home)}
    limit = max(LIMIT_FACTOR * laps["dbt"].wall, LIMIT_LEAST)
    for contender in contenders:
        laps[contender] = run(contender, home, limit)
        if laps[contender].is_finished and (found := differences(home, contender)):
            raise RuntimeError(f"{contender}：与 dbt 的结果不同（多出、缺少的行数）：{found}")
    return laps


def report(sizes: dict[int, dict[str, Lap]]) -> None:
    """Print the table: seconds on the clock and of the processors, memory, each as ratio to dbt and as growth from size to size.

    Which way is faster is a matter of the clock; on a machine that does other work, only the processors' seconds can be compared.
    """
    print("剔除重复：同一座城市、同样的结果（逐行相同，含来源行），几种做法，各自一个进程；处理器秒为两核合计")
    before: dict[str, Lap] = {}
    for rows, laps in sizes.items():
        print(f"{rows:,} 行（拨付、委托、经费来源明细）")
        for contender, lap in laps.items():
            sign = "" if lap.is_finished else "> "
            ratio = f"对 dbt：墙钟 {sign}{lap.wall / laps['dbt'].wall:.2f} 倍，处理器 {sign}{lap.cpu / laps['dbt'].cpu:.2f} 倍"
            growth = ""
            if contender in before and before[contender].is_finished:
                last = before[contender]
                growth = (
                    f"；对上一规模：墙钟 {sign}{lap.wall / last.wall:.1f} 倍，处理器 {sign}{lap.cpu / last.cpu:.1f} 倍"
                )
            seconds = f"墙钟 {sign}{lap.wall:6.1f} 秒  处理器 {sign}{lap.cpu:6.1f} 秒  峰值 {lap.peak_mb:5.0f} MB"
            print(f"  {LABELS[contender]:<28} {seconds}  {ratio}{growth}")
        before = laps


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    {
        "dbt": lambda: by_dbt(folder),
        "sql_all": lambda: by_sql(folder, SCRIPTS["sql_all"]),
        "models": lambda: by_models(folder),
        "sql": lambda: by_sql(folder, SCRIPTS["sql"]),
        "pandas_all": lambda: by_module("by_pandas", folder, "pandas_all", "decimal", "whole"),
        "pandas_integer_all": lambda: by_module("by_pandas", folder, "pandas_integer_all", "integer", "whole"),
        "pandas": lambda: by_module("by_pandas", folder, "pandas", "decimal", "ledger"),
        "pandas_integer": lambda: by_module("by_pandas", folder, "pandas_integer", "integer", "ledger"),
        "postgres": lambda: by_module("by_postgres", folder, "postgres.csv"),
    }[name]()
