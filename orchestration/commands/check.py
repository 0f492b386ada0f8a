"""``sti check``: a bureau's self-check, the same findings as the run, and the same receipt if wanted."""

import json
import tempfile
import traceback
from pathlib import Path
from typing import Any

import click

from expectations.outside_figures import OutsideFigureError
from orchestration import printing
from orchestration.command import BLOCKED, BROKEN, Stop, guarded
from sources.finding import Finding
from sources.workbook import WorkbookReading, sha256_of
from warehouse.paths import Home, log_error
from warehouse.unit_names import unit_register


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--receipt",
    "receipt_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="把自查回执（JSON 和标色的工作簿）写到这个文件夹",
)
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def check_command(home: Home, files: tuple[Path, ...], receipt_folder: Path | None, as_json_: bool) -> None:
    """自查工作簿和大批量文件（CSV、Parquet）：与正式审核同样的问题清单，不存任何东西；--receipt 写出回执。

    数据目录（--home）里有本单位已准入的以往数据的，一并比较；没有的，清单里说明没有比较。
    """
    from orchestration.gate import returns_of
    from orchestration.receipts import failed_check_receipt

    found: list[Finding] = []
    reports: list[dict[str, Any]] = []
    broken: list[str] = []
    logged = ""
    for paths in returns_of(files):
        try:
            findings, report = _check_one(home, paths, receipt_folder, is_shown=not as_json_)
        except (OSError, OutsideFigureError):
            raise
        except Exception:
            # One file that our own program fails on does not keep the others from being checked.
            logged = log_error(home, traceback.format_exc())
            broken += [path.name for path in paths]
            if receipt_folder:
                for path in paths:
                    failed_check_receipt(receipt_folder, path, home)
            continue
        found += findings
        reports.append(report)
    if as_json_:
        click.echo(json.dumps(reports, ensure_ascii=False, indent=1))
    if broken:
        names = "、".join(broken)
        raise Stop(f"{names}：检查时发生内部错误，不是填报的问题，{logged}；请把它发给数据组。", BROKEN)
    if any(f.rule_class != "note" for f in found):
        raise Stop("", BLOCKED)


def _check_one(
    home: Home, paths: list[Path], receipt_folder: Path | None, *, is_shown: bool
) -> tuple[list[Finding], dict[str, Any]]:
    """Check the files of one return, print it if asked to, and write its receipt where one is wanted; return its findings and its JSON report."""
    from orchestration.gate import self_check
    from orchestration.receipts import self_check_receipt

    with tempfile.TemporaryDirectory() as folder:
        reading, outcome = self_check(paths, Path(folder), unit_register(home), home)
    report = printing.check_json(reading, outcome.findings)
    if is_shown:
        printing.check(reading, outcome.findings)
    if receipt_folder:
        written = self_check_receipt(receipt_folder, _of(reading, paths), reading, outcome, home)
        report["receipt"] = [str(file) for file in written]
        if is_shown:
            click.echo("  回执：" + "，".join(report["receipt"]))
    return outcome.findings, report


def _of(reading: WorkbookReading, paths: list[Path]) -> Path:
    """Return the file that the reading is named after: of a return in several files, its workbook."""
    return paths[0] if len(paths) == 1 else next((p for p in paths if sha256_of(p) == reading.file_sha256), paths[0])
