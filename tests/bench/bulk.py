"""Ten million rows in bulk: time and peak memory from file to raw rows and through gate 1, each in a process of its own."""

import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from stdnum.cn import uscc

from orchestration.gate import self_check
from sources.contracts import table
from sources.reader_process import READER
from warehouse.paths import Home
from warehouse.unit_names import unit_register

TABLE_ID = "finance_bureau__gov_payment"
ROWS = 10_000_000
PIECE = 100_000
CODES = 100_000
AREAS = ("市本级", "南湖区", "秀洲区", "嘉善县", "海盐县", "海宁市", "平湖市", "桐乡市", "嘉兴经开区", "嘉兴港区")
SAID = {"填报单位": "市财政局", "报告期": "2026年上半年", "计量单位": "万元", "工作表": "拨付明细"}
REPORTED_ON = "2026-07-10"


def rows_of(count: int) -> Iterator[tuple[str, ...]]:
    """Yield rows of a payment ledger: made-up vouchers, projects and payees."""
    draw = random.Random(14)
    bodies = [f"91330400MY{number:07d}" for number in range(CODES)]
    codes = [body + uscc.calc_check_digit(body) for body in bodies]
    days = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(181)]
    categories, channels = ("科研平台", "人才引育", "科技企业孵化器"), ("本级安排", "上级转移支付", "对下转移支付")
    for number in range(count):
        payee = draw.randrange(CODES)
        yield (
            f"PZ2026{number:08d}", draw.choice(AREAS), "一般公共预算", draw.choice(categories), draw.choice(channels),
            f"2026-ZD-{number % 900_000:06d}", f"示例科技项目{number % 900_000}", f"示例单位{payee:06d}", codes[payee],
            draw.choice(days), f"{draw.randrange(1, 10_000_000)}.{draw.randrange(100):02d}", "",
        )  # fmt: skip


def write_csv(path: Path, rows: Iterator[tuple[str, ...]]) -> None:
    """Write a ledger as CSV."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["政府科技创新投入拨付明细表"])
        writer.writerow([f"{key}：{value}" for key, value in SAID.items()])
        writer.writerow([column.heading for column in table(TABLE_ID).columns])
        writer.writerows(rows)
        writer.writerow([f"报出日期：{REPORTED_ON}"])


def write_parquet(path: Path, rows: Iterator[tuple[str, ...]]) -> None:
    """Write a ledger as Parquet: amounts as decimals, dates as dates."""
    _write(path, rows, {"money": pa.decimal128(18, 2), "date": pa.date32()})


def write_texts(path: Path, rows: Iterator[tuple[str, ...]]) -> None:
    """Write a ledger as Parquet with every cell a text: one whose amounts and dates are none."""
    _write(path, rows, {})


def _write(path: Path, rows: Iterator[tuple[str, ...]], types: dict[str, pa.DataType]) -> None:
    columns = table(TABLE_ID).columns
    schema = pa.schema([(c.heading, types.get(c.type, pa.string())) for c in columns], SAID | {"报出日期": REPORTED_ON})
    made = {"money": Decimal, "date": date.fromisoformat}
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while piece := list(islice(rows, PIECE)):
            cells = [
                [made[c.type](v) if c.type in types else v or None for v in values]
                for c, values in zip(columns, zip(*piece, strict=True), strict=True)
            ]
            writer.write_table(
                pa.table([pa.array(v, f.type) for v, f in zip(cells, schema, strict=True)], schema=schema)
            )


def measure(path: Path) -> None:
    """Check one file as a bureau would and say what it cost; runs in a process of its own."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        home = Home.at(Path(folder) / "home")
        reading, outcome = self_check([path], Path(folder), unit_register(home), home)
    seconds = time.perf_counter() - start
    READER.stop()
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime
    peak, peak_of_child = own.ru_maxrss / 1024, child.ru_maxrss / 1024
    size = path.stat().st_size / 1024**2
    rows = reading.tables[TABLE_ID].manifest.row_count
    print(
        f"  {path.suffix[1:]:<8} {rows:>10,} 行 {size:6.0f} MB  {seconds:6.1f} 秒（处理器 {cpu:.0f} 秒）"
        f"  峰值内存 {peak:.0f} + 子进程 {peak_of_child:.0f} MB  问题 {len(outcome.findings)} 条"
    )


def main(count: int = ROWS) -> None:
    """Print one line per format: file → raw rows → gate 1."""
    print(f"大批量报送：{count:,} 行拨付明细，从文件到 raw、过第一道关卡")
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("拨付明细.csv", write_csv), ("拨付明细.parquet", write_parquet)):
            path = Path(folder) / name
            write(path, rows_of(count))
            subprocess.run([sys.executable, "-m", "tests.bench.bulk", str(path)], check=True)
            path.unlink()


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
