"""``make bench``: where the time of a real-size half-year goes, beside what the same work costs bare. One run, ratios count."""

import contextlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
from python_calamine import CalamineWorkbook

from orchestration import dbt
from sources.demo_city import write_demo_city
from sources.grids import read_sheets
from sources.workbook import read_workbook
from tests.bench import bulk, by_postgres
from tests.bench.race import race, report
from tests.bench.reading import print_reading
from tests.bench.receipts import print_receipts
from warehouse.paths import Home

SCALE = 1.0
PERIODS = ("2025H1", "2026H1")
IMPORTS = "import dagster, dagster_dbt, dbt.cli.main, great_expectations, pandas, pyarrow, openpyxl, duckdb"
STEP = re.compile(r"^\s+完成\s+(.+?)\s+([\d.]+) 秒$")


@contextlib.contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the time of a block under a name."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def run_once(home: Path, inbox: Path, period: str) -> tuple[float, dict[str, float]]:
    """Run one half-year as a user would, in a process of its own; return its wall time and the time of each step kind."""
    command = [sys.executable, "-m", "orchestration", "--home", str(home), "run", period, "--inbox", str(inbox)]
    command += ["--accept-queries", "--by", "bench", "--reason", "bench"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stderr)
    steps: dict[str, float] = {}
    for line in done.stderr.splitlines():
        match = STEP.match(line)
        if match:
            kind = match.group(1).split()[-1] if "局" in match.group(1) or "委" in match.group(1) else match.group(1)
            steps[kind] = steps.get(kind, 0.0) + float(match.group(2))
    return wall, steps


def bare_sql(home: Home) -> float:
    """Return the seconds that the models' own SQL takes when DuckDB runs it directly, without dbt; what Python scored stays."""
    compiled = [
        (result.node.relation_name, result.node.config.materialized, result.node.compiled_code)
        for result in dbt.build(home).results
        if result.node.resource_type == "model" and result.node.language == "sql"
    ]
    seeds = duckdb.connect(str(home.candidate))
    seconds: dict[str, float] = {}
    with contextlib.chdir(home.root), timed(seconds, "sql"):
        seeds.execute("attach ':memory:' as working; create schema working.staging")
        for relation, materialized, code in compiled:
            kind = "view" if materialized == "view" else "table"
            seeds.execute(f"create or replace {kind} {relation} as {code}")
    seeds.close()
    return seconds["sql"]


def phases() -> None:
    """Print where the time of a real-size half-year goes."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        inbox, home = Path(folder) / "inbox", Path(folder) / "home"
        with timed(seconds, "写演示城市（两个半年度，真实规模）"):
            files = write_demo_city(inbox, scale=SCALE, periods=PERIODS)
        latest = [path for path in files if path.parent.name == PERIODS[-1]]
        dbt.ensure_manifest()
        print_reading(Path(folder))
        run_once(home, inbox / PERIODS[0], PERIODS[0])
        wall, steps = run_once(home, inbox / PERIODS[1], PERIODS[1])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        with timed(seconds, "只导入这些库"):
            subprocess.run([sys.executable, "-c", IMPORTS], check=True)
        with timed(seconds, "calamine 只读单元格"):
            for path in latest:
                book = CalamineWorkbook.from_path(path)
                for name in book.sheet_names:
                    book.get_sheet_by_name(name).to_python()
        with timed(seconds, "读出单元格（本项目）"):
            for path in latest:
                read_sheets(path)
        with timed(seconds, "按契约读出（含上一行）"):
            for path in latest:
                read_workbook(path)
        seconds["只跑模型的 SQL"] = bare_sql(Home.at(home))
    print(f"真实规模 scale={SCALE}，{PERIODS[-1]}；整个半年度 {wall:.1f} 秒，峰值内存 {peak:.0f} MB")
    for name, value in steps.items():
        print(f"  {name:<30} {value:6.1f} 秒  {value / wall:5.0%}")
    print(
        f"  {'启动、导入、装配、其余':<30} {wall - sum(steps.values()):6.1f} 秒  {1 - sum(steps.values()) / wall:5.0%}"
    )
    print("裸成本（同一次运行内）")
    for name, value in seconds.items():
        print(f"  {name:<30} {value:6.2f} 秒  整个半年度是它的 {wall / value:.1f} 倍")
    bulk.main()
    with tempfile.TemporaryDirectory() as folder:
        print_receipts(Path(folder))


def ways(sizes: list[int]) -> None:
    """Print what eliminating in large generated half-years takes in several ways."""
    contenders = ["sql_all", "pandas_all", "pandas_integer_all", "models", "sql", "pandas", "pandas_integer"]
    reason = by_postgres.why_not()
    if reason:
        print(f"PostgreSQL 不参加：{reason}")
    else:
        contenders.append("postgres")
    laps = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            laps[rows] = race(Path(folder), rows, tuple(contenders))
    report(laps)


def main() -> None:
    """Run both parts; the arguments are the sizes of the second, in rows."""
    phases()
    ways([int(rows) for rows in sys.argv[1:]])


if __name__ == "__main__":
    main()
