"""``sti doctor``: is the environment whole, and is everything in the home what it was."""

import shutil
import sys
from collections.abc import Callable
from importlib import metadata

import duckdb

from expectations.ledger_file import LedgerError, head_of, recorded_periods
from orchestration import running
from warehouse import archive, layers
from warehouse.lock import holder
from warehouse.paths import Home

PACKAGES = (
    "dagster",
    "dagster-dbt",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "pandas",
    "pyarrow",
    "openpyxl",
)
LEAST_FREE_BYTES = 1024**3


def examine(home: Home) -> list[dict[str, str]]:
    """Return one row per check: 项目, 结果 (正常 | 异常 | 说明), 详情."""
    rows = []

    def add(item: str, is_fine: bool | None, detail: str) -> None:
        rows.append(
            {"项目": item, "结果": "说明" if is_fine is None else "正常" if is_fine else "异常", "详情": detail}
        )

    version = ".".join(map(str, sys.version_info[:3]))
    add("Python", (3, 11) <= sys.version_info[:2] < (3, 14), version)
    for package in PACKAGES:
        try:
            add(package, True, metadata.version(package))
        except metadata.PackageNotFoundError:
            add(package, False, "没有安装；请运行 make run")
    add("数据目录", None, str(home.root))
    existing = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    add("剩余磁盘", free > LEAST_FREE_BYTES, f"{free / 1024**3:.1f} GiB")
    add("写锁", None, holder(home) or "无人持有")
    stopped = running.settle(home)
    add("运行", not stopped, "；".join(mark.text for mark in stopped) or "没有中断的运行")
    for text in running.elsewhere(home):
        add("别处的运行", None, text)
    _ledgers(home, add)
    receipts = archive.receipts(home)
    damaged = archive.damaged(home)
    detail = (
        f"{len(receipts)} 份来件，哈希全部相符" if not damaged else f"{len(damaged)} 份缺失或被改动：{damaged[0][:16]}…"
    )
    add("档案校验", not damaged, detail)
    try:
        add("准入校验", True, f"{len(layers.verify_accepted(home))} 个文件与准入记录相符")
    except layers.LayerError as error:
        add("准入校验", False, str(error))
    if home.published.exists():
        try:
            with duckdb.connect(str(home.published), read_only=True) as connection:
                count = connection.execute("select count(*) from duckdb_tables()").fetchall()[0][0]
            add("已发布的数仓", True, f"{count} 张表")
        except duckdb.Error as error:
            add("已发布的数仓", False, str(error).splitlines()[0])
    else:
        add("已发布的数仓", None, "还没有发布过")
    return rows


def _ledgers(home: Home, add: Callable[[str, bool | None, str], None]) -> None:
    """Check every finding ledger's chain; the last chain of each is there to be noted down elsewhere."""
    for period in recorded_periods(home.findings):
        try:
            head = head_of(home.findings, period)
        except LedgerError as error:
            add(f"问题台账 {period}", False, str(error))
        else:
            add(f"问题台账 {period}", True, f"{head.number} 条，逐条相扣；末条 {head.chain[:16] or '（空）'}")
