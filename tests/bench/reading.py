"""Reading a 200 000 × 15 sheet beside python-calamine alone, in one run; and the time to read an ordinary workbook in a warm process."""

import time
from pathlib import Path

from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from sources import reader_process
from sources.grids import read_sheets
from tests.workbooks import education_rows, payment_row, write_return

ROWS = 200_000


def write_large(path: Path) -> Path:
    """Write one ledger of 200 000 rows and 15 columns, three of which no contract knows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("拨付明细")
    sheet.append(["拨付明细"])
    sheet.append(["填报单位：市财政局", "报告期：2026年上半年", "计量单位：万元"])
    sheet.append([*payment_row(1), "备注一", "备注二", "备注三"])
    for number in range(ROWS):
        row = payment_row(number, 收款单位=f"单位{number % 2000}", 金额=number * 0.37)
        sheet.append([*row.values(), number, number / 7, "备注"])
    book.save(path)
    return path


def seconds(work: object, *arguments: object) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work(*arguments)  # type: ignore[operator]
    return time.perf_counter() - start


def print_reading(folder: Path) -> None:
    """Print the table."""
    path = write_large(folder / "large.xlsx")
    ordinary = write_return(folder / "ordinary.xlsx", "education_bureau", education_rows())
    reader_process.read_workbook(ordinary)
    bare = seconds(lambda: CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())
    print(f"读一张 {ROWS} × 15 的工作表（calamine 单独 {bare:.1f} 秒）")
    for name, work in (
        ("两个读取程序逐格比对", read_sheets),
        ("按契约成为带类型的行，在子进程里", reader_process.read_workbook),
    ):
        took = seconds(work, path)
        print(f"  {name:<24} {took:6.1f} 秒  是 calamine 单独的 {took / bare:.2f} 倍")
    print(f"  {'一份普通工作簿（进程已热）':<24} {seconds(reader_process.read_workbook, ordinary):6.2f} 秒")
