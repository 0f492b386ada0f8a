"""From hand-in to receipt, as a run does it for one return: an ordinary workbook, the largest that is let in, a million rows wrong seven times each.

Each in a process of its own, whose memory and that of its reader are told apart.
"""

import contextlib
import io
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook, load_workbook

from expectations import findings as ledger
from orchestration import receipts
from orchestration.cli import main as sti
from orchestration.gate import gate_scope
from orchestration.hand_ins import judge_slot
from sources.finding import place_count
from sources.reader_process import READER
from tests.bench import bulk
from tests.workbooks import education_rows, finance_rows, payment_row, write_return
from warehouse import archive
from warehouse.archive import Receipt
from warehouse.paths import Home

PERIOD = "2026H1"
FAULTY_ROWS = 1_000_000
LARGEST_ROWS = 300_000
MEBIBYTE = 1024**2


def faulty_rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield rows of a payment ledger wrong in seven cells each: no area, no budget type, no channel, code, day and amount amiss, voucher twice."""
    for number, row in enumerate(bulk.rows_of(count)):
        yield (
            f"PZ{number // 2}", "嘉兴", "预算", row[3], "上级", row[5], row[6], row[7], f"91330400MY{number:08d}",
            "2025-12-15", f"约{number}", row[11],
        )  # fmt: skip


def write_ordinary(folder: Path) -> list[Path]:
    """Write two versions of one ordinary return: the first warms the process up."""
    days = ("10", "11")
    return [
        write_return(folder / f"{day}.xlsx", "education_bureau", education_rows(), reported_on=f"2026年7月{day}日")
        for day in days
    ]


def write_largest(path: Path) -> Path:
    """Write a finance return whose ledger makes the workbook about as large as one may be (20 MB, unpacked 200 MB)."""
    small = path.with_name("small.xlsx")
    source = load_workbook(write_return(small, "finance_bureau", finance_rows()))
    book = Workbook(write_only=True)
    for name in source.sheetnames:
        sheet = book.create_sheet(name)
        for row in source[name].iter_rows(values_only=True):
            if name == "拨付明细" and str(row[0]).startswith("PZ"):
                continue
            if name == "拨付明细" and str(row[0]).startswith("单位负责人"):
                for number in range(LARGEST_ROWS):
                    made = payment_row(number % 20, 凭证号=f"PZ{number:08d}", 项目编号=f"P{number % 997}", 金额=0.0001)
                    sheet.append([*made.values()])
            sheet.append(row)
    book.save(path)
    return path


def hand_in(home: Home, path: Path) -> Receipt:
    """Receive a file, judge its slot and write the receipts, without the rest of a run."""
    receipt = archive.receive(home, path, PERIOD)
    receipts.write_arrival(home, receipt, [])
    scope = gate_scope(receipt.provider)
    judge_slot(home, receipt.provider, PERIOD, lambda _: ledger.blocking(home.findings, PERIOD, scope))
    return receipt


def measure(folder: Path, paths: list[Path]) -> None:
    """Hand the files in one after the other and say what the last one cost; runs in a process of its own."""
    home = Home.at(folder / "home")
    for path in paths[:-1]:
        hand_in(home, path)
    start, cpu = time.perf_counter(), _cpu_seconds()
    receipt = hand_in(home, paths[-1])
    seconds = time.perf_counter() - start
    READER.stop()
    cpu = _cpu_seconds() - cpu
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        sti(["--home", str(home.root), "findings", PERIOD])
    listing = time.perf_counter() - start
    found = [state.finding for state in ledger.states(home.findings, PERIOD)]
    written = [home.receipt_folder(receipt.receipt_no) / name for name in (receipts.JSON, receipts.WORKBOOK)]
    document, workbook = (path.stat().st_size / MEBIBYTE for path in written)
    kept = sum(path.stat().st_size for path in home.findings.rglob("*") if path.is_file()) / MEBIBYTE
    print(
        f"  {paths[-1].name:<16} {_size(paths[-1])}  {seconds:6.2f} 秒（处理器 {cpu:.1f} 秒）  峰值内存 {own:.0f} + 子进程 {child:.0f} MB"
        f"  问题 {len(found):,} 条（{place_count(found):,} 处）  回执 {document:.1f} + {workbook:.1f} MB  台账 {kept:.1f} MB"
        f"  sti findings {listing:.1f} 秒",
        flush=True,
    )


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _size(path: Path) -> str:
    packed = f"{path.stat().st_size / MEBIBYTE:.1f} MB"
    if not zipfile.is_zipfile(path):
        return packed
    with zipfile.ZipFile(path) as package:
        return f"{packed}，解开 {sum(part.file_size for part in package.infolist()) / MEBIBYTE:.0f} MB"


def print_receipts(folder: Path) -> None:
    """Print one line per hand-in."""
    print(f"从收件到回执（第一道关卡、台账在内）；全错的大批量文件 {FAULTY_ROWS:,} 行，每行七处错")
    csv, parquet = folder / "全错.csv", folder / "全错.parquet"
    bulk.write_csv(csv, faulty_rows(FAULTY_ROWS))
    bulk.write_texts(parquet, faulty_rows(FAULTY_ROWS))
    for paths in (write_ordinary(folder), [write_largest(folder / "最大.xlsx")], [csv], [parquet]):
        home = folder / paths[-1].stem
        subprocess.run([sys.executable, "-m", "tests.bench.receipts", home, *paths], check=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]])
